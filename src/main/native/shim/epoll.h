/* SPDX-License-Identifier: Apache-2.0 */
/* epoll.h - the epoll of the reaper thread, which waits for all helpers. */
#ifndef UMH_EPOLL_H
#define UMH_EPOLL_H

#include <stdint.h>

enum umh_event {
	UMH_HANG_UP,  /* of a plan socket: the launch can be decided */
	UMH_EXIT,     /* of a pidfd: the process has ended */
	UMH_READABLE, /* of a pipe */
	UMH_WRITABLE, /* of a pipe */
};

/* Returns the token once, when the event has occurred. Closing the descriptor ends the watch. */
int umh_epoll_watch(int fd, enum umh_event event, unsigned long long token);

/*
 * Waits for events and returns the number of tokens. -ESTALE: other code had closed the epoll; it was created again,
 * and the caller must watch every descriptor again. -ENOSYS: a filter refuses epoll; the caller must sleep and check
 * every descriptor.
 */
int umh_epoll_wait(unsigned long long *tokens, int capacity, int timeout_ms);

/* Has the current or the next umh_epoll_wait() return at once. */
int umh_epoll_wake(void);

int umh_epoll_load(void);

/* Closes the descriptors that umh_epoll_load() has opened. */
void umh_epoll_unload(void);

/* The identity that epolls, eventfds and, before Linux 6.9, pidfds have in common (common/file_identity.h). */
uint64_t umh_anon_inode_identity(void);

#endif
