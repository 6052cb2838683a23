/* SPDX-License-Identifier: Apache-2.0 */
/* launch_state.h - the states of a launch, for the other files of the shim. */
#ifndef UMH_LAUNCH_STATE_H
#define UMH_LAUNCH_STATE_H

#include "shim/umh.h"

/* umh_wait_exec() without closing the socket. */
int umh_advance_launch(struct umh_child *child, enum umh_blocking blocking);

/*
 * The same for a process that was waited for and reaped, and has no successor. After a failure umh_advance_launch()
 * must still end the processes that may be left.
 */
void umh_launch_process_ended(struct umh_child *child, int status);

/* waitid(2) has failed: kills and reaps the process and fails the launch. */
void umh_fail_wait(struct umh_child *child, int error);

/* By CLOCK_MONOTONIC. */
long long umh_now_ms(void);

#endif
