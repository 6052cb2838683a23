/* SPDX-License-Identifier: Apache-2.0 */
/* umh_reaper.h - the epoll of the one thread that notices ends. */
#ifndef UMH_REAPER_H
#define UMH_REAPER_H

#include <stdint.h>

int umh_reaper_load(void);

/* Closes what loading has opened. */
void umh_reaper_unload(void);

/* The identity that epolls, eventfds and, before Linux 6.9, pidfds have in common (umh_identity.h). */
uint64_t umh_anonymous_identity(void);

#endif
