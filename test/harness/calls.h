/* SPDX-License-Identifier: Apache-2.0 */
/* calls.h - a recorded system call: its name, its errnos, the stage at which it is made. */
#ifndef CALLS_H
#define CALLS_H

#include <stdint.h>

#include "orders.h"

/* The process that makes the call. */
enum who { PARENT, CHILD, LAUNCHER, MAPPER, SUCCESSOR, WHO_COUNT };

#define CALL_TEXT 64

struct call {
	enum who who;
	long number;
	unsigned nth; /* of its number, by whom */
	uint64_t args[6];
	long answer;
	char text[CALL_TEXT]; /* the path that it opens */
	/* call_stages() sets the fields below */
	enum umh_stage stage;
	unsigned occurrence; /* which of its number, at its stage */
	int arrived;         /* the launcher has reported EXEC */
};

struct kind {
	long number;
	const char *name;
	int errors[10]; /* its errnos, until 0 */
};

/* NULL for an unexpected call. */
const struct kind *call_kind(long number);

/* Derives these fields from the calls before each call. */
void call_stages(struct call *calls, unsigned count, const struct way *way);

#endif
