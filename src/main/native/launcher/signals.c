/* SPDX-License-Identifier: Apache-2.0 */
/* signals.c - who may signal the helper from a terminal, and what signals do to it. */

#include <errno.h>
#include <signal.h>

#include "launch.h"
#include "umh_syscalls.h"

#define LAST_SIGNAL 64

/* rt_sigaction(2)'s structure as the kernel has it, which is not libc's. */
struct kernel_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	uint64_t mask;
};

/* A session and group of its own, no terminal. Cannot fail: a new process leads no group. */
int apply_session(struct launch *launch)
{
	int result = (int)umh_syscall(__NR_setsid);

	(void)launch;
	return result < 0 ? result : 0;
}

/*
 * execve(2) and CLONE_CLEAR_SIGHAND set handled signals to their default and leave ignored ones ignored; the
 * kernel's helper has none of those either: flush_signal_handlers(current, 1). Then everything is unblocked.
 */
int apply_signals(struct launch *launch)
{
	const struct kernel_sigaction fallback = {.handler = (unsigned long)SIG_DFL};
	const uint64_t blocked = 0;

	for (unsigned signal = 1; signal <= LAST_SIGNAL; signal++) {
		long result;

		if (signal == SIGKILL || signal == SIGSTOP)
			continue;
		result = umh_syscall(__NR_rt_sigaction, signal, &fallback, 0, sizeof blocked);
		launch->detail = signal;
		if (result < 0)
			return (int)result;
	}
	return (int)umh_syscall(__NR_rt_sigprocmask, SIG_SETMASK, &blocked, 0, sizeof blocked);
}
