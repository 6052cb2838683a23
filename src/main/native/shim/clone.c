/* SPDX-License-Identifier: Apache-2.0 */
/* clone.c - creates the child that executes the launcher; the calling thread sleeps in vfork until then. */

#include "shim/clone.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "common/arch.h"
#include "common/file_identity.h"
#include "shim/child.h"
#include "shim/features.h"
#include "shim/launch_monitor.h"
#include "shim/pidfd.h"

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL /* 5.7 */
#endif

/* Enough for child.c. The array is on the caller's stack, because the caller sleeps while the child uses it. */
#define CHILD_STACK_BYTES 8192

/* Arguments and environment up to this size leave the end of the stack far above UMH_NEAR_STACK. */
#define SMALL_STACK_BYTES 65536

/*
 * Without CLONE_PIDFD (before 5.2) pidfd_open(2) serves: only this process can reap the child, so the pid is still the
 * child's. A CPU emulator knows vfork(2)'s flags and no others: then the child starts with a copy of the table.
 */
static long clone_by_old_call(struct umh_child_args *child, char *stack_top, int *pidfd, int *pid_word)
{
	const unsigned long flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
	const unsigned long files = child->table_copied ? 0 : CLONE_FILES;
	long pid = umh_clone(flags | files | CLONE_PIDFD, stack_top, pidfd, umh_child_main, child);

	if (pid != -EINVAL)
		return pid;
	pid = umh_clone(flags | files | CLONE_PARENT_SETTID, stack_top, pid_word, umh_child_main, child);
	if (pid == -EINVAL) {
		child->table_copied = 1;
		child->memory_copied = 1;
		pid = umh_clone(flags, stack_top, 0, umh_child_main, child);
	}
	if (pid < 0)
		return pid;
	*pidfd = (int)umh_syscall(__NR_pidfd_open, pid, 0);
	if (*pidfd >= 0)
		return pid;
	umh_syscall(__NR_kill, pid, SIGKILL);
	umh_syscall(__NR_wait4, pid, 0, 0, 0);
	return *pidfd;
}

/* The kernel writes pid_word after its last check, and pidfd before. */
static long clone_child(struct umh_child_args *child, int *pidfd, int *pid_word)
{
	const int cgroup = child->request->cgroup;
	char stack[CHILD_STACK_BYTES] __attribute__((aligned(16)));
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CLEAR_SIGHAND |
			 (child->table_copied ? 0 : CLONE_FILES),
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.parent_tid = (uint64_t)(uintptr_t)pid_word,
		.exit_signal = SIGCHLD,
		.stack = (uint64_t)(uintptr_t)stack,
		.stack_size = sizeof stack,
	};
	long pid;

	if (umh_has_feature(UMH_FEATURE_CLONE3)) {
		if (cgroup >= 0) {
			args.flags |= CLONE_INTO_CGROUP;
			args.cgroup = (uint64_t)cgroup;
		}
		pid = umh_clone3(&args, sizeof args, umh_child_main, child);
		if (cgroup >= 0 && (pid == -E2BIG || pid == -EINVAL))
			return -ENOSYS; /* before 5.7 */
		if (pid == -EINVAL)
			pid = -ENOSYS; /* before 5.5: without CLONE_CLEAR_SIGHAND */
		if (pid >= 0 || !umh_note_if_missing(pid, UMH_FEATURE_CLONE3))
			return pid;
	}
	return cgroup >= 0 ? -ENOSYS : clone_by_old_call(child, stack + sizeof stack, pidfd, pid_word);
}

static size_t size_of_strings(char *const *strings, size_t limit)
{
	size_t size = 0;

	while (size <= limit && *strings)
		size += sizeof *strings + strlen(*strings++) + 1;
	return size;
}

/* For a stack whose address and size are known. */
static int near_stack_launcher(const struct umh_request *request, const struct umh_launcher_image *launcher)
{
	const size_t arguments = size_of_strings(request->launcher_argv, SMALL_STACK_BYTES);

	if (!umh_has_feature(UMH_FEATURE_PERSONALITY) || !(request->plan->steps & UMH_STEP(PERSONALITY)))
		return -1;
	return arguments + size_of_strings(request->envp, SMALL_STACK_BYTES) > SMALL_STACK_BYTES ? -1
												 : launcher->near_stack;
}

/* The child has not executed the launcher and is about to exit; or the reaper has killed it. */
static void reap(long pid, int *pidfd)
{
	const struct umh_child child = {
		.pid = (int)pid, .pidfd = *pidfd, .socket = -1, .pidfd_identity = umh_file_identity(*pidfd)};
	int status;

	if (umh_wait(&child, UMH_BLOCK, &status, NULL) < 0)
		umh_kill_and_reap((pid_t)pid);
	umh_syscall(__NR_close, *pidfd);
	*pidfd = -1;
}

static long clone_monitored(struct umh_child_args *child, int *pidfd)
{
	const struct umh_request *request = child->request;
	struct umh_monitored_launch monitored = {
		.pidfd = pidfd, .cgroup = request->cgroup, .launch_timeout_ms = request->launch_timeout_ms};
	long pid;

	*pidfd = -1;
	umh_monitor_begin(&monitored);
	pid = clone_child(child, pidfd, &monitored.pid);
	umh_monitor_end(&monitored);
	/* The kernel had written the number before its last checks, and has closed it since. */
	if (pid < 0)
		*pidfd = -1;
	if (pid < 0 || !monitored.error)
		return pid;
	reap(pid, pidfd);
	return -monitored.error;
}

/* The plan is still in the socket. */
static long clone_with_copied_table(struct umh_child_args *child, long pid, int *pidfd)
{
	reap(pid, pidfd);
	child->retry_with_copy = 0;
	child->has_run = 0;
	child->table_copied = 1;
	child->stage = UMH_STAGE_CLOSE_FDS;
	child->error = 0;
	return clone_monitored(child, pidfd);
}

int umh_clone_launcher(const struct umh_request *request, const struct umh_launcher_image *launcher, int socket,
		       uint64_t socket_identity, int *pidfd, enum umh_stage *stage)
{
	const uint64_t all = ~UINT64_C(0);
	struct umh_child_args child = {
		.request = request,
		.socket = socket,
		.launcher = launcher->fd,
		.near_stack = near_stack_launcher(request, launcher),
		.socket_identity = socket_identity,
		.launcher_identity = launcher->identity,
		.near_stack_identity = launcher->near_stack_identity,
		.stage = UMH_STAGE_CLOSE_FDS,
	};
	uint64_t before;
	long pid;

	*stage = UMH_STAGE_CLONE;
	/* libc's function would leave two signals unblocked that libc uses. */
	umh_syscall(__NR_rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof all);
	pid = clone_monitored(&child, pidfd);
	if (pid >= 0 && child.retry_with_copy)
		pid = clone_with_copied_table(&child, pid, pidfd);
	umh_syscall(__NR_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof before);
	/*
	 * Linux 6.18 kills each child that is cloned into a cgroup after the first cgroup.kill. must_retry() then
	 * has the launcher enter the cgroup.
	 */
	if (pid >= 0 && request->cgroup >= 0 && !child.memory_copied && !child.has_run) {
		reap(pid, pidfd);
		return -ENOSYS;
	}
	if (pid < 0 || child.error == 0)
		return (int)pid;
	reap(pid, pidfd);
	*stage = child.stage;
	return -child.error;
}
