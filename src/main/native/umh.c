/* SPDX-License-Identifier: Apache-2.0 */
/* umh.c - the parent half of a launch: plan down, report up, then wait and signal by pidfd. */

/*
 * One socketpair a launch. The plan and the helper's descriptors are sent before the child exists, so the launcher
 * never waits for us. What it reports is read when it has closed its end, by execve or by exit: poll(2) is asked for
 * the hang-up alone, and the words before it cost no wake-up.
 */

#include "umh.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "umh_clone.h"
#include "umh_launcher.h"
#include "umh_reaper.h"
#include "umh_socket.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* The lowest number that a plan socket may have in our table: 3 and 4 are the child's own. */
#define LOWEST_SOCKET 5

/* The JVM's own, to be read again before each launch: others may change it at any time. -1 without /proc. */
static int oom_score_adj = -1;

int umh_load(const char *image, size_t size)
{
	int result = umh_launcher_load(image, size);

	if (result < 0)
		return result;
	umh_pairs_load();
	oom_score_adj = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	return umh_reaper_load();
}

static int failed(struct umh_report *report, enum umh_stage stage, int error, uint32_t detail)
{
	*report = (struct umh_report){.stage = stage, .error = (uint32_t)error, .detail = detail};
	return -error;
}

static void close_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void umh_release(struct umh_child *child)
{
	close_open(&child->socket);
	close_open(&child->pidfd);
}

/* Plan down */

static int send_message(int socket, const void *bytes, size_t size, const int *fds, unsigned count)
{
	struct {
		struct cmsghdr header;
		int fds[UMH_SCM_MAX];
	} control;
	struct iovec part = {(void *)bytes, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (count > 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof *fds);
		memcpy(control.fds, fds, count * sizeof *fds);
		message.msg_control = &control;
		message.msg_controllen = control.header.cmsg_len;
	}
	/* Nobody reads yet: what does not fit into the socket's buffer must not wait. */
	return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static unsigned at_most(unsigned count, unsigned limit)
{
	return count < limit ? count : limit;
}

/* A plan that is too large for a message goes as a memfd. */
static int send_large_plan(int socket, const struct umh_plan *plan)
{
	int fd = (int)syscall(__NR_memfd_create, "umh4j-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int result = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, plan, plan->size) != (ssize_t)plan->size)
		result = -ENOSPC;
	else if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		result = -errno;
	else
		result = send_message(socket, plan, UMH_PLAN_PREFIX, &fd, 1);
	close(fd);
	return result;
}

static int send_plan(int socket, const struct umh_request *request)
{
	const struct umh_plan *plan = request->plan;
	unsigned sent = 0;
	int result;

	if (plan->size > UMH_PLAN_INLINE) {
		result = send_large_plan(socket, plan);
	} else {
		sent = at_most(request->fd_count, UMH_SCM_MAX);
		result = send_message(socket, plan, plan->size, request->fds, sent);
	}
	while (result == 0 && sent < request->fd_count) {
		unsigned count = at_most(request->fd_count - sent, UMH_SCM_MAX);

		result = send_message(socket, "", 1, request->fds + sent, count);
		sent += count;
	}
	return result;
}

/* EBADF means one of the caller's descriptors; find out which, by the number it was meant to have. */
static int plan_not_sent(const struct umh_request *request, int error, struct umh_report *report)
{
	const struct umh_plan *plan = request->plan;
	const struct umh_file *files = (const void *)((const char *)plan + plan->files.offset);

	if (error == EBADF)
		for (unsigned i = 0; i < request->fd_count; i++)
			if (fcntl(request->fds[i], F_GETFD) < 0)
				return failed(report, UMH_STAGE_SOURCE, EBADF, files[i].target);
	return failed(report, UMH_STAGE_SOCKET, error, 0);
}

/* The child has the JVM's value, since it is a fork of it: then it need not write the same again. */
static void leave_out_oom_score_adj(struct umh_plan *plan)
{
	char text[16];
	ssize_t size = oom_score_adj < 0 ? -1 : pread(oom_score_adj, text, sizeof text - 1, 0);

	if (size <= 0)
		return;
	text[size] = 0;
	if (strtol(text, NULL, 10) == plan->oom_score_adj)
		plan->steps &= ~UMH_STEP(OOM_SCORE_ADJ);
}

/*
 * The child's end goes to a low number, so that the child has few descriptors to copy. The slot keeps its number
 * reserved all the time: filled with the socket for one clone, then with the launcher again.
 */
static int clone_with(int socket, const struct umh_request *request, int *pidfd)
{
	int slot = umh_slot_take();
	int low = slot < 0 ? fcntl(socket, F_DUPFD_CLOEXEC, LOWEST_SOCKET) : dup3(socket, slot, O_CLOEXEC);
	int result = low < 0 ? -errno : umh_clone_launcher(request, low, pidfd);

	if (slot < 0 && low >= 0)
		close(low);
	if (slot >= 0) {
		dup3(umh_launcher_fd(), slot, O_CLOEXEC);
		umh_slot_give(slot);
	}
	return result;
}

static int send_and_clone(const struct umh_pair *pair, const struct umh_request *request, int *pidfd,
			  struct umh_report *report)
{
	int result;

	leave_out_oom_score_adj(request->plan);
	result = send_plan(pair->ours, request);
	if (result < 0)
		return plan_not_sent(request, -result, report);
	result = clone_with(pair->theirs, request, pidfd);
	return result < 0 ? failed(report, UMH_STAGE_CLONE, -result, 0) : result;
}

int umh_start(const struct umh_request *request, struct umh_child *child, struct umh_report *report)
{
	struct umh_pair pair;
	int result;

	*child = (struct umh_child){.pid = -1, .pidfd = -1, .socket = -1};
	result = umh_pair_make(&pair);
	if (result < 0)
		return failed(report, UMH_STAGE_SOCKET, -result, 0);
	child->socket = pair.ours;
	result = send_and_clone(&pair, request, &child->pidfd, report);
	/* From here on the launcher alone holds its end: that is what makes the hang-up. */
	close(pair.theirs);
	if (result < 0) {
		umh_release(child);
		return result;
	}
	child->pid = result;
	return 0;
}

/* Waiting */

/* What pidfs tells of a process that somebody else has reaped (6.15). */
struct pidfd_exit_info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t ids[11];
	int32_t exit_code;
};
#define PIDFD_GET_EXIT_INFO _IOWR(0xFF, 11, struct pidfd_exit_info)
#define PIDFD_EXIT_INFO     (UINT64_C(1) << 3)

/* The information appears when the task is released, a moment after its end was announced. */
static int status_of_reaped(int pidfd)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		struct pidfd_exit_info info = {.mask = PIDFD_EXIT_INFO};

		if (ioctl(pidfd, PIDFD_GET_EXIT_INFO, &info) < 0)
			return UMH_STATUS_LOST;
		if (info.mask & PIDFD_EXIT_INFO)
			return info.exit_code;
		sched_yield();
	}
	return UMH_STATUS_LOST;
}

static int wait_status(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return (info->si_status & 0xff) << 8;
	case CLD_DUMPED:
		return info->si_status | 0x80;
	default:
		return info->si_status;
	}
}

int umh_wait(int pidfd, enum umh_blocking blocking, int *status)
{
	siginfo_t info;
	int result;

	do {
		info.si_pid = 0;
		result = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | (blocking ? 0 : WNOHANG));
	} while (result < 0 && errno == EINTR);
	if (result < 0 && errno != ECHILD)
		return -errno;
	if (result == 0 && info.si_pid == 0)
		return -EAGAIN;
	*status = result == 0 ? wait_status(&info) : status_of_reaped(pidfd);
	return 0;
}

int umh_signal(int pidfd, int signal)
{
	return syscall(__NR_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

/* Report up */

static int next_word(int socket, struct umh_report *word)
{
	ssize_t size = recv(socket, word, sizeof *word, MSG_DONTWAIT);

	/* Said once, before what is still to be read: the other end was closed without having read the plan. */
	if (size < 0 && errno == ECONNRESET)
		size = recv(socket, word, sizeof *word, MSG_DONTWAIT);
	return size == (ssize_t)sizeof *word;
}

/* All that was said on the socket, after its other end was closed or its process has ended. */
static int read_report(int socket, struct umh_report *report)
{
	struct umh_report word;
	int arrived = 0;

	*report = (struct umh_report){.stage = UMH_STAGE_DIED, .error = EINTR};
	while (next_word(socket, &word)) {
		*report = word;
		arrived = word.stage == UMH_STAGE_EXEC && word.error == 0;
	}
	return arrived ? 0 : -(int)report->error;
}

static void tell_signal(struct umh_report *report, int status)
{
	if (report->stage == UMH_STAGE_DIED && WIFSIGNALED(status))
		report->detail = (uint32_t)WTERMSIG(status);
}

/* The launcher is on its way out, or stopped by somebody; either way it has nothing more to do. */
static int reap_failed(struct umh_child *child, struct umh_report *report)
{
	int status = UMH_STATUS_LOST;

	umh_signal(child->pidfd, SIGKILL);
	umh_wait(child->pidfd, UMH_BLOCK, &status);
	tell_signal(report, status);
	close_open(&child->pidfd);
	return -(int)report->error;
}

int umh_outcome(struct umh_child *child, enum umh_blocking blocking, struct umh_report *report)
{
	/* Another library's fork may hold a copy of the child's end: then the pidfd tells of the end. */
	struct pollfd ends[] = {{.fd = child->socket}, {.fd = child->pidfd, .events = POLLIN}};
	int result;

	do
		result = poll(ends, 2, blocking ? -1 : 0);
	while (result < 0 && errno == EINTR);
	if (result < 0)
		return -errno;
	if (result == 0)
		return -EAGAIN;
	result = read_report(child->socket, report);
	close_open(&child->socket);
	return result == 0 ? 0 : reap_failed(child, report);
}

/* The launcher read all that was sent: the socket is empty, and can serve the next launch. */
static int is_clean(int result, const struct umh_report *report)
{
	return result == 0 || report->stage == UMH_STAGE_EXEC;
}

int umh_run(const struct umh_request *request, int *pid, struct umh_report *report, int *status)
{
	struct umh_pair pair;
	int pidfd = -1;
	int result = umh_pair_take(&pair);

	if (result < 0)
		return failed(report, UMH_STAGE_SOCKET, -result, 0);
	result = send_and_clone(&pair, request, &pidfd, report);
	if (result >= 0) {
		*pid = result;
		result = umh_wait(pidfd, UMH_BLOCK, status);
		if (result < 0)
			failed(report, UMH_STAGE_WAIT, -result, 0);
		else
			result = read_report(pair.ours, report);
		tell_signal(report, *status);
		close(pidfd);
	}
	umh_pair_give(&pair, is_clean(result, report));
	return result;
}

/* The library is unloaded with the class loader that loaded it. */
__attribute__((destructor)) static void unload(void)
{
	close_open(&oom_score_adj);
}
