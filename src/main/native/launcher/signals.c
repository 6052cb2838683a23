/* SPDX-License-Identifier: Apache-2.0 */
/* signals.c - signal dispositions and mask, and the parent-death signal. */

#include <linux/prctl.h>
#include <poll.h>
#include <signal.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

#define LAST_SIGNAL 64

/* The kernel's structure of rt_sigaction(2), which is not libc's. */
struct kernel_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	uint64_t mask;
};

/*
 * The JVM may have ended before PR_SET_PDEATHSIG. Its end of the plan socket shows that; getppid(2) would not, in a new
 * pid namespace.
 */
int apply_parent_death(struct launch *launch)
{
	struct pollfd jvm = {.fd = launch->socket};
	const int64_t now[2] = {0, 0};
	long result = umh_syscall(__NR_prctl, PR_SET_PDEATHSIG, launch->plan->parent_death_signal);

	if (result == 0)
		result = umh_syscall(__NR_ppoll, &jvm, 1, now, 0, 0);
	if (result > 0)
		sys_exit(127); /* no process is left that could receive a report */
	return (int)result;
}

#define SIGIGN_LABEL "SigIgn:\t"
#define MASK_DIGITS  16

static uint64_t load_8_bytes(const char *text)
{
	uint64_t bytes;

	__builtin_memcpy(&bytes, text, sizeof bytes);
	return bytes;
}

/*
 * No other process changes the dispositions since the clone. Reading them costs as much as ten of the calls that it
 * saves. Without /proc, or if the line follows a very long list of groups, every signal may be ignored.
 */
__attribute__((noinline)) uint64_t read_ignored_signals(void)
{
	char text[1280];
	const int fd = sys_open("/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
	const long size = fd < 0 ? fd : sys_read(fd, text, sizeof text);
	const char *digit = text + sizeof(uint64_t);
	uint64_t ignored = 0;

	if (fd >= 0)
		sys_close(fd);
	while (digit + MASK_DIGITS < text + size &&
	       load_8_bytes(digit - sizeof(uint64_t)) != load_8_bytes(SIGIGN_LABEL))
		digit++;
	if (digit + MASK_DIGITS >= text + size)
		return ~UINT64_C(0);
	for (unsigned i = 0; i < MASK_DIGITS; i++, digit++)
		ignored = ignored << 4 | (unsigned)(*digit <= '9' ? *digit - '0' : *digit - 'a' + 10);
	return ignored;
}

/*
 * execve(2) and CLONE_CLEAR_SIGHAND reset handled signals and leave ignored ones ignored. The kernel's helper has none
 * ignored either: flush_signal_handlers(current, 1). Then the mask, which blocked all signals.
 */
int apply_signals(struct launch *launch)
{
	for (unsigned signal = 1; signal <= LAST_SIGNAL; signal++) {
		const uint64_t ignored = launch->plan->ignored_signals >> (signal - 1) & 1;
		const struct kernel_sigaction action = {.handler = (unsigned long)(ignored ? SIG_IGN : SIG_DFL)};
		long result;

		if (signal == SIGKILL || signal == SIGSTOP ||
		    !(ignored || (launch->ignored_signals >> (signal - 1) & 1)))
			continue; /* default: after an execve no signal has a handler */
		result = umh_syscall(__NR_rt_sigaction, signal, &action, 0, sizeof action.mask);
		launch->detail = signal;
		if (result < 0)
			return (int)result;
	}
	launch->detail = 0;
	return (int)umh_syscall(__NR_rt_sigprocmask, SIG_SETMASK, &launch->plan->blocked_signals, 0, sizeof(uint64_t));
}
