/* SPDX-License-Identifier: Apache-2.0 */
/* launch_state.c - how a launch is decided: its states, and the effect of each event on each of them. */

/*
 * A launch has one process at a time: the first, or its successor in a new pid namespace. Three things are observed:
 * whether the plan socket is hung up, whether that process has ended, and its name. Then the words are read. So each word
 * that was sent before the hang-up or the end is there.
 *
 *	state      EXEC    error   succession            hung up, or ended   another name
 *	LAUNCHING  ABOUT   FAILED  the successor's turn  FAILED at KILLED      -
 *	ABOUT      -       FAILED  ignored               DECIDED: helper     DECIDED: helper
 *	FAILED     -       -       -                     ended: SEARCHING    -
 *	SEARCHING  -       -       killed: FAILED        nobody: DECIDED     -
 *
 * A succession is taken when the first process has ended, and not before: at any time one end is waited for. FAILED kills
 * the process and reaps it, and kills a successor that has reported nothing: it is in the first process's group. A process
 * that is found frozen again is a failure at CGROUP. SEARCHING reaps such a successor, and is skipped where the plan has
 * none. It ends at the hang-up if no child of ours is in the group, and is bounded where a copy of the socket prevents the
 * hang-up. No state waits for a process in waitid(2), so one thread can decide many launches. docs/launcher.md has the same
 * in words; test/harness/decide.c tries every order.
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

/* What was observed of a launch before its words were read. */
#define HUNG_UP 1
#define ENDED   2

/* How long a successor is awaited that has not said anything, when the first process has ended. */
#define AWAIT_CHILD_MS 1000

long long umh_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* The first failure is the launch's. */
static void set_failed(struct umh_child *child, enum umh_stage stage, int error, uint32_t detail)
{
	if (child->state >= UMH_FAILED)
		return;
	umh_set_failure(&child->report, stage, error, detail);
	child->state = UMH_FAILED;
}

/* The end that a launch which failed without a word is told by: of the first process of it that was reaped. */
static void record_end(struct umh_child *child, int status)
{
	if (!child->process_ended)
		child->status = status;
	child->process_ended = 1;
}

/* Without a pidfd no process is known. One that is traced has ended before it can be reaped. */
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
		umh_signal(child, SIGKILL); /* where it can't be reaped either it is dead at least */
	umh_kill_and_reap((pid_t)child->pid);
	umh_close_pidfd(child);
	record_end(child, status);
	return 1;
}

/* Reaps the first process, and keeps its pidfd: so the successor's has another number, by which all can tell them apart. */
static int first_process_lives(struct umh_child *child)
{
	int status = UMH_STATUS_LOST;
	int result;

	if (child->pidfd < 0)
		return 0;
	result = umh_wait(child, UMH_NONBLOCK, &status, NULL);
	/* Until it is reaped its number is its own. */
	if (result == -EAGAIN || (result < 0 && waitpid((pid_t)child->pid, &status, WNOHANG) == 0))
		return 1;
	child->pid = -1;
	record_end(child, status);
	return 0;
}

/* The next word is left unread as long as it is of a succession and the first process is there. */
static int must_wait_for_first(struct umh_child *child)
{
	struct umh_report word;
	int result;

	if (!child->successor_expected)
		return 0;
	result = umh_report_peek(child, &word);
	if (result < 0)
		set_failed(child, UMH_STAGE_WAIT, -result, 0);
	return result < 0 || (result > 0 && word.stage == UMH_STAGE_PID_NAMESPACE && first_process_lives(child));
}

/* What the successor says itself, before its pidfd has come: the kernel has named it. */
static int is_from_other_child(const struct umh_child *child, const struct umh_message *message)
{
	return message->sender_pid != child->pid && message->sender_pid != child->first_pid;
}

/* Any pidfd can be sent: the launcher's is trusted for its successor, another process's only for the sender itself. */
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

	/* It was left behind by one that was killed, whose end is told. */
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
	} else if (!error) { /* its pidfd was sent, and found no room */
		set_failed(child, UMH_STAGE_PID_NAMESPACE, EMFILE, 0);
	}
	if (error)
		set_failed(child, UMH_STAGE_PID_NAMESPACE, error, 0);
}

/* What the launcher says of its failure: the steps that it had left out before are told, too. */
static void fail_as_reported(struct umh_child *child, const struct umh_report *word)
{
	if (child->state >= UMH_FAILED)
		return;
	set_failed(child, word->stage, (int)word->error, word->detail);
	child->report.unapplied = word->unapplied & ~UMH_STEP(LAUNCH);
}

static void handle_report(struct umh_child *child, struct umh_message *message)
{
	struct umh_report *word = &message->report;

	if (child->pid <= 0 && !child->successor_expected)
		child->pid = message->sender_pid;
	if (word->stage == UMH_STAGE_PID_NAMESPACE || is_from_other_child(child, message)) {
		handle_succession(child, message);
		return;
	}
	if (message->fd >= 0 && word->stage == UMH_STAGE_EXEC && !child->failure_memfd)
		child->failure_memfd = message->fd + 1;
	else if (message->fd >= 0)
		close(message->fd);
	if (word->error) {
		if (word->stage < UMH_STAGE_PID_NAMESPACE)
			child->successor_expected = 0; /* there is none yet; at that stage either of the two may have said it first */
		fail_as_reported(child, word);
	} else if (word->stage == UMH_STAGE_EXEC && child->state <= UMH_EXECUTING) {
		child->comm_unset = (word->unapplied & UMH_STEP(LAUNCH)) != 0;
		word->unapplied &= ~UMH_STEP(LAUNCH);
		child->report = *word;
		child->state = UMH_EXECUTING;
	}
}

/* Reads all that was said: false when a word has to wait for the end of the first process. */
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
 * A helper's filter may keep the launcher from saying that a call was refused, and from ending as it would. Anybody's
 * file can be sent: only a memfd is read, another one could keep us waiting.
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

/* It is the helper now, or was it; unless what it has left behind says that it never became it. */
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
		return; /* what was observed was the first process */
	if (child->state == UMH_EXECUTING && (observed || has_executed(child)))
		conclude_exec(child);
	else if (child->state == UMH_LAUNCHING && observed)
		set_failed(child, UMH_STAGE_KILLED, EINTR, 0);
}

/*
 * A successor that has reported nothing is in the group of the first process (launcher/namespaces.c). As long as that one
 * has not been reaped, the number is the group's; and SIGKILL is pending for it, so that it makes no successor after this.
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
 * A successor that was killed before it could report. Its group keeps the first process's number from being used again; a
 * process that has the number itself is another one. Returns whether a child in that group is still alive.
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
		is_left = child_left_in_group(child); /* the socket is hung up a moment before the process can be reaped */
	if (!child->successor_expected || (observed & HUNG_UP && !is_left) || umh_now_ms() >= child->successor_deadline_ms)
		child->state = UMH_DECIDED;
}

/* One event; whether it has changed anything. */
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

/* Other code of the process may have closed the socket: what is at its number now is neither read nor closed. */
static void check_socket(struct umh_child *child)
{
	if (child->socket < 0 || umh_is_same_file(child->socket, child->socket_identity))
		return;
	child->socket = -1;
	child->hung_up = 1;
	set_failed(child, UMH_STAGE_WAIT, EBADF, 0);
}

/*
 * What there is to observe, within that time. The hang-up need not be asked for, and the words are asked for where a
 * successor is awaited alone. An interruption is the end of that time: one that comes again and again must not keep us from
 * looking after a launcher.
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
		ends[1].revents = 0; /* of another file at that number */
	result = (result > 0 && ends[1].revents) || child->pidfd < 0 ? ENDED : 0;
	return result | (child->hung_up ? HUNG_UP : 0);
}

/* Nothing has happened in that time; or nothing came of it yet, and it must not be asked for without a pause. */
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
