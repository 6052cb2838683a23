/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - reads the launcher's reports from the plan socket. */
#ifndef UMH_REPORT_H
#define UMH_REPORT_H

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
	int sender_pid; /* from the kernel: SO_PASSCRED */
	int fd;         /* -1 if the message has no descriptor, or more than one */
};

/*
 * Receives one report of this launch: 1, 0 if there is none, or a negative errno if it could not be read. Discards
 * messages of other processes and closes their descriptors.
 */
int umh_report_receive(const struct umh_child *child, struct umh_message *message);

/* The same without taking the report, or its descriptor, from the socket. */
int umh_report_peek(const struct umh_child *child, struct umh_report *report);

/* Whether the next report is EXEC: the launcher is about to call execve. Leaves the report in the socket. */
int umh_report_has_exec(const struct umh_child *child);

/* Adds to the report of a launcher that has sent none how it has ended: the signal, or the errno of a missing plan. */
void umh_report_set_end(struct umh_report *report, int status);

#endif
