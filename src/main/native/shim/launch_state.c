/* SPDX-License-Identifier: Apache-2.0 */
/* launch_state.c - decides a launch: its states, and the effect of each event on each state. */

/*
 * A launch has one process at a time: the first, or its child in a new pid namespace, the successor. Three things are
 * observed: the hang-up of the plan socket, the end of the process, and its name. Then the reports are read. So all
 * reports that were sent before a hang-up or an end are there.
 *
 * 	state           EXEC       error   PID_NAMESPACE         hung up, or ended   another name
 * 	LAUNCHING       EXECUTING  FAILED  continues with it     FAILED at KILLED    -
 * 	EXECUTING       -          FAILED  ignored               DECIDED: helper     DECIDED: helper
 * 	FAILED          -          -       -                     AWAITING_CHILD      -
 * 	AWAITING_CHILD  -          -       killed: FAILED        no child: DECIDED   -
 *
 * A successor is accepted after the first process has ended, so the thread waits for one end at a time. FAILED kills
 * and reaps the process, and kills a successor without a report, which is in the first process's group. A process that
 * is found frozen a second time fails at CGROUP. AWAITING_CHILD reaps such a successor; plans without a new pid
 * namespace skip it. It ends at the hang-up if no child is left in the group, and has a time limit, because a copy of
 * the socket may prevent the hang-up. No state waits in waitid(2), so one thread can decide many launches.
 * docs/launcher.md has the same in words; test/harness/decide.c tries every order.
 */

#include "shim/launch_state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/file_identity.h"
#include "shim/pidfd.h"
#include "shim/process_state.h"
#include "shim/report.h"

/* The observations before the reports are read. */
#define HUNG_UP 1
#define ENDED   2

/* How long AWAITING_CHILD waits for a successor without a report. */
#define AWAIT_CHILD_MS 1000

long long umh_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* The first failure counts. */
static void set_failed(struct umh_child *child, enum umh_stage stage, int error, uint32_t detail)
{
	if (child->state >= UMH_FAILED)
		return;
	umh_set_failure(&child->report, stage, error, detail);
	child->state = UMH_FAILED;
}

/* The end that a launch without a report is reported with: that of the first process that was reaped. */
static void record_end(struct umh_child *child, int status)
{
	if (!child->process_ended)
		child->status = status;
	child->process_ended = 1;
}

/* Without a pidfd there is no process. A traced process has ended before it can be reaped. */
static int reap_if_ended(struct umh_child *child)
{
	int status = UMH_STATUS_LOST;
	int result;

	if (child->pidfd < 0)
		return 1;
	result = umh_wait(child, UMH_NONBLOCK, &status, NULL);
	if (result == -EAGAIN)
		return 0;
	if (result < 0)
		umh_signal(child, SIGKILL); /* if it can't be reaped, it is at least dead */
	umh_kill_and_reap((pid_t)child->pid);
	umh_close_pidfd(child);
	record_end(child, status);
	return 1;
}

/* Reaps the first process and keeps its pidfd open: so the successor's pidfd has another number. */
static int first_process_lives(struct umh_child *child)
{
	int status = UMH_STATUS_LOST;
	int result;

	if (child->pidfd < 0)
		return 0;
	result = umh_wait(child, UMH_NONBLOCK, &status, NULL);
	/* Until it is reaped, its pid is its own. */
	if (result == -EAGAIN || (result < 0 && waitpid((pid_t)child->pid, &status, WNOHANG) == 0))
		return 1;
	child->pid = -1;
	record_end(child, status);
	return 0;
}

/* A report of a successor stays unread until the first process has ended. */
static int must_wait_for_first(struct umh_child *child)
{
	struct umh_report report;
	int result;

	if (!child->successor_expected)
		return 0;
	result = umh_report_peek(child, &report);
	if (result < 0)
		set_failed(child, UMH_STAGE_WAIT, -result, 0);
	return result < 0 || (result > 0 && report.stage == UMH_STAGE_PID_NAMESPACE && first_process_lives(child));
}

/* A successor may report before its pidfd has arrived; the kernel names it as the sender. */
static int is_from_other_child(const struct umh_child *child, const struct umh_message *message)
{
	return message->sender_pid != child->pid && message->sender_pid != child->first_pid;
}

/* Any process can send any pidfd. The launcher is trusted for its successor, another process only for itself. */
static int is_successor(const struct umh_child *child, const struct umh_message *message)
{
	if (!child->successor_expected || message->fd < 0)
		return 0;
	if (is_from_other_child(child, message) && umh_pid_of_pidfd(message->fd) != message->sender_pid)
		return 0;
	return umh_pidfd_is_child(message->fd);
}

static void handle_succession(struct umh_child *child, const struct umh_message *message)
{
	const int error = (int)message->report.error;

	/* The first process was killed; its end is reported. */
	if (error == EPIPE && message->sender_pid != child->first_pid)
		set_failed(child, UMH_STAGE_KILLED, EINTR, 0);
	if (is_successor(child, message)) {
		umh_close_pidfd(child);
		child->pid = umh_pid_of_pidfd(message->fd);
		child->pidfd = message->fd;
		child->pidfd_identity = umh_file_identity(message->fd);
		child->successor_expected = 0;
		child->process_ended = error != 0;
		if (child->state == UMH_AWAITING_CHILD)
			child->state = UMH_FAILED;
	} else if (message->fd >= 0) {
		close(message->fd);
	} else if (is_from_other_child(child, message)) {
		umh_kill_and_reap(message->sender_pid);
		child->successor_expected = 0;
		set_failed(child, UMH_STAGE_PID_NAMESPACE, error ? error : EMFILE, 0);
	} else if (!error) { /* its pidfd was sent, and the JVM had no free descriptor */
		set_failed(child, UMH_STAGE_PID_NAMESPACE, EMFILE, 0);
	}
	if (error)
		set_failed(child, UMH_STAGE_PID_NAMESPACE, error, 0);
}

/* Reports the launcher's failure, and the steps that it could not apply before. */
static void fail_as_reported(struct umh_child *child, const struct umh_report *report)
{
	if (child->state >= UMH_FAILED)
		return;
	set_failed(child, report->stage, (int)report->error, report->detail);
	child->report.unapplied = report->unapplied & ~UMH_STEP(LAUNCH);
}

static void handle_report(struct umh_child *child, struct umh_message *message)
{
	struct umh_report *report = &message->report;

	if (child->pid <= 0 && !child->successor_expected)
		child->pid = message->sender_pid;
	if (report->stage == UMH_STAGE_PID_NAMESPACE || is_from_other_child(child, message)) {
		handle_succession(child, message);
		return;
	}
	if (message->fd >= 0 && report->stage == UMH_STAGE_EXEC && !child->failure_memfd)
		child->failure_memfd = message->fd + 1;
	else if (message->fd >= 0)
		close(message->fd);
	if (report->error) {
		if (report->stage < UMH_STAGE_PID_NAMESPACE)
			child->successor_expected = 0; /* no successor yet; at that stage either may report first */
		fail_as_reported(child, report);
	} else if (report->stage == UMH_STAGE_EXEC && child->state <= UMH_EXECUTING) {
		child->comm_unset = (report->unapplied & UMH_STEP(LAUNCH)) != 0;
		report->unapplied &= ~UMH_STEP(LAUNCH);
		child->report = *report;
		child->state = UMH_EXECUTING;
	}
}

/* Reads all reports. Returns 0 if the next one must wait for the end of the first process. */
static int read_reports(struct umh_child *child)
{
	struct umh_message message;
	int result;

	do {
		if (must_wait_for_first(child))
			return 0;
		result = umh_report_receive(child, &message);
		if (result > 0)
			handle_report(child, &message);
	} while (result > 0);
	if (result < 0)
		set_failed(child, UMH_STAGE_WAIT, -result, 0);
	return 1;
}

/*
 * A helper's filter may prevent the launcher from reporting a failure and from exiting. Any process can send any file:
 * only a memfd is read, because a read of another file could block.
 */
static uint32_t take_stored_failure(struct umh_child *child)
{
	const int file = child->failure_memfd - 1;
	uint32_t verdict = 0;

	if (file < 0)
		return 0;
	if (fcntl(file, F_GET_SEALS) < 0 || pread(file, &verdict, sizeof verdict, 0) != (ssize_t)sizeof verdict)
		verdict = 0;
	close(file);
	child->failure_memfd = 0;
	if (UMH_STORED_STAGE(verdict) >= UMH_STAGE_COUNT || UMH_STORED_ERROR(verdict) > UMH_MAX_ERRNO)
		return 0;
	return UMH_STORED_ERROR(verdict) ? verdict : 0;
}

/* The process is the helper, or was it, unless its stored failure shows that execve has failed. */
static void conclude_exec(struct umh_child *child)
{
	const uint32_t verdict = take_stored_failure(child);

	if (verdict)
		set_failed(child, (enum umh_stage)UMH_STORED_STAGE(verdict), (int)UMH_STORED_ERROR(verdict), 0);
	else
		child->state = UMH_DECIDED;
}

static int has_executed(const struct umh_child *child)
{
	return !child->comm_unset && umh_process_has_executed(child->pid);
}

static void step_executing(struct umh_child *child, int observed)
{
	const int pidfd = child->pidfd;

	if (!read_reports(child) || child->pidfd != pidfd)
		return; /* the observation was about the first process */
	if (child->state == UMH_EXECUTING && (observed || has_executed(child)))
		conclude_exec(child);
	else if (child->state == UMH_LAUNCHING && observed)
		set_failed(child, UMH_STAGE_KILLED, EINTR, 0);
}

/*
 * A successor without a report is in the group of the first process (launcher/namespaces.c). Until the first process is
 * reaped, the number is the group's. SIGKILL is pending for it, so it creates no successor after this.
 */
static void kill_successor(const struct umh_child *child)
{
	if (child->successor_expected && child->pid > 1 && child->pid == child->first_pid)
		kill(-child->first_pid, SIGKILL);
}

static void step_failed(struct umh_child *child)
{
	if (child->pidfd >= 0 && umh_signal(child, SIGKILL) == 0)
		kill_successor(child);
	if (!reap_if_ended(child))
		return;
	umh_report_set_end(&child->report, child->status);
	child->state = UMH_AWAITING_CHILD;
	child->successor_deadline_ms = umh_now_ms() + AWAIT_CHILD_MS;
}

/*
 * Reaps a successor that was killed before it could report. Its group keeps the number in use; a process that has the
 * number as its pid is another one. Returns whether a child in the group is alive.
 */
static int child_left_in_group(struct umh_child *child)
{
	siginfo_t info = {.si_pid = 0};

	if (child->first_pid <= 1 || waitid(P_PGID, (id_t)child->first_pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return 0;
	if (info.si_pid != 0 && info.si_pid != child->first_pid) {
		waitpid(info.si_pid, NULL, WNOHANG);
		child->successor_expected = 0;
	}
	return info.si_pid == 0;
}

static void step_awaiting_child(struct umh_child *child, int observed)
{
	int is_left = 0;

	if (child->successor_expected)
		read_reports(child);
	if (child->state != UMH_AWAITING_CHILD)
		return;
	if (child->successor_expected)
		is_left = child_left_in_group(child); /* can be reaped a moment after the hang-up */
	if (!child->successor_expected || (observed & HUNG_UP && !is_left) ||
	    umh_now_ms() >= child->successor_deadline_ms)
		child->state = UMH_DECIDED;
}

/* Handles one event; returns whether it has changed the state. */
static int step(struct umh_child *child, int observed)
{
	const enum umh_launch_state state = child->state;
	const int pidfd = child->pidfd;

	switch (state) {
	case UMH_LAUNCHING:
	case UMH_EXECUTING:
		step_executing(child, observed);
		break;
	case UMH_FAILED:
		step_failed(child);
		break;
	default:
		step_awaiting_child(child, observed);
	}
	return child->state != state || child->pidfd != pidfd;
}

/* Other code may have closed the socket: the file at its number is neither read nor closed. */
static void check_socket(struct umh_child *child)
{
	if (child->socket < 0 || umh_is_same_file(child->socket, child->socket_identity))
		return;
	child->socket = -1;
	child->hung_up = 1;
	set_failed(child, UMH_STAGE_WAIT, EBADF, 0);
}

/*
 * Waits for an event. A hang-up is always reported; reports are waited for only in AWAITING_CHILD. An interrupted
 * poll(2) counts as a timeout, so that repeated signals do not prevent the check of a stopped launcher.
 */
static int observe(struct umh_child *child, int timeout_ms)
{
	struct pollfd ends[2];
	int result;

	check_socket(child);
	ends[0] = (struct pollfd){.fd = child->hung_up ? -1 : child->socket};
	ends[1] = (struct pollfd){.fd = child->pidfd, .events = POLLIN};
	if (child->state == UMH_FAILED)
		ends[0].fd = -1;
	if (child->state == UMH_AWAITING_CHILD)
		ends[0].events = POLLIN;
	if (child->pidfd < 0 && !(child->state == UMH_AWAITING_CHILD && child->successor_expected))
		timeout_ms = 0;
	result = umh_poll(ends, 2, timeout_ms);
	if (result < 0 && errno != EINTR) {
		set_failed(child, UMH_STAGE_WAIT, errno, 0);
		usleep((useconds_t)timeout_ms * 1000);
	}
	if (result > 0 && ends[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		child->hung_up = 1;
	if (result > 0 && ends[1].revents && umh_reopen_pidfd(child) > 0)
		ends[1].revents = 0; /* this number refers to another file */
	result = (result > 0 && ends[1].revents) || child->pidfd < 0 ? ENDED : 0;
	return result | (child->hung_up ? HUNG_UP : 0);
}

/* There was no event; or it had no effect yet, and the next poll must not follow at once. */
static int check_later(struct umh_child *child, int observed, int after_ms)
{
	if (observed)
		usleep((useconds_t)after_ms * 1000);
	umh_continue_if_stopped(child);
	return after_ms * 4 < UMH_STOP_CHECK_MS ? after_ms * 4 : UMH_STOP_CHECK_MS;
}

int umh_advance_launch(struct umh_child *child, enum umh_blocking blocking)
{
	int after_ms = UMH_FIRST_CHECK_MS;

	while (child->state != UMH_DECIDED) {
		const int observed = observe(child, blocking ? after_ms : 0);

		if (step(child, observed))
			continue;
		if (!blocking || (blocking == UMH_BLOCK_BRIEFLY && after_ms >= UMH_STOP_CHECK_MS))
			return UMH_PENDING;
		after_ms = check_later(child, observed, after_ms);
	}
	take_stored_failure(child);
	return -(int)child->report.error;
}

int umh_wait_exec(struct umh_child *child, enum umh_blocking blocking, struct umh_report *report)
{
	const int result = umh_advance_launch(child, blocking);

	if (result != UMH_PENDING)
		umh_close_if_same(&child->socket, child->socket_identity);
	*report = child->report;
	return result;
}

void umh_fail_wait(struct umh_child *child, int error)
{
	umh_kill_and_reap((pid_t)child->pid);
	umh_close_pidfd(child);
	set_failed(child, UMH_STAGE_WAIT, error, 0);
}

void umh_launch_process_ended(struct umh_child *child, int status)
{
	check_socket(child);
	record_end(child, status);
	read_reports(child);
	if (child->state == UMH_EXECUTING)
		conclude_exec(child);
	set_failed(child, UMH_STAGE_KILLED, EINTR, 0);
}
