/* SPDX-License-Identifier: Apache-2.0 */
/* launcher.c - the program between clone and execve: receives the plan, applies it in order, becomes the helper. */

/*
 * The launcher starts with the plan socket, with its own file if only its path could be executed, and with all signals
 * blocked. Its arguments are the helper's path and then the helper's argument vector; its environment is the helper's.
 * It uses no libc, allocates nothing and never returns: it ends in execve(2), or with a report and exit. It runs at any
 * address (shim/launcher_image.c), so no table of it has an address.
 *
 * The model is call_usermodehelper_exec_async() of kernel/umh.c, which a new kernel thread runs before its execve.
 */

#include <errno.h>
#include <linux/prctl.h>
#include <linux/time_types.h>
#include <time.h>

#include "launcher/launcher.h"
#include "common/file_identity.h"
#include "common/syscalls.h"

int make_undumpable(void)
{
	return (int)umh_syscall(__NR_prctl, PR_SET_DUMPABLE, 0);
}

void restore_undumpable(const struct launch *launch)
{
	const int result = make_undumpable();

	if (result < 0)
		fail(launch, UMH_STAGE_PLAN, -result);
}

typedef int step_fn(struct launch *launch);

static __attribute__((noinline)) void run_step(struct launch *launch, enum umh_stage stage, step_fn *apply)
{
	const uint64_t bit = UINT64_C(1) << stage;
	int result;

	if (!has_step(launch, bit))
		return;
	launch->detail = 0;
	result = apply(launch);
	if (result == 0)
		return;
	if (launch->plan->required & bit)
		fail(launch, stage, -result);
	launch->unapplied |= bit;
}

/*
 * The helper must not die with the thread that has started it. A refusal matters only if the signal was set: a filter
 * that refuses PR_GET_PDEATHSIG has refused PR_SET_PDEATHSIG, too.
 */
static void clear_parent_death(const struct launch *launch)
{
	int signal = 0;
	long result;

	if (!(launch->plan->flags & UMH_PLAN_DIE_WITH_THREAD) || has_step(launch, UMH_STEP(PARENT_DEATH)))
		return;
	result = umh_syscall(__NR_prctl, PR_SET_PDEATHSIG, 0);
	if (result < 0 && umh_syscall(__NR_prctl, PR_GET_PDEATHSIG, &signal) == 0 && signal != 0)
		fail(launch, UMH_STAGE_PARENT_DEATH, (int)-result);
}

/*
 * Without this report an end of file means that the launcher was killed; so it is sent when the program may begin, and
 * not before. After the filter, sendmsg(2) and read(2) may be refused.
 */
static void report_ready(const struct launch *launch)
{
	struct umh_report report = {.stage = UMH_STAGE_EXEC, .unapplied = launch->unapplied};
	struct __kernel_timespec now;
	char go;
	long size = 1;
	int result;

	if (launch->plan->flags & UMH_PLAN_WAIT_BEFORE_EXEC)
		size = sys_read(launch->socket, &go, 1);
	if (size == 0)
		sys_exit(127); /* the JVM has ended */
	if (size < 0)
		fail(launch, UMH_STAGE_EXEC, (int)-size);
	if (launch->plan->flags & UMH_PLAN_REPORT_TIME && umh_syscall(__NR_clock_gettime, CLOCK_MONOTONIC, &now) == 0) {
		report.detail = (uint32_t)now.tv_nsec;
		report.seconds = (uint32_t)now.tv_sec;
	}
	clear_parent_death(launch);
	result = send_report(launch, &report, launch->failure_memfd);
	if (result < 0 && result != -EPIPE && launch->failure_memfd >= 0)
		result = send_report(launch, &report, -1);
	if (result == -EPIPE)
		sys_exit(127); /* the JVM has ended: no helper may start */
}

/* clang-format off */
#define STEP(name, apply) run_step(launch, UMH_STAGE_##name, apply)

/* The recipe. Each line has the reason for its place. */
static void apply_steps(struct launch *launch, const char *program)
{
	int result;

	launch->ignored_signals = read_ignored_signals();   /* while /proc is the JVM's; for SIGNALS */
	launch->self = open_proc_self(launch);              /* likewise; for ID_MAP */
	create_failure_memfd(launch);                       /* before the limits on files and memory */
	STEP(CGROUP, apply_cgroup);                         /* first: the cgroup accounts for all that follows */
	STEP(OOM_SCORE_ADJ, apply_oom_score_adj);           /* these three need the JVM's privilege, which a new user */
	STEP(COREDUMP_FILTER, apply_coredump_filter);       /*   namespace ends, and the JVM's /proc, because another */
	STEP(EXEC_LABEL, apply_exec_label);                 /*   one may have any owner */
	STEP(NICE, apply_nice);                             /* before SCHED, which sets it again, and before */
	STEP(SCHED, apply_sched);                           /*   the limits on both */
	STEP(IOPRIO, apply_ioprio);
	STEP(AFFINITY, apply_affinity);
	STEP(MEMPOLICY, apply_mempolicy);
	STEP(TIMER_SLACK, apply_timer_slack);               /* after SCHED: a real-time task has none */
	STEP(RLIMIT, apply_rlimit);                         /* after all steps that a limit could prevent */
	STEP(PERSONALITY, apply_personality);
	STEP(THP, apply_thp);
	STEP(LANDLOCK, create_landlock_ruleset);            /* closes the host's directories before JOIN */
	STEP(JOIN, apply_join);                             /* before UNSHARE, which creates in the joined ones */
	STEP(UNSHARE, apply_unshare);
	STEP(ID_MAP, apply_id_map);                         /* until then no uid exists in the namespace */
	STEP(PID_NAMESPACE, apply_pid_namespace);           /* a new pid namespace takes effect in children alone */
	STEP(SESSION, apply_session);                       /* after PID_NAMESPACE: the helper must lead the session */
	STEP(TERMINAL, apply_terminal);                     /* needs a session leader without a terminal */
	STEP(KEYRING, apply_keyring);                       /* in the user namespace, and before another uid's quota */
	STEP(UMASK, apply_umask);
	STEP(ROOT, apply_root);
	STEP(CWD, chdir_to_root);                           /* if the plan has no directory; otherwise see below */
	STEP(DESCRIPTORS, apply_descriptors);               /* later descriptors are above the helper's */
	STEP(BOUNDING, apply_bounding);                     /* needs CAP_SETPCAP, which the next steps may end */
	STEP(GROUPS, apply_groups);                         /* groups and gid need privilege that a new uid lacks */
	STEP(GID, apply_gid);
	STEP(UID, apply_uid);
	STEP(CAPABILITIES, apply_capabilities);             /* the helper's, and those that the steps below need */
	STEP(AMBIENT, apply_ambient);                       /* a subset of permitted and inheritable */
	STEP(SECUREBITS, apply_securebits);                 /* could forbid raising ambient capabilities */
	STEP(CWD, apply_cwd);                               /* as the helper, in its root */
	result = check_program(launch, program);            /* likewise */
	if (result == 0)
		result = refuse_launcher(launch, program);
	if (result < 0)
		fail(launch, UMH_STAGE_EXEC, -result);
	STEP(NOFILE, apply_nofile);                         /* after the last open: targets may be above it */
	STEP(PARENT_DEATH, apply_parent_death);             /* a change of identity clears it */
	STEP(NO_NEW_PRIVS, apply_no_new_privs);             /* lets an unprivileged process apply the next ones */
	STEP(LANDLOCK, apply_landlock);
	STEP(SIGNALS, apply_signals);                       /* late: a pending signal may end the process here */
	STEP(NPROC, apply_nproc);                           /* over this limit execve(2) fails, not setresuid(2) */
}
/* clang-format on */

/*
 * The last two steps. A filter that needs privilege is set before the privilege is dropped; otherwise it is the last.
 */
static void apply_last_steps(struct launch *launch)
{
	const int unprivileged = has_step(launch, UMH_STEP(NO_NEW_PRIVS));

	if (unprivileged)
		STEP(EFFECTIVE, apply_effective);
	launch->detail = 0;
	report_ready(launch);
	STEP(SECCOMP, apply_seccomp);
	if (!unprivileged)
		STEP(EFFECTIVE, apply_effective);
	launch->detail = 0;
}

/*
 * A program without a path: by its descriptor. Where execveat(2) is refused, by the descriptor's path in /proc, unless
 * that /proc may be another one, in another root. An emulator of the program's architecture opens the path again, as an
 * interpreter does: then execve must not close the descriptor.
 */
static int execute_descriptor(const struct launch *launch, int fd, char **argv, char **envp)
{
	char path[sizeof "/proc/self/fd/" + 10] = {0};
	char *number = format_number_before(path + sizeof path - 1, fd);
	int result = sys_execveat(fd, "", argv, envp, AT_EMPTY_PATH);
	int second;

	if ((result != -ENOSYS && result != -EPERM) || has_step(launch, UMH_STEP(ROOT) | UMH_STEP(JOIN)))
		return result;
	sys_fcntl(fd, F_SETFD, 0);
	second = sys_execve(copy_text_before(number, "/proc/self/fd/"), argv, envp);
	return second == -ENOENT ? result : second; /* no /proc: the first error is better */
}

/* argv[0] is the path; the helper's own vector follows. */
static int execute(const struct launch *launch, char **argv, char **envp)
{
	if (launch->plan->program == UMH_NO_DESCRIPTOR)
		return sys_execve(argv[0], argv + 1, envp);
	return execute_descriptor(launch, descriptor(launch, launch->plan->program), argv + 1, envp);
}

/*
 * Other code may have closed the program's descriptor in the JVM, and its number may have been sent for another file.
 * No other process can change the received descriptor.
 */
static int verify_program(const struct launch *launch)
{
	const uint32_t program = launch->plan->program;

	if (program == UMH_NO_DESCRIPTOR ||
	    umh_short_file_identity(umh_file_identity(descriptor(launch, program))) == launch->plan->program_identity)
		return 0;
	return -EBADF;
}

__attribute__((noreturn, used)) void launcher(long *stack)
{
	char **argv = (char **)(stack + 1);
	char **envp = argv + stack[0] + 1;
	char buffer[UMH_PLAN_INLINE] __attribute__((aligned(8)));
	struct launch launch = {.socket = UMH_PLAN_FD, .ruleset = -1, .failure_memfd = -1};
	const int hidden = make_undumpable(); /* first of all: before any other process may trace this one */
	int result;

	launch.parent = (int)umh_syscall(__NR_getppid);
	if (umh_syscall(__NR_prctl, PR_SET_NAME, UMH_LAUNCHER_COMM) < 0)
		launch.unapplied = UMH_STEP(LAUNCH); /* the name will not show that execve has succeeded */
	sys_close(UMH_LAUNCHER_FD);                  /* open if execveat(2) is missing */
	result = receive_plan(&launch, buffer, sizeof buffer);
	if (result == 0)
		result = hidden;
	if (result < 0)
		fail(&launch, UMH_STAGE_PLAN, -result);
	result = verify_program(&launch);
	if (result < 0)
		fail(&launch, UMH_STAGE_BLOB, -result);
	apply_steps(&launch, argv[0]);
	apply_last_steps(&launch);
	result = execute(&launch, argv, envp);
	fail(&launch, UMH_STAGE_EXEC, result < 0 ? -result : EPERM); /* a filter may return 0 and execute nothing */
}

#ifdef __aarch64__
/*
 * gcc calls memset() by itself to clear large objects. Without the attribute it would compile this loop to such a call.
 */
__attribute__((used, optimize("no-tree-loop-distribute-patterns"))) void *memset(void *to, int byte, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile char *)to)[i] = (char)byte;
	return to;
}
#endif

UMH_ENTRY(launcher);
