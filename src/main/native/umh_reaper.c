/* SPDX-License-Identifier: Apache-2.0 */
/* umh_reaper.c - one epoll for everything that one thread waits for. */

#include "umh_reaper.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "umh.h"

#define BATCH 128

static int epoll = -1;

int umh_reaper_load(void)
{
	epoll = epoll_create1(EPOLL_CLOEXEC);
	return epoll < 0 ? -errno : 0;
}

/*
 * A hang-up need not be asked for, and nothing else is asked of a plan socket: its words cost no wake-up.
 * One shot: should another library's fork keep the descriptor alive, an old event must not come back for ever.
 */
int umh_watch(int fd, enum umh_event event, unsigned long long token)
{
	struct epoll_event watch = {
		.events = EPOLLONESHOT | (event == UMH_EXIT ? EPOLLIN : 0),
		.data.u64 = token,
	};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &watch) < 0 ? -errno : 0;
}

int umh_events(unsigned long long *tokens, int capacity, int timeout_ms)
{
	struct epoll_event events[BATCH];
	int count;

	do
		count = epoll_wait(epoll, events, capacity < BATCH ? capacity : BATCH, timeout_ms);
	while (count < 0 && errno == EINTR);
	for (int i = 0; i < count; i++)
		tokens[i] = events[i].data.u64;
	return count < 0 ? -errno : count;
}

/* The library is unloaded with the class loader that loaded it. */
__attribute__((destructor)) static void unload(void)
{
	if (epoll >= 0)
		close(epoll);
}
