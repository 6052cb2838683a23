/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd.c - waits for, reaps and signals one process by its pidfd, and no other process. */

#include "shim/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/file_identity.h"
#include "shim/epoll.h"
#include "shim/features.h"
#include "shim/launch_state.h"
#include "shim/process_state.h"
#include "shim/report.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Information from pidfs about a process (6.13), and about one that other code has reaped (6.15). */
struct pidfd_exit_info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t ids[11];
	int32_t exit_code;
};
#define PIDFD_GET_EXIT_INFO _IOWR(0xFF, 11, struct pidfd_exit_info)
#define PIDFD_EXIT_INFO     (UINT64_C(1) << 3)

/* The status appears when the task is released, a moment after its end was reported. */
static int status_of_reaped(int pidfd)
{
	for (int attempt = 0; attempt < 100 && (umh_features() & UMH_FEATURE_PIDFD_INFO); attempt++) {
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

static long long microseconds(struct timeval time)
{
	return time.tv_sec * 1000000LL + time.tv_usec;
}

static struct umh_usage usage_of(const struct rusage *used)
{
	return (struct umh_usage){
		.user_us = microseconds(used->ru_utime),
		.system_us = microseconds(used->ru_stime),
		.minor_faults = used->ru_minflt,
		.major_faults = used->ru_majflt,
		.blocks_in = used->ru_inblock,
		.blocks_out = used->ru_oublock,
		.voluntary_switches = used->ru_nvcsw,
		.involuntary_switches = used->ru_nivcsw,
	};
}

/* The errors of a filter, and of a kernel without the system call. */
static int is_refused(int error)
{
	return error == EPERM || error == ENOSYS;
}

/* Of the options wait4(2) knows two. */
static long wait_by_wait4(int pid, siginfo_t *info, int options, struct rusage *used)
{
	int status;
	long result = syscall(__NR_wait4, pid, &status, options & (WNOHANG | WUNTRACED), used);

	if (result <= 0)
		return result;
	info->si_pid = pid;
	info->si_code = WIFSTOPPED(status)  ? CLD_STOPPED
			: WIFEXITED(status) ? CLD_EXITED
			: WCOREDUMP(status) ? CLD_DUMPED
					    : CLD_KILLED;
	info->si_status = WIFEXITED(status)    ? WEXITSTATUS(status)
			  : WIFSTOPPED(status) ? WSTOPSIG(status)
					       : WTERMSIG(status);
	return 0;
}

/*
 * The system call has one more argument than libc's function, for the usage. If a filter refuses it, the older calls
 * serve without a pidfd: a child that was not reaped keeps its pid, and the code that reaps it holds a lock or is the
 * only one that knows it.
 */
static long wait_by_waitid(int pidfd, int pid, siginfo_t *info, int options, struct rusage *used)
{
	long result = pidfd < 0 ? -1 : syscall(__NR_waitid, P_PIDFD, pidfd, info, options, used);

	if (result == 0 || (pidfd >= 0 && !is_refused(errno)) || pid <= 0)
		return result;
	result = syscall(__NR_waitid, P_PID, pid, info, options, used);
	if (result == 0 || !is_refused(errno) || options & WNOWAIT)
		return result;
	return wait_by_wait4(pid, info, options, used);
}

/* The pid in /proc/self/fdinfo of a pidfd, or 0 if that can't be read. */
static long pid_in_fdinfo(int pidfd)
{
	char path[sizeof "/proc/self/fdinfo/" + 10];
	char text[512];
	const char *line;
	ssize_t size;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	if (size < 0)
		return 0;
	text[size] = 0;
	line = strstr(text, "\nPid:");
	return line ? strtol(line + sizeof "\nPid:" - 1, NULL, 10) : 0;
}

/*
 * Before 6.9 all pidfds, epolls and eventfds share one inode. There /proc shows the pid; but not of a reaped process,
 * which is the usual case here: no other code needs a pidfd of that.
 */
int umh_pidfd_is_valid(const struct umh_child *child)
{
	if (!umh_is_same_file(child->pidfd, child->pidfd_identity))
		return 0;
	if (child->pidfd_identity != umh_anon_inode_identity() || child->pid <= 0)
		return 1;
	if (syscall(__NR_pidfd_send_signal, child->pidfd, 0, NULL, 0) < 0 && errno == ESRCH)
		return 1;
	return pid_in_fdinfo(child->pidfd) == child->pid;
}

void umh_close_pidfd(struct umh_child *child)
{
	if (umh_pidfd_is_valid(child))
		close(child->pidfd);
	child->pidfd = -1;
}

/* Whether the pid is still that of a child that was not reaped. If a filter refuses the question, the caller knows. */
static int pid_is_child(int pid)
{
	siginfo_t info;

	return wait_by_waitid(-1, pid, &info, WEXITED | WNOHANG | WNOWAIT, NULL) == 0 || is_refused(errno);
}

/*
 * Opens another pidfd of the child, or returns -ECHILD if the pid may be another process's. Until the child is reaped
 * the pid is its own; if other code has reaped it, another child may have the pid, which the inode shows.
 */
static int open_pidfd_again(const struct umh_child *child)
{
	int pidfd;

	if (child->pid <= 0 || !pid_is_child(child->pid))
		return -ECHILD;
	pidfd = (int)syscall(__NR_pidfd_open, child->pid, 0);
	if (pidfd < 0)
		return errno == ESRCH ? -ECHILD : -errno;
	if (umh_file_identity(pidfd) == child->pidfd_identity)
		return pidfd;
	close(pidfd);
	return -ECHILD;
}

int umh_reopen_pidfd(struct umh_child *child)
{
	int pidfd;

	if (umh_pidfd_is_valid(child))
		return 0;
	pidfd = open_pidfd_again(child);
	if (pidfd < 0)
		return pidfd;
	child->pidfd = pidfd;
	return 1;
}

static int wait_and_decode(const struct umh_child *child, int options, int *status, struct rusage *used)
{
	siginfo_t info;
	long result;

	do {
		info.si_pid = 0;
		result = wait_by_waitid(child->pidfd, child->pid, &info, options, used);
	} while (result < 0 && errno == EINTR);
	if (result < 0 && errno != ECHILD)
		return -errno;
	if (result == 0 && (info.si_pid == 0 || info.si_code == CLD_STOPPED))
		return -EAGAIN;
	if (result == 0)
		*status = wait_status(&info);
	else
		*status = umh_pidfd_is_valid(child) ? status_of_reaped(child->pidfd) : UMH_STATUS_LOST;
	return 0;
}

int umh_poll(struct pollfd *fds, unsigned count, int timeout_ms)
{
	struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
	int result = poll(fds, count, timeout_ms);

	if (result < 0 && is_refused(errno))
		result = ppoll(fds, count, timeout_ms < 0 ? NULL : &timeout, NULL);
	return result;
}

/* A blocking wait continues with the same process, whatever happens to the number meanwhile. */
static int wait_by_valid_pidfd(const struct umh_child *child, int options, int *status, struct rusage *used)
{
	struct umh_child again = *child;
	int result = umh_reopen_pidfd(&again);

	if (result == -ECHILD && child->pid > 0) {
		*status = UMH_STATUS_LOST;
		return 0;
	}
	if (result == -ECHILD)
		return -EBADF;
	if (result < 0)
		again.pidfd = -1; /* no free descriptor, or refused: the pid is still the child's */
	result = wait_and_decode(&again, options, status, used);
	if (again.pidfd >= 0 && again.pidfd != child->pidfd)
		close(again.pidfd);
	return result;
}

int umh_wait(const struct umh_child *child, enum umh_blocking blocking, int *status, struct umh_usage *usage)
{
	struct rusage used = {0};
	int result = wait_by_valid_pidfd(child, WEXITED | (blocking ? 0 : WNOHANG), status, usage ? &used : NULL);

	if (result == 0 && usage)
		*usage = usage_of(&used);
	return result;
}

int umh_wait_or_stop(const struct umh_child *child, int *status)
{
	int result = wait_and_decode(child, WEXITED | WSTOPPED, status, NULL);

	return result == -EBADF ? wait_by_valid_pidfd(child, WEXITED | WSTOPPED, status, NULL) : result;
}

/* If a filter refuses the call, the process counts as a child. */
int umh_pidfd_is_child(int pidfd)
{
	siginfo_t info;

	if (syscall(__NR_waitid, P_PIDFD, pidfd, &info, WEXITED | WNOHANG | WNOWAIT, NULL) == 0)
		return 1;
	return (errno != ECHILD && errno != EBADF) ||
	       (syscall(__NR_pidfd_send_signal, pidfd, 0, NULL, 0) < 0 && errno == ESRCH);
}

int umh_pid_of_pidfd(int pidfd)
{
	struct pidfd_exit_info info = {.mask = 0};
	int pid = 0;

	if (umh_features() & UMH_FEATURE_PIDFD_INFO && ioctl(pidfd, PIDFD_GET_EXIT_INFO, &info) == 0)
		pid = (int)info.ids[1]; /* the process's id, which follows the thread's */
	if (pid <= 0)
		pid = (int)pid_in_fdinfo(pidfd);
	return pid > 0 ? pid : 0;
}

static int send_signal(const struct umh_child *child, int signal, unsigned flags)
{
	struct umh_child again = *child;
	int result = umh_reopen_pidfd(&again);

	if (result < 0)
		return result == -ECHILD ? -ESRCH : result;
	result = syscall(__NR_pidfd_send_signal, again.pidfd, signal, NULL, flags) < 0 ? -errno : 0;
	if (again.pidfd != child->pidfd)
		close(again.pidfd);
	return result;
}

int umh_signal(const struct umh_child *child, int signal)
{
	int result = send_signal(child, signal, 0);

	if (result == 0 || result == -ESRCH || child->pid <= 0 || (!is_refused(-result) && umh_pidfd_is_valid(child)))
		return result;
	if (!pid_is_child(child->pid))
		return -ESRCH;
	return kill(child->pid, signal) < 0 ? -errno : 0;
}

#define PIDFD_SIGNAL_PROCESS_GROUP 4 /* 6.9 */

int umh_signal_group(const struct umh_child *child, int signal)
{
	return send_signal(child, signal, PIDFD_SIGNAL_PROCESS_GROUP);
}

/* A launcher that is found frozen twice has failed. Only the tracer sees a traced stop, and SIGCONT does not end it. */
static int is_frozen_or_traced(struct umh_child *child)
{
	if (child->pid <= 0)
		return 0;
	child->frozen_checks = umh_process_is_frozen(child->pid) ? child->frozen_checks + 1 : 0;
	if (child->frozen_checks > 1) {
		umh_set_failure(&child->report, UMH_STAGE_CGROUP, EBUSY, 0);
		child->state = UMH_FAILED;
	}
	if (umh_process_is_traced(child->pid, &child->voluntary_switches) && ++child->stop_count > UMH_MAX_STOPS)
		umh_signal(child, SIGKILL);
	return child->frozen_checks;
}

/*
 * After a change of uid, processes of the new uid may stop the launcher. The thread that waits for the launch continues
 * it, and kills it after too many stops, so that a launch takes a bounded time. A process that has reported EXEC may be
 * the helper and is left alone. WNOWAIT leaves the stop for other waiters.
 *
 * A helper may stop itself with its first instruction. Then its end of the socket is closed already; therefore the
 * socket is checked after the stop was seen.
 */
int umh_continue_if_stopped(struct umh_child *child)
{
	struct pollfd launched = {.fd = child->socket};
	siginfo_t info = {.si_pid = 0};
	const int options = WSTOPPED | WNOHANG | WNOWAIT;
	long result;

	if (child->state > UMH_EXECUTING || child->pidfd < 0 || umh_now_ms() < child->next_check_ms)
		return 0;
	child->next_check_ms = umh_now_ms() + UMH_STOP_CHECK_MS;
	umh_reopen_pidfd(child);
	if (is_frozen_or_traced(child))
		return 0;
	result = wait_by_waitid(child->pidfd, child->pid, &info, options, NULL);
	if (result < 0 && !is_refused(errno))
		return -errno;
	if ((result == 0 && info.si_pid != child->pid) || child->socket < 0 || umh_poll(&launched, 1, 0) != 0)
		return 0;
	/*
	 * If a filter refuses waitid(2), SIGCONT is sent without a check; it does nothing to a process that is not
	 * stopped.
	 */
	child->stop_count += result == 0 && child->state == UMH_LAUNCHING;
	return umh_signal(child, child->stop_count > UMH_MAX_STOPS ? SIGKILL : SIGCONT);
}

void umh_kill_and_reap(pid_t pid)
{
	if (pid <= 0 || waitpid(pid, NULL, WNOHANG) != 0)
		return; /* there is no such child, or it has ended, or other code has reaped it */
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
