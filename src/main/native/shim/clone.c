/* SPDX-License-Identifier: Apache-2.0 */
/* clone.c - the few steps between clone and the launcher, made in the JVM's memory. */

/*
 * The child shares the JVM's memory (CLONE_VM) and the calling thread sleeps until it has executed the launcher
 * (CLONE_VFORK): nothing is copied, so heap size does not matter. It also shares the descriptor table (CLONE_FILES)
 * and unshares only the numbers below the highest that it needs: the number of descriptors does not matter either.
 *
 * While it is in this memory it must not change its identity: that would clear the JVM's dumpable flag, and open the
 * JVM's memory to the new identity. It makes system calls and nothing else: no libc, no lock, no errno variable,
 * which is the calling thread's. All signals are blocked, so that no handler of the JVM runs in it.
 */

#include "shim/clone.h"

#include <errno.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "shim/monitor.h"
#include "common/file_identity.h"
#include "shim/launcher_image.h"
#include "shim/report.h"
#include "common/syscalls.h"

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL /* 5.7 */
#endif

/* Ample for the child's calls below; on the caller's own stack, because that is asleep as long as it is used. */
#define CHILD_STACK_BYTES 8192

/* In memory that both have, unless there is an emulator between: so the child needs no descriptor to speak. */
struct child {
	const struct umh_request *request;
	int socket;
	int launcher;
	int near_stack; /* the launcher to take instead where the kernel places nothing at random; or -1 */
	uint64_t socket_identity;
	uint64_t launcher_identity;
	uint64_t near_stack_identity;
	int table_copied;           /* the table is its own from the beginning */
	int retry_with_copy;            /* to be made once more, with the table copied */
	int memory_copied;            /* the child's memory is its own: it can be heard on the socket alone */
	int socket_verified;            /* the socket is what it has to be */
	enum umh_stage stage; /* the child's answer, if it has not executed the launcher */
	int error;
};

/* What fs.nr_open is unless somebody raises it. */
#define DEFAULT_NR_OPEN 1048576

/* How many bytes of strings a stack may begin with that shall end far above UMH_NEAR_STACK. */
#define SMALL_STACK_BYTES 65536

/* What the kernel said it does not have is not asked again. */
static atomic_int missing_features;

int umh_features(void)
{
	return ~atomic_load(&missing_features) & (UMH_FEATURE_CLONE3 | UMH_FEATURE_CLOSE_RANGE | UMH_FEATURE_EXECVEAT |
					 UMH_FEATURE_PIDFD_INFO | UMH_FEATURE_PERSONALITY | UMH_FEATURE_UNSHARE |
					 UMH_FEATURE_EPOLL);
}

void umh_disable_features(int features)
{
	atomic_fetch_or(&missing_features, features);
}

/* A kernel without the call says ENOSYS; a container's filter that does not know it may say EPERM. */
static int note_if_missing(long result, enum umh_feature feature)
{
	if (result != -ENOSYS && result != -EPERM)
		return 0;
	atomic_fetch_or(&missing_features, (int)feature);
	return 1;
}

static int has_feature(enum umh_feature feature)
{
	return !(atomic_load(&missing_features) & (int)feature);
}

static int starts_with(const char *text, const char *beginning)
{
	while (*beginning && *text == *beginning)
		text++, beginning++;
	return !*beginning;
}

/*
 * How many numbers the table has, by /proc: the highest open descriptor is below that, and a limit says nothing of it,
 * since a limit may have been lowered. The line stands before that of the groups, which may be long. 0: not known.
 */
static long table_size_by_proc(void)
{
	static const char name[] = "\nFDSize:\t";
	char text[1024];
	int file = sys_open("/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
	long length = file < 0 ? 0 : sys_read(file, text, sizeof text - 1);
	const char *at = text;
	long size = 0;

	if (file >= 0)
		sys_close(file);
	if (length <= 0)
		return 0;
	text[length] = 0;
	while (*at && !starts_with(at, name))
		at++;
	for (at += *at ? sizeof name - 1 : 0; *at >= '0' && *at <= '9'; at++)
		size = size * 10 + (*at - '0');
	return size;
}

/*
 * Without /proc: select(2) ignores the numbers that the table does not have, and complains of those that it has and
 * that are not open. Answers 1 or 0, or a negative errno.
 */
static int is_in_table(long number)
{
	const struct {
		long seconds, nanoseconds;
	} at_once = {0, 0};
	const size_t size = (size_t)number / 8 + sizeof(long);
	unsigned char *set;
	long result;

	if (sys_fcntl((int)number, F_GETFD, 0) >= 0)
		return 1;
	set = sys_mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sys_is_error(set))
		return (int)(long)set;
	set[number / 8] = (unsigned char)(1U << number % 8);
	result = umh_syscall(__NR_pselect6, number + 1, set, 0, 0, &at_once, 0);
	umh_syscall(__NR_munmap, set, size);
	return result < 0 && result != -EBADF ? (int)result : result == -EBADF;
}

/* A power of two that no open descriptor reaches. */
static long table_size_by_pselect(void)
{
	long size = 64;
	int more;

	while (size < INT_MAX && (more = is_in_table(size)) > 0)
		size *= 2;
	return size < INT_MAX && more == 0 ? size : 0;
}

/* What nobody has raised the highest number of all to; or the limit that this process may go up to. */
static long table_size_by_rlimit(void)
{
	struct rlimit limit = {0};

	umh_syscall(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
	return limit.rlim_max > INT_MAX ? INT_MAX : limit.rlim_max > DEFAULT_NR_OPEN ? (long)limit.rlim_max : DEFAULT_NR_OPEN;
}

/* Before 5.9, or where a filter refuses close_range(2): one by one, as far as the table goes. */
static void close_each(int from)
{
	long size = table_size_by_proc();

	if (size == 0)
		size = table_size_by_pselect();
	if (size == 0)
		size = table_size_by_rlimit();
	for (long fd = from; fd < size; fd++)
		sys_close((int)fd);
}

/*
 * A table of the child's own. A filter may refuse both calls: then the parent half starts again with a copy of the whole
 * table, which clone(2) makes without being asked.
 */
static int unshare_table(struct child *child)
{
	const int top = (child->socket > child->launcher ? child->socket : child->launcher) + 1;
	int result;

	if (child->table_copied)
		return 0;
	if (has_feature(UMH_FEATURE_CLOSE_RANGE)) {
		result = sys_close_range((unsigned)top, ~0U, CLOSE_RANGE_UNSHARE);
		if (result >= 0 || !note_if_missing(result, UMH_FEATURE_CLOSE_RANGE))
			return result;
	}
	result = has_feature(UMH_FEATURE_UNSHARE) ? sys_unshare(CLONE_FILES) : -ENOSYS;
	child->retry_with_copy = result < 0 && note_if_missing(result, UMH_FEATURE_UNSHARE);
	return result;
}

/* The table is the child's own by now, so that what is true of it stays true. */
static int verify_descriptors(struct child *child)
{
	if (!umh_is_same_file(child->socket, child->socket_identity))
		return -EBADF;
	child->socket_verified = 1;
	if (umh_is_same_file(child->launcher, child->launcher_identity))
		return 0;
	child->stage = UMH_STAGE_LAUNCH;
	return -EBADF;
}

/* From the JVM's table to one of two descriptors: the plan socket and the launcher. */
static int close_fds(struct child *child)
{
	int result = unshare_table(child);

	if (result == 0)
		result = verify_descriptors(child);
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
	if (has_feature(UMH_FEATURE_CLOSE_RANGE)) {
		result = sys_close_range(0, UMH_PLAN_FD - 1, 0);
		if (result == 0)
			result = sys_close_range(UMH_LAUNCHER_FD + 1, ~0U, 0);
		if (result >= 0 || !note_if_missing(result, UMH_FEATURE_CLOSE_RANGE))
			return result;
	}
	for (int fd = 0; fd < UMH_PLAN_FD; fd++)
		sys_close(fd);
	close_each(UMH_LAUNCHER_FD + 1);
	return 0;
}

static int exec_launcher(const struct umh_request *request)
{
	_Static_assert(UMH_LAUNCHER_FD == 4, "as in the path below");
	int result = -ENOSYS;
	int second;

	if (has_feature(UMH_FEATURE_EXECVEAT))
		result = sys_execveat(UMH_LAUNCHER_FD, "", request->launcher_argv, request->envp, AT_EMPTY_PATH);
	if (result == -ENOSYS)
		atomic_fetch_or(&missing_features, UMH_FEATURE_EXECVEAT);
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
	long before = child->near_stack < 0 ? -1 : umh_syscall(__NR_personality, ADDR_NO_RANDOMIZE);

	if (before >= 0) {
		child->launcher = child->near_stack;
		child->launcher_identity = child->near_stack_identity;
	} else if (child->near_stack >= 0) {
		atomic_fetch_or(&missing_features, UMH_FEATURE_PERSONALITY);
	}
}

static void child_main(void *argument)
{
	struct child *child = argument;
	struct umh_report report = {0};
	int result;

	if (child->request->plan->flags & UMH_PLAN_DIE_WITH_THREAD)
		umh_syscall(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL);
	choose_launcher(child);
	result = close_fds(child);
	if (result == 0) {
		child->stage = UMH_STAGE_LAUNCH;
		result = exec_launcher(child->request);
	}
	child->error = -result;
	if (child->memory_copied && child->socket_verified) {
		report.stage = child->stage;
		report.error = (uint32_t)child->error;
		sys_send(child->socket, &report, sizeof report, MSG_NOSIGNAL);
	}
	sys_exit(127);
}

/*
 * Without CLONE_PIDFD (before 5.2) pidfd_open serves: nobody but us can reap the child, so its pid is still its own.
 * A processor emulator knows vfork(2)'s flags and no others: the child has a copy of the table from the beginning.
 */
static long clone_by_old_call(struct child *child, char *stack_top, int *pidfd, int *pid_word)
{
	const unsigned long flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
	const unsigned long files = child->table_copied ? 0 : CLONE_FILES;
	long pid = umh_clone(flags | files | CLONE_PIDFD, stack_top, pidfd, child_main, child);

	if (pid != -EINVAL)
		return pid;
	pid = umh_clone(flags | files | CLONE_PARENT_SETTID, stack_top, pid_word, child_main, child);
	if (pid == -EINVAL) {
		child->table_copied = 1;
		child->memory_copied = 1;
		pid = umh_clone(flags, stack_top, 0, child_main, child);
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

/* The kernel fills pid_word when the process exists for sure; pidfd it fills before its last checks. */
static long clone_child(struct child *child, int *pidfd, int *pid_word)
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

	if (has_feature(UMH_FEATURE_CLONE3)) {
		if (cgroup >= 0) {
			args.flags |= CLONE_INTO_CGROUP;
			args.cgroup = (uint64_t)cgroup;
		}
		pid = umh_clone3(&args, sizeof args, child_main, child);
		if (cgroup >= 0 && (pid == -E2BIG || pid == -EINVAL))
			return -ENOSYS; /* before 5.7 */
		if (pid == -EINVAL)
			pid = -ENOSYS; /* before 5.5: without CLONE_CLEAR_SIGHAND */
		if (pid >= 0 || !note_if_missing(pid, UMH_FEATURE_CLONE3))
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

/* Only what makes a stack of known place and size. */
static int near_stack(const struct umh_request *request, const struct umh_launcher_image *launcher)
{
	const size_t arguments = size_of_strings(request->launcher_argv, SMALL_STACK_BYTES);

	if (!has_feature(UMH_FEATURE_PERSONALITY) || !(request->plan->steps & UMH_STEP(PERSONALITY)))
		return -1;
	return arguments + size_of_strings(request->envp, SMALL_STACK_BYTES) > SMALL_STACK_BYTES ? -1 : launcher->near_stack;
}

/* A child that is no launcher is on its way out; so is one that was ended by the thread that looks at launches. */
static void reap(long pid, int *pidfd)
{
	const struct umh_child child = {.pid = (int)pid, .pidfd = *pidfd, .socket = -1, .pidfd_identity = umh_file_identity(*pidfd)};
	int status;

	if (umh_wait(&child, UMH_BLOCK, &status, NULL) < 0)
		umh_kill_and_reap((pid_t)pid);
	umh_syscall(__NR_close, *pidfd);
	*pidfd = -1;
}

static long clone_monitored(struct child *child, int *pidfd)
{
	const struct umh_request *request = child->request;
	struct umh_monitored_launch monitored = {.pidfd = pidfd, .cgroup = request->cgroup, .launch_timeout_ms = request->launch_timeout_ms};
	long pid;

	*pidfd = -1;
	umh_monitor_begin(&monitored);
	pid = clone_child(child, pidfd, &monitored.pid);
	umh_monitor_end(&monitored);
	/* The kernel writes the number before its last checks, and has taken it back when one of them failed. */
	if (pid < 0)
		*pidfd = -1;
	if (pid < 0 || !monitored.error)
		return pid;
	reap(pid, pidfd);
	return -monitored.error;
}

/* What it was to be told is still in the socket. */
static long clone_with_copied_table(struct child *child, long pid, int *pidfd)
{
	reap(pid, pidfd);
	child->retry_with_copy = 0;
	child->table_copied = 1;
	child->stage = UMH_STAGE_CLOSE_FDS;
	child->error = 0;
	return clone_monitored(child, pidfd);
}

int umh_clone_launcher(const struct umh_request *request, const struct umh_launcher_image *launcher, int socket,
		       uint64_t socket_identity, int *pidfd, enum umh_stage *stage)
{
	const uint64_t all = ~UINT64_C(0);
	struct child child = {
		.request = request,
		.socket = socket,
		.launcher = launcher->fd,
		.near_stack = near_stack(request, launcher),
		.socket_identity = socket_identity,
		.launcher_identity = launcher->is,
		.near_stack_identity = launcher->near_stack_identity,
		.stage = UMH_STAGE_CLOSE_FDS,
	};
	uint64_t before;
	long pid;

	*stage = UMH_STAGE_CLONE;
	/* libc's own function would leave its two internal signals open. */
	umh_syscall(__NR_rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof all);
	pid = clone_monitored(&child, pidfd);
	if (pid >= 0 && child.retry_with_copy)
		pid = clone_with_copied_table(&child, pid, pidfd);
	umh_syscall(__NR_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof before);
	if (pid < 0 || child.error == 0)
		return (int)pid;
	reap(pid, pidfd);
	*stage = child.stage;
	return -child.error;
}
