/* SPDX-License-Identifier: Apache-2.0 */
/* child.c - the child in the JVM's memory: closes the JVM's descriptors and executes the launcher. */

/*
 * The child shares the JVM's memory (CLONE_VM), and the calling thread sleeps until the child has executed the launcher
 * (CLONE_VFORK): nothing is copied, so heap size does not matter. It also shares the descriptor table (CLONE_FILES) and
 * unshares only the numbers below the highest that it needs: so the number of descriptors does not matter either.
 *
 * In this memory the child must not change its identity: that would clear the JVM's dumpable flag and open the JVM's
 * memory to the new identity. It makes system calls and nothing else: no libc function, no lock, no access to errno,
 * which is the calling thread's. All signals are blocked, so no handler of the JVM runs in the child.
 */

#include "shim/child.h"

#include <errno.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "common/file_identity.h"
#include "common/syscalls.h"
#include "shim/features.h"
#include "shim/launcher_image.h"

/* The default of fs.nr_open. */
#define DEFAULT_NR_OPEN 1048576

static int starts_with(const char *text, const char *beginning)
{
	while (*beginning && *text == *beginning)
		text++, beginning++;
	return !*beginning;
}

/*
 * The size of the descriptor table, from /proc: every open descriptor is below. RLIMIT_NOFILE may have been lowered and
 * does not limit them. The line precedes the list of groups, which may be long. 0: unknown.
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
 * Without /proc: select(2) ignores numbers beyond the table and returns EBADF for numbers in the table that are not
 * open. Returns 1 or 0, or a negative errno.
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

/* A power of two above all open descriptors. */
static long table_size_by_pselect(void)
{
	long size = 64;
	int more;

	while (size < INT_MAX && (more = is_in_table(size)) > 0)
		size *= 2;
	return size < INT_MAX && more == 0 ? size : 0;
}

/* The default of fs.nr_open, or the hard limit if that is higher. */
static long table_size_by_rlimit(void)
{
	struct rlimit limit = {0};

	umh_syscall(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
	return limit.rlim_max > INT_MAX           ? INT_MAX
	       : limit.rlim_max > DEFAULT_NR_OPEN ? (long)limit.rlim_max
						  : DEFAULT_NR_OPEN;
}

/* Before 5.9, or if a filter refuses close_range(2): closes one by one, up to the size of the table. */
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
 * Gives the child a separate table. If a filter refuses both calls, the parent creates the child again with a copy of
 * the table, which clone(2) makes without CLONE_FILES.
 */
static int unshare_table(struct umh_child_args *child)
{
	const int top = (child->socket > child->launcher ? child->socket : child->launcher) + 1;
	int result;

	if (child->table_copied)
		return 0;
	if (umh_has_feature(UMH_FEATURE_CLOSE_RANGE)) {
		result = sys_close_range((unsigned)top, ~0U, CLOSE_RANGE_UNSHARE);
		if (result >= 0 || !umh_note_if_missing(result, UMH_FEATURE_CLOSE_RANGE))
			return result;
	}
	result = umh_has_feature(UMH_FEATURE_UNSHARE) ? sys_unshare(CLONE_FILES) : -ENOSYS;
	child->retry_with_copy = result < 0 && umh_note_if_missing(result, UMH_FEATURE_UNSHARE);
	return result;
}

/* No other thread can change this table, so the result stays true. */
static int verify_descriptors(struct umh_child_args *child)
{
	if (!umh_is_same_file(child->socket, child->socket_identity))
		return -EBADF;
	child->socket_verified = 1;
	if (umh_is_same_file(child->launcher, child->launcher_identity))
		return 0;
	child->stage = UMH_STAGE_LAUNCH;
	return -EBADF;
}

/* Leaves two descriptors open: the plan socket and the launcher. */
static int close_fds(struct umh_child_args *child)
{
	int result = unshare_table(child);

	if (result == 0)
		result = verify_descriptors(child);
	if (result < 0)
		return result;
	/* Both numbers are above UMH_LAUNCHER_FD, so neither dup3 closes the other descriptor. */
	result = sys_dup3(child->socket, UMH_PLAN_FD, 0);
	if (result < 0)
		return result;
	child->socket = UMH_PLAN_FD;
	result = sys_dup3(child->launcher, UMH_LAUNCHER_FD, O_CLOEXEC);
	if (result < 0)
		return result;
	if (umh_has_feature(UMH_FEATURE_CLOSE_RANGE)) {
		result = sys_close_range(0, UMH_PLAN_FD - 1, 0);
		if (result == 0)
			result = sys_close_range(UMH_LAUNCHER_FD + 1, ~0U, 0);
		if (result >= 0 || !umh_note_if_missing(result, UMH_FEATURE_CLOSE_RANGE))
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

	if (umh_has_feature(UMH_FEATURE_EXECVEAT))
		result = sys_execveat(UMH_LAUNCHER_FD, "", request->launcher_argv, request->envp, AT_EMPTY_PATH);
	if (result == -ENOSYS)
		atomic_fetch_or(&umh_missing_features, UMH_FEATURE_EXECVEAT);
	if (result != -ENOSYS && result != -EPERM)
		return result;
	/*
	 * An emulator, which the kernel executes instead of the launcher, opens that path: the descriptor must be open
	 * then.
	 */
	sys_fcntl(UMH_LAUNCHER_FD, F_SETFD, 0);
	second = sys_execve("/proc/self/fd/4", request->launcher_argv, request->envp);
	return second == -ENOENT ? result : second; /* no /proc: the first error is better */
}

/*
 * With address randomization execve(2) creates the stack at one place and moves it to another, with new page tables.
 * The launcher needs no randomization, and enables it again for the helper: PERSONALITY is a step of this plan. If a
 * filter or an emulator refuses, the launcher is the one at an address that no stack can reach.
 */
static void choose_launcher(struct umh_child_args *child)
{
	long before = child->near_stack < 0 ? -1 : umh_syscall(__NR_personality, ADDR_NO_RANDOMIZE);

	if (before >= 0) {
		child->launcher = child->near_stack;
		child->launcher_identity = child->near_stack_identity;
	} else if (child->near_stack >= 0) {
		atomic_fetch_or(&umh_missing_features, UMH_FEATURE_PERSONALITY);
	}
}

void umh_child_main(void *argument)
{
	struct umh_child_args *child = argument;
	struct umh_report report = {0};
	int result;

	child->has_run = 1;
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
