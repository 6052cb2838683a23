/* SPDX-License-Identifier: Apache-2.0 */
/* calls.h - what a recorded system call is: its name, what it may be refused with, at which stage it is made. */
#ifndef CALLS_H
#define CALLS_H

#include <stdint.h>

#include "orders.h"

/* Who makes it. */
enum who { PARENT, CHILD, LAUNCHER, MAPPER, SUCCESSOR, WHO_COUNT };

#define CALL_TEXT 64

struct call {
	enum who who;
	long number;
	unsigned nth; /* of its number, by whom */
	uint64_t args[6];
	long answer;
	char text[CALL_TEXT]; /* the path that it opens */
	/* from here on what call_stages() makes of it */
	enum umh_stage stage;
	unsigned occurrence; /* which of its number, at its stage */
	int arrived;         /* the launcher has said that it is about to become the helper */
};

struct kind {
	long number;
	const char *name;
	int errors[10]; /* what it may be refused with, until 0 */
};

/* NULL for a call that nobody has thought of. */
const struct kind *call_kind(long number);

/* Fills in what follows from the calls before each. */
void call_stages(struct call *calls, unsigned count, const struct way *way);

#endif
