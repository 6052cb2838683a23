/* SPDX-License-Identifier: Apache-2.0 */
/* socket.c - plan sockets: made, lent, and kept for the next launch where that is safe. */

/*
 * To make a socketpair and to close it again costs a tenth of a spawn. A launch that is waited for until the helper's
 * end needs no hang-up to tell of its outcome, so its pair stays whole and can serve again: the only other holder
 * of the child's end was the launcher, and its copy was close-on-exec.
 *
 * Between two launches other code may close a kept one, and have a file of its own at the number.
 */

#include "shim/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/file_identity.h"
#include "shim/low_fds.h"

#define CACHED 2

/* A place belongs to the thread that found it free, pair and all, until that thread frees it. */
static struct {
	struct umh_socketpair pair; /* ours is -1 where there is none */
	atomic_int in_use;
} cache[CACHED];

/* SO_PASSCRED: the kernel adds to each message the pid of the process that has sent it. Each end trusts one process alone. */
static int create_pair(struct umh_socketpair *pair, int place)
{
	const int on = 1;
	int fds[2];
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	*pair = (struct umh_socketpair){fds[0], fds[1], place, umh_file_identity(fds[0]), umh_file_identity(fds[1])};
	if (setsockopt(pair->parent_end, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
	    setsockopt(pair->child_end, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0)
		return 0;
	error = errno;
	umh_socket_close(pair);
	return -error;
}

/* The child's end of one that is kept goes to a low number for good. */
static int create_cached(int place)
{
	struct umh_socketpair *pair = &cache[place].pair;
	int result = create_pair(pair, place);
	int low;

	if (result < 0) {
		pair->parent_end = -1;
		return result;
	}
	low = fcntl(pair->child_end, F_DUPFD_CLOEXEC, UMH_MIN_LOW_FD);
	result = low < 0 ? -errno : 0;
	close(pair->child_end);
	pair->child_end = low;
	if (low < 0)
		umh_socket_close(pair);
	return result;
}

void umh_socket_close(struct umh_socketpair *pair)
{
	umh_close_if_same(&pair->parent_end, pair->parent_identity);
	umh_close_if_same(&pair->child_end, pair->child_identity);
}

/* A JVM without descriptors to spare makes them when it needs them. */
void umh_sockets_load(void)
{
	for (int place = 0; place < CACHED; place++)
		create_cached(place);
}

int umh_socket_create(struct umh_socketpair *pair)
{
	return create_pair(pair, -1);
}

/* What the plan is sent on has to be ours; the child looks at its own end itself, where nobody can change it any more. */
int umh_socket_acquire(struct umh_socketpair *pair)
{
	for (int place = 0; place < CACHED; place++) {
		struct umh_socketpair *kept = &cache[place].pair;
		int result = 0;

		if (atomic_exchange(&cache[place].in_use, 1))
			continue;
		if (!umh_is_same_file(kept->parent_end, kept->parent_identity)) {
			umh_socket_close(kept);
			result = create_cached(place);
		}
		*pair = *kept;
		if (result < 0)
			atomic_store(&cache[place].in_use, 0);
		return result;
	}
	return create_pair(pair, -1);
}

void umh_socket_release(struct umh_socketpair *pair, int clean)
{
	const int place = pair->cache_index;

	if (place < 0) {
		umh_socket_close(pair);
		return;
	}
	if (!clean)
		umh_socket_close(&cache[place].pair);
	atomic_store(&cache[place].in_use, 0);
}

/* The library is unloaded with the class loader that loaded it. */
__attribute__((destructor)) void umh_sockets_unload(void)
{
	for (int place = 0; place < CACHED; place++)
		umh_socket_close(&cache[place].pair);
}
