/* SPDX-License-Identifier: Apache-2.0 */
/* signals.c - what signals do to the helper, and the one it gets when its parent dies. */

#include <linux/prctl.h>
#include <poll.h>
#include <signal.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

#define LAST_SIGNAL 64

/* rt_sigaction(2)'s structure as the kernel has it, which is not libc's. */
struct kernel_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	uint64_t mask;
};

/*
 * The JVM may have died before the signal was asked for. Its end of the plan socket tells; getppid(2) would not, in a
 * pid namespace of our own.
 */
int apply_parent_death(struct launch *launch)
{
	struct pollfd jvm = {.fd = launch->socket};
	const int64_t now[2] = {0, 0};
	long result = umh_syscall(__NR_prctl, PR_SET_PDEATHSIG, launch->plan->parent_death_signal);

	if (result == 0)
		result = umh_syscall(__NR_ppoll, &jvm, 1, now, 0, 0);
	if (result > 0)
		sys_exit(127); /* nobody is left to be told */
	return (int)result;
}

#define SIGIGN_LABEL  "SigIgn:\t"
#define MASK_DIGITS 16

static uint64_t load_8_bytes(const char *text)
{
	uint64_t bytes;

	__builtin_memcpy(&bytes, text, sizeof bytes);
	return bytes;
}

/*
 * Since the clone nobody else changes what is ignored here. To be told costs as much as some ten of the calls that it
 * saves. Without /proc, or behind a line of very many groups, every signal may be.
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
	while (digit + MASK_DIGITS < text + size && load_8_bytes(digit - sizeof(uint64_t)) != load_8_bytes(SIGIGN_LABEL))
		digit++;
	if (digit + MASK_DIGITS >= text + size)
		return ~UINT64_C(0);
	for (unsigned i = 0; i < MASK_DIGITS; i++, digit++)
		ignored = ignored << 4 | (unsigned)(*digit <= '9' ? *digit - '0' : *digit - 'a' + 10);
	return ignored;
}

/*
 * execve(2) and CLONE_CLEAR_SIGHAND set handled signals to their default and leave ignored ones ignored; the
 * kernel's helper has none of those either: flush_signal_handlers(current, 1). Then the mask, which was full.
 */
int apply_signals(struct launch *launch)
{
	for (unsigned signal = 1; signal <= LAST_SIGNAL; signal++) {
		const uint64_t ignored = launch->plan->ignored_signals >> (signal - 1) & 1;
		const struct kernel_sigaction action = {.handler = (unsigned long)(ignored ? SIG_IGN : SIG_DFL)};
		long result;

		if (signal == SIGKILL || signal == SIGSTOP || !(ignored || (launch->ignored_signals >> (signal - 1) & 1)))
			continue; /* at its default: nobody handles one after an execve */
		result = umh_syscall(__NR_rt_sigaction, signal, &action, 0, sizeof action.mask);
		launch->detail = signal;
		if (result < 0)
			return (int)result;
	}
	launch->detail = 0;
	return (int)umh_syscall(__NR_rt_sigprocmask, SIG_SETMASK, &launch->plan->blocked_signals, 0, sizeof(uint64_t));
}
