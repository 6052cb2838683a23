/* SPDX-License-Identifier: Apache-2.0 */
/* umh_report.c - what is said of a launch: on the plan socket, up, and by the ends of its processes. */

#include "umh_report.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "umh_clone.h"

#define LARGEST_ERRNO 4095

/*
 * What is no word of a launcher counts as
 * silence, and a descriptor that came with it is closed. A word that could not be read is no silence.
 */
int umh_report_next(int socket, struct umh_report *word, int *fd)
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

/* A host that said it places nothing at random and does so has put the launcher's stack over it, once in 8,192 times. */
void umh_report_end(struct umh_report *report, int status)
{
	if (report->stage != UMH_STAGE_DIED || !WIFSIGNALED(status))
		return;
	report->detail = (uint32_t)WTERMSIG(status);
	if (WTERMSIG(status) == SIGSEGV)
		umh_do_without(UMH_FEATURE_PERSONALITY);
}

int umh_report_peek(int socket, struct umh_report *word)
{
	struct iovec part = {word, sizeof *word};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t size = -1;

	/* Again as above. A descriptor that would come along is not received without room for it. */
	for (int attempt = 0; attempt < 2 && size < 0; attempt++) {
		do
			size = recvmsg(socket, &message, MSG_PEEK | MSG_DONTWAIT);
		while (size < 0 && errno == EINTR);
		if (size < 0 && errno == EAGAIN)
			return 0;
	}
	if (size < 0)
		return errno == ECONNRESET ? 0 : -errno;
	return size == (ssize_t)sizeof *word;
}

int umh_report_has_arrived(int socket)
{
	struct umh_report word;

	return umh_report_peek(socket, &word) > 0 && word.stage == UMH_STAGE_EXEC;
}
