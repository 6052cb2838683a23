/* SPDX-License-Identifier: Apache-2.0 */
/* namespaces.c - the helper's view of the system: other people's, or new ones. */

#include <errno.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "launch.h"
#include "umh_syscalls.h"

#define MAP_PATH_SIZE 48

int apply_join(struct launch *launch)
{
	const struct umh_join *joins = span(launch, launch->plan->joins);
	const uint32_t count = launch->plan->joins.length / sizeof *joins;

	for (uint32_t i = 0; i < count; i++) {
		int number = file_number(launch, joins[i].file);
		long result = number < 0 ? number : umh_syscall(__NR_setns, number, joins[i].flags);

		launch->detail = i;
		if (result < 0)
			return (int)result;
	}
	return 0;
}

/* A fork of this program: its memory is a page or two. */
static long fork_with(unsigned long flags, int *pidfd)
{
	struct clone_args args = {.flags = flags, .pidfd = (uint64_t)(uintptr_t)pidfd};
	long pid = umh_syscall(__NR_clone3, &args, sizeof args);

	/* Forbidden by a filter that does not know it. With CLONE_PARENT the exit signal is the parent's in both. */
	if (pid == -ENOSYS || pid == -EPERM)
		pid = umh_syscall(__NR_clone, flags, 0, pidfd, 0, 0);
	return pid;
}

/* /proc/PID/NAME, and /proc/self/NAME for pid 0. */
static void proc_path(char path[MAP_PATH_SIZE], long pid, const char *name)
{
	char digits[20];
	unsigned count = 0;
	const char *part = "/proc/";

	while (*part)
		*path++ = *part++;
	for (long rest = pid; rest > 0; rest /= 10)
		digits[count++] = (char)('0' + rest % 10);
	while (count > 0)
		*path++ = digits[--count];
	for (part = pid ? "" : "self"; *part;)
		*path++ = *part++;
	*path++ = '/';
	while (*name)
		*path++ = *name++;
	*path = 0;
}

static int write_map(const struct launch *launch, long pid, const char *name, struct umh_span map)
{
	char path[MAP_PATH_SIZE];

	if (map.length == 0)
		return 0;
	proc_path(path, pid, name);
	return write_text(path, span(launch, map), map.length - 1);
}

static int write_maps(const struct launch *launch, long pid)
{
	int result = write_map(launch, pid, "setgroups", launch->plan->setgroups);

	if (result == 0)
		result = write_map(launch, pid, "uid_map", launch->plan->uid_map);
	if (result == 0)
		result = write_map(launch, pid, "gid_map", launch->plan->gid_map);
	return result;
}

/*
 * Maps of more than oneself are written from outside the new user namespace, with the privilege that the launcher
 * leaves behind there: by a child that was forked before. It waits for its turn, and its exit code is its errno.
 */
struct mapper {
	long pid;
	int turn; /* the write end of its pipe */
};

static __attribute__((noreturn)) void be_mapper(const struct launch *launch, const int pipe[2])
{
	char turn;
	long result;

	sys_close(pipe[1]);
	result = sys_read(pipe[0], &turn, 1);
	if (result == 1)
		result = umh_syscall(__NR_getppid);
	else if (result == 0)
		sys_exit(0); /* its turn does not come */
	sys_exit(result < 0 ? (int)-result : -write_maps(launch, result));
}

static int start_mapper(const struct launch *launch, struct mapper *mapper)
{
	int pipe[2];
	int result = (int)umh_syscall(__NR_pipe2, pipe, O_CLOEXEC);

	if (result < 0)
		return result;
	mapper->pid = fork_with(0, 0);
	if (mapper->pid == 0)
		be_mapper(launch, pipe);
	sys_close(pipe[0]);
	mapper->turn = pipe[1];
	return mapper->pid < 0 ? (int)mapper->pid : 0;
}

static int let_map(const struct mapper *mapper, int go)
{
	const long told = go ? sys_write(mapper->turn, "", 1) : 0;
	int status = 0;
	long result;

	sys_close(mapper->turn);
	do
		result = umh_syscall(__NR_wait4, mapper->pid, &status, __WALL, 0);
	while (result == -EINTR);
	if (result < 0)
		return (int)result;
	if (!WIFEXITED(status))
		return -EINTR;
	return WEXITSTATUS(status) ? -WEXITSTATUS(status) : (int)(told < 0 ? told : 0);
}

/* The mapper has to be there before, and is told after: its answer is kept for the next step. */
static int unshare_user(struct launch *launch)
{
	struct mapper mapper;
	int result = start_mapper(launch, &mapper);

	if (result < 0)
		return result;
	result = sys_unshare((int)launch->plan->unshare);
	launch->mapped = let_map(&mapper, result == 0);
	return result;
}

/* What the helper mounts must not show outside: as unshare(1) does, and systemd's PrivateMounts. */
int apply_unshare(struct launch *launch)
{
	const uint32_t flags = launch->plan->unshare;
	const int by_mapper = (flags & CLONE_NEWUSER) && !(launch->plan->flags & UMH_PLAN_SELF_MAP);
	int result = by_mapper ? unshare_user(launch) : sys_unshare((int)flags);

	if (result == 0 && (flags & CLONE_NEWNS))
		result = (int)umh_syscall(__NR_mount, "none", "/", 0, MS_REC | MS_PRIVATE, 0);
	return result;
}

int apply_id_map(struct launch *launch)
{
	return launch->plan->flags & UMH_PLAN_SELF_MAP ? write_maps(launch, 0) : launch->mapped;
}

/*
 * A pid namespace, and a time namespace, take effect in children. So a child of this launcher goes on in its place, as a
 * child of the JVM (CLONE_PARENT), which is sent its pidfd. It waits until that was sent: a helper that the JVM does
 * not know of must not exist.
 */
int apply_succession(struct launch *launch)
{
	int pipe[2];
	int pidfd = -1;
	char known;
	long pid;
	long result = umh_syscall(__NR_pipe2, pipe, O_CLOEXEC);

	if (result < 0)
		return (int)result;
	pid = fork_with(CLONE_PARENT | CLONE_PIDFD, &pidfd);
	if (pid < 0)
		return (int)pid;
	if (pid > 0) {
		struct umh_report word = {.stage = UMH_STAGE_SUCCESSION, .pid = (uint32_t)pid};

		result = say(launch, &word, pidfd);
		if (result == 0)
			result = sys_write(pipe[1], "", 1);
		if (result < 0) {
			word.error = (uint32_t)-result;
			say(launch, &word, -1); /* whoever waits for us can end it */
		}
		sys_exit(0);
	}
	sys_close(pipe[1]);
	result = sys_read(pipe[0], &known, 1);
	if (result == 0)
		sys_exit(127); /* it could not be sent: nobody knows of us */
	sys_close(pipe[0]);
	return result < 0 ? (int)result : 0;
}
