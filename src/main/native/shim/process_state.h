/* SPDX-License-Identifier: Apache-2.0 */
/* process_state.h - whether a process is frozen, stopped, traced or has executed: from /proc and the cgroup. */
#ifndef UMH_PROCESS_STATE_H
#define UMH_PROCESS_STATE_H

/*
 * Whether the processes of a cgroup are frozen, and whether another process has requested that: 0, 1, or a negative
 * errno. umh_process_is_frozen() returns the same for the cgroup of a process: 0 or 1.
 */
int umh_cgroup_is_frozen(int cgroup);
int umh_cgroup_is_freezing(int cgroup);
int umh_process_is_frozen(int pid);

/* The letter of ps(1): T for a stopped process, t for a process that a tracer holds; 0 if that can't be read. */
char umh_process_state(int pid);

/*
 * Whether a tracer has held the process since the last call with the same counter, which begins as 0. A tracer that
 * lets the process continue, however slowly, changes the counter.
 */
int umh_process_is_traced(int pid, long long *switches);

/* Whether a child of this process, a launcher, has executed the helper: its name is no longer UMH_LAUNCHER_COMM. */
int umh_process_has_executed(int pid);

#endif
