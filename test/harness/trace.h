/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - a traced process that starts one helper, and a fault at one of its system calls. */
#ifndef TRACE_H
#define TRACE_H

#include <sys/types.h>

#include "calls.h"

enum action { NOTHING, REFUSE, SHORTEN, KILL, STOP };

/* The fault. */
struct fault {
	enum who who;
	long number;
	unsigned nth;
	enum action action;
	int error; /* for REFUSE */
};

/* The traced process's results, in shared memory. */
struct told {
	struct answer answer;
	struct answer next; /* a plain helper after it */
	int left;           /* descriptors more than before */
	int children;       /* the result of waiting for any child: -ECHILD if there is none */
	int mask;           /* signals are blocked as before */
	int whole;          /* it has finished */
};
extern struct told *told;

#define MOST_TASKS   16
#define MOST_NUMBERS 512 /* of system calls */

struct task {
	pid_t pid;
	enum who who;
	unsigned made[MOST_NUMBERS]; /* how many of each number so far */
	int looked_at;               /* the parent: between the two marks */
	long override;               /* the result that a call must have, unless 0 */
	uint64_t cloning;            /* the flags of the last clone */
	struct call *call;           /* the record of its current call */
};

struct trace {
	const struct way *way;
	struct fault fault;
	const char *tied;   /* not NULL: run this helper, "yes" with its parent's death or "no" */
	struct call *calls; /* the record, or NULL */
	unsigned capacity;

	unsigned call_count;
	struct task tasks[MOST_TASKS];
	unsigned count;
	int done; /* the fault has happened */
	pid_t subject;
	int ended;    /* the subject has ended */
	pid_t child;  /* the first process that it created, or 0 */
	int arrived;  /* a launcher could report to the shim */
	pid_t helper; /* the process that has become the helper, or 0 */
};

/* Called once: sets the launcher and allocates the shared memory. */
void trace_load(const char *launcher);

/* Starts the process and follows it and its children until all have ended, or the time limit. */
void trace_run(struct trace *trace);

/* Records the calls of a way in trace->calls, and the steps that its plan requires. */
void trace_record(struct trace *trace, uint64_t *required);

/* Kills all processes that are left. */
void trace_clean(void);

#endif
