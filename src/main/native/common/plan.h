/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - what the launcher is told, what it answers, and the list of stages: all that shim and launcher share. */
#ifndef UMH_PLAN_H
#define UMH_PLAN_H

#include <assert.h>
#include <stdint.h>

/*
 * The life of one launch, in order. Every failure bears the stage at which it happened; the Java enum UmhStage has
 * the same names in the same order, and a test compares the two.
 *
 * A launcher step is asked for by its stage's bit in umh_plan.steps.
 */
/* clang-format off */
#define UMH_STAGES(X)                                                                                \
	/* Java, before the JNI call */                                                              \
	X(BLOB)            /* memfd of a driver's program */                                         \
	X(SETUP)           /* path and argument vector checked */                                    \
	X(POLICY)          /* path found in the list of allowed paths */                             \
	X(DISABLED)        /* HelperGate checked: helpers may be disabled */                         \
	X(INIT)            /* the caller's init function called */                                   \
	X(SOURCE)          /* files for the helper's descriptors opened */                           \
	/* the shim, in the JVM */                                                                   \
	X(SOCKET)          /* socketpair(2) made, plan and descriptors sent */                       \
	X(CLONE)           /* clone3(2) */                                                           \
	/* the child in the JVM's memory */                                                          \
	X(CLOSE_FDS)       /* descriptor table unshared, all descriptors closed */                   \
	X(LAUNCH)          /* execveat(2) of the launcher */                                         \
	/* the launcher, in its own memory */                                                        \
	X(PLAN)            /* plan and descriptors received */                                       \
	X(CGROUP)          /* cgroup entered; at CLONE where the kernel has CLONE_INTO_CGROUP */     \
	X(OOM_SCORE_ADJ)                                                                             \
	X(COREDUMP_FILTER)                                                                           \
	X(EXEC_LABEL)      /* label of the security module for the next execve */                    \
	X(NICE)                                                                                      \
	X(SCHED)           /* scheduling policy and priority */                                      \
	X(IOPRIO)                                                                                    \
	X(AFFINITY)                                                                                  \
	X(MEMPOLICY)       /* NUMA memory policy */                                                  \
	X(TIMER_SLACK)                                                                               \
	X(RLIMIT)          /* all resource limits except NOFILE and NPROC */                         \
	X(PERSONALITY)                                                                               \
	X(THP)             /* transparent huge pages enabled */                                      \
	X(JOIN)            /* setns(2) */                                                            \
	X(UNSHARE)         /* unshare(2) */                                                          \
	X(ID_MAP)          /* uid_map and gid_map of a new user namespace */                         \
	X(PID_NAMESPACE)   /* child created in the new pid or time namespace */                      \
	X(SESSION)         /* session or process group */                                            \
	X(TERMINAL)        /* controlling terminal */                                                \
	X(KEYRING)         /* session keyring */                                                     \
	X(UMASK)                                                                                     \
	X(ROOT)            /* chroot(2) */                                                           \
	X(DESCRIPTORS)     /* received descriptors moved to their numbers */                         \
	X(BOUNDING)        /* capability bounding set */                                             \
	X(GROUPS)                                                                                    \
	X(GID)                                                                                       \
	X(UID)                                                                                       \
	X(CAPABILITIES)    /* permitted and inheritable set */                                       \
	X(AMBIENT)                                                                                   \
	X(SECUREBITS)                                                                                \
	X(CWD)             /* working directory */                                                   \
	X(NOFILE)          /* RLIMIT_NOFILE; a lower limit would hinder the steps above */           \
	X(PARENT_DEATH)    /* PR_SET_PDEATHSIG, then getppid(2) */                                   \
	X(NO_NEW_PRIVS)                                                                              \
	X(LANDLOCK)                                                                                  \
	X(SIGNALS)         /* dispositions and mask */                                               \
	X(NPROC)           /* RLIMIT_NPROC; set late because it counts the new uid's processes */    \
	X(SECCOMP)                                                                                   \
	X(EFFECTIVE)       /* last capset(2): drops what the steps above needed */                   \
	X(KILLED)          /* the launcher was killed at one of the steps above */                   \
	X(EXEC)            /* execve(2) of the helper */                                             \
	/* the shim again */                                                                         \
	X(WAIT)            /* waitid(2) of the helper */                                             \
	X(KILL)            /* pidfd_send_signal(2) to the helper */

enum umh_stage {
#define X(name) UMH_STAGE_##name,
	UMH_STAGES(X)
#undef X
	UMH_STAGE_COUNT
};
/* clang-format on */

#define UMH_STEP(name) (UINT64_C(1) << UMH_STAGE_##name)

static_assert(UMH_STAGE_COUNT <= 64, "one bit a stage");

/* The launcher is born with this descriptor: the plan socket. */
#define UMH_PLAN_FD 3

/* The launcher's own in the child, until the exec closes it, or the launcher where an exec by its path can't. */
#define UMH_LAUNCHER_FD (UMH_PLAN_FD + 1)

/* What ps(1) shows of the launcher. */
#define UMH_LAUNCHER_COMM "umh4j-launcher"

/*
 * A plan is one message of the plan socket, with the helper's descriptors as its ancillary data. A larger one is a
 * memfd: the message then holds the first UMH_PLAN_PREFIX bytes, and its ancillary data is the memfd alone.
 * Descriptors that do not fit follow, in messages of one byte. What fits is little, so that all of the launcher's stack
 * is in one page with its arguments.
 */
#define UMH_PLAN_MAGIC   UINT32_C(0x4a346875) /* "uh4J" */
#define UMH_PLAN_PREFIX  8                    /* magic and size */
#define UMH_PLAN_INLINE  1024                 /* the largest plan sent in the message itself */
#define UMH_DESCRIPTORS_INLINE 16                   /* descriptors sent with it */
#define UMH_SCM_MAX_FD      253                  /* SCM_MAX_FD: descriptors in one message */
#define UMH_RLIMIT_COUNT      16                   /* RLIM_NLIMITS */

/* A variable part: bytes within the plan, counted from its start. Texts end in NUL; that NUL is counted. */
struct umh_span {
	uint32_t offset;
	uint32_t length;
};

/*
 * A descriptor that is sent along. The helper's own come first, sorted by target; behind them those that only the
 * launcher needs, which other parts of the plan name by their place.
 */
struct umh_descriptor {
	uint32_t target;
	int32_t fd; /* the number at which the launcher received it; 0 in a plan that is sent */
};

#define UMH_NO_TARGET UINT32_MAX /* for the launcher alone */
#define UMH_NO_DESCRIPTOR   UINT32_MAX

struct umh_rlimit {
	uint64_t soft;
	uint64_t hard;
};

/* Namespaces to be entered: a pidfd or a namespace's file, and the CLONE_NEW* flags of what is wanted of it. */
struct umh_join {
	uint32_t index;
	uint32_t flags;
};

/* The access rights that landlock leaves below an open directory or file. */
struct umh_landlock_rule {
	uint64_t access;
	uint32_t index;
	uint32_t reserved;
};

/* The bits of umh_plan.flags, UMH_PLAN_*. The position in this list gives each its bit, so that no two share one. */
#define UMH_PLAN_FLAGS(X)                                                                            \
	X(SETPGID)          /* SESSION: setpgid(2) instead of setsid(2) */                           \
	X(SET_PERMITTED)    /* the permitted set is given */                                         \
	X(SET_EFFECTIVE)    /* the effective set is given */                                         \
	X(MAP_SELF)         /* the id maps name this process alone, so it may write them itself */   \
	X(SCRIPT)           /* the program is a script; its interpreter opens it by its number */    \
	X(WAIT_BEFORE_EXEC) /* wait for umh_allow_exec() before the execve */                        \
	X(DIE_WITH_THREAD)  /* until the execve, be killed when the calling thread ends */           \
	X(REPORT_TIME)      /* report the time of the execve */                                      \
	X(KEYRING_OPTIONAL) /* KEYRING may fail where a filter refuses every keyctl(2) */

enum umh_plan_flag_bit {
#define X(name) UMH_PLAN_BIT_##name,
	UMH_PLAN_FLAGS(X)
#undef X
	UMH_PLAN_FLAG_COUNT
};

enum umh_plan_flag {
#define X(name) UMH_PLAN_##name = 1 << UMH_PLAN_BIT_##name,
	UMH_PLAN_FLAGS(X)
#undef X
};

static_assert(UMH_PLAN_FLAG_COUNT < 32, "one bit a flag, and the sign of an int is none");

/* Written by the Java class Plan, field by field in this order, in the byte order of the machine. */
struct umh_plan {
	uint32_t magic;
	uint32_t size;           /* of the whole plan in bytes */
	uint64_t steps;          /* which steps are taken */
	uint64_t required;       /* which of them may not fail; the others are reported as kept */
	uint64_t bounding;       /* the five sets of capabilities */
	uint64_t permitted;
	uint64_t effective;
	uint64_t inheritable;
	uint64_t ambient;
	uint64_t timer_slack_ns;
	uint64_t sched_runtime_ns;  /* SCHED_DEADLINE */
	uint64_t sched_deadline_ns;
	uint64_t sched_period_ns;
	uint64_t blocked_signals;        /* signals, bit 0 is signal 1 */
	uint64_t ignored_signals;
	uint64_t landlock_rights;       /* rights to files that landlock takes, but for the rules */
	int32_t nice;
	int32_t oom_score_adj;
	uint32_t sched_policy;         /* SCHED_* */
	uint32_t sched_priority;       /* of the real-time policies */
	uint32_t ioprio;
	uint32_t umask;
	uint32_t personality;
	uint32_t coredump_filter;
	uint32_t uids[3];        /* real, effective, saved; -1 leaves one alone */
	uint32_t gids[3];
	uint32_t securebits;
	uint32_t flags;          /* UMH_PLAN_* */
	uint32_t parent_death_signal;   /* signal */
	uint32_t unshare_flags;        /* CLONE_NEW* */
	uint32_t terminal;       /* place of a file */
	uint32_t cgroup;         /* place of a file: the folder, when the launcher has to enter it itself */
	uint32_t rlimits_set;        /* which rlimits are set, a bit each */
	uint32_t rlimits_required; /* and which of them may not stay as they are */
	uint32_t program;        /* place of a file that is executed instead of the path, */
	uint32_t program_identity;     /* and which file that has to be: umh_short_file_identity() */
	struct umh_span affinity;   /* cpu mask; empty: every cpu */
	struct umh_span cwd;        /* path */
	struct umh_span root;       /* path */
	struct umh_span keyring;    /* name; empty: without one */
	struct umh_span exec_label; /* what goes to attr/exec */
	struct umh_span uid_map;    /* what goes to uid_map */
	struct umh_span gid_map;
	struct umh_span setgroups;  /* what goes to setgroups before, or nothing */
	struct umh_span descriptors;      /* struct umh_descriptor[] */
	struct umh_span groups;     /* uint32_t[] */
	struct umh_span joins;      /* struct umh_join[] */
	struct umh_span landlock_rules;      /* struct umh_landlock_rule[] */
	struct umh_span seccomp_filter;    /* struct sock_filter[] */
	struct umh_rlimit rlimits[UMH_RLIMIT_COUNT];
};

static_assert(sizeof(struct umh_plan) % 8 == 0, "the variable part begins aligned");

/*
 * What comes back, in messages of this form. Before its execve the launcher says that it got there: stage EXEC, no
 * error, and the steps that it could not take and that were not required. A message with an error is the end of the
 * launch. A message counts only if the kernel names the right process as its sender; so no message identifies a process
 * by a number. Then the execve or exit closes the socket; so at end of file there are no more messages. The time is
 * CLOCK_MONOTONIC's and said with UMH_PLAN_REPORT_TIME alone.
 *
 * With a filter of system calls a memfd comes with the message EXEC. If the filter keeps the launcher from reporting a
 * failure, it stores the failure there: one uint32_t, stage and errno, or 0.
 */

struct umh_report {
	uint32_t stage;  /* enum umh_stage */
	uint32_t error;  /* errno of that stage, or 0 */
	uint32_t detail; /* which rlimit, capability, descriptor, signal; EXEC: nanoseconds of the time; else 0 */
	uint32_t seconds;    /* EXEC: seconds of the time; else 0. PID_NAMESPACE: the message has the pidfd of who goes on */
	uint64_t unapplied;   /* steps not taken: the attribute is still the JVM's */
};

#define UMH_STORED_FAILURE(stage, error)  ((uint32_t)(stage) << 16 | (uint32_t)(error))
#define UMH_STORED_STAGE(verdict) ((verdict) >> 16)
#define UMH_STORED_ERROR(verdict) (0xffff & (verdict))

#endif
