/* SPDX-License-Identifier: Apache-2.0 */
/* umh_wait.c - what is done to a process by its pidfd: waiting, reaping, signals; never to another process. */

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
#include <unistd.h>

#include "umh_report.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* What pidfs tells of a process (6.13), and of one that somebody else has reaped (6.15). */
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

/* What a filter says to a call that it does not let through; and the kernel, to one that it does not have. */
static int is_refused(int error)
{
	return error == EPERM || error == ENOSYS;
}

/* Of the options wait4(2) knows two. */
static long wait_four(int pid, siginfo_t *info, int options, struct rusage *used)
{
	int status;
	long result = syscall(__NR_wait4, pid, &status, options & (WNOHANG | WUNTRACED), used);

	if (result <= 0)
		return result;
	info->si_pid = pid;
	info->si_code = WIFSTOPPED(status) ? CLD_STOPPED : WIFEXITED(status) ? CLD_EXITED : WCOREDUMP(status) ? CLD_DUMPED : CLD_KILLED;
	info->si_status = WIFEXITED(status) ? WEXITSTATUS(status) : WIFSTOPPED(status) ? WSTOPSIG(status) : WTERMSIG(status);
	return 0;
}

/*
 * The system call, not libc's function: it has one more argument, for the usage. Where a filter refuses it the older ways
 * serve: a child that was not reaped keeps its pid, and whoever reaps it holds a lock or is the only one to know of it.
 */
static long wait_id(int pidfd, int pid, siginfo_t *info, int options, struct rusage *used)
{
	long result = syscall(__NR_waitid, P_PIDFD, pidfd, info, options, used);

	if (result == 0 || !is_refused(errno) || pid <= 0)
		return result;
	result = syscall(__NR_waitid, P_PID, pid, info, options, used);
	if (result == 0 || !is_refused(errno) || options & WNOWAIT)
		return result;
	return wait_four(pid, info, options, used);
}

static int wait_for(int pidfd, int pid, int options, int *status, struct rusage *used)
{
	siginfo_t info;
	long result;

	do {
		info.si_pid = 0;
		result = wait_id(pidfd, pid, &info, options, used);
	} while (result < 0 && errno == EINTR);
	if (result < 0 && errno != ECHILD)
		return -errno;
	if (result == 0 && (info.si_pid == 0 || info.si_code == CLD_STOPPED))
		return -EAGAIN;
	*status = result == 0 ? wait_status(&info) : status_of_reaped(pidfd);
	return 0;
}

int umh_wait(int pidfd, int pid, enum umh_blocking blocking, int *status, struct umh_usage *usage)
{
	struct rusage used = {0};
	int result = wait_for(pidfd, pid, WEXITED | (blocking ? 0 : WNOHANG), status, usage ? &used : NULL);

	if (result == 0 && usage)
		*usage = usage_of(&used);
	return result;
}

int umh_wait_or_stop(int pidfd, int pid, int *status)
{
	return wait_for(pidfd, pid, WEXITED | WSTOPPED, status, NULL);
}

/* A call that is refused says nothing against it. */
int umh_is_child(int pidfd)
{
	siginfo_t info;

	if (syscall(__NR_waitid, P_PIDFD, pidfd, &info, WEXITED | WNOHANG | WNOWAIT, NULL) == 0)
		return 1;
	return (errno != ECHILD && errno != EBADF) || umh_signal(pidfd, -1, 0) == -ESRCH;
}

/* "Pid:" of the descriptor's fdinfo; 0 without /proc. */
static int listed_pid(int pidfd)
{
	char path[32], text[256];
	const char *line;
	ssize_t size;
	int fd;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	size = read(fd, text, sizeof text - 1);
	close(fd);
	text[size < 0 ? 0 : size] = 0;
	line = strstr(text, "\nPid:");
	return line ? atoi(line + sizeof "\nPid:" - 1) : 0;
}

int umh_pid_of(int pidfd)
{
	struct pidfd_exit_info info = {.mask = 0};
	int pid = 0;

	if (umh_features() & UMH_FEATURE_PIDFD_INFO && ioctl(pidfd, PIDFD_GET_EXIT_INFO, &info) == 0)
		pid = (int)info.ids[1]; /* after the thread's own: the process's */
	if (pid <= 0)
		pid = listed_pid(pidfd);
	return pid > 0 ? pid : 0;
}

/* Whether the pid is still this child's: nobody has reaped it. Where nobody may ask, the caller knows. */
static int holds_pid(int pidfd, int pid)
{
	siginfo_t info;

	return wait_id(pidfd, pid, &info, WEXITED | WNOHANG | WNOWAIT, NULL) == 0 || is_refused(errno);
}

int umh_signal(int pidfd, int pid, int signal)
{
	if (syscall(__NR_pidfd_send_signal, pidfd, signal, NULL, 0) == 0)
		return 0;
	if (!is_refused(errno) || pid <= 0)
		return -errno;
	if (!holds_pid(pidfd, pid))
		return -ESRCH;
	return kill(pid, signal) < 0 ? -errno : 0;
}

#define PIDFD_SIGNAL_PROCESS_GROUP 4 /* 6.9 */

int umh_signal_group(int pidfd, int signal)
{
	return syscall(__NR_pidfd_send_signal, pidfd, signal, NULL, PIDFD_SIGNAL_PROCESS_GROUP) < 0 ? -errno : 0;
}

/*
 * A launcher that has become another user may be stopped by that user until it is the helper. The thread that waits for
 * the start lets it go on; one that is stopped again and again is killed, so that a start takes a bounded time. Not so one
 * that is about to be the helper: it may be the helper by now. WNOWAIT: the stop is left for others to see.
 *
 * A helper may stop itself with its first instruction, before anybody has asked for its outcome. Then its end of the socket
 * is closed already; so that is looked at when the stop was seen, and not before.
 */
int umh_look_after(struct umh_child *child)
{
	struct pollfd launched = {.fd = child->socket};
	siginfo_t info = {.si_pid = 0};
	const int options = WSTOPPED | WNOHANG | WNOWAIT;
	long result;

	if (child->state > UMH_ABOUT || child->pidfd < 0 || umh_now_ms() < child->look_ms)
		return 0;
	child->look_ms = umh_now_ms() + UMH_LOOK_MS;
	result = wait_id(child->pidfd, child->pid, &info, options, NULL);
	if (result < 0 && !is_refused(errno))
		return -errno;
	if ((result == 0 && info.si_pid == 0) || child->socket < 0 || poll(&launched, 1, 0) != 0)
		return 0;
	/* Where nobody may ask it is let go on unseen, which changes nothing for one that was not stopped. */
	child->stops += result == 0 && child->state == UMH_LAUNCHING;
	return umh_signal(child->pidfd, child->pid, child->stops > UMH_MOST_STOPS ? SIGKILL : SIGCONT);
}
