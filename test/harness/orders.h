/* SPDX-License-Identifier: Apache-2.0 */
/* orders.h - ways to ask the shim for a helper: what the programs of this folder try. */
#ifndef ORDERS_H
#define ORDERS_H

#include <stddef.h>

#include "shim/umh.h"

#define ORDER_MANY 300 /* descriptors: more than fit into one message */

/* How a way goes on from a request. */
enum manner {
	RUN,   /* umh_run() */
	START, /* umh_start(), umh_wait_exec(), umh_wait(), each waiting */
	WATCH, /* umh_start(), and then what the one thread does that waits for all */
	HOLD,  /* a program in memory, which begins when it is told to */
};

/* A request with all that it borrows. */
struct order {
	struct umh_request request;
	union {
		struct umh_plan plan;
		char bytes[16384];
	};
	char *argv[4];
	char *envp[2];
	int fds[ORDER_MANY];
	int opened[4]; /* to be closed with it; how many of them there are */
	int opened_count;
	char *program; /* of HOLD */
	size_t program_size;
};

struct way {
	const char *name;
	enum manner manner;
	int without;                       /* features that the kernel shall not have */
	void (*ask)(struct order *order);  /* what is asked for beyond what every helper gets */
	int result;                        /* of the launch, with its stage; else the status */
	int stage;
	int status;
	long refused; /* a call that this host always refuses, with its errno */
	int refused_error;
};

extern const struct way ways[];
extern const unsigned way_count;

/* Fills an order; what is open in it ends with order_end(). */
void order_begin(struct order *order, const struct way *way);
void order_end(struct order *order);

/* What came of one: what a launch answers, the report, and the status where there is one. */
struct answer {
	int result;
	struct umh_report report;
	int status;
};

/* Makes what the order asks for, the way that the way goes. Nothing is left of it. */
struct answer order_make(struct order *order, const struct way *way);

/*
 * The launcher from its file: 0 or a negative errno. The file is read once, by the first of these: a build that runs beside
 * may write it again.
 */
int read_launcher(const char *path);
int load_launcher(const char *path);

/* How many descriptors are open. */
int open_descriptors(void);

#endif
