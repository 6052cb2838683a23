/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd.h - waits for, reaps and signals one process by its pidfd, and no other process. */
#ifndef UMH_PIDFD_H
#define UMH_PIDFD_H

#include <sys/types.h>

#include "shim/umh.h"

/* Instead of a wait status, as wait(2) encodes it: other code has reaped the process, and the status is lost. */
#define UMH_STATUS_LOST (-1)

/*
 * The resources that a process has used. The peak of memory is not among them: the child shared the JVM's memory for a
 * moment, so its peak is at least the JVM's.
 */
struct umh_usage {
	long long user_us;
	long long system_us;
	long long minor_faults;
	long long major_faults;
	long long blocks_in;
	long long blocks_out;
	long long voluntary_switches;
	long long involuntary_switches;
};

/*
 * Waits for the end of the helper and reaps it: 0 and the status, or -EAGAIN. Never waits for another child. usage may
 * be NULL; it is all zero if other code has reaped the process. If the pidfd's number refers to another file by now,
 * the pid is used as long as it is certainly this child's; otherwise the status is lost.
 */
int umh_wait(const struct umh_child *child, enum umh_blocking blocking, int *status, struct umh_usage *usage);

/* The same, blocking, for a child that was just created; -EAGAIN if it was stopped. This consumes the stop. */
int umh_wait_or_stop(const struct umh_child *child, int *status);

/* Whether the number of the pidfd still refers to that pidfd. */
int umh_pidfd_is_valid(const struct umh_child *child);

/*
 * Opens the pidfd again if its number refers to another file: 0 if it was valid, 1 if it was opened, -ECHILD if the
 * process can't be waited for any more. Leaves the old number alone.
 */
int umh_reopen_pidfd(struct umh_child *child);

/* Closes the pidfd if it is valid. */
void umh_close_pidfd(struct umh_child *child);

/* The pid of a process that was not reaped; 0 if the kernel does not report it (before 6.13 without /proc). */
int umh_pid_of_pidfd(int pidfd);

/* Whether the process is a child of this one, or has ended and was reaped by other code. */
int umh_pidfd_is_child(int pidfd);

/* Signals this process and no other, even if its pid or pidfd was reused. Returns -ESRCH if it has ended. */
int umh_signal(const struct umh_child *child, int signal);

/*
 * Signals the process group that the process leads, also after its end. Returns -EINVAL before 6.9, where only the
 * group's number can be used.
 */
int umh_signal_group(const struct umh_child *child, int signal);

/*
 * Kills and reaps a child that has no usable pidfd: a launcher's child whose pidfd did not arrive, or a process for
 * which waitid(P_PIDFD) is refused. Its pid is its own until it is reaped.
 */
void umh_kill_and_reap(pid_t pid);

/* poll(2), or ppoll(2) if a filter refuses poll(2). Sets errno. */
struct pollfd;
int umh_poll(struct pollfd *fds, unsigned count, int timeout_ms);

#endif
