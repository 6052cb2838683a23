/* SPDX-License-Identifier: Apache-2.0 */
/* umh_clone.c - the few steps between clone and the launcher, made in the JVM's memory. */

/*
 * The child shares the JVM's memory (CLONE_VM) and the calling thread sleeps until it has executed the launcher
 * (CLONE_VFORK): nothing is copied, so heap size does not matter. It also shares the descriptor table (CLONE_FILES)
 * and unshares only the numbers below the highest that it needs: the number of descriptors does not matter either.
 *
 * While it is in this memory it must not change its identity: that would clear the JVM's dumpable flag, and open the
 * JVM's memory to the new identity. It makes system calls and nothing else: no libc, no lock, no errno variable,
 * which is the calling thread's. All signals are blocked, so that no handler of the JVM runs in it.
 */

#include "umh_clone.h"

#include <errno.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "umh_launcher.h"
#include "umh_syscalls.h"

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL /* 5.7 */
#endif

/* Ample for the child's calls below; on the caller's own stack, because that is asleep as long as it is used. */
#define CHILD_STACK 8192

struct child {
	const struct umh_request *request;
	int socket;
	int launcher;
	int beside_stack; /* the launcher to take instead where the kernel places nothing at random; or -1 */
};

/* How many bytes of strings a stack may begin with that shall end far above UMH_BESIDE_STACK. */
#define SMALL_STACK 65536

/* What the kernel said it does not have is not asked again. */
static atomic_int missing;

int umh_features(void)
{
	return ~atomic_load(&missing) & (UMH_FEATURE_CLONE3 | UMH_FEATURE_CLOSE_RANGE | UMH_FEATURE_EXECVEAT |
					 UMH_FEATURE_PIDFD_INFO | UMH_FEATURE_PERSONALITY);
}

void umh_do_without(int features)
{
	atomic_fetch_or(&missing, features);
}

/* A kernel without the call says ENOSYS; a container's filter that does not know it may say EPERM. */
static int is_missing(long result, enum umh_feature feature)
{
	if (result != -ENOSYS && result != -EPERM)
		return 0;
	atomic_fetch_or(&missing, (int)feature);
	return 1;
}

static int has(enum umh_feature feature)
{
	return !(atomic_load(&missing) & (int)feature);
}

/* Before 5.9 the whole table is copied, and emptied by asking /proc what is in it. */
static int close_listed(int from)
{
	char entries[1024] __attribute__((aligned(8)));
	int directory = sys_open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long size;

	if (directory < 0)
		return directory;
	while ((size = sys_getdents64(directory, entries, sizeof entries)) > 0) {
		for (long at = 0; at < size;) {
			const struct {
				uint64_t inode, offset;
				unsigned short length;
				unsigned char type;
				char name[];
			} *entry = (const void *)(entries + at);
			int fd = 0;

			for (const char *digit = entry->name; *digit >= '0' && *digit <= '9'; digit++)
				fd = fd * 10 + (*digit - '0');
			if (fd >= from && fd != directory)
				sys_close(fd);
			at += entry->length;
		}
	}
	sys_close(directory);
	return (int)size;
}

static int close_all(int from)
{
	struct rlimit limit;
	int result = close_listed(from);

	if (result == 0)
		return 0;
	/* No /proc: one by one. */
	result = (int)umh_syscall(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
	for (rlim_t fd = (rlim_t)from; result == 0 && fd < limit.rlim_max; fd++)
		sys_close((int)fd);
	return result;
}

/* From the JVM's table to one of two descriptors: the plan socket and the launcher. */
static int shed(struct child *child)
{
	const int top = (child->socket > child->launcher ? child->socket : child->launcher) + 1;
	int result = -ENOSYS;

	if (has(UMH_FEATURE_CLOSE_RANGE)) {
		result = sys_close_range((unsigned)top, ~0U, CLOSE_RANGE_UNSHARE);
		if (result < 0 && is_missing(result, UMH_FEATURE_CLOSE_RANGE))
			result = -ENOSYS;
	}
	if (result == -ENOSYS)
		result = sys_unshare(CLONE_FILES);
	if (result < 0)
		return result;
	/* Both are above UMH_LAUNCHER_FD, so neither of these steps on the other. */
	result = sys_dup3(child->socket, UMH_PLAN_FD, 0);
	if (result < 0)
		return result;
	child->socket = UMH_PLAN_FD;
	result = sys_dup3(child->launcher, UMH_LAUNCHER_FD, O_CLOEXEC);
	if (result < 0)
		return result;
	if (has(UMH_FEATURE_CLOSE_RANGE)) {
		result = sys_close_range(0, UMH_PLAN_FD - 1, 0);
		return result < 0 ? result : sys_close_range(UMH_LAUNCHER_FD + 1, ~0U, 0);
	}
	for (int fd = 0; fd < UMH_PLAN_FD; fd++)
		sys_close(fd);
	return close_all(UMH_LAUNCHER_FD + 1);
}

static int launch(const struct umh_request *request)
{
	_Static_assert(UMH_LAUNCHER_FD == 4, "as in the path below");
	int result = -ENOSYS;
	int second;

	if (has(UMH_FEATURE_EXECVEAT))
		result = sys_execveat(UMH_LAUNCHER_FD, "", request->launcher_argv, request->envp, AT_EMPTY_PATH);
	if (result == -ENOSYS)
		atomic_fetch_or(&missing, UMH_FEATURE_EXECVEAT);
	if (result != -ENOSYS && result != -EPERM)
		return result;
	/* To be there still when an emulator, which the kernel executes in the launcher's place, opens that path. */
	sys_fcntl(UMH_LAUNCHER_FD, F_SETFD, 0);
	second = sys_execve("/proc/self/fd/4", request->launcher_argv, request->envp);
	return second == -ENOENT ? result : second; /* no /proc: the first answer is the better one */
}

/*
 * Without ADDR_NO_RANDOMIZE execve(2) makes the stack in one place and moves it to another, with new page tables. The
 * launcher does not need chance, and ends it again: PERSONALITY is a step of this plan. Where a filter or an emulator
 * refuses, the launcher stands where no stack can come.
 */
static void choose_launcher(struct child *child)
{
	long before = child->beside_stack < 0 ? -1 : umh_syscall(__NR_personality, ADDR_NO_RANDOMIZE);

	if (before >= 0)
		child->launcher = child->beside_stack;
	else if (child->beside_stack >= 0)
		atomic_fetch_or(&missing, UMH_FEATURE_PERSONALITY);
}

static void child_main(void *argument)
{
	struct child *child = argument;
	struct umh_report report = {.stage = UMH_STAGE_SHED};
	int result;

	choose_launcher(child);
	result = shed(child);
	if (result == 0) {
		report.stage = UMH_STAGE_LAUNCH;
		result = launch(child->request);
	}
	report.error = (uint32_t)-result;
	sys_send(child->socket, &report, sizeof report, MSG_NOSIGNAL);
	sys_exit(127);
}

/*
 * Without CLONE_PIDFD (before 5.2) pidfd_open serves: nobody but us can reap the child, so its pid is still its own.
 * A processor emulator knows vfork(2)'s flags and no others: the child has a copy of the table from the beginning.
 */
static long old_clone(struct child *child, char *stack_top, int *pidfd)
{
	const unsigned long flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
	long pid = umh_clone(flags | CLONE_FILES | CLONE_PIDFD, stack_top, pidfd, child_main, child);

	if (pid != -EINVAL)
		return pid;
	pid = umh_clone(flags | CLONE_FILES, stack_top, 0, child_main, child);
	if (pid == -EINVAL)
		pid = umh_clone(flags, stack_top, 0, child_main, child);
	if (pid < 0)
		return pid;
	*pidfd = (int)umh_syscall(__NR_pidfd_open, pid, 0);
	if (*pidfd >= 0)
		return pid;
	umh_syscall(__NR_kill, pid, SIGKILL);
	umh_syscall(__NR_wait4, pid, 0, 0, 0);
	return *pidfd;
}

static long clone_child(struct child *child, int *pidfd)
{
	const int cgroup = child->request->cgroup;
	char stack[CHILD_STACK] __attribute__((aligned(16)));
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uint64_t)(uintptr_t)stack,
		.stack_size = sizeof stack,
	};
	long pid;

	if (has(UMH_FEATURE_CLONE3)) {
		if (cgroup >= 0) {
			args.flags |= CLONE_INTO_CGROUP;
			args.cgroup = (uint64_t)cgroup;
		}
		pid = umh_clone3(&args, sizeof args, child_main, child);
		if (cgroup >= 0 && (pid == -E2BIG || pid == -EINVAL))
			return -ENOSYS; /* before 5.7 */
		if (pid == -EINVAL)
			pid = -ENOSYS; /* before 5.5: without CLONE_CLEAR_SIGHAND */
		if (pid >= 0 || !is_missing(pid, UMH_FEATURE_CLONE3))
			return pid;
	}
	return cgroup >= 0 ? -ENOSYS : old_clone(child, stack + sizeof stack, pidfd);
}

static size_t size_of(char *const *strings, size_t limit)
{
	size_t size = 0;

	while (size <= limit && *strings)
		size += sizeof *strings + strlen(*strings++) + 1;
	return size;
}

/* Only what makes a stack of known place and size. */
static int beside_stack(const struct umh_request *request)
{
	const size_t arguments = size_of(request->launcher_argv, SMALL_STACK);

	if (!has(UMH_FEATURE_PERSONALITY) || !(request->plan->steps & UMH_STEP(PERSONALITY)))
		return -1;
	return arguments + size_of(request->envp, SMALL_STACK) > SMALL_STACK ? -1 : umh_launcher_beside_stack();
}

int umh_clone_launcher(const struct umh_request *request, int socket, int *pidfd)
{
	const uint64_t all = ~UINT64_C(0);
	struct child child = {
		.request = request,
		.socket = socket,
		.launcher = umh_launcher_fd(),
		.beside_stack = beside_stack(request),
	};
	uint64_t before;
	long pid;

	/* libc's own function would leave its two internal signals open. */
	umh_syscall(__NR_rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof all);
	pid = clone_child(&child, pidfd);
	/* The kernel writes the number before its last checks, and has taken it back when one of them failed. */
	if (pid < 0)
		*pidfd = -1;
	umh_syscall(__NR_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof before);
	return (int)pid;
}
