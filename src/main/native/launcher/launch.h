/* SPDX-License-Identifier: Apache-2.0 */
/* launch.h - one launch as the steps see it, and the steps. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "umh_plan.h"

struct launch {
	struct umh_plan *plan;
	int socket;      /* the plan socket, wherever it is now */
	uint32_t detail; /* set by a step before it fails: which one of several */
	uint64_t kept;   /* steps that failed and were not required */
};

/* The bytes of a variable part, or 0 where the plan has none. Spans were checked when the plan was received. */
static inline void *span(const struct launch *launch, struct umh_span part)
{
	return part.length ? (char *)launch->plan + part.offset : 0;
}

/*
 * A step takes what the plan says and answers 0 or a negative errno. The kernel's file that gives a helper the same
 * attribute is named at each; they are listed in the order in which they run, which is explained in launcher.c.
 */
int apply_session(struct launch *launch);         /* signals.c */
int apply_keyring(struct launch *launch);         /* cred.c */
int apply_oom_score_adj(struct launch *launch);   /* limits.c */
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
int apply_umask(struct launch *launch);           /* fs.c */
int apply_cwd(struct launch *launch);
int apply_descriptors(struct launch *launch);     /* files.c */
int apply_nofile(struct launch *launch);          /* limits.c */
int apply_securebits(struct launch *launch);      /* cred.c */
int apply_bounding(struct launch *launch);
int apply_inheritable(struct launch *launch);
int apply_signals(struct launch *launch);         /* signals.c */

/* Receives the plan and the descriptors that come with it (plan.c). */
int receive_plan(struct launch *launch, void *buffer, uint32_t size);

#endif
