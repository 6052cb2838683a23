/* SPDX-License-Identifier: Apache-2.0 */
/* umh.h - starts a helper through the launcher and waits for the result of the launch. */
#ifndef UMH_H
#define UMH_H

/*
 * How to use it:
 *
 *	umh_load(image, size);                                once: the launcher becomes a sealed memfd
 *
 *	struct umh_request request = {...};                   path, arguments, plan, descriptors
 *	struct umh_child child;
 *	struct umh_report report;
 *	if (umh_start(&request, &child, &report) == 0 &&      a process exists
 *	    umh_wait_exec(&child, UMH_BLOCK, &report) == 0)   execve has succeeded
 *		umh_wait(&child, UMH_BLOCK, &status, NULL);   the helper has ended and is reaped (pidfd.h)
 *	umh_release(&child);
 *
 * or, in one call,
 *
 *	umh_run(&request, &pid, &report, &status);
 *
 * The child, in order:
 *
 *	in the JVM's memory (child.c)		unshares the low descriptors, closes all others, executes the launcher
 *	in its own memory (launcher/)		receives the plan, applies it step by step, executes the helper
 *
 * Rules. Every function returns 0 or more, or a negative errno. A report is filled on failure and untouched on
 * success; umh_wait_exec() and umh_run() always fill it. No function throws, logs or formats. After umh_load() every
 * thread may call every function at any time; a struct umh_child belongs to one thread at a time. Every descriptor is
 * close-on-exec, and is closed by the call that opened it unless the caller receives it.
 */

#include <stddef.h>

#include "common/plan.h"

/* The caller keeps the memory, which must stay valid during the call. */
struct umh_request {
	const char *path;
	char *const *launcher_argv; /* the path, then the helper's argument vector, then NULL */
	char *const *envp;
	struct umh_plan *plan; /* plan->size bytes; the shim removes steps that change nothing */
	const int *fds;        /* one for each entry of plan->descriptors, in that order */
	unsigned fd_count;
	int cgroup;            /* directory of the cgroup to create the process in, or -1 */
	int launch_timeout_ms; /* until the launcher is executed; 0: the default, ten seconds */
};

/* The states of a launch; launch_state.c has the transitions. */
enum umh_launch_state {
	UMH_LAUNCHING,      /* the launcher applies the plan */
	UMH_EXECUTING,      /* the launcher has reported EXEC: it is about to call execve */
	UMH_FAILED,         /* the process must be killed and reaped */
	UMH_AWAITING_CHILD, /* the process is reaped; its child in a new pid namespace may exist without a report */
	UMH_DECIDED,        /* execve has succeeded, or no process is left */
};

/*
 * A process that was created and not yet waited for. A descriptor that is not open is -1. Until the launch is decided,
 * the launcher may be replaced by its child in a new pid namespace: pid and pidfd then change.
 */
struct umh_child {
	int pid;
	int pidfd;
	int socket;              /* the parent's end of the plan socket; open until the launch is decided */
	uint64_t pidfd_identity; /* the files that these two descriptors must refer to (common/file_identity.h) */
	uint64_t socket_identity;
	enum umh_launch_state state;
	int first_pid;          /* the pid of the process that the shim created */
	int successor_expected; /* a child in a new pid namespace may replace the launcher, or may be left */
	int hung_up;            /* the other end of the socket is closed */
	int failure_memfd;      /* descriptor + 1 of the memfd for a failure that can't be reported; 0: none */
	int comm_unset;         /* PR_SET_NAME has failed, so the name does not show whether execve has succeeded */
	int stop_count;         /* how often the launcher was found stopped */
	int frozen_checks;      /* how often in succession it was found frozen */
	long long voluntary_switches; /* the counter of umh_process_is_traced() */
	int process_ended;            /* a process was reaped before the launch was decided, with this status */
	int status;
	long long next_check_ms;         /* the next check for a stop, by CLOCK_MONOTONIC */
	long long successor_deadline_ms; /* the end of AWAITING_CHILD, likewise */
	struct umh_report report;        /* the result so far */
};

#define UMH_NO_CHILD ((struct umh_child){.pid = -1, .pidfd = -1, .socket = -1})

enum umh_blocking {
	UMH_NONBLOCK,
	UMH_BLOCK,
	UMH_BLOCK_BRIEFLY, /* for about UMH_STOP_CHECK_MS, a hundred times as long as a launch usually takes */
};

/* The launch is not decided yet. No errno has this meaning: a launch may fail with any of them. */
#define UMH_PENDING 1

/*
 * Prepares the launcher: from its image (size > 0), or from a file that the caller has checked (size 0, image is the
 * path). Reserves the low descriptors. A second call returns -EALREADY.
 */
int umh_load(const char *image, size_t size);

/* Creates the process and sends the plan. After a failure no process is left. */
int umh_start(const struct umh_request *request, struct umh_child *child, struct umh_report *report);

/*
 * The result of the launch: 0, execve has succeeded; UMH_PENDING, not decided yet (never with UMH_BLOCK); or the error
 * of the report's stage, and the process is killed and reaped. A decided launch has no plan socket any more.
 * report->unapplied is valid with 0.
 */
int umh_wait_exec(struct umh_child *child, enum umh_blocking blocking, struct umh_report *report);

/* The first check of a launch for a stop, the interval of later ones, and how many stops a launcher survives. */
#ifndef UMH_FIRST_CHECK_MS
#define UMH_FIRST_CHECK_MS 2
#endif
#define UMH_STOP_CHECK_MS 100
#define UMH_MAX_STOPS     20

/*
 * Continues a stopped launcher. Kills a launcher that was stopped UMH_MAX_STOPS times or stays frozen. Does not touch a
 * stopped helper. A caller that does not block calls this after UMH_PENDING; calls within UMH_STOP_CHECK_MS of the last
 * one do nothing.
 */
int umh_continue_if_stopped(struct umh_child *child);

/*
 * Lets a launcher with UMH_PLAN_WAIT_BEFORE_EXEC call execve. Returns -EPIPE if the launch has failed before; its
 * result has the reason. After another error the launcher waits forever, and the caller must kill it.
 */
int umh_allow_exec(const struct umh_child *child);

/*
 * Starts the helper and waits until it has ended, with fewer wake-ups and descriptors. Returns 0 and the status, or the
 * error of the report's stage; report->unapplied is valid with 0. No process is left.
 */
int umh_run(const struct umh_request *request, int *pid, struct umh_report *report, int *status);

/* Closes the open descriptors of the child. Does not touch the process. */
void umh_release(struct umh_child *child);

#endif
