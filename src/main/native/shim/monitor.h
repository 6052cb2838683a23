/* SPDX-License-Identifier: Apache-2.0 */
/* monitor.h - launches whose thread sleeps in the kernel, and how another thread ends what holds them there. */
#ifndef UMH_MONITOR_H
#define UMH_MONITOR_H

struct umh_child;

/* A launch that is under way; on the stack of its thread. */
struct umh_monitored_launch {
	int pid;          /* 0 until the process exists; the kernel writes it when nothing can fail any more */
	const int *pidfd; /* valid as soon as pid is; where that is never written, looked at with care */
	const struct umh_child *child; /* once the launcher runs; before that NULL */
	int cgroup;       /* the folder that the process is born in, or -1 */
	int launch_timeout_ms;     /* how long the caller waits, or 0 */
	int error;        /* why the process was killed, or 0 */

	/* monitor.c's own */
	struct umh_monitored_launch *next;
	long long begin_ms;
	int stop_count;
	long long voluntary_switches;
	int frozen_checks;
	int decided;
};

/* Between these two another thread looks at it now and then. It must not be touched meanwhile. */
void umh_monitor_begin(struct umh_monitored_launch *launch);
void umh_monitor_end(struct umh_monitored_launch *launch);

/*
 * While a launch is in the list, its own thread changes what the reaper reads of it, and reads from its socket, under this
 * lock. Two readers of the socket could else each pass over one message, and the second would lose the launcher's word.
 */
void umh_monitor_lock(void);
void umh_monitor_unlock(void);

/*
 * Looks at all of them, if that was not just done. Answers how long a thread that looks may sleep, in milliseconds: longest,
 * where there is nothing to look at.
 */
int umh_monitor_check(int longest);

/*
 * Whether the processes of a cgroup are frozen, or will be because somebody has asked for it: 0, 1, or a negative errno. The
 * same of the cgroup of a process: 0 or 1.
 */
int umh_cgroup_is_frozen(int cgroup);
int umh_cgroup_is_freezing(int cgroup);
int umh_process_is_frozen(int pid);

/* Whether a tracer has held a process since the last time that this was asked with the same counter, which begins as 0. */
int umh_process_is_traced(int pid, long long *switches);

#endif
