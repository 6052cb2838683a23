/* SPDX-License-Identifier: Apache-2.0 */
/* umh_outcome.c - how a launch is decided: its states, and the effect of each event on each of them. */

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

#include "umh_identity.h"
#include "umh_report.h"

/* What was observed of a launch before its words were read. */
#define HUNG_UP 1
#define ENDED   2

/* How long a successor is awaited that has not said anything, when the first process has ended. */
#define SEARCH_MS 1000

long long umh_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* The first failure is the launch's. */
static void fail(struct umh_child *child, enum umh_stage stage, int error, uint32_t detail)
{
	if (child->state >= UMH_FAILED)
		return;
	umh_failed(&child->said, stage, error, detail);
	child->state = UMH_FAILED;
}

/* The end that a launch which failed without a word is told by: of the first process of it that was reaped. */
static void note_end(struct umh_child *child, int status)
{
	if (!child->has_ended)
		child->status = status;
	child->has_ended = 1;
}

/* Without a pidfd no process is known. One that is traced has ended before it can be reaped. */
static int is_reaped(struct umh_child *child)
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
	umh_end_stray((pid_t)child->pid);
	umh_close_pidfd(child);
	note_end(child, status);
	return 1;
}

/* Reaps the first process, and keeps its pidfd: so the successor's has another number, by which all can tell them apart. */
static int is_there(struct umh_child *child)
{
	int status = UMH_STATUS_LOST;

	if (child->pidfd < 0)
		return 0;
	if (umh_wait(child, UMH_NONBLOCK, &status, NULL) == -EAGAIN)
		return 1;
	child->pid = -1;
	note_end(child, status);
	return 0;
}

/* The next word is left unread as long as it is of a succession and the first process is there. */
static int must_wait_for_end(struct umh_child *child)
{
	struct umh_report word;
	int result;

	if (!child->successor_due)
		return 0;
	result = umh_report_peek(child, &word);
	if (result < 0)
		fail(child, UMH_STAGE_WAIT, -result, 0);
	return result < 0 || (result > 0 && word.stage == UMH_STAGE_PID_NAMESPACE && is_there(child));
}

/* What the successor says itself, before its pidfd has come: the kernel has named it. */
static int is_left_behind(const struct umh_child *child, const struct umh_message *message)
{
	return message->sender != child->pid && message->sender != child->first;
}

/* Any pidfd can be sent: the launcher's is trusted for its successor, another process's only for the sender itself. */
static int is_successor(const struct umh_child *child, const struct umh_message *message)
{
	if (!child->successor_due || message->fd < 0)
		return 0;
	if (is_left_behind(child, message) && umh_pid_of(message->fd) != message->sender)
		return 0;
	return umh_is_child(message->fd);
}

static void hear_succession(struct umh_child *child, const struct umh_message *message)
{
	const int error = (int)message->word.error;

	/* It was left behind by one that was killed, whose end is told. */
	if (error == EPIPE && message->sender != child->first)
		fail(child, UMH_STAGE_KILLED, EINTR, 0);
	if (is_successor(child, message)) {
		umh_close_pidfd(child);
		child->pid = umh_pid_of(message->fd);
		child->pidfd = message->fd;
		child->pidfd_is = umh_identity(message->fd);
		child->successor_due = 0;
		child->has_ended = error != 0;
		if (child->state == UMH_SEARCHING)
			child->state = UMH_FAILED;
	} else if (message->fd >= 0) {
		close(message->fd);
	} else if (is_left_behind(child, message)) {
		umh_end_stray(message->sender);
		child->successor_due = 0;
		fail(child, UMH_STAGE_PID_NAMESPACE, error ? error : EMFILE, 0);
	} else if (!error) { /* its pidfd was sent, and found no room */
		fail(child, UMH_STAGE_PID_NAMESPACE, EMFILE, 0);
	}
	if (error)
		fail(child, UMH_STAGE_PID_NAMESPACE, error, 0);
}

/* What the launcher says of its failure: the steps that it had left out before are told, too. */
static void fail_as_said(struct umh_child *child, const struct umh_report *word)
{
	if (child->state >= UMH_FAILED)
		return;
	fail(child, word->stage, (int)word->error, word->detail);
	child->said.kept = word->kept & ~UMH_STEP(LAUNCH);
}

static void hear_word(struct umh_child *child, struct umh_message *message)
{
	struct umh_report *word = &message->word;

	if (child->pid <= 0 && !child->successor_due)
		child->pid = message->sender;
	if (word->stage == UMH_STAGE_PID_NAMESPACE || is_left_behind(child, message)) {
		hear_succession(child, message);
		return;
	}
	if (message->fd >= 0 && word->stage == UMH_STAGE_EXEC && !child->verdict)
		child->verdict = message->fd + 1;
	else if (message->fd >= 0)
		close(message->fd);
	if (word->error) {
		if (word->stage < UMH_STAGE_PID_NAMESPACE)
			child->successor_due = 0; /* there is none yet; at that stage either of the two may have said it first */
		fail_as_said(child, word);
	} else if (word->stage == UMH_STAGE_EXEC && child->state <= UMH_ABOUT) {
		child->nameless = (word->kept & UMH_STEP(LAUNCH)) != 0;
		word->kept &= ~UMH_STEP(LAUNCH);
		child->said = *word;
		child->state = UMH_ABOUT;
	}
}

/* Reads all that was said: false when a word has to wait for the end of the first process. */
static int hear(struct umh_child *child)
{
	struct umh_message message;
	int result;

	do {
		if (must_wait_for_end(child))
			return 0;
		result = umh_report_next(child, &message);
		if (result > 0)
			hear_word(child, &message);
	} while (result > 0);
	if (result < 0)
		fail(child, UMH_STAGE_WAIT, -result, 0);
	return 1;
}

static int read_file(const char *path, char *text, size_t capacity)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, capacity - 1);

	if (fd >= 0)
		close(fd);
	text[size > 0 ? size : 0] = 0;
	return size > 0;
}

/* A /proc of another pid namespace has other processes at our numbers. */
static int is_own_proc(void)
{
	char number[16] = "";

	return readlink("/proc/self", number, sizeof number - 1) > 0 && strtol(number, NULL, 10) == getpid();
}

/*
 * Another library's fork may hold a copy of the launcher's end; then the socket is not hung up. But execve(2) gives a
 * process the name of its program at the point of no return, and the launcher has had one of its own since before
 * it read the plan. Everybody may read that name. Where it can't be told, the end of the process decides.
 */
static int has_executed(const struct umh_child *child)
{
	char path[32];
	char stat[256];
	const char *name, *end;

	if (child->nameless || child->pid <= 0 || !is_own_proc())
		return 0;
	(void)snprintf(path, sizeof path, "/proc/%d/stat", child->pid);
	if (!read_file(path, stat, sizeof stat))
		return 0;
	name = strchr(stat, '(');
	end = strrchr(stat, ')');
	if (!name || !end || strlen(end) < 4 || strtol(end + 4, NULL, 10) != getpid())
		return 0;
	name++;
	return end - name != sizeof UMH_LAUNCHER_COMM - 1 || strncmp(name, UMH_LAUNCHER_COMM, sizeof UMH_LAUNCHER_COMM - 1) != 0;
}

/*
 * A helper's filter may keep the launcher from saying that a call was refused, and from ending as it would. Anybody's
 * file can be sent: only a memfd is read, another one could keep us waiting.
 */
static uint32_t take_verdict(struct umh_child *child)
{
	const int file = child->verdict - 1;
	uint32_t verdict = 0;

	if (file < 0)
		return 0;
	if (fcntl(file, F_GET_SEALS) < 0 || pread(file, &verdict, sizeof verdict, 0) != (ssize_t)sizeof verdict)
		verdict = 0;
	close(file);
	child->verdict = 0;
	if (UMH_VERDICT_STAGE(verdict) >= UMH_STAGE_COUNT || UMH_VERDICT_ERROR(verdict) > UMH_LARGEST_ERRNO)
		return 0;
	return UMH_VERDICT_ERROR(verdict) ? verdict : 0;
}

/* It is the helper now, or was it; unless what it has left behind says that it never became it. */
static void become_helper(struct umh_child *child)
{
	const uint32_t verdict = take_verdict(child);

	if (verdict)
		fail(child, (enum umh_stage)UMH_VERDICT_STAGE(verdict), (int)UMH_VERDICT_ERROR(verdict), 0);
	else
		child->state = UMH_DECIDED;
}

static void go_on_launching(struct umh_child *child, int observed)
{
	const int pidfd = child->pidfd;

	if (!hear(child) || child->pidfd != pidfd)
		return; /* what was observed was the first process */
	if (child->state == UMH_ABOUT && (observed || has_executed(child)))
		become_helper(child);
	else if (child->state == UMH_LAUNCHING && observed)
		fail(child, UMH_STAGE_KILLED, EINTR, 0);
}

/*
 * A successor that has reported nothing is in the group of the first process (launcher/namespaces.c). As long as that one
 * has not been reaped, the number is the group's; and SIGKILL is pending for it, so that it makes no successor after this.
 */
static void kill_successor(const struct umh_child *child)
{
	if (child->successor_due && child->pid > 1 && child->pid == child->first)
		kill(-child->first, SIGKILL);
}

static void go_on_failing(struct umh_child *child)
{
	if (child->pidfd >= 0 && umh_signal(child, SIGKILL) == 0)
		kill_successor(child);
	if (!is_reaped(child))
		return;
	umh_report_end(&child->said, child->status);
	child->state = UMH_SEARCHING;
	child->search_until_ms = umh_now_ms() + SEARCH_MS;
}

/*
 * A successor that was killed before it could report. Its group keeps the first process's number from being used again; a
 * process that has the number itself is another one. Returns whether a child in that group is still alive.
 */
static int is_left_in_group(struct umh_child *child)
{
	siginfo_t info = {.si_pid = 0};

	if (child->first <= 1 || waitid(P_PGID, (id_t)child->first, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return 0;
	if (info.si_pid != 0 && info.si_pid != child->first) {
		waitpid(info.si_pid, NULL, WNOHANG);
		child->successor_due = 0;
	}
	return info.si_pid == 0;
}

static void go_on_searching(struct umh_child *child, int observed)
{
	int is_left = 0;

	if (child->successor_due)
		hear(child);
	if (child->state != UMH_SEARCHING)
		return;
	if (child->successor_due)
		is_left = is_left_in_group(child); /* the socket is hung up a moment before the process can be reaped */
	if (!child->successor_due || (observed & HUNG_UP && !is_left) || umh_now_ms() >= child->search_until_ms)
		child->state = UMH_DECIDED;
}

/* One event; whether it has changed anything. */
static int go_on(struct umh_child *child, int observed)
{
	const enum umh_state state = child->state;
	const int pidfd = child->pidfd;

	switch (state) {
	case UMH_LAUNCHING:
	case UMH_ABOUT:
		go_on_launching(child, observed);
		break;
	case UMH_FAILED:
		go_on_failing(child);
		break;
	default:
		go_on_searching(child, observed);
	}
	return child->state != state || child->pidfd != pidfd;
}

/* Other code of the process may have closed the socket: what is at its number now is neither read nor closed. */
static void require_socket(struct umh_child *child)
{
	if (child->socket < 0 || umh_is(child->socket, child->socket_is))
		return;
	child->socket = -1;
	child->hung_up = 1;
	fail(child, UMH_STAGE_WAIT, EBADF, 0);
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

	require_socket(child);
	ends[0] = (struct pollfd){.fd = child->hung_up ? -1 : child->socket};
	ends[1] = (struct pollfd){.fd = child->pidfd, .events = POLLIN};
	if (child->state == UMH_FAILED)
		ends[0].fd = -1;
	if (child->state == UMH_SEARCHING)
		ends[0].events = POLLIN;
	if (child->pidfd < 0 && !(child->state == UMH_SEARCHING && child->successor_due))
		timeout_ms = 0;
	result = umh_poll(ends, 2, timeout_ms);
	if (result < 0 && errno != EINTR) {
		fail(child, UMH_STAGE_WAIT, errno, 0);
		usleep((useconds_t)timeout_ms * 1000);
	}
	if (result > 0 && ends[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		child->hung_up = 1;
	if (result > 0 && ends[1].revents && umh_regain(child) > 0)
		ends[1].revents = 0; /* of another file at that number */
	result = (result > 0 && ends[1].revents) || child->pidfd < 0 ? ENDED : 0;
	return result | (child->hung_up ? HUNG_UP : 0);
}

/* Nothing has happened in that time; or nothing came of it yet, and it must not be asked for without a pause. */
static int look_later(struct umh_child *child, int observed, int after_ms)
{
	if (observed)
		usleep((useconds_t)after_ms * 1000);
	umh_look_after(child);
	return after_ms * 4 < UMH_LOOK_MS ? after_ms * 4 : UMH_LOOK_MS;
}

int umh_decide(struct umh_child *child, enum umh_blocking blocking)
{
	int after_ms = UMH_FIRST_LOOK_MS;

	while (child->state != UMH_DECIDED) {
		const int observed = observe(child, blocking ? after_ms : 0);

		if (go_on(child, observed))
			continue;
		if (!blocking || (blocking == UMH_BRIEFLY && after_ms >= UMH_LOOK_MS))
			return UMH_UNDECIDED;
		after_ms = look_later(child, observed, after_ms);
	}
	take_verdict(child);
	return -(int)child->said.error;
}

int umh_outcome(struct umh_child *child, enum umh_blocking blocking, struct umh_report *report)
{
	const int result = umh_decide(child, blocking);

	if (result != UMH_UNDECIDED)
		umh_close_own(&child->socket, child->socket_is);
	*report = child->said;
	return result;
}

void umh_cannot_wait(struct umh_child *child, int error)
{
	umh_end_stray((pid_t)child->pid);
	umh_close_pidfd(child);
	fail(child, UMH_STAGE_WAIT, error, 0);
}

void umh_outcome_of_ended(struct umh_child *child, int status)
{
	require_socket(child);
	note_end(child, status);
	hear(child);
	if (child->state == UMH_ABOUT)
		become_helper(child);
	fail(child, UMH_STAGE_KILLED, EINTR, 0);
}
