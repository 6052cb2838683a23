/* SPDX-License-Identifier: Apache-2.0 */
/* umh.h - starts a helper through the launcher, tells how that went, waits for it, signals it. */
#ifndef UMH_H
#define UMH_H

/*
 * How to use it:
 *
 *	umh_load(image, size);                       once: the launcher becomes a sealed memfd
 *
 *	struct umh_request request = {...};          what to run, the plan, the descriptors
 *	struct umh_child child;
 *	struct umh_report report;
 *	if (umh_start(&request, &child, &report) == 0 &&     a process exists
 *	    umh_wait_exec(&child, UMH_BLOCK, &report) == 0)    it is the helper now
 *		umh_wait(&child, UMH_BLOCK, &status, NULL); it has ended, nothing of it is left
 *	umh_release(&child);
 *
 * or, for all of that in one,
 *
 *	umh_run(&request, &pid, &report, &status);
 *
 * What the child does, in order:
 *
 *	in the JVM's memory (clone.c)	unshare the low descriptors, close all others, execveat the launcher
 *	in its own memory (launcher/)		receive the plan, apply it step by step, execve the helper
 *
 * Rules. Every function answers 0 or more, or a negative errno; a report is filled on failure and untouched on
 * success, but for umh_wait_exec() and umh_run(), which fill it always. Nothing is thrown, logged or formatted here. Every function
 * may be called from any thread at any time after umh_load(); one struct umh_child belongs to one thread at a time.
 * No descriptor is made without close-on-exec, and none outlives the call that made it unless it is handed out.
 */

#include <stddef.h>

#include "common/plan.h"

/* All of it is borrowed for the length of the call. */
struct umh_request {
	const char *path;
	char *const *launcher_argv;  /* the path, then the helper's argument vector, then NULL */
	char *const *envp;
	struct umh_plan *plan;       /* plan->size bytes; steps that change nothing are taken out */
	const int *fds;              /* one for each entry of plan->descriptors, in its order */
	unsigned fd_count;
	int cgroup;                  /* a cgroup's folder to be born in, or -1 */
	int launch_timeout_ms;                /* how long the caller waits for the launcher to be executed; 0: as long as is usual */
};

/* The states of a launch; launch_state.c has the transitions. */
enum umh_launch_state {
	UMH_LAUNCHING, /* the launcher takes its steps */
	UMH_EXECUTING,     /* it has said that it is about to become the helper */
	UMH_FAILED,    /* its process is to be killed and reaped */
	UMH_AWAITING_CHILD, /* its process is reaped; a successor may be there that has said nothing */
	UMH_DECIDED,   /* a helper, or nothing is left */
};

/*
 * A process that was made and not yet waited for. Descriptors that are not open are -1. While the outcome is not known
 * the process may be succeeded by another one (a new pid namespace): pid and pidfd then change.
 */
struct umh_child {
	int pid;
	int pidfd;
	int socket; /* our end of the plan socket; open until the outcome is known */
	uint64_t pidfd_identity; /* which files these two have to be (common/file_identity.h) */
	uint64_t socket_identity;
	enum umh_launch_state state;
	int first_pid;                 /* the pid of the process that was made */
	int successor_expected;         /* a successor may come, or may have been left behind */
	int hung_up;               /* the other end of the socket is closed */
	int failure_memfd;               /* the number of a file in which the answer of execve(2) is left, and one more; or 0 */
	int comm_unset;              /* the launcher could not give itself its name, so the name tells nothing */
	int stop_count;                 /* how often it was found stopped, */
	int frozen_checks;                /* and frozen, without a pause */
	long long voluntary_switches;        /* umh_process_is_traced()'s counter */
	int process_ended;             /* a process of it was reaped before it was decided, with this status */
	int status;
	long long next_check_ms;         /* not to be looked after before that time, by CLOCK_MONOTONIC */
	long long successor_deadline_ms; /* SEARCHING: the same */
	struct umh_report report;    /* the word that counts */
};

#define UMH_NO_CHILD ((struct umh_child){.pid = -1, .pidfd = -1, .socket = -1})

enum umh_blocking {
	UMH_NONBLOCK,
	UMH_BLOCK,
	UMH_BLOCK_BRIEFLY, /* UMH_STOP_CHECK_MS, which is a hundred times as long as it usually takes */
};

/* No errno: each of those may be how a launch failed. */
#define UMH_PENDING 1

/* A wait status, as wait(2) encodes it; or that somebody else took it. */
#define UMH_STATUS_LOST (-1)

/*
 * What a process has used up. Its peak of memory is not among it: a child that shared the JVM's memory for a moment
 * counts the JVM's peak as its own.
 */
struct umh_usage {
	long long user_us;
	long long system_us;
	long long minor_faults;
	long long major_faults;
	long long blocks_in;
	long long blocks_out;
	long long voluntary_switches;
	long long involuntary_switches;
};

/*
 * Makes the launcher ready: from its image (size > 0), or from a file that the caller has checked (size 0, image is
 * the path). Reserves the low descriptors. Called once; a second call answers -EALREADY.
 */
int umh_load(const char *image, size_t size);

/* Makes the process and sends it the plan. On failure there is no process, or none any more. */
int umh_start(const struct umh_request *request, struct umh_child *child, struct umh_report *report);

/*
 * The outcome of the launch: 0, execve(2) has succeeded; UMH_PENDING, not known yet (unless UMH_BLOCK); else the
 * error of the stage in the report, and the process is gone and reaped. When it is known the plan socket is closed.
 * report->unapplied is valid with 0.
 */
int umh_wait_exec(struct umh_child *child, enum umh_blocking blocking, struct umh_report *report);

/*
 * The first check of a launch whose outcome is awaited, and the longest interval of later ones. And how many times a
 * launcher may be found stopped.
 */
#ifndef UMH_FIRST_CHECK_MS
#define UMH_FIRST_CHECK_MS 2
#endif
#define UMH_STOP_CHECK_MS    100
#define UMH_MAX_STOPS 20

/*
 * Continues a stopped launcher, and counts the stops; kills it after too many, or when it stays frozen. A helper that
 * is stopped is left alone. For a caller of umh_wait_exec() that does not block, when the outcome was undecided. Within
 * UMH_STOP_CHECK_MS of the last call it does nothing.
 */
int umh_continue_if_stopped(struct umh_child *child);

/*
 * Lets a program begin whose plan has UMH_PLAN_WAIT_BEFORE_EXEC: the launcher stops right before its execve until then. -EPIPE when
 * the launch has failed before; its outcome tells. With another error it waits for ever, and has to be killed.
 */
int umh_allow_exec(const struct umh_child *child);

/*
 * From start to end in one, for a caller that wants nothing before the end: saves wake-ups and descriptors. Answers 0
 * and the status, or the error of the stage in the report; report->unapplied is valid with 0. Either way there is no process
 * any more.
 */
int umh_run(const struct umh_request *request, int *pid, struct umh_report *report, int *status);

/*
 * Waits for the end of the helper and reaps it: 0 and its status, or -EAGAIN. Never waits for anybody else's child.
 * usage may be NULL; it is all zero when other code has taken the status. If the pidfd's number is another file's by
 * now, the pid is used, as long as it is provably this child's; else the status is lost.
 */
int umh_wait(const struct umh_child *child, enum umh_blocking blocking, int *status, struct umh_usage *usage);

/* The same, blocking, for a child that was made just now; -EAGAIN when it was stopped. The stop is then consumed. */
int umh_wait_or_stop(const struct umh_child *child, int *status);

/* Whether the number of its pidfd is still its pidfd's. */
int umh_pidfd_is_valid(const struct umh_child *child);

/*
 * Opens the pidfd again if its number is another file's: 0 when there was no need, 1 when it was opened, -ECHILD when
 * the process can't be waited for any more. The old number is left alone.
 */
int umh_reopen_pidfd(struct umh_child *child);

/* Closes the pidfd, if it is that. */
void umh_close_pidfd(struct umh_child *child);

/* The number of a process that was not reaped, as the kernel says it; 0 where it says none (before 6.13 without /proc). */
int umh_pid_of_pidfd(int pidfd);

/* Whether the process is a child of this one, or has ended and was reaped by somebody else. */
int umh_pidfd_is_child(int pidfd);

/* Sends a signal to this process and to no other, even if its pid or pidfd was reused: -ESRCH when it has ended. */
int umh_signal(const struct umh_child *child, int signal);

/*
 * The same for the process group that the process leads, also after its end; -EINVAL before 6.9, where the number of
 * the group is all there is.
 */
int umh_signal_group(const struct umh_child *child, int signal);

/* As poll(2), errno included; by ppoll(2) where a filter refuses that. */
struct pollfd;
int umh_poll(struct pollfd *fds, unsigned count, int timeout_ms);

/* Closes what is open in the child. The process itself is left alone. */
void umh_release(struct umh_child *child);

/*
 * A program that has no name on any disk (blob.c): opened, filled by write(2), then sealed. What seal answers is the
 * descriptor to execute, through which nobody can write; those of open are closed then, in failure too. The name is a
 * file's, without slash.
 */
struct umh_blob {
	int fd;    /* to be written */
	int mount; /* the private tmpfs that it is in, or -1 for a memfd */
	uint64_t fd_identity; /* which files these have to be; the descriptor to execute is of the first, too */
	uint64_t mount_identity;
};
int umh_blob_open(const char *name, struct umh_blob *blob);
int umh_blob_seal(const char *name, struct umh_blob *blob);
void umh_blob_discard(struct umh_blob *blob);

/*
 * Many descriptors for one thread (epoll.c). A watch fires once; its owner closes the descriptor, which ends the
 * watch too.
 */
enum umh_event {
	UMH_HANG_UP,  /* of a plan socket: the launch is decided */
	UMH_EXIT,     /* of a pidfd: the process has ended */
	UMH_READABLE, /* of a pipe */
	UMH_WRITABLE, /* of a pipe */
};
int umh_epoll_watch(int fd, enum umh_event event, unsigned long long token);

/*
 * The number of tokens. -ESTALE when other code has closed the epoll: it was made again, and every watch must be armed
 * again. -ENOSYS where a filter refuses epoll: then the caller sleeps, and checks every watch.
 */
int umh_epoll_wait(unsigned long long *tokens, int capacity, int timeout_ms);

/* Has umh_epoll_wait() return at once, or the next time, with one token less than it has seen events. */
int umh_epoll_wake(void);

/* What is used of a newer kernel, for umh doctor; Feature.java has the same. */
enum umh_feature {
	UMH_FEATURE_CLONE3 = 1,
	UMH_FEATURE_CLOSE_RANGE = 2,
	UMH_FEATURE_EXECVEAT = 4,
	UMH_FEATURE_PIDFD_INFO = 8,
	UMH_FEATURE_PERSONALITY = 16,
	UMH_FEATURE_UNSHARE = 32,
	UMH_FEATURE_EPOLL = 64,
};
int umh_features(void);

/* Goes without these from now on, as if the kernel did not have them: for tests, and for hosts that misbehave. */
void umh_disable_features(int features);

#endif
