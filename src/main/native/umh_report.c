/* SPDX-License-Identifier: Apache-2.0 */
/* umh_report.c - what is said of a launch: on the plan socket, up, and by the ends of its processes. */

#include "umh_report.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "umh_clone.h"

#define LARGEST_ERRNO 4095

/*
 * One word, with the descriptor that may come along: 1, or 0 when there is none. What is no word of a launcher counts as
 * silence, and a descriptor that came with it is closed. A word that could not be read is no silence.
 */
static int next_word(int socket, struct umh_report *word, int *fd)
{
	struct {
		struct cmsghdr header;
		int fd;
	} control;
	struct iovec part = {word, sizeof *word};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
	ssize_t size;

	for (int attempt = 0; attempt < 2; attempt++) {
		do {
			message.msg_controllen = sizeof control;
			size = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		} while (size < 0 && errno == EINTR);
		/*
		 * ECONNRESET is said once, before what is still to be read: the other end was closed without having read
		 * the plan. And what is refused once may be granted now.
		 */
		if (size >= 0 || errno == EAGAIN)
			break;
	}
	*fd = -1;
	if (size < 0)
		return errno == EAGAIN || errno == ECONNRESET ? 0 : -errno;
	if (message.msg_controllen >= CMSG_LEN(sizeof *fd))
		*fd = control.fd;
	if (size == (ssize_t)sizeof *word && word->stage < UMH_STAGE_COUNT && word->error <= LARGEST_ERRNO)
		return 1;
	if (*fd >= 0)
		close(*fd);
	return 0;
}

void umh_end_stray(pid_t pid)
{
	if (pid <= 0 || waitpid(pid, NULL, WNOHANG) != 0)
		return; /* no process at all, or it has ended, or was reaped by somebody else */
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int umh_end_of(const struct umh_child *child)
{
	int status = UMH_STATUS_LOST;

	if (umh_wait(child->pidfd, child->pid, UMH_BLOCK, &status, NULL) < 0)
		umh_end_stray((pid_t)child->pid);
	return status;
}

/* The process that went on in another's place is ours to wait for; the other one has ended. */
static void succeed(struct umh_child *child, int pid, int pidfd)
{
	if (child->pidfd >= 0) {
		umh_end_of(child);
		close(child->pidfd);
	}
	child->pid = pid;
	child->pidfd = pidfd;
}

const struct umh_report umh_nothing_said = {.stage = UMH_STAGE_DIED, .error = EINTR};

/* How long is waited for what its maker has left behind and what is about to end. */
#define LEFT_BEHIND_MS 1000

/* Whether there is something to read, or an end, within LEFT_BEHIND_MS since the last interruption. */
static int comes(int fd)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};
	int result;

	do
		result = poll(&one, 1, LEFT_BEHIND_MS);
	while (result < 0 && errno == EINTR);
	return result > 0;
}

/* Ends a process that nobody will know of, and closes its pidfd. Anybody's pidfd can be sent: only ours is killed. */
static void end_by(int pidfd)
{
	int status;

	if (umh_is_child(pidfd)) {
		umh_signal(pidfd, -1, SIGKILL);
		comes(pidfd);
		umh_wait(pidfd, -1, UMH_NONBLOCK, &status, NULL);
	}
	close(pidfd);
}

void umh_end_successor(const struct umh_child *child)
{
	struct umh_report word;
	int fd;

	while (comes(child->socket) && next_word(child->socket, &word, &fd) > 0) {
		if (fd >= 0)
			end_by(fd);
		else if (word.stage == UMH_STAGE_SUCCESSION && word.pid)
			umh_end_stray((pid_t)word.pid);
	}
}

int umh_report_read(struct umh_child *child, struct umh_report *report)
{
	struct umh_report word;
	int result;
	int fd;

	while ((result = next_word(child->socket, &word, &fd)) > 0) {
		if (word.stage == UMH_STAGE_SUCCESSION && word.error == 0 && fd >= 0 && umh_is_child(fd)) {
			succeed(child, (int)word.pid, fd);
			return UMH_UNDECIDED;
		}
		if (fd >= 0) {
			end_by(fd);
			continue;
		}
		*report = word;
		if (word.stage == UMH_STAGE_SUCCESSION && word.pid) {
			umh_end_stray((pid_t)word.pid);
			report->error = word.error ? word.error : EMFILE;
			return -(int)report->error; /* what it has said since is not the helper's */
		}
	}
	if (result < 0)
		return umh_failed(report, UMH_STAGE_WAIT, -result, 0);
	if (report->stage == UMH_STAGE_EXEC && report->error == 0)
		return 0;
	return -(int)(report->error ? report->error : EINTR);
}

/* A host that said it places nothing at random and does so has put the launcher's stack over it, once in 8,192 times. */
void umh_report_end(struct umh_report *report, int status)
{
	if (report->stage != UMH_STAGE_DIED || !WIFSIGNALED(status))
		return;
	report->detail = (uint32_t)WTERMSIG(status);
	if (WTERMSIG(status) == SIGSEGV)
		umh_do_without(UMH_FEATURE_PERSONALITY);
}

int umh_report_has_arrived(int socket)
{
	struct umh_report word;

	return recv(socket, &word, sizeof word, MSG_PEEK | MSG_DONTWAIT) == (ssize_t)sizeof word && word.stage == UMH_STAGE_EXEC;
}
