/* SPDX-License-Identifier: Apache-2.0 */
/* umh_reaper.h - the epoll of the one thread that notices ends. */
#ifndef UMH_REAPER_H
#define UMH_REAPER_H

int umh_reaper_load(void);

/* Closes what loading has opened. */
void umh_reaper_unload(void);

#endif
