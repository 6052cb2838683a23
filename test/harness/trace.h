/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - a process that makes one helper, traced; and what is done to it at one of its system calls. */
#ifndef TRACE_H
#define TRACE_H

#include <sys/types.h>

#include "calls.h"

enum action { NOTHING, REFUSE, SHORTEN, KILL, STOP };

/* What is to happen. */
struct fault {
	enum who who;
	long number;
	unsigned nth;
	enum action action;
	int error; /* of REFUSE */
};

/* What the traced process says of itself, in memory that is shared with it. */
struct told {
	struct answer answer;
	struct answer next; /* of a plain helper after it */
	int left;           /* descriptors more than before */
	int children;       /* what waiting for any child answers: -ECHILD when there is none */
	int mask;           /* signals are blocked as before */
	int whole;          /* it came to its end */
};
extern struct told *told;

#define MOST_TASKS   16
#define MOST_NUMBERS 512 /* of system calls */

struct task {
	pid_t pid;
	enum who who;
	unsigned made[MOST_NUMBERS]; /* how many of each number so far */
	int looked_at;    /* in the parent half: between its two marks */
	long override;    /* what a call is to answer, where that is not 0 */
	uint64_t cloning; /* the flags of the last clone */
	struct call *call; /* where the one that it is in was written down */
};

struct trace {
	const struct way *way;
	struct fault fault;
	const char *tied;   /* not NULL: the helper is this one, "yes" tied to its parent or "no" */
	struct call *calls; /* where they are written down, or NULL */
	unsigned capacity;

	unsigned call_count;
	struct task tasks[MOST_TASKS];
	unsigned count;
	int done;           /* the fault has happened */
	pid_t subject;
	int ended;          /* the subject has */
	pid_t child;        /* the first process that it made, or 0 */
	int arrived;        /* a launcher could say something to the parent half */
	pid_t helper;       /* the process that has become the helper, or 0 */
};

/* Once: which launcher, and memory for what is told. */
void trace_load(const char *launcher);

/* Makes the process and follows it and its children until nobody is to be seen any more, or patience is over. */
void trace_run(struct trace *trace);

/* Ends whoever is left. */
void trace_clean(void);

#endif
