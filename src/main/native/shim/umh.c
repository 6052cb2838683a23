/* SPDX-License-Identifier: Apache-2.0 */
/* umh.c - starts a launch, and waits for its result or for the helper's end. */

/*
 * Each launch has one socketpair. The plan and the helper's descriptors are sent before the child exists, so the
 * launcher never waits for the JVM. Its reports are read after execve or exit has closed its end: poll(2) is asked for
 * the hang-up alone, so earlier reports cause no wake-up.
 */

#include "shim/umh.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/file_identity.h"
#include "shim/clone.h"
#include "shim/epoll.h"
#include "shim/launch_state.h"
#include "shim/launcher_image.h"
#include "shim/low_fds.h"
#include "shim/launch_monitor.h"
#include "shim/pidfd.h"
#include "shim/report.h"
#include "shim/send.h"
#include "shim/socket.h"

/* The number of descriptors that a launch opens at the same time, and some for the JVM. */
#define MIN_FREE_FDS 6

/* The JVM's own value, read before each launch, because other code may change it. -1 without /proc. */
static int oom_score_adj = -1;
static uint64_t oom_score_adj_identity;

static void close_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* With fewer descriptors the first launch would fail, and the JVM could not load the classes to report that. */
static int check_free_fds(void)
{
	int fds[MIN_FREE_FDS];
	int error = 0;

	for (int i = 0; i < MIN_FREE_FDS; i++) {
		fds[i] = fcntl(umh_launcher_image()->fd, F_DUPFD_CLOEXEC, UMH_MIN_LOW_FD);
		error = fds[i] < 0 ? errno : error;
	}
	for (int i = 0; i < MIN_FREE_FDS; i++)
		close_open(&fds[i]);
	return error == EINVAL ? -EMFILE : -error;
}

int umh_load(const char *image, size_t size)
{
	int result = umh_launcher_image_load(image, size);

	if (result == -EALREADY)
		return result;
	if (result == 0) {
		umh_sockets_load();
		oom_score_adj = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
		oom_score_adj_identity = umh_file_identity(oom_score_adj);
		result = umh_epoll_load();
	}
	if (result == 0)
		result = check_free_fds();
	if (result < 0) {
		umh_epoll_unload();
		umh_sockets_unload();
		umh_launcher_image_unload();
		close_open(&oom_score_adj);
	}
	return result;
}

void umh_release(struct umh_child *child)
{
	umh_close_if_same(&child->socket, child->socket_identity);
	umh_close_pidfd(child);
	if (child->failure_memfd)
		close(child->failure_memfd - 1);
	child->failure_memfd = 0;
}

/*
 * The child inherits the JVM's value, so it need not write the same value again. If the number refers to another file
 * by now, the child writes it.
 */
static void skip_unchanged_oom_score_adj(struct umh_plan *plan)
{
	char text[16];
	ssize_t size = umh_is_same_file(oom_score_adj, oom_score_adj_identity)
			       ? pread(oom_score_adj, text, sizeof text - 1, 0)
			       : -1;

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

/* The errors of clone3(2) for CLONE_INTO_CGROUP. */
static int is_cgroup_error(const struct umh_request *request, int error)
{
	return request->cgroup >= 0 &&
	       (error == ENOENT || error == EACCES || error == EBUSY || error == EOPNOTSUPP || error == ENODEV);
}

/*
 * The child's end gets a low number, so that the child has few descriptors to copy; a cached one has a low number
 * already. The number stays reserved: it refers to the socket during one clone, then to the launcher again.
 */
static int clone_with_low_socket(const struct umh_socketpair *pair, const struct umh_launcher_image *launcher,
				 const struct umh_request *request, int *pidfd, enum umh_stage *stage)
{
	int slot = pair->cache_index >= 0 ? -1 : umh_low_fd_borrow();
	int low = pair->child_end;
	int result;

	if (slot >= 0)
		low = duplicate(pair->child_end, slot);
	else if (pair->cache_index < 0)
		low = fcntl(pair->child_end, F_DUPFD_CLOEXEC, UMH_MIN_LOW_FD);
	*stage = UMH_STAGE_CLONE;
	result = low < 0 ? -errno : umh_clone_launcher(request, launcher, low, pair->child_identity, pidfd, stage);
	if (low >= 0 && *stage == UMH_STAGE_CLONE && is_cgroup_error(request, -result))
		*stage = UMH_STAGE_CGROUP;
	if (slot >= 0)
		umh_low_fd_return(slot, low < 0 ? UMH_NO_IDENTITY : pair->child_identity);
	else if (pair->cache_index < 0)
		umh_close_if_same(&low, pair->child_identity);
	return result;
}

/*
 * The launcher's number refers to another file; or another process has the launcher's file open for writing. That
 * process can't write, because the file is sealed, but execve returns ETXTBSY until it closes the file.
 */
static int is_launcher_error(int error)
{
	return error == EBADF || error == ETXTBSY;
}

static int send_and_clone(const struct umh_socketpair *pair, const struct umh_request *request, int *pidfd,
			  struct umh_report *report)
{
	const struct umh_launcher_image *launcher = umh_launcher_image();
	enum umh_stage stage;
	uint32_t detail = 0;
	int result;

	skip_unchanged_oom_score_adj(request->plan);
	result = umh_send_plan(pair->parent_end, request);
	if (result < 0) {
		stage = umh_send_failed_stage(request, -result, &detail);
		return umh_set_failure(report, stage, -result, detail);
	}
	result = clone_with_low_socket(pair, launcher, request, pidfd, &stage);
	if (stage == UMH_STAGE_LAUNCH && is_launcher_error(-result))
		umh_launcher_image_recreate(launcher, result == -ETXTBSY);
	return result >= 0 ? result : umh_set_failure(report, stage, -result, 0);
}

static struct umh_child new_child(const struct umh_request *request)
{
	return (struct umh_child){
		.pid = -1,
		.pidfd = -1,
		.socket = -1,
		.report = {.stage = UMH_STAGE_KILLED, .error = EINTR},
		.successor_expected = (request->plan->steps & UMH_STEP(PID_NAMESPACE)) != 0,
	};
}

static int start(const struct umh_request *request, struct umh_child *child, struct umh_report *report)
{
	struct umh_socketpair pair;
	int result;

	*child = new_child(request);
	result = umh_socket_create(&pair);
	if (result < 0)
		return umh_set_failure(report, UMH_STAGE_SOCKET, -result, 0);
	child->socket = pair.parent_end;
	child->socket_identity = pair.parent_identity;
	result = send_and_clone(&pair, request, &child->pidfd, report);
	child->pidfd_identity = umh_file_identity(child->pidfd);
	/* From now on only the launcher holds its end, so its execve or exit causes the hang-up. */
	umh_close_if_same(&pair.child_end, pair.child_identity);
	if (result < 0) {
		umh_release(child);
		return result;
	}
	child->first_pid = child->pid = result;
	return 0;
}

/*
 * Other code had closed a descriptor of the child, and the child noticed before it used the file at that number; or the
 * other end of a cached pair was closed. Both were created again, so the second attempt finds them.
 */
static int was_repaired(int result, const struct umh_report *report)
{
	switch (report->stage) {
	case UMH_STAGE_CLOSE_FDS:
		return result == -EBADF;
	case UMH_STAGE_LAUNCH:
		return is_launcher_error(-result);
	case UMH_STAGE_SOCKET:
		return result == -EBADF || result == -EPIPE || result == -ECONNRESET || result == -ENOTSOCK;
	default:
		return 0;
	}
}

/* Whether to try once more. If the kernel can't create a process in a cgroup, the launcher enters it. */
static int must_retry(struct umh_request *request, int result, const struct umh_report *report)
{
	if (was_repaired(result, report))
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

	return must_retry(&request, result, report) ? start(&request, child, report) : result;
}

int umh_allow_exec(const struct umh_child *child)
{
	ssize_t size;

	if (!umh_is_same_file(child->socket, child->socket_identity))
		return -EBADF;
	do
		size = send(child->socket, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (size < 0 && errno == EINTR);
	if (size < 0 && errno == ECONNRESET) /* instead of EPIPE, if the launcher has not read its plan */
		return -EPIPE;
	return size < 0 ? -errno : 0;
}

/* The launcher has received all messages: the socket is empty, and the next launch can use it. */
static int is_drained(int result, const struct umh_report *report)
{
	return result == 0 || report->stage == UMH_STAGE_EXEC;
}

/* Has the same limit of stops as umh_continue_if_stopped(). Returns whether the process was still a launcher. */
static int continue_launcher(struct umh_child *child, int stops)
{
	int is_launcher;

	umh_monitor_lock();
	is_launcher = child->state == UMH_LAUNCHING && !umh_report_has_exec(child);
	if (is_launcher) {
		umh_signal(child, stops > UMH_MAX_STOPS ? SIGKILL : SIGCONT);
		umh_reopen_pidfd(child);
	}
	umh_monitor_unlock();
	return is_launcher;
}

/* A stopped helper is left alone. */
static int wait_past_stops(struct umh_child *child, int *status)
{
	int stops = 0;
	int result = umh_wait_or_stop(child, status);

	while (result == -EAGAIN && continue_launcher(child, ++stops))
		result = umh_wait_or_stop(child, status);
	return result == -EAGAIN ? umh_wait(child, UMH_BLOCK, status, NULL) : result;
}

/* A frozen launcher neither reports nor ends: the reaper kills it. */
static int wait_for_end_monitored(struct umh_child *child, int *status, int *error)
{
	struct umh_monitored_launch flight = {.pid = child->pid, .pidfd = &child->pidfd, .child = child, .cgroup = -1};
	int result;

	umh_monitor_begin(&flight);
	result = wait_past_stops(child, status);
	umh_monitor_end(&flight);
	*error = flight.error;
	return result;
}

/* The end of the process decides the launch, so no hang-up is needed. */
static int wait_and_conclude(struct umh_child *child, int *status)
{
	int kill_reason;
	int result = wait_for_end_monitored(child, status, &kill_reason);

	if (result < 0) {
		umh_fail_wait(child, -result);
	} else {
		umh_close_pidfd(child);
		umh_launch_process_ended(child, *status);
	}
	if (kill_reason == EBUSY && child->report.stage == UMH_STAGE_KILLED)
		umh_set_failure(&child->report, UMH_STAGE_CGROUP, EBUSY, 0);
	return umh_advance_launch(child, UMH_BLOCK);
}

static int run(const struct umh_request *request, int *pid, struct umh_report *report, int *status)
{
	struct umh_child child = new_child(request);
	struct umh_socketpair pair;
	int result = umh_socket_acquire(&pair);

	if (result < 0)
		return umh_set_failure(report, UMH_STAGE_SOCKET, -result, 0);
	child.socket = pair.parent_end;
	child.socket_identity = pair.parent_identity;
	result = send_and_clone(&pair, request, &child.pidfd, report);
	if (result >= 0) {
		child.first_pid = child.pid = result;
		child.pidfd_identity = umh_file_identity(child.pidfd);
		result = wait_and_conclude(&child, status);
		*report = child.report;
		*pid = child.pid;
	}
	umh_close_pidfd(&child);
	umh_socket_release(&pair, is_drained(result, report));
	return result;
}

/* The first process must not be reaped before its child in the new pid namespace is found (launch_state.c). */
static int run_with_successor(const struct umh_request *request, int *pid, struct umh_report *report, int *status)
{
	struct umh_child child;
	int result = umh_start(request, &child, report);

	if (result < 0)
		return result;
	result = umh_wait_exec(&child, UMH_BLOCK, report);
	if (result == 0)
		result = umh_wait(&child, UMH_BLOCK, status, NULL);
	if (result < 0 && !report->error) {
		umh_kill_and_reap((pid_t)child.pid);
		umh_set_failure(report, UMH_STAGE_WAIT, -result, 0);
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

	return must_retry(&request, result, report) ? run(&request, pid, report, status) : result;
}

/* The library is unloaded together with its class loader. */
__attribute__((destructor)) static void unload(void)
{
	umh_close_if_same(&oom_score_adj, oom_score_adj_identity);
}
