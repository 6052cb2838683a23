/* SPDX-License-Identifier: Apache-2.0 */
/* orders.h - ways to request a helper from the shim, for the programs in this directory. */
#ifndef ORDERS_H
#define ORDERS_H

#include <stddef.h>

#include "shim/umh.h"

#define ORDER_MANY 300 /* descriptors: more than fit into one message */

/* How a request continues. */
enum manner {
	RUN,   /* umh_run() */
	START, /* umh_start(), umh_wait_exec(), umh_wait(), each blocking */
	WATCH, /* umh_start(), then epoll as in the reaper thread */
	HOLD,  /* a program in memory that waits before its execve */
};

/* A request with the memory that it needs. */
struct order {
	struct umh_request request;
	union {
		struct umh_plan plan;
		char bytes[16384];
	};
	char *argv[4];
	char *envp[2];
	int fds[ORDER_MANY];
	int opened[4]; /* closed with it; and their number */
	int opened_count;
	char *program; /* for HOLD */
	size_t program_size;
};

struct way {
	const char *name;
	enum manner manner;
	int without;                      /* features to disable */
	void (*ask)(struct order *order); /* the steps beyond those of every helper */
	int result;                       /* of the launch, with its stage; otherwise the status */
	int stage;
	int status;
	long refused; /* a call that this host always refuses, and its errno */
	int refused_error;
};

extern const struct way ways[];
extern const unsigned way_count;

/* Fills an order; order_end() closes its descriptors. */
void order_begin(struct order *order, const struct way *way);
void order_end(struct order *order);

/* The result of an order: of the launch, the report, and the status if there is one. */
struct answer {
	int result;
	struct umh_report report;
	int status;
};

/* Runs the order in that way, and leaves nothing. */
struct answer order_make(struct order *order, const struct way *way);

/*
 * Reads the launcher's file: 0 or a negative errno. The first call reads it, because a build may write it again
 * meanwhile.
 */
int read_launcher(const char *path);
int load_launcher(const char *path);

/* The number of open descriptors. */
int open_descriptors(void);

#endif
