/* SPDX-License-Identifier: Apache-2.0 */
/* socket.c - plan sockets, created or cached for the next launch. */

/*
 * Creating and closing a socketpair takes a tenth of the time of a launch. umh_run() waits for the helper's end and
 * needs no hang-up, so its pair stays open and can be used again: the only other holder of the child's end was the
 * launcher, whose copy was close-on-exec.
 *
 * Between two launches other code may close a cached socket, and the number may refer to another file.
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

/* An entry, and its pair, belongs to the thread that has set in_use, until that thread clears it. */
static struct {
	struct umh_socketpair pair; /* parent_end is -1 if there is none */
	atomic_int in_use;
} cache[CACHED];

/* SO_PASSCRED: the kernel adds the sender's pid to each message. Each end trusts one process alone. */
static int create_pair(struct umh_socketpair *pair, int index)
{
	const int on = 1;
	int fds[2];
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	*pair = (struct umh_socketpair){fds[0], fds[1], index, umh_file_identity(fds[0]), umh_file_identity(fds[1])};
	if (setsockopt(pair->parent_end, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
	    setsockopt(pair->child_end, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0)
		return 0;
	error = errno;
	umh_socket_close(pair);
	return -error;
}

/* The child's end of a cached pair keeps a low number. */
static int create_cached(int index)
{
	struct umh_socketpair *pair = &cache[index].pair;
	int result = create_pair(pair, index);
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

/* A JVM without free descriptors creates them later. */
void umh_sockets_load(void)
{
	for (int index = 0; index < CACHED; index++)
		create_cached(index);
}

int umh_socket_create(struct umh_socketpair *pair)
{
	return create_pair(pair, -1);
}

/* The parent's end must be valid. The child verifies its end itself, in a table that no other thread can change. */
int umh_socket_acquire(struct umh_socketpair *pair)
{
	for (int index = 0; index < CACHED; index++) {
		struct umh_socketpair *kept = &cache[index].pair;
		int result = 0;

		if (atomic_exchange(&cache[index].in_use, 1))
			continue;
		if (!umh_is_same_file(kept->parent_end, kept->parent_identity)) {
			umh_socket_close(kept);
			result = create_cached(index);
		}
		*pair = *kept;
		if (result < 0)
			atomic_store(&cache[index].in_use, 0);
		return result;
	}
	return create_pair(pair, -1);
}

void umh_socket_release(struct umh_socketpair *pair, int clean)
{
	const int index = pair->cache_index;

	if (index < 0) {
		umh_socket_close(pair);
		return;
	}
	if (!clean)
		umh_socket_close(&cache[index].pair);
	atomic_store(&cache[index].in_use, 0);
}

/* The library is unloaded together with its class loader. */
__attribute__((destructor)) void umh_sockets_unload(void)
{
	for (int index = 0; index < CACHED; index++)
		umh_socket_close(&cache[index].pair);
}
