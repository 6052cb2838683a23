/* SPDX-License-Identifier: Apache-2.0 */
/* namespaces.c - joins namespaces and creates new ones. */

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

/* Forks the launcher, which has one or two pages of memory. */
static long fork_with(unsigned long flags, int *pidfd)
{
	struct clone_args args = {.flags = flags, .pidfd = (uint64_t)(uintptr_t)pidfd};
	long pid = umh_syscall(__NR_clone3, &args, sizeof args);

	/*
	 * A filter may refuse an unknown system call. With CLONE_PARENT the exit signal is the parent's in both calls.
	 */
	if (pid == -ENOSYS || pid == -EPERM)
		pid = umh_syscall(__NR_clone, flags, 0, pidfd, 0, 0);
	return pid;
}

/* For this process or its mapper, which writes the id maps. In a joined mount namespace /proc may be anything. */
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
 * Id maps with other ids than the caller's must be written from outside of the new user namespace, with the privilege
 * that the launcher loses there: by a child that was forked before. The child waits for its turn; its exit code is an
 * errno.
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
	if (result < 0 || (told < 0 && told != -EPIPE)) /* EPIPE: the mapper has ended, and its status has the reason */
		return (int)(result < 0 ? result : told);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/* The mapper must exist before unshare(2) and writes after it; ID_MAP reports its result. */
static int unshare_user(struct launch *launch)
{
	/*
	 * The map files of an undumpable process belong to root. The uid is read before, because afterward it is
	 * unmapped. See write_proc_self().
	 */
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

/* The helper's mounts must not propagate to the host: as unshare(1) does, and systemd's PrivateMounts. */
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
 * A new pid namespace, or time namespace, takes effect in children. So a child of this launcher, the successor,
 * continues in its place, as a child of the JVM (CLONE_PARENT), which receives its pidfd. The successor waits until the
 * pidfd was sent: the JVM must know each helper. If this launcher is killed before, the successor reports that itself,
 * because the JVM must reap it.
 */
static __attribute__((noreturn)) void send_pidfd_and_exit(const struct launch *launch, int pidfd, int known)
{
	struct umh_report report = {.stage = UMH_STAGE_PID_NAMESPACE};
	long result = send_report(launch, &report, pidfd);

	if (result == 0)
		result = sys_write(known, "", 1);
	report.error = (uint32_t)-result;
	if (result < 0 && result != -EPIPE)       /* the successor is dead, and the JVM knows it */
		send_report(launch, &report, -1); /* the successor reports itself: report_orphaned() */
	sys_exit(0);
}

static __attribute__((noreturn)) void report_orphaned(const struct launch *launch)
{
	const struct umh_report report = {.stage = UMH_STAGE_PID_NAMESPACE, .error = EPIPE};

	send_report(launch, &report, (int)umh_syscall(__NR_pidfd_open, umh_syscall(__NR_getpid), 0));
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
	/*
	 * A new process group: by it the JVM finds a successor that is killed before its report. SESSION leaves the
	 * group.
	 */
	if (has_step(launch, UMH_STEP(SESSION)))
		umh_syscall(__NR_setpgid, 0, 0);
	pid = fork_with(CLONE_PARENT | CLONE_PIDFD, &pidfd);
	if (pid < 0)
		return (int)pid;
	if (pid > 0)
		send_pidfd_and_exit(launch, pidfd, pipe[1]);
	if (launch->plan->flags & UMH_PLAN_DIE_WITH_THREAD)
		umh_syscall(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL); /* a fork does not inherit it */
	sys_close(pipe[1]);
	result = sys_read(pipe[0], &known, 1);
	if (result == 0)
		report_orphaned(launch);
	sys_close(pipe[0]);
	return result < 0 ? (int)result : 0;
}
