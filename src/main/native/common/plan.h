/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - the plan for the launcher, its reports, and the list of stages: everything that shim and launcher share. */
#ifndef UMH_PLAN_H
#define UMH_PLAN_H

#include <assert.h>
#include <stdint.h>

/*
 * The stages of a launch, in order. Every failure has the stage at which it occurred. The Java enum UmhStage has the
 * same names in the same order; a test compares both.
 *
 * A plan requests a step of the launcher by its stage's bit in umh_plan.steps.
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
	X(PARENT_DEATH)    /* PR_SET_PDEATHSIG, then a check that the JVM lives */                   \
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

/* The number of the plan socket when the launcher starts. */
#define UMH_PLAN_FD 3

/* The launcher's file in the child. Closed by execveat(2), or by the launcher if only its path could be executed. */
#define UMH_LAUNCHER_FD (UMH_PLAN_FD + 1)

/* The launcher's name, as ps(1) shows it. */
#define UMH_LAUNCHER_COMM "umh4j-launcher"

/*
 * A plan is one message of the plan socket; the helper's descriptors are its ancillary data. A larger plan is a memfd:
 * the message then has the first UMH_PLAN_PREFIX bytes, and the memfd alone as ancillary data. Descriptors that do not
 * fit follow in messages of one byte. These sizes are small so that the launcher's stack fits into one page with its
 * arguments.
 */
#define UMH_PLAN_MAGIC         UINT32_C(0x4a346875) /* "uh4J" */
#define UMH_PLAN_PREFIX        8                    /* magic and size */
#define UMH_PLAN_INLINE        1024                 /* the largest plan in the message itself */
#define UMH_DESCRIPTORS_INLINE 16                   /* descriptors sent with it */
#define UMH_SCM_MAX_FD         253                  /* SCM_MAX_FD: descriptors in one message */
#define UMH_RLIMIT_COUNT       16                   /* RLIM_NLIMITS */

/* A variable part: bytes within the plan, counted from its start. A text ends in NUL, which is counted. */
struct umh_span {
	uint32_t offset;
	uint32_t length;
};

/*
 * A descriptor that is sent to the launcher. The helper's come first, sorted by target. Then follow those for the
 * launcher alone; other parts of the plan refer to them by index.
 */
struct umh_descriptor {
	uint32_t target;
	int32_t fd; /* its number in the launcher; ignored in a plan that is sent */
};

#define UMH_NO_TARGET     UINT32_MAX /* for the launcher alone */
#define UMH_NO_DESCRIPTOR UINT32_MAX

struct umh_rlimit {
	uint64_t soft;
	uint64_t hard;
};

/* Namespaces to join: the index of a pidfd or of a namespace's file, and their CLONE_NEW* flags. */
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
#define UMH_PLAN_FLAGS(X)                                                                          \
	X(SETPGID)          /* SESSION: setpgid(2) instead of setsid(2) */                         \
	X(SET_PERMITTED)    /* the permitted set is given */                                       \
	X(SET_EFFECTIVE)    /* the effective set is given */                                       \
	X(MAP_SELF)         /* the id maps name this process alone, so it may write them itself */ \
	X(SCRIPT)           /* the program is a script; its interpreter opens it by its number */  \
	X(WAIT_BEFORE_EXEC) /* wait for umh_allow_exec() before the execve */                      \
	X(DIE_WITH_THREAD)  /* until the execve, be killed when the calling thread ends */         \
	X(REPORT_TIME)      /* report the time of the execve */                                    \
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

/* The Java side writes it field by field in this order, in the byte order of the architecture. */
struct umh_plan {
	uint32_t magic;
	uint32_t size;     /* of the whole plan in bytes */
	uint64_t steps;    /* the steps to apply */
	uint64_t required; /* the steps that must not fail; failures of others are reported as unapplied */
	uint64_t bounding; /* the five capability sets */
	uint64_t permitted;
	uint64_t effective;
	uint64_t inheritable;
	uint64_t ambient;
	uint64_t timer_slack_ns;
	uint64_t sched_runtime_ns; /* SCHED_DEADLINE */
	uint64_t sched_deadline_ns;
	uint64_t sched_period_ns;
	uint64_t blocked_signals; /* bit 0 is signal 1 */
	uint64_t ignored_signals;
	uint64_t landlock_rights; /* file access rights that landlock denies, except for the rules */
	int32_t nice;
	int32_t oom_score_adj;
	uint32_t sched_policy;   /* SCHED_* */
	uint32_t sched_priority; /* for the real-time policies */
	uint32_t ioprio;
	uint32_t umask;
	uint32_t personality;
	uint32_t coredump_filter;
	uint32_t uids[3]; /* real, effective, saved; -1: unchanged */
	uint32_t gids[3];
	uint32_t securebits;
	uint32_t flags; /* UMH_PLAN_* */
	uint32_t parent_death_signal;
	uint32_t unshare_flags;     /* CLONE_NEW* */
	uint32_t terminal;          /* index of a descriptor */
	uint32_t cgroup;            /* index of a descriptor: the directory, if the launcher must enter the cgroup */
	uint32_t rlimits_set;       /* a bit for each rlimit to set */
	uint32_t rlimits_required;  /* and for each that must not fail */
	uint32_t program;           /* index of a descriptor to execute instead of the path */
	uint32_t program_identity;  /* its umh_short_file_identity() */
	struct umh_span affinity;   /* cpu mask; empty: all cpus */
	struct umh_span cwd;        /* path */
	struct umh_span root;       /* path */
	struct umh_span keyring;    /* name; empty: an anonymous keyring */
	struct umh_span exec_label; /* text for attr/exec */
	struct umh_span uid_map;    /* text for uid_map */
	struct umh_span gid_map;
	struct umh_span setgroups;      /* text for setgroups, written first; empty: none */
	struct umh_span descriptors;    /* struct umh_descriptor[] */
	struct umh_span groups;         /* uint32_t[] */
	struct umh_span joins;          /* struct umh_join[] */
	struct umh_span landlock_rules; /* struct umh_landlock_rule[] */
	struct umh_span seccomp_filter; /* struct sock_filter[] */
	struct umh_rlimit rlimits[UMH_RLIMIT_COUNT];
};

static_assert(sizeof(struct umh_plan) % 8 == 0, "the variable part begins aligned");

/*
 * The launcher's messages. Before its execve it sends a report with stage EXEC and no error, and with the steps that
 * have failed and were not required. A report with an error ends the launch. A report is valid only if the kernel names
 * the right process as its sender; so no report identifies a process by a number. Then execve or exit closes the
 * socket: no report follows after the end of file. The time is CLOCK_MONOTONIC's and is sent only with
 * UMH_PLAN_REPORT_TIME.
 *
 * With a seccomp filter the report EXEC comes with a memfd. If the filter prevents a report of a failure, the launcher
 * stores the failure there: one uint32_t, stage and errno, or 0.
 */

struct umh_report {
	uint32_t stage;   /* enum umh_stage */
	uint32_t error;   /* errno of that stage, or 0 */
	uint32_t detail;  /* the rlimit, capability, descriptor or signal; EXEC: the time's nanoseconds; otherwise 0 */
	uint32_t seconds; /* EXEC: the time's seconds; otherwise 0 */
	uint64_t unapplied; /* steps that have failed: the attribute is the JVM's */
};

#define UMH_STORED_FAILURE(stage, error) ((uint32_t)(stage) << 16 | (uint32_t)(error))
#define UMH_STORED_STAGE(verdict)        ((verdict) >> 16)
#define UMH_STORED_ERROR(verdict)        (0xffff & (verdict))

#endif
