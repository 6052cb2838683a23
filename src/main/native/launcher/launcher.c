/* SPDX-License-Identifier: Apache-2.0 */
/* launcher.c - the program between clone and execve: receives the plan, applies it in order, becomes the helper. */

/*
 * It is born with the plan socket, with its own file where only its path could be executed, and with every signal blocked.
 * Its arguments are the helper's path and then the helper's own argument vector; its environment is the helper's. It uses
 * no libc, allocates nothing, and never returns: it ends in execve(2), or in a report and exit. It runs wherever it is
 * mapped (shim/launcher_image.c), so no table of it holds an address.
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
 * From here on the helper's life is its own. A refusal matters where the signal was set: a filter that refuses to ask for it
 * refused that too.
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
 * Without this word end of file means that we were killed; so it is said when the program may begin, and not before. A
 * filter may forbid to say it later, or to wait.
 */
static void report_ready(const struct launch *launch)
{
	struct umh_report word = {.stage = UMH_STAGE_EXEC, .unapplied = launch->unapplied};
	struct __kernel_timespec now;
	char go;
	long size = 1;
	int result;

	if (launch->plan->flags & UMH_PLAN_WAIT_BEFORE_EXEC)
		size = sys_read(launch->socket, &go, 1);
	if (size == 0)
		sys_exit(127); /* the JVM is gone */
	if (size < 0)
		fail(launch, UMH_STAGE_EXEC, (int)-size);
	if (launch->plan->flags & UMH_PLAN_REPORT_TIME && umh_syscall(__NR_clock_gettime, CLOCK_MONOTONIC, &now) == 0) {
		word.detail = (uint32_t)now.tv_nsec;
		word.seconds = (uint32_t)now.tv_sec;
	}
	clear_parent_death(launch);
	result = send_report(launch, &word, launch->failure_memfd);
	if (result < 0 && result != -EPIPE && launch->failure_memfd >= 0)
		result = send_report(launch, &word, -1);
	if (result == -EPIPE)
		sys_exit(127); /* the same: nothing begins that nobody has asked for any more */
}

/* The recipe. The order is the meaning: each line says what it must come before or after. */
static void apply_steps(struct launch *launch, const char *program)
{
	int result;

	launch->ignored_signals = read_ignored_signals();                            /* before a /proc that may be anybody's; see SIGNALS */
	launch->self = open_proc_self(launch);                               /* the same; see ID_MAP */
	create_failure_memfd(launch);                                          /* before the limits on files and memory */
	run_step(launch, UMH_STAGE_CGROUP, apply_cgroup);                   /* first: whatever follows is accounted there */
	run_step(launch, UMH_STAGE_OOM_SCORE_ADJ, apply_oom_score_adj);     /* these need the JVM's privilege, which a new user */
	run_step(launch, UMH_STAGE_COREDUMP_FILTER, apply_coredump_filter); /*   namespace ends, and the JVM's /proc, since another */
	run_step(launch, UMH_STAGE_EXEC_LABEL, apply_exec_label);           /*   one may be anybody's */
	run_step(launch, UMH_STAGE_NICE, apply_nice);                       /* before SCHED, which takes it along, and before */
	run_step(launch, UMH_STAGE_SCHED, apply_sched);                     /*   the limits on both */
	run_step(launch, UMH_STAGE_IOPRIO, apply_ioprio);
	run_step(launch, UMH_STAGE_AFFINITY, apply_affinity);
	run_step(launch, UMH_STAGE_MEMPOLICY, apply_mempolicy);
	run_step(launch, UMH_STAGE_TIMER_SLACK, apply_timer_slack);         /* after SCHED: a real-time task has none */
	run_step(launch, UMH_STAGE_RLIMIT, apply_rlimit);                   /* after all that a limit could forbid */
	run_step(launch, UMH_STAGE_PERSONALITY, apply_personality);
	run_step(launch, UMH_STAGE_THP, apply_thp);
	run_step(launch, UMH_STAGE_LANDLOCK, create_landlock_ruleset);             /* closes the host's folders before others may look */
	run_step(launch, UMH_STAGE_JOIN, apply_join);                       /* before UNSHARE: what is new is new there */
	run_step(launch, UMH_STAGE_UNSHARE, apply_unshare);
	run_step(launch, UMH_STAGE_ID_MAP, apply_id_map);                   /* until then nobody exists in the namespace */
	run_step(launch, UMH_STAGE_PID_NAMESPACE, apply_pid_namespace);           /* a pid namespace takes effect in children alone */
	run_step(launch, UMH_STAGE_SESSION, apply_session);                 /* after it: the session is the helper's own */
	run_step(launch, UMH_STAGE_TERMINAL, apply_terminal);               /* takes a session leader without a terminal */
	run_step(launch, UMH_STAGE_KEYRING, apply_keyring);                 /* in the user namespace, before another uid's quota */
	run_step(launch, UMH_STAGE_UMASK, apply_umask);
	run_step(launch, UMH_STAGE_ROOT, apply_root);
	run_step(launch, UMH_STAGE_CWD, chdir_to_root);                     /* where no other folder is asked for; see below */
	run_step(launch, UMH_STAGE_DESCRIPTORS, apply_descriptors);         /* from now on the numbers of steps are above the helper's */
	run_step(launch, UMH_STAGE_BOUNDING, apply_bounding);               /* needs CAP_SETPCAP, which the next ones may end */
	run_step(launch, UMH_STAGE_GROUPS, apply_groups);                   /* groups and gid need what a new uid has not */
	run_step(launch, UMH_STAGE_GID, apply_gid);
	run_step(launch, UMH_STAGE_UID, apply_uid);
	run_step(launch, UMH_STAGE_CAPABILITIES, apply_capabilities);       /* what is kept, and what the steps below still need */
	run_step(launch, UMH_STAGE_AMBIENT, apply_ambient);                 /* a subset of permitted and inheritable */
	run_step(launch, UMH_STAGE_SECUREBITS, apply_securebits);           /* could forbid raising ambient capabilities */
	run_step(launch, UMH_STAGE_CWD, apply_cwd);                         /* as the helper, in its root */
	result = check_program(launch, program);                        /* the same way, and from the same folder */
	if (result == 0)
		result = refuse_launcher(launch, program);                /* the launcher is nobody's program */
	if (result < 0)
		fail(launch, UMH_STAGE_EXEC, -result);
	run_step(launch, UMH_STAGE_NOFILE, apply_nofile);                   /* a descriptor may stand above it; the last that opens one */
	run_step(launch, UMH_STAGE_PARENT_DEATH, apply_parent_death);       /* a change of identity clears it */
	run_step(launch, UMH_STAGE_NO_NEW_PRIVS, apply_no_new_privs);       /* lets an unprivileged process take the next ones */
	run_step(launch, UMH_STAGE_LANDLOCK, apply_landlock);
	run_step(launch, UMH_STAGE_SIGNALS, apply_signals);                 /* late: what is pending may end us here */
	run_step(launch, UMH_STAGE_NPROC, apply_nproc);                     /* setresuid(2) would pass, and execve(2) then fail */
}

/* The last two. A filter that needs privilege comes before the privilege goes, else it is the very last. */
static void apply_last_steps(struct launch *launch)
{
	const int unprivileged = has_step(launch, UMH_STEP(NO_NEW_PRIVS));

	if (unprivileged)
		run_step(launch, UMH_STAGE_EFFECTIVE, apply_effective);
	launch->detail = 0;
	report_ready(launch);
	run_step(launch, UMH_STAGE_SECCOMP, apply_seccomp);
	if (!unprivileged)
		run_step(launch, UMH_STAGE_EFFECTIVE, apply_effective);
	launch->detail = 0;
}

/*
 * A program without a name: by its descriptor, and where no execveat(2) may be by the path that this has in /proc, if that
 * is the JVM's own and not somebody's in another root. An emulator of the program's processor would open the path again,
 * as an interpreter does: then the descriptor must not be closed.
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
	return second == -ENOENT ? result : second; /* no /proc: the first answer is the better one */
}

/* argv[0] is the path; the helper's own vector begins behind it. */
static int execute(const struct launch *launch, char **argv, char **envp)
{
	if (launch->plan->program == UMH_NO_DESCRIPTOR)
		return sys_execve(argv[0], argv + 1, envp);
	return execute_descriptor(launch, descriptor(launch, launch->plan->program), argv + 1, envp);
}

/*
 * The program was sent by the number that it has in the JVM, where other code may have closed it and opened another file
 * at that number; what has arrived nobody else can change.
 */
static int verify_program(const struct launch *launch)
{
	const uint32_t program = launch->plan->program;

	if (program == UMH_NO_DESCRIPTOR || umh_short_file_identity(umh_file_identity(descriptor(launch, program))) == launch->plan->program_identity)
		return 0;
	return -EBADF;
}

__attribute__((noreturn, used)) void launcher(long *stack)
{
	char **argv = (char **)(stack + 1);
	char **envp = argv + stack[0] + 1;
	char buffer[UMH_PLAN_INLINE] __attribute__((aligned(8)));
	struct launch launch = {.socket = UMH_PLAN_FD, .ruleset = -1, .failure_memfd = -1};
	const int hidden = make_undumpable(); /* before anybody is who could look: the first thing of all */
	int result;

	launch.parent = (int)umh_syscall(__NR_getppid);
	if (umh_syscall(__NR_prctl, PR_SET_NAME, UMH_LAUNCHER_COMM) < 0)
		launch.unapplied = UMH_STEP(LAUNCH); /* said in report_ready(): the name will not tell when this is the helper */
	sys_close(UMH_LAUNCHER_FD); /* open where there is no execveat(2) */
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
	fail(&launch, UMH_STAGE_EXEC, result < 0 ? -result : EPERM); /* a filter may answer 0 and execute nothing */
}

#ifdef __aarch64__
/* What gcc calls there by itself, to clear what is large. Without the attribute it would make a call of this loop too. */
__attribute__((used, optimize("no-tree-loop-distribute-patterns"))) void *memset(void *to, int byte, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile char *)to)[i] = (char)byte;
	return to;
}
#endif

UMH_ENTRY(launcher);
