/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what is said of a launch: on the plan socket, up, and by the ends of its processes. */
#ifndef UMH_REPORT_H
#define UMH_REPORT_H

#include <sys/types.h>

#include "shim/umh.h"

#define UMH_MAX_ERRNO 4095

static inline int umh_set_failure(struct umh_report *report, enum umh_stage stage, int error, uint32_t detail)
{
	*report = (struct umh_report){.stage = stage, .error = (uint32_t)error, .detail = detail};
	return -error;
}

/* One message of the plan socket. */
struct umh_message {
	struct umh_report report;
	int sender_pid; /* the process that the kernel says has sent it: SO_PASSCRED */
	int fd;     /* -1 when none came along, or more than one */
};

/*
 * One word of this launch from the socket: 1, 0 when there is none, or a negative errno when it could not be read. What
 * anybody else has said is passed over, and the descriptors that came with it are closed.
 */
int umh_report_receive(const struct umh_child *child, struct umh_message *message);

/* The same, and the word is left to be read, with what comes along. */
int umh_report_peek(const struct umh_child *child, struct umh_report *word);

/* Whether the launcher has said that it is about to become the helper; the word is left to be read. */
int umh_report_has_exec(const struct umh_child *child);

/* Adds to a report of nothing how the launcher has ended: by which signal, or with which errno for want of a plan. */
void umh_report_set_end(struct umh_report *report, int status);

/* umh_wait_exec(), and the socket stays open (launch_state.c). */
int umh_advance_launch(struct umh_child *child, enum umh_blocking blocking);

/*
 * The same for a process that was waited for and reaped, and has no successor. After a failure umh_advance_launch() has still to end
 * what may be left of it.
 */
void umh_launch_process_ended(struct umh_child *child, int status);

/* By CLOCK_MONOTONIC. */
long long umh_now_ms(void);

/* The process could not be waited for. */
void umh_fail_wait(struct umh_child *child, int error);

/*
 * Ends a child without a pidfd that serves: a launcher's successor whose pidfd did not arrive, or one that may not be waited
 * for by its pidfd. As long as nobody has reaped it its number is its own.
 */
void umh_kill_and_reap(pid_t pid);

#endif
