/* SPDX-License-Identifier: Apache-2.0 */
/* low_fds.c - low descriptors in reserve, each lent to one launch at a time for its plan socket. */

#include "shim/low_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "common/file_identity.h"

#define LOW_FDS 4

/* A number belongs to the thread that has set its bit in borrowed. A descriptor that was not opened stays borrowed. */
static struct {
	atomic_int fds[LOW_FDS];
	uint64_t identities[LOW_FDS];
	atomic_uint borrowed;
} low_fds = {.fds = {-1, -1, -1, -1}, .borrowed = (1U << LOW_FDS) - 1};

/* Opens the descriptors that are missing. */
void umh_low_fds_reserve(const struct umh_launcher_image *launcher)
{
	for (int i = 0; i < LOW_FDS; i++) {
		if (low_fds.fds[i] >= 0)
			continue;
		low_fds.fds[i] = fcntl(launcher->fd, F_DUPFD_CLOEXEC, UMH_MIN_LOW_FD);
		low_fds.identities[i] = launcher->identity;
		if (low_fds.fds[i] >= 0)
			atomic_fetch_and(&low_fds.borrowed, ~(1U << i));
	}
}

int umh_low_fd_borrow(void)
{
	unsigned borrowed = atomic_load(&low_fds.borrowed);

	for (;;) {
		unsigned free = ~borrowed & ((1U << LOW_FDS) - 1);
		unsigned slot;

		if (free == 0)
			return -1;
		slot = (unsigned)__builtin_ctz(free);
		if (!atomic_compare_exchange_weak(&low_fds.borrowed, &borrowed, borrowed | 1U << slot))
			continue;
		if (umh_is_same_file(low_fds.fds[slot], low_fds.identities[slot]))
			return low_fds.fds[slot];
		low_fds.fds[slot] = -1; /* it refers to another file by now */
		borrowed |= 1U << slot;
	}
}

static int index_of(int number)
{
	int i = 0;

	while (low_fds.fds[i] != number)
		i++;
	return i;
}

static int duplicate(int fd, int number)
{
	int result;

	do
		result = dup3(fd, number, O_CLOEXEC);
	while (result < 0 && errno == EINTR);
	return result;
}

/* If the number kept the child's end open, the launch would never be decided. */
void umh_low_fd_return(int number, uint64_t put_there)
{
	const struct umh_launcher_image *launcher = umh_launcher_image();
	const int slot = index_of(number);

	if (put_there != UMH_NO_IDENTITY) {
		if (!umh_is_same_file(number, put_there)) {
			low_fds.fds[slot] = -1;
			return;
		}
		if (!umh_is_same_file(launcher->fd, launcher->identity) || duplicate(launcher->fd, number) < 0) {
			close(number);
			low_fds.fds[slot] = -1;
			return;
		}
		low_fds.identities[slot] = launcher->identity;
	}
	atomic_fetch_and(&low_fds.borrowed, ~(1U << slot));
}

void umh_low_fds_unload(void)
{
	for (int i = 0; i < LOW_FDS; i++) {
		int slot = low_fds.fds[i];

		umh_close_if_same(&slot, low_fds.identities[i]);
		low_fds.fds[i] = -1;
	}
}
