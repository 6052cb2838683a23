/* SPDX-License-Identifier: Apache-2.0 */
/* umh_socket.c - plan sockets: made, lent, and kept for the next launch where that is safe. */

/*
 * To make a socketpair and to close it again costs a tenth of a spawn. A launch that is waited for until the helper's
 * end needs no hang-up to tell of its outcome, so its pair stays whole and can serve again: the only other holder
 * of the child's end was the launcher, and its copy was close-on-exec.
 *
 * Between two launches other code may close a kept one, and have a file of its own at the number.
 */

#include "umh_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "umh_identity.h"
#include "umh_launcher.h"

#define KEPT 2

/* A place belongs to the thread that found it free, pair and all, until that thread frees it. */
static struct {
	struct umh_pair pair; /* ours is -1 where there is none */
	atomic_int taken;
} places[KEPT];

/* SO_PASSCRED: the kernel adds to each message the pid of the process that has sent it. */
static int create(struct umh_pair *pair, int place)
{
	const int on = 1;
	int fds[2];
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	*pair = (struct umh_pair){fds[0], fds[1], place, umh_identity(fds[0]), umh_identity(fds[1])};
	if (setsockopt(pair->ours, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0)
		return 0;
	error = errno;
	umh_pair_close(pair);
	return -error;
}

/* The child's end of one that is kept goes to a low number for good. */
static int create_kept(int place)
{
	struct umh_pair *pair = &places[place].pair;
	int result = create(pair, place);
	int low;

	if (result < 0) {
		pair->ours = -1;
		return result;
	}
	low = fcntl(pair->theirs, F_DUPFD_CLOEXEC, UMH_LOWEST_FD);
	result = low < 0 ? -errno : 0;
	close(pair->theirs);
	pair->theirs = low;
	if (low < 0)
		umh_pair_close(pair);
	return result;
}

void umh_pair_close(struct umh_pair *pair)
{
	umh_close_own(&pair->ours, pair->ours_is);
	umh_close_own(&pair->theirs, pair->theirs_is);
}

/* A JVM without descriptors to spare makes them when it needs them. */
void umh_pairs_load(void)
{
	for (int place = 0; place < KEPT; place++)
		create_kept(place);
}

int umh_pair_make(struct umh_pair *pair)
{
	return create(pair, -1);
}

/* What the plan is sent on has to be ours; the child looks at its own end itself, where nobody can change it any more. */
int umh_pair_take(struct umh_pair *pair)
{
	for (int place = 0; place < KEPT; place++) {
		struct umh_pair *kept = &places[place].pair;
		int result = 0;

		if (atomic_exchange(&places[place].taken, 1))
			continue;
		if (!umh_is(kept->ours, kept->ours_is)) {
			umh_pair_close(kept);
			result = create_kept(place);
		}
		*pair = *kept;
		if (result < 0)
			atomic_store(&places[place].taken, 0);
		return result;
	}
	return create(pair, -1);
}

void umh_pair_give(struct umh_pair *pair, int clean)
{
	const int place = pair->place;

	if (place < 0) {
		umh_pair_close(pair);
		return;
	}
	if (!clean)
		umh_pair_close(&places[place].pair);
	atomic_store(&places[place].taken, 0);
}

/* The library is unloaded with the class loader that loaded it. */
__attribute__((destructor)) void umh_pairs_unload(void)
{
	for (int place = 0; place < KEPT; place++)
		umh_pair_close(&places[place].pair);
}
