/* SPDX-License-Identifier: Apache-2.0 */
/* umh_report.h - what is said of a launch: on the plan socket, up, and by the ends of its processes. */
#ifndef UMH_REPORT_H
#define UMH_REPORT_H

#include <sys/types.h>

#include "umh.h"

/* DIED: nobody has said anything. */
extern const struct umh_report umh_nothing_said;

static inline int umh_failed(struct umh_report *report, enum umh_stage stage, int error, uint32_t detail)
{
	*report = (struct umh_report){.stage = stage, .error = (uint32_t)error, .detail = detail};
	return -error;
}

/*
 * What was said on the socket, after its other end was closed or its process has ended: 0, a negative errno, or
 * UMH_UNDECIDED, when the process was succeeded by another one. What that one has said is left for when it has become the
 * helper, or ended, in its turn.
 */
int umh_report_read(struct umh_child *child, struct umh_report *report);

/* Whether the launcher has said that it is about to become the helper; the word is left to be read. */
int umh_report_has_arrived(int socket);

/* Adds to a report of nothing which signal has ended the launcher. */
void umh_report_end(struct umh_report *report, int status);

/* What is on its way out is reaped, here or nowhere: its status. */
int umh_end_of(const struct umh_child *child);

/*
 * Ends a child without a pidfd that serves: a launcher's successor whose pidfd did not arrive, or one that may not be waited
 * for by its pidfd. As long as nobody has reaped it its number is its own.
 */
void umh_end_stray(pid_t pid);

/*
 * A launcher that was killed in the middle of its succession may have said something of a successor, or that one says
 * itself that it was left behind: it is ended.
 */
void umh_end_successor(const struct umh_child *child);

#endif
