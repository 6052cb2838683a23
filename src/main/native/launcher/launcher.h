/* SPDX-License-Identifier: Apache-2.0 */
/* launcher.h - the state of a launch, and the steps. */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include "common/plan.h"

/* The launcher runs at any address. Hidden symbols are addressed relative to the code by every compiler. */
#pragma GCC visibility push(hidden)

struct launch {
	struct umh_plan *plan;
	int socket;               /* the plan socket; DESCRIPTORS may move it */
	int parent;               /* the JVM's pid, or a negative errno; 0 in a pid namespace that the JVM is not in */
	int ruleset;              /* a landlock ruleset with its rules; or -1 */
	int can_be_traced;        /* a user namespace was joined: its root may trace a dumpable process */
	uint32_t detail;          /* set by a step before it fails: the rlimit, capability, ... */
	uint64_t ignored_signals; /* signals that are, or may be, ignored */
	int self;                 /* this process in the JVM's /proc, until ID_MAP */
	uint64_t unapplied;       /* steps that have failed and were not required */
	uint64_t permitted;       /* the helper's permitted set, once UID was applied */
	uint64_t effective;
	int id_map_result;        /* the result of the mapper, a child that writes the id maps */
	uint32_t *stored_failure; /* memory that the shim can read; or 0 */
	int failure_memfd;        /* and its file; or -1 */
};

/* The bytes of a variable part, or 0 if it is empty. receive_plan() has validated it. */
static inline void *span(const struct launch *launch, struct umh_span part)
{
	return part.length ? (char *)launch->plan + part.offset : 0;
}

static inline int has_step(const struct launch *launch, uint64_t steps)
{
	return (launch->plan->steps & steps) != 0;
}

/* The number at which the descriptor with this index was received, or -EPROTO. */
int descriptor(const struct launch *launch, uint32_t index);

/* Closes a descriptor that is the launcher's alone, before another process may open the helper's /proc. */
void close_descriptor(struct launch *launch, uint32_t index);

/*
 * PR_SET_DUMPABLE: only processes that may trace the JVM may trace this one or open its descriptors. With
 * fs.suid_dumpable 1 each change of identity makes the process dumpable again, so this is called after each.
 */
int make_undumpable(void);

/* The same after the process was made dumpable on purpose. Fails the launch if that is refused. */
void restore_undumpable(const struct launch *launch);

/* Write decimal digits, or a text without its NUL, that end at end; return where they begin. */
char *format_number_before(char *end, long value);
char *copy_text_before(char *end, const char *text);

/* Writes text to a file, whose path may be relative to the directory: 0 or a negative errno. */
int write_text(int directory, const char *path, const void *text, uint32_t size);

/* The same to a file of /proc about this process. */
int write_number(const struct launch *launch, const char *path, long value);
int write_proc_self(const struct launch *launch, int directory, const char *path, const void *text, uint32_t size);

/*
 * Each step applies its part of the plan and returns 0 or a negative errno. The steps are in the order of their
 * execution, which launcher.c explains, each with its file.
 */
int apply_cgroup(struct launch *launch); /* cgroup.c */
int apply_oom_score_adj(struct launch *launch);
int apply_coredump_filter(struct launch *launch);
int apply_nice(struct launch *launch); /* sched.c */
int apply_sched(struct launch *launch);
int apply_ioprio(struct launch *launch);
int apply_affinity(struct launch *launch);
int apply_mempolicy(struct launch *launch);
int apply_timer_slack(struct launch *launch);
int apply_rlimit(struct launch *launch);      /* limits.c */
int apply_personality(struct launch *launch); /* sched.c */
int apply_thp(struct launch *launch);
int open_proc_self(const struct launch *launch); /* namespaces.c */
int apply_join(struct launch *launch);
int apply_unshare(struct launch *launch);
int apply_id_map(struct launch *launch);
int apply_pid_namespace(struct launch *launch);
int apply_session(struct launch *launch); /* session.c */
int apply_terminal(struct launch *launch);
int apply_keyring(struct launch *launch); /* cred.c */
int apply_exec_label(struct launch *launch);
int apply_umask(struct launch *launch); /* fs.c */
int apply_root(struct launch *launch);
int chdir_to_root(struct launch *launch);
int apply_descriptors(struct launch *launch); /* descriptors.c */
int apply_bounding(struct launch *launch);    /* capabilities.c */
int apply_groups(struct launch *launch);      /* cred.c */
int apply_gid(struct launch *launch);
int apply_uid(struct launch *launch);
int apply_capabilities(struct launch *launch); /* capabilities.c */
int apply_ambient(struct launch *launch);
int apply_securebits(struct launch *launch);
int apply_cwd(struct launch *launch);          /* fs.c */
int apply_nofile(struct launch *launch);       /* limits.c */
int apply_parent_death(struct launch *launch); /* signals.c */
int apply_no_new_privs(struct launch *launch); /* sandbox.c */
int create_landlock_ruleset(struct launch *launch);
int apply_landlock(struct launch *launch);
int apply_signals(struct launch *launch);   /* signals.c */
int apply_nproc(struct launch *launch);     /* limits.c */
int apply_seccomp(struct launch *launch);   /* sandbox.c */
int apply_effective(struct launch *launch); /* capabilities.c */

/* The signals that are ignored now, a bit each; read while /proc is the JVM's (signals.c). */
uint64_t read_ignored_signals(void);

/* PR_SET_KEEPCAPS if later steps need the permitted set; and the helper's sets after UID (capabilities.c). */
int apply_keepcaps(struct launch *launch);

/* Runs a step with the helper's rights to files (capabilities.c). */
int run_with_helper_rights(struct launch *launch, int (*step)(struct launch *launch));

/* Refuses a program's path that leads out of the root through a magic link of /proc (fs.c). */
int check_program(struct launch *launch, const char *path);

/*
 * A seccomp filter may prevent reports. Then a failure is stored in a memfd, which the report before the filter carries
 * (report.c).
 */
void create_failure_memfd(struct launch *launch);
void store_failure(const struct launch *launch, enum umh_stage stage, int error);

/* -ENOENT if the program is the launcher: by a path, as an interpreter, or by a descriptor (program.c). */
int refuse_launcher(const struct launch *launch, const char *path);

/* Reports the failure and exits (report.c). */
__attribute__((noreturn)) void fail(const struct launch *launch, enum umh_stage stage, int error);

/* Receives the plan and its descriptors (plan.c). */
int receive_plan(struct launch *launch, void *buffer, uint32_t size);

/* Sends a report to the shim, with a descriptor if fd >= 0 (report.c). */
int send_report(const struct launch *launch, const struct umh_report *report, int fd);

#pragma GCC visibility pop

#endif
