/* SPDX-License-Identifier: Apache-2.0 */
/* umh_launcher.c - keeps the launcher as a sealed memfd, and a few low descriptors in reserve. */

/*
 * A child shares the JVM's descriptor table and copies only the numbers below the highest that it needs (umh_clone.c).
 * The price of a spawn is therefore set by how low the launcher and the plan socket are. So at load time, while low
 * numbers are free, the launcher moves to the lowest of them, and some more numbers are filled with duplicates of it:
 * slots, each lent to one spawn at a time for its plan socket. When all slots are lent, a spawn uses its socket where
 * it is, which costs time and nothing else.
 */

#include "umh_launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "umh_memfd.h"

/* 0 to 2 are the host's, whether it keeps them open or not; 3 and 4 are the child's (umh_clone.c). */
#define LOWEST 5
#define SLOTS  4

static struct {
	int fd;
	atomic_int slots[SLOTS];
	atomic_uint lent; /* one bit a slot */
} launcher = {.fd = -1, .slots = {-1, -1, -1, -1}};

static int open_image(const char *image, size_t size)
{
	int fd = umh_memfd_make("umh4j-launcher");
	int result;

	if (fd < 0)
		return fd;
	result = umh_memfd_write(fd, image, size);
	if (result == 0)
		result = umh_memfd_seal(fd);
	if (result < 0) {
		close(fd);
		return result;
	}
	return fd;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

/* A duplicate at the lowest free number that is not the host's; the original is closed. */
static int move_low(int fd)
{
	int low = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST);
	int error = errno;

	close(fd);
	return low < 0 ? -error : low;
}

static void reserve_slots(void)
{
	for (int i = 0; i < SLOTS; i++) {
		launcher.slots[i] = fcntl(launcher.fd, F_DUPFD_CLOEXEC, LOWEST);
		if (launcher.slots[i] < 0)
			atomic_fetch_or(&launcher.lent, 1U << i); /* never to be lent */
	}
}

int umh_launcher_load(const char *image, size_t size)
{
	int fd;

	if (launcher.fd >= 0)
		return -EALREADY;
	fd = size > 0 ? open_image(image, size) : open_file(image);
	if (fd >= 0)
		fd = move_low(fd);
	if (fd < 0)
		return fd;
	launcher.fd = fd;
	reserve_slots();
	return 0;
}

int umh_launcher_fd(void)
{
	return launcher.fd;
}

int umh_slot_take(void)
{
	unsigned lent = atomic_load(&launcher.lent);

	for (;;) {
		unsigned free = ~lent & ((1U << SLOTS) - 1);
		unsigned slot;

		if (free == 0)
			return -1;
		slot = (unsigned)__builtin_ctz(free);
		if (atomic_compare_exchange_weak(&launcher.lent, &lent, lent | 1U << slot))
			return launcher.slots[slot];
	}
}

void umh_slot_give(int number)
{
	for (int i = 0; i < SLOTS; i++)
		if (launcher.slots[i] == number)
			atomic_fetch_and(&launcher.lent, ~(1U << i));
}

/* Its number may be anybody's by now: it stays lent. */
void umh_slot_lose(int number)
{
	for (int i = 0; i < SLOTS; i++)
		if (launcher.slots[i] == number)
			launcher.slots[i] = -1;
}

/* The library is unloaded with the class loader that loaded it. */
__attribute__((destructor)) static void unload(void)
{
	for (int i = 0; i < SLOTS; i++)
		if (launcher.slots[i] >= 0)
			close(launcher.slots[i]);
	if (launcher.fd >= 0)
		close(launcher.fd);
}
