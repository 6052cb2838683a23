/* SPDX-License-Identifier: Apache-2.0 */
/* umh_socket.c - plan sockets: made, lent, and kept for the next launch where that is safe. */

/*
 * To make a socketpair and to close it again costs a tenth of a spawn. A launch that is waited for until the helper's
 * end needs no hang-up to tell of its outcome, so its pair stays whole and can serve again: the only other holder
 * of the child's end was the launcher, and its copy was close-on-exec.
 */

#include "umh_socket.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT 2

/* A place belongs to the thread that found it free, pair and all, until that thread frees it. */
static struct {
	struct umh_pair pair; /* ours is -1 where there is none */
	atomic_int taken;
} places[KEPT];

static void discard(struct umh_pair *pair)
{
	close(pair->ours);
	if (pair->theirs >= 0)
		close(pair->theirs);
	pair->ours = -1;
}

/* SO_PASSCRED: the kernel adds to each message the pid of the process that has sent it. */
static int create(struct umh_pair *pair, int place)
{
	const int on = 1;
	int fds[2];
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	*pair = (struct umh_pair){fds[0], fds[1], place};
	if (setsockopt(pair->ours, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0)
		return 0;
	error = errno;
	discard(pair);
	return -error;
}

/* A JVM without descriptors to spare makes them when it needs them. */
void umh_pairs_load(void)
{
	for (int place = 0; place < KEPT; place++)
		if (create(&places[place].pair, place) < 0)
			places[place].pair.ours = -1;
}

int umh_pair_make(struct umh_pair *pair)
{
	return create(pair, -1);
}

int umh_pair_take(struct umh_pair *pair)
{
	for (int place = 0; place < KEPT; place++) {
		int result = 0;

		if (atomic_exchange(&places[place].taken, 1))
			continue;
		if (places[place].pair.ours < 0)
			result = create(&places[place].pair, place);
		*pair = places[place].pair;
		if (result < 0)
			atomic_store(&places[place].taken, 0);
		return result;
	}
	return create(pair, -1);
}

void umh_pair_hang_up(struct umh_pair *pair)
{
	close(pair->theirs);
	pair->theirs = -1;
	if (pair->place >= 0)
		places[pair->place].pair.theirs = -1;
}

void umh_pair_give(struct umh_pair *pair, int clean)
{
	const int place = pair->place;

	if (place < 0) {
		discard(pair);
		return;
	}
	if (!clean || pair->theirs < 0)
		discard(&places[place].pair);
	atomic_store(&places[place].taken, 0);
}

/* The library is unloaded with the class loader that loaded it. */
__attribute__((destructor)) void umh_pairs_unload(void)
{
	for (int place = 0; place < KEPT; place++)
		if (places[place].pair.ours >= 0)
			discard(&places[place].pair);
}
