/* SPDX-License-Identifier: Apache-2.0 */
/* umh.c - the parent half of a launch: the process is made, or awaited to its end. */

/*
 * One socketpair a launch. The plan and the helper's descriptors are sent before the child exists, so the launcher
 * never waits for us. What it reports is read when it has closed its end, by execve or by exit: poll(2) is asked for
 * the hang-up alone, and the words before it cost no wake-up.
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
#include "shim/monitor.h"
#include "shim/pidfd.h"
#include "shim/report.h"
#include "shim/send.h"
#include "shim/socket.h"

/* How many descriptors a launch opens at the same time, with some for the JVM. */
#define MIN_FREE_FDS 6

/* The JVM's own, to be read again before each launch: others may change it at any time. -1 without /proc. */
static int oom_score_adj = -1;
static uint64_t oom_score_adj_identity;

static void close_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Where less is left the first launch would fail, and the JVM could not load the classes to say so. */
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
 * The child has the JVM's value, since it is a fork of it: then it need not write the same again. It does so when the
 * number is not that file's any more.
 */
static void skip_unchanged_oom_score_adj(struct umh_plan *plan)
{
	char text[16];
	ssize_t size = umh_is_same_file(oom_score_adj, oom_score_adj_identity) ? pread(oom_score_adj, text, sizeof text - 1, 0) : -1;

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
static int is_cgroup_error(const struct umh_request *request, int error)
{
	return request->cgroup >= 0 && (error == ENOENT || error == EACCES || error == EBUSY || error == EOPNOTSUPP || error == ENODEV);
}

/*
 * The child's end goes to a low number, so that the child has few descriptors to copy; a kept one is there already. The
 * slot keeps its number reserved all the time: filled with the socket for one clone, then with the launcher again.
 */
static int clone_with_low_socket(const struct umh_socketpair *pair, const struct umh_launcher_image *launcher, const struct umh_request *request,
		     int *pidfd, enum umh_stage *stage)
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
 * The launcher's number holds another file by now; or another process has opened the launcher's file for writing. It can't
 * write, since the file is sealed, but as long as it has the file open nobody can execute it.
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
	/* From here on the launcher alone holds its end: that is what makes the hang-up. */
	umh_close_if_same(&pair.child_end, pair.child_identity);
	if (result < 0) {
		umh_release(child);
		return result;
	}
	child->first_pid = child->pid = result;
	return 0;
}

/*
 * Others have closed what the child had to have, and it has noticed before it used another file; or the other end of a
 * kept pair. All of that was made again, so the second attempt finds it.
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

/* Whether to try once more. A kernel that can't create a process in a cgroup has the launcher enter it. */
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
	if (size < 0 && errno == ECONNRESET) /* as EPIPE, of one that has not read its plan */
		return -EPIPE;
	return size < 0 ? -errno : 0;
}

/* The launcher read all that was sent: the socket is empty, and can serve the next launch. */
static int is_drained(int result, const struct umh_report *report)
{
	return result == 0 || report->stage == UMH_STAGE_EXEC;
}

/* The same bound as in umh_wait_exec() for a launcher that is stopped by another process. Whether it was one still. */
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

/* A helper may be stopped, and is left alone. */
static int wait_past_stops(struct umh_child *child, int *status)
{
	int stops = 0;
	int result = umh_wait_or_stop(child, status);

	while (result == -EAGAIN && continue_launcher(child, ++stops))
		result = umh_wait_or_stop(child, status);
	return result == -EAGAIN ? umh_wait(child, UMH_BLOCK, status, NULL) : result;
}

/* A launcher that is frozen says nothing and never ends: then it is ended by the thread that looks at launches. */
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

/* The end of the process decides, so no hang-up is needed. */
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

/* The first process must not be reaped before its successor is known, or known not to be there: launch_state.c. */
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

/* The library is unloaded with the class loader that loaded it. */
__attribute__((destructor)) static void unload(void)
{
	umh_close_if_same(&oom_score_adj, oom_score_adj_identity);
}
