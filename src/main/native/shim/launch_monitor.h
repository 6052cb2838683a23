/* SPDX-License-Identifier: Apache-2.0 */
/* launch_monitor.h - monitors launches whose thread sleeps in the kernel. */
#ifndef UMH_LAUNCH_MONITOR_H
#define UMH_LAUNCH_MONITOR_H

struct umh_child;

/* A launch; on the stack of its thread. */
struct umh_monitored_launch {
	int pid;          /* 0 until the process exists; the kernel writes it after the last check that can fail */
	const int *pidfd; /* valid as soon as pid is */
	const struct umh_child *child; /* once the launcher runs; NULL before */
	int cgroup;                    /* the directory of the cgroup that the process is created in, or -1 */
	int launch_timeout_ms;         /* the caller's timeout, or 0 */
	int error;                     /* the reason why the process was killed, or 0 */

	/* for launch_monitor.c alone */
	struct umh_monitored_launch *next;
	long long begin_ms;
	int stop_count;
	long long voluntary_switches;
	int frozen_checks;
	int decided;
};

/* Between these two calls the reaper checks the launch. The caller must not change it meanwhile. */
void umh_monitor_begin(struct umh_monitored_launch *launch);
void umh_monitor_end(struct umh_monitored_launch *launch);

/*
 * Between umh_monitor_begin() and umh_monitor_end(), a launch's own thread needs this lock to change fields that the
 * reaper reads, and to read from the socket. Two readers could each discard one message, and the launcher's report with
 * it.
 */
void umh_monitor_lock(void);
void umh_monitor_unlock(void);

/*
 * Checks all launches, unless that was just done. Returns how long the calling thread may sleep, in milliseconds:
 * longest if there is no launch to check.
 */
int umh_monitor_check(int longest);

#endif
