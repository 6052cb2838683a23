/* SPDX-License-Identifier: Apache-2.0 */
/* launcher.h - one launch as the steps see it, and the steps. */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include "common/plan.h"

/* The launcher moves itself in memory. Whatever is hidden is addressed relative to the code, by each compiler. */
#pragma GCC visibility push(hidden)

struct launch {
	struct umh_plan *plan;
	int socket;         /* the plan socket, wherever it is now */
	int parent;         /* the JVM's pid, or a negative errno; 0 in a pid namespace that the JVM is not in */
	int ruleset;        /* landlock's, once it has its rules; or -1 */
	int can_be_traced;        /* a user namespace was joined: its root may look at whoever is dumpable */
	uint32_t detail;    /* set by a step before it fails: which one of several */
	uint64_t ignored_signals;   /* signals that are, or may be */
	int self;           /* this process in the JVM's /proc, until ID_MAP */
	uint64_t unapplied;      /* steps that failed and were not required */
	uint64_t permitted; /* what the helper shall have, once UID has been passed */
	uint64_t effective;
	int id_map_result;         /* how writing the id maps went, when another process did it */
	uint32_t *stored_failure;  /* memory that the parent half sees too; or 0 */
	int failure_memfd;   /* and what it is of; or -1 */
};

/* The bytes of a variable part, or 0 where the plan has none. Spans were checked when the plan was received. */
static inline void *span(const struct launch *launch, struct umh_span part)
{
	return part.length ? (char *)launch->plan + part.offset : 0;
}

static inline int has_step(const struct launch *launch, uint64_t steps)
{
	return (launch->plan->steps & steps) != 0;
}

/* Where the file at this place of the list was received, or -EPROTO. */
int descriptor(const struct launch *launch, uint32_t place);

/* Closes one that the helper is not to have: nothing is found here by who may look into the helper later. */
void close_descriptor(struct launch *launch, uint32_t place);

/*
 * Shuts this process's memory and descriptors (PR_SET_DUMPABLE) to all who may not look into the JVM. Where
 * fs.suid_dumpable is 1 each change of identity opens it again, so it is called after each.
 */
int make_undumpable(void);

/* The same after it was opened on purpose: there is no going on without. */
void restore_undumpable(const struct launch *launch);

/* Decimal digits, or a text without its NUL, that end at end; where they begin. */
char *format_number_before(char *end, long value);
char *copy_text_before(char *end, const char *text);

/* Text into a file, which a relative path names from the folder on: 0 or a negative errno. */
int write_text(int folder, const char *path, const void *text, uint32_t size);

/* Writes a number, or a text, to a file of /proc about this process. */
int write_number(const struct launch *launch, const char *path, long value);
int write_proc_self(const struct launch *launch, int folder, const char *path, const void *text, uint32_t size);

/*
 * A step takes what the plan says and answers 0 or a negative errno. They are listed in the order in which they run,
 * which is explained in launcher.c, each with its file.
 */
int apply_cgroup(struct launch *launch);          /* limits.c */
int apply_oom_score_adj(struct launch *launch);
int apply_coredump_filter(struct launch *launch);
int apply_nice(struct launch *launch);            /* sched.c */
int apply_sched(struct launch *launch);
int apply_ioprio(struct launch *launch);
int apply_affinity(struct launch *launch);
int apply_mempolicy(struct launch *launch);
int apply_timer_slack(struct launch *launch);
int apply_rlimit(struct launch *launch);          /* limits.c */
int apply_personality(struct launch *launch);     /* sched.c */
int apply_thp(struct launch *launch);
int open_proc_self(const struct launch *launch);       /* namespaces.c */
int apply_join(struct launch *launch);
int apply_unshare(struct launch *launch);
int apply_id_map(struct launch *launch);
int apply_pid_namespace(struct launch *launch);
int apply_session(struct launch *launch);         /* session.c */
int apply_terminal(struct launch *launch);
int apply_keyring(struct launch *launch);         /* cred.c */
int apply_exec_label(struct launch *launch);
int apply_umask(struct launch *launch);           /* fs.c */
int apply_root(struct launch *launch);
int chdir_to_root(struct launch *launch);
int apply_descriptors(struct launch *launch);     /* files.c */
int apply_bounding(struct launch *launch);        /* capabilities.c */
int apply_groups(struct launch *launch);          /* cred.c */
int apply_gid(struct launch *launch);
int apply_uid(struct launch *launch);
int apply_capabilities(struct launch *launch);    /* capabilities.c */
int apply_ambient(struct launch *launch);
int apply_securebits(struct launch *launch);
int apply_cwd(struct launch *launch);             /* fs.c */
int apply_nofile(struct launch *launch);          /* limits.c */
int apply_parent_death(struct launch *launch);    /* signals.c */
int apply_no_new_privs(struct launch *launch);    /* sandbox.c */
int create_landlock_ruleset(struct launch *launch);
int apply_landlock(struct launch *launch);
int apply_signals(struct launch *launch);         /* signals.c */
int apply_nproc(struct launch *launch);           /* limits.c */
int apply_seccomp(struct launch *launch);         /* sandbox.c */
int apply_effective(struct launch *launch);       /* capabilities.c */

/* Which signals are ignored now, a bit each; asked while /proc is still the JVM's (signals.c). */
uint64_t read_ignored_signals(void);

/* Keeps the permitted set across the change of uid where later steps need it, and says what shall remain (UID). */
int apply_keepcaps(struct launch *launch);

/* Takes a step with those rights to files alone that the helper will have (capabilities.c). */
int run_with_helper_rights(struct launch *launch, int (*step)(struct launch *launch));

/* Refuses a program's path that leads out of the root through a link of /proc (fs.c). */
int check_program(struct launch *launch, const char *path);

/*
 * A filter may forbid to say anything: where the launch has failed then is left in memory, whose file goes up with the word
 * that comes before the filter (sandbox.c).
 */
void create_failure_memfd(struct launch *launch);
void store_failure(const struct launch *launch, enum umh_stage stage, int error);

/* -ENOENT when what is about to be executed is this program: by a path, as an interpreter, by a descriptor (program.c). */
int refuse_launcher(const struct launch *launch, const char *path);

/* Reports the failure and ends. */
__attribute__((noreturn)) void fail(const struct launch *launch, enum umh_stage stage, int error);

/* Receives the plan and the descriptors that come with it (plan.c). */
int receive_plan(struct launch *launch, void *buffer, uint32_t size);

/* Says something to the parent half. With fd >= 0 it comes along. */
int send_report(const struct launch *launch, const struct umh_report *word, int fd);

#pragma GCC visibility pop

#endif
