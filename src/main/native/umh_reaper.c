/* SPDX-License-Identifier: Apache-2.0 */
/* umh_reaper.c - one epoll for everything that one thread waits for. */

#include "umh_reaper.h"

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "umh.h"

#define BATCH 128

#define WAKE  UINT64_MAX /* no token of a watch */

static int epoll = -1;
static int wake = -1;

int umh_reaper_load(void)
{
	struct epoll_event watch = {.events = EPOLLIN | EPOLLET, .data.u64 = WAKE};

	epoll = epoll_create1(EPOLL_CLOEXEC);
	wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (epoll < 0 || wake < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &watch) < 0)
		return -errno;
	return 0;
}

/* Edge-triggered: every write is an event, and nobody has to read. */
int umh_wake(void)
{
	return eventfd_write(wake, 1) < 0 ? -errno : 0;
}

/*
 * A hang-up need not be asked for, and nothing else is asked of a plan socket: its words cost no wake-up.
 * One shot: should another library's fork keep the descriptor alive, an old event must not come back for ever. A
 * descriptor that has fired stays registered, and is armed again.
 */
int umh_watch(int fd, enum umh_event event, unsigned long long token)
{
	static const uint32_t events[] = {
		[UMH_HANG_UP] = 0,
		[UMH_EXIT] = EPOLLIN,
		[UMH_READABLE] = EPOLLIN,
		[UMH_WRITABLE] = EPOLLOUT,
	};
	struct epoll_event watch = {.events = EPOLLONESHOT | events[event], .data.u64 = token};

	if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &watch) == 0)
		return 0;
	if (errno == ENOENT && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &watch) == 0)
		return 0;
	return -errno;
}

int umh_events(unsigned long long *tokens, int capacity, int timeout_ms)
{
	struct epoll_event events[BATCH];
	int tokens_found = 0;
	int count;

	do
		count = epoll_wait(epoll, events, capacity < BATCH ? capacity : BATCH, timeout_ms);
	while (count < 0 && errno == EINTR);
	for (int i = 0; i < count; i++)
		if (events[i].data.u64 != WAKE)
			tokens[tokens_found++] = events[i].data.u64;
	return count < 0 ? -errno : tokens_found;
}

/* The library is unloaded with the class loader that loaded it. */
__attribute__((destructor)) void umh_reaper_unload(void)
{
	if (epoll >= 0)
		close(epoll);
	if (wake >= 0)
		close(wake);
	epoll = wake = -1;
}
