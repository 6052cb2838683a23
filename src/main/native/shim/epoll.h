/* SPDX-License-Identifier: Apache-2.0 */
/* epoll.h - the epoll of the one thread that notices ends. */
#ifndef UMH_EPOLL_H
#define UMH_EPOLL_H

#include <stdint.h>

int umh_epoll_load(void);

/* Closes what loading has opened. */
void umh_epoll_unload(void);

/* The identity that epolls, eventfds and, before Linux 6.9, pidfds have in common (common/file_identity.h). */
uint64_t umh_anon_inode_identity(void);

#endif
