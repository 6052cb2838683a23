/* SPDX-License-Identifier: Apache-2.0 */
/* umh.c - the parent half of a launch: the process is made, or awaited to its end. */

/*
 * One socketpair a launch. The plan and the helper's descriptors are sent before the child exists, so the launcher
 * never waits for us. What it reports is read when it has closed its end, by execve or by exit: poll(2) is asked for
 * the hang-up alone, and the words before it cost no wake-up.
 */

#include "umh.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "umh_clone.h"
#include "umh_flight.h"
#include "umh_identity.h"
#include "umh_launcher.h"
#include "umh_reaper.h"
#include "umh_report.h"
#include "umh_send.h"
#include "umh_socket.h"

/* How many descriptors a launch opens at the same time, with some for the JVM. */
#define SPARE 6

/* The JVM's own, to be read again before each launch: others may change it at any time. -1 without /proc. */
static int oom_score_adj = -1;
static uint64_t oom_score_adj_is;

static void close_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Where less is left the first launch would fail, and the JVM could not load the classes to say so. */
static int is_room_left(void)
{
	int fds[SPARE];
	int error = 0;

	for (int i = 0; i < SPARE; i++) {
		fds[i] = fcntl(umh_launcher()->fd, F_DUPFD_CLOEXEC, UMH_LOWEST_FD);
		error = fds[i] < 0 ? errno : error;
	}
	for (int i = 0; i < SPARE; i++)
		close_open(&fds[i]);
	return error == EINVAL ? -EMFILE : -error;
}

int umh_load(const char *image, size_t size)
{
	int result = umh_launcher_load(image, size);

	if (result == -EALREADY)
		return result;
	if (result == 0) {
		umh_pairs_load();
		oom_score_adj = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
		oom_score_adj_is = umh_identity(oom_score_adj);
		result = umh_reaper_load();
	}
	if (result == 0)
		result = is_room_left();
	if (result < 0) {
		umh_reaper_unload();
		umh_pairs_unload();
		umh_launcher_unload();
		close_open(&oom_score_adj);
	}
	return result;
}

void umh_release(struct umh_child *child)
{
	umh_close_own(&child->socket, child->socket_is);
	umh_close_pidfd(child);
	if (child->verdict)
		close(child->verdict - 1);
	child->verdict = 0;
}

/*
 * The child has the JVM's value, since it is a fork of it: then it need not write the same again. It does so when the
 * number is not that file's any more.
 */
static void leave_out_oom_score_adj(struct umh_plan *plan)
{
	char text[16];
	ssize_t size = umh_is(oom_score_adj, oom_score_adj_is) ? pread(oom_score_adj, text, sizeof text - 1, 0) : -1;

	if (size <= 0)
		return;
	text[size] = 0;
	if (strtol(text, NULL, 10) == plan->oom_score_adj)
		plan->steps &= ~UMH_STEP(OOM_SCORE_ADJ);
}

static int duplicate(int fd, int number)
{
	int result;

	do
		result = dup3(fd, number, O_CLOEXEC);
	while (result < 0 && errno == EINTR);
	return result;
}

/* What the kernel may say of a cgroup that a process was to be created in. */
static int is_of_cgroup(const struct umh_request *request, int error)
{
	return request->cgroup >= 0 && (error == ENOENT || error == EACCES || error == EBUSY || error == EOPNOTSUPP || error == ENODEV);
}

/*
 * The child's end goes to a low number, so that the child has few descriptors to copy; a kept one is there already. The
 * slot keeps its number reserved all the time: filled with the socket for one clone, then with the launcher again.
 */
static int clone_low(const struct umh_pair *pair, const struct umh_launcher *launcher, const struct umh_request *request,
		     int *pidfd, enum umh_stage *stage)
{
	int slot = pair->place >= 0 ? -1 : umh_slot_take();
	int low = pair->theirs;
	int result;

	if (slot >= 0)
		low = duplicate(pair->theirs, slot);
	else if (pair->place < 0)
		low = fcntl(pair->theirs, F_DUPFD_CLOEXEC, UMH_LOWEST_FD);
	*stage = UMH_STAGE_CLONE;
	result = low < 0 ? -errno : umh_clone_launcher(request, launcher, low, pair->theirs_is, pidfd, stage);
	if (low >= 0 && *stage == UMH_STAGE_CLONE && is_of_cgroup(request, -result))
		*stage = UMH_STAGE_CGROUP;
	if (slot >= 0)
		umh_slot_give(slot, low < 0 ? UMH_NO_IDENTITY : pair->theirs_is);
	else if (pair->place < 0)
		umh_close_own(&low, pair->theirs_is);
	return result;
}

/*
 * The launcher's number holds another file by now; or another process has opened the launcher's file for writing. It can't
 * write, since the file is sealed, but as long as it has the file open nobody can execute it.
 */
static int is_of_launcher(int error)
{
	return error == EBADF || error == ETXTBSY;
}

static int send_and_clone(const struct umh_pair *pair, const struct umh_request *request, int *pidfd,
			  struct umh_report *report)
{
	const struct umh_launcher *launcher = umh_launcher();
	enum umh_stage stage;
	uint32_t detail = 0;
	int result;

	leave_out_oom_score_adj(request->plan);
	result = umh_send_plan(pair->ours, request);
	if (result < 0) {
		stage = umh_send_stage(request, -result, &detail);
		return umh_failed(report, stage, -result, detail);
	}
	result = clone_low(pair, launcher, request, pidfd, &stage);
	if (stage == UMH_STAGE_LAUNCH && is_of_launcher(-result))
		umh_launcher_repair(launcher, result == -ETXTBSY);
	return result >= 0 ? result : umh_failed(report, stage, -result, 0);
}

static struct umh_child new_child(const struct umh_request *request)
{
	return (struct umh_child){
		.pid = -1,
		.pidfd = -1,
		.socket = -1,
		.said = {.stage = UMH_STAGE_KILLED, .error = EINTR},
		.successor_due = (request->plan->steps & UMH_STEP(PID_NAMESPACE)) != 0,
	};
}

static int start(const struct umh_request *request, struct umh_child *child, struct umh_report *report)
{
	struct umh_pair pair;
	int result;

	*child = new_child(request);
	result = umh_pair_make(&pair);
	if (result < 0)
		return umh_failed(report, UMH_STAGE_SOCKET, -result, 0);
	child->socket = pair.ours;
	child->socket_is = pair.ours_is;
	result = send_and_clone(&pair, request, &child->pidfd, report);
	child->pidfd_is = umh_identity(child->pidfd);
	/* From here on the launcher alone holds its end: that is what makes the hang-up. */
	umh_close_own(&pair.theirs, pair.theirs_is);
	if (result < 0) {
		umh_release(child);
		return result;
	}
	child->first = child->pid = result;
	return 0;
}

/*
 * Others have closed what the child had to have, and it has noticed before it used another file; or the other end of a
 * kept pair. All of that was made again, so the second attempt finds it.
 */
static int was_closed(int result, const struct umh_report *report)
{
	switch (report->stage) {
	case UMH_STAGE_CLOSE_FDS:
		return result == -EBADF;
	case UMH_STAGE_LAUNCH:
		return is_of_launcher(-result);
	case UMH_STAGE_SOCKET:
		return result == -EBADF || result == -EPIPE || result == -ECONNRESET || result == -ENOTSOCK;
	default:
		return 0;
	}
}

/* Whether to try once more. A kernel that can't create a process in a cgroup has the launcher enter it. */
static int starts_again(struct umh_request *request, int result, const struct umh_report *report)
{
	if (was_closed(result, report))
		return 1;
	if (result != -ENOSYS || report->stage != UMH_STAGE_CLONE || request->cgroup < 0)
		return 0;
	request->cgroup = -1;
	request->plan->steps |= UMH_STEP(CGROUP);
	request->plan->required |= UMH_STEP(CGROUP);
	return 1;
}

int umh_start(const struct umh_request *original, struct umh_child *child, struct umh_report *report)
{
	struct umh_request request = *original;
	int result = start(&request, child, report);

	return starts_again(&request, result, report) ? start(&request, child, report) : result;
}

int umh_go(const struct umh_child *child)
{
	ssize_t size;

	if (!umh_is(child->socket, child->socket_is))
		return -EBADF;
	do
		size = send(child->socket, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (size < 0 && errno == EINTR);
	if (size < 0 && errno == ECONNRESET) /* as EPIPE, of one that has not read its plan */
		return -EPIPE;
	return size < 0 ? -errno : 0;
}

/* The launcher read all that was sent: the socket is empty, and can serve the next launch. */
static int is_clean(int result, const struct umh_report *report)
{
	return result == 0 || report->stage == UMH_STAGE_EXEC;
}

/* The same bound as in umh_outcome() for a launcher that is stopped by another process. Whether it was one still. */
static int continue_launcher(struct umh_child *child, int stops)
{
	int is_launcher;

	umh_flights_lock();
	is_launcher = child->state == UMH_LAUNCHING && !umh_report_has_arrived(child);
	if (is_launcher) {
		umh_signal(child, stops > UMH_MOST_STOPS ? SIGKILL : SIGCONT);
		umh_regain(child);
	}
	umh_flights_unlock();
	return is_launcher;
}

/* A helper may be stopped, and is left alone. */
static int wait_for_end(struct umh_child *child, int *status)
{
	int stops = 0;
	int result = umh_wait_or_stop(child, status);

	while (result == -EAGAIN && continue_launcher(child, ++stops))
		result = umh_wait_or_stop(child, status);
	return result == -EAGAIN ? umh_wait(child, UMH_BLOCK, status, NULL) : result;
}

/* A launcher that is frozen says nothing and never ends: then it is ended by the thread that looks at launches. */
static int wait_for_end_in_flight(struct umh_child *child, int *status, int *error)
{
	struct umh_flight flight = {.pid = child->pid, .pidfd = &child->pidfd, .child = child, .cgroup = -1};
	int result;

	umh_flight_begin(&flight);
	result = wait_for_end(child, status);
	umh_flight_end(&flight);
	*error = flight.error;
	return result;
}

/* The end of the process decides, so no hang-up is needed. */
static int wait_and_decide(struct umh_child *child, int *status)
{
	int ended_for;
	int result = wait_for_end_in_flight(child, status, &ended_for);

	if (result < 0) {
		umh_cannot_wait(child, -result);
	} else {
		umh_close_pidfd(child);
		umh_outcome_of_ended(child, *status);
	}
	if (ended_for == EBUSY && child->said.stage == UMH_STAGE_KILLED)
		umh_failed(&child->said, UMH_STAGE_CGROUP, EBUSY, 0);
	return umh_decide(child, UMH_BLOCK);
}

static int run(const struct umh_request *request, int *pid, struct umh_report *report, int *status)
{
	struct umh_child child = new_child(request);
	struct umh_pair pair;
	int result = umh_pair_take(&pair);

	if (result < 0)
		return umh_failed(report, UMH_STAGE_SOCKET, -result, 0);
	child.socket = pair.ours;
	child.socket_is = pair.ours_is;
	result = send_and_clone(&pair, request, &child.pidfd, report);
	if (result >= 0) {
		child.first = child.pid = result;
		child.pidfd_is = umh_identity(child.pidfd);
		result = wait_and_decide(&child, status);
		*report = child.said;
		*pid = child.pid;
	}
	umh_close_pidfd(&child);
	umh_pair_give(&pair, is_clean(result, report));
	return result;
}

/* The first process must not be reaped before its successor is known, or known not to be there: umh_outcome.c. */
static int run_with_successor(const struct umh_request *request, int *pid, struct umh_report *report, int *status)
{
	struct umh_child child;
	int result = umh_start(request, &child, report);

	if (result < 0)
		return result;
	result = umh_outcome(&child, UMH_BLOCK, report);
	if (result == 0)
		result = umh_wait(&child, UMH_BLOCK, status, NULL);
	if (result < 0 && !report->error) {
		umh_end_stray((pid_t)child.pid);
		umh_failed(report, UMH_STAGE_WAIT, -result, 0);
	}
	*pid = child.pid;
	umh_release(&child);
	return result;
}

int umh_run(const struct umh_request *original, int *pid, struct umh_report *report, int *status)
{
	struct umh_request request = *original;
	int result;

	if (request.plan->steps & UMH_STEP(PID_NAMESPACE))
		return run_with_successor(original, pid, report, status);
	result = run(&request, pid, report, status);

	return starts_again(&request, result, report) ? run(&request, pid, report, status) : result;
}

/* The library is unloaded with the class loader that loaded it. */
__attribute__((destructor)) static void unload(void)
{
	umh_close_own(&oom_score_adj, oom_score_adj_is);
}
