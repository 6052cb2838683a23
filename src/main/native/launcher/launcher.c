/* SPDX-License-Identifier: Apache-2.0 */
/* launcher.c - the program between clone and execve: receives the plan, applies it in order, becomes the helper. */

/*
 * It is born with one descriptor, the plan socket, and every signal blocked. Its arguments are the helper's path and
 * then the helper's own argument vector; its environment is the helper's. It uses no libc, allocates nothing, and
 * never returns: it ends in execve(2), or in a report and exit.
 *
 * The model is call_usermodehelper_exec_async() of kernel/umh.c, which a new kernel thread runs before its execve.
 */

#include <errno.h>
#include <linux/prctl.h>

#include "launch.h"
#include "umh_syscalls.h"

struct step {
	enum umh_stage stage;
	int (*apply)(struct launch *launch);
};

/* The recipe. The order is the meaning: each line says what it must come before or after. */
static const struct step recipe[] = {
	{UMH_STAGE_SESSION, apply_session},                 /* first: from here no terminal's signal reaches us */
	{UMH_STAGE_KEYRING, apply_keyring},                 /* before any identity that has a key quota of its own */
	{UMH_STAGE_OOM_SCORE_ADJ, apply_oom_score_adj},     /* these need privilege, or files that a new */
	{UMH_STAGE_COREDUMP_FILTER, apply_coredump_filter}, /*   root or identity would hide */
	{UMH_STAGE_NICE, apply_nice},                       /* before SCHED, which takes it along, and before */
	{UMH_STAGE_SCHED, apply_sched},                     /*   the limits on both */
	{UMH_STAGE_IOPRIO, apply_ioprio},
	{UMH_STAGE_AFFINITY, apply_affinity},
	{UMH_STAGE_MEMPOLICY, apply_mempolicy},
	{UMH_STAGE_TIMER_SLACK, apply_timer_slack},         /* after SCHED: a real-time task has none */
	{UMH_STAGE_RLIMIT, apply_rlimit},                   /* after all that a limit could forbid */
	{UMH_STAGE_PERSONALITY, apply_personality},
	{UMH_STAGE_THP, apply_thp},
	{UMH_STAGE_UMASK, apply_umask},
	{UMH_STAGE_CWD, apply_cwd},
	{UMH_STAGE_DESCRIPTORS, apply_descriptors},         /* after the last file that a step opens */
	{UMH_STAGE_NOFILE, apply_nofile},                   /* a descriptor may stand above the helper's own limit */
	{UMH_STAGE_SECUREBITS, apply_securebits},           /* these three need CAP_SETPCAP, and drop it last */
	{UMH_STAGE_BOUNDING, apply_bounding},
	{UMH_STAGE_INHERITABLE, apply_inheritable},
	{UMH_STAGE_SIGNALS, apply_signals},                 /* last: what is pending may end us here */
};

static void report(const struct launch *launch, enum umh_stage stage, int error)
{
	const struct umh_report report = {
		.stage = stage,
		.error = (uint32_t)error,
		.detail = error ? launch->detail : 0,
		.kept = launch->kept,
	};

	/* Nobody to tell when this fails: the JVM is gone. */
	sys_send(launch->socket, &report, sizeof report, MSG_NOSIGNAL);
}

static __attribute__((noreturn)) void fail(const struct launch *launch, enum umh_stage stage, int error)
{
	report(launch, stage, error);
	sys_exit(127);
}

static void follow_recipe(struct launch *launch)
{
	const struct umh_plan *plan = launch->plan;

	for (unsigned i = 0; i < sizeof recipe / sizeof *recipe; i++) {
		const uint64_t step = UINT64_C(1) << recipe[i].stage;
		int result;

		if (!(plan->steps & step))
			continue;
		launch->detail = 0;
		result = recipe[i].apply(launch);
		if (result == 0)
			continue;
		if (plan->required & step)
			fail(launch, recipe[i].stage, -result);
		launch->kept |= step;
	}
	launch->detail = 0;
}

__attribute__((noreturn, used)) void launcher(long *stack)
{
	char **argv = (char **)(stack + 1);
	char **envp = argv + stack[0] + 1;
	char buffer[UMH_PLAN_INLINE] __attribute__((aligned(8)));
	struct launch launch = {.socket = UMH_PLAN_FD};
	int result;

	umh_syscall(__NR_prctl, PR_SET_NAME, UMH_LAUNCHER_COMM);
	result = receive_plan(&launch, buffer, sizeof buffer);
	if (result < 0)
		fail(&launch, UMH_STAGE_PLAN, -result);
	follow_recipe(&launch);
	report(&launch, UMH_STAGE_EXEC, 0); /* without it, end of file means that we were killed */
	/* argv[0] is the path; the helper's own vector begins behind it. */
	result = sys_execve(argv[0], argv + 1, envp);
	fail(&launch, UMH_STAGE_EXEC, -result);
}

UMH_ENTRY(launcher);
