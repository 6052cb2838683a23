/* SPDX-License-Identifier: Apache-2.0 */
/* namespaces.c - the helper's view of the system: other people's, or new ones. */

#include <errno.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

int apply_join(struct launch *launch)
{
	const struct umh_join *joins = span(launch, launch->plan->joins);
	const uint32_t count = launch->plan->joins.length / sizeof *joins;

	for (uint32_t i = 0; i < count; i++) {
		int number = descriptor(launch, joins[i].index);
		long result = number < 0 ? number : umh_syscall(__NR_setns, number, joins[i].flags);

		launch->detail = i;
		if (result == 0 && joins[i].flags & CLONE_NEWUSER) {
			launch->can_be_traced = 1;
			result = make_undumpable();
		}
		if (result < 0)
			return (int)result;
	}
	for (uint32_t i = 0; i < count; i++)
		close_descriptor(launch, joins[i].index);
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

/* For who writes its id maps, this process or its mapper. In a mount namespace that was joined it could be anything. */
int open_proc_self(const struct launch *launch)
{
	return has_step(launch, UMH_STEP(ID_MAP)) ? sys_open("/proc/self", O_RDONLY | O_CLOEXEC, 0) : -1;
}

static int write_map(const struct launch *launch, const char *name, struct umh_span map)
{
	return map.length == 0 ? 0 : write_proc_self(launch, launch->self, name, span(launch, map), map.length - 1);
}

static int write_maps(const struct launch *launch)
{
	int result = launch->self < 0 ? launch->self : write_map(launch, "setgroups", launch->plan->setgroups);

	if (result == 0)
		result = write_map(launch, "uid_map", launch->plan->uid_map);
	if (result == 0)
		result = write_map(launch, "gid_map", launch->plan->gid_map);
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

static __attribute__((noreturn)) void mapper_main(const struct launch *launch, const int pipe[2])
{
	char turn;
	long result;

	sys_close(pipe[1]);
	result = sys_read(pipe[0], &turn, 1);
	if (result != 1)
		sys_exit(result < 0 ? (int)-result : EPIPE);
	sys_exit(-write_maps(launch));
}

static int start_mapper(const struct launch *launch, struct mapper *mapper)
{
	int pipe[2];
	int result = (int)umh_syscall(__NR_pipe2, pipe, O_CLOEXEC);

	if (result < 0)
		return result;
	mapper->pid = fork_with(0, 0);
	if (mapper->pid == 0)
		mapper_main(launch, pipe);
	sys_close(pipe[0]);
	mapper->turn = pipe[1];
	return mapper->pid < 0 ? (int)mapper->pid : 0;
}

static int run_mapper(const struct mapper *mapper, int go)
{
	const long told = go ? sys_write(mapper->turn, "", 1) : 0;
	int status = 0;
	long result;

	sys_close(mapper->turn);
	do
		result = umh_syscall(__NR_wait4, mapper->pid, &status, __WALL, 0);
	while (result == -EINTR);
	if (result < 0 || (told < 0 && told != -EPIPE)) /* EPIPE: it has ended, and its status says why */
		return (int)(result < 0 ? result : told);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/* The mapper has to be there before, and is told after: its answer is kept for the next step. */
static int unshare_user(struct launch *launch)
{
	/* The maps of who is not dumpable are root's; asked before nobody is anybody there. See write_proc_self(). */
	const int shows = umh_syscall(__NR_geteuid) > 0 && !launch->can_be_traced;
	struct mapper mapper;
	int result = start_mapper(launch, &mapper);

	if (result < 0)
		return result;
	result = sys_unshare((int)launch->plan->unshare_flags);
	if (shows)
		umh_syscall(__NR_prctl, PR_SET_DUMPABLE, 1);
	launch->id_map_result = run_mapper(&mapper, result == 0);
	if (shows)
		restore_undumpable(launch);
	return result;
}

/* What the helper mounts must not show outside: as unshare(1) does, and systemd's PrivateMounts. */
int apply_unshare(struct launch *launch)
{
	const uint32_t flags = launch->plan->unshare_flags;
	const int by_mapper = (flags & CLONE_NEWUSER) && !(launch->plan->flags & UMH_PLAN_MAP_SELF);
	int result = by_mapper ? unshare_user(launch) : sys_unshare((int)flags);

	if (result == 0 && (flags & CLONE_NEWNS))
		result = (int)umh_syscall(__NR_mount, "none", "/", 0, MS_REC | MS_PRIVATE, 0);
	return result;
}

int apply_id_map(struct launch *launch)
{
	const int result = launch->plan->flags & UMH_PLAN_MAP_SELF ? write_maps(launch) : launch->id_map_result;

	sys_close(launch->self);
	return result;
}

/*
 * A pid namespace, and a time namespace, take effect in children. So a child of this launcher goes on in its place, as a
 * child of the JVM (CLONE_PARENT), which is sent its pidfd. It waits until that was sent: a helper that the JVM does
 * not know of must not exist. When this launcher is killed before, its successor says so itself, for it has to be reaped.
 */
static __attribute__((noreturn)) void send_pidfd_and_exit(const struct launch *launch, int pidfd, int known)
{
	struct umh_report word = {.stage = UMH_STAGE_PID_NAMESPACE};
	long result = send_report(launch, &word, pidfd);

	if (result == 0)
		result = sys_write(known, "", 1);
	word.error = (uint32_t)-result;
	if (result < 0 && result != -EPIPE) /* it is dead, and known */
		send_report(launch, &word, -1);     /* its successor says itself that it was left behind */
	sys_exit(0);
}

static __attribute__((noreturn)) void report_orphaned(const struct launch *launch)
{
	const struct umh_report word = {.stage = UMH_STAGE_PID_NAMESPACE, .error = EPIPE};

	send_report(launch, &word, (int)umh_syscall(__NR_pidfd_open, umh_syscall(__NR_getpid), 0));
	sys_exit(127);
}

int apply_pid_namespace(struct launch *launch)
{
	int pipe[2];
	int pidfd = -1;
	char known;
	long pid;
	long result = umh_syscall(__NR_pipe2, pipe, O_CLOEXEC);

	if (result < 0)
		return (int)result;
	/* A new group: the JVM finds a successor by it that is killed before it says anything. SESSION leaves it again. */
	if (has_step(launch, UMH_STEP(SESSION)))
		umh_syscall(__NR_setpgid, 0, 0);
	pid = fork_with(CLONE_PARENT | CLONE_PIDFD, &pidfd);
	if (pid < 0)
		return (int)pid;
	if (pid > 0)
		send_pidfd_and_exit(launch, pidfd, pipe[1]);
	if (launch->plan->flags & UMH_PLAN_DIE_WITH_THREAD)
		umh_syscall(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL); /* a fork begins without; refused, as to the first one */
	sys_close(pipe[1]);
	result = sys_read(pipe[0], &known, 1);
	if (result == 0)
		report_orphaned(launch);
	sys_close(pipe[0]);
	return result < 0 ? (int)result : 0;
}
