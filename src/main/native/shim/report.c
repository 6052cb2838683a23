/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - reads the launcher's reports from the plan socket, and the end of a launcher that has sent none. */

#include "shim/report.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file_identity.h"
#include "shim/features.h"

/* Each received descriptor is in the JVM's table by now: a single one is kept, several are closed. */
static void read_descriptors(struct umh_message *message, const struct cmsghdr *header)
{
	const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd;

	for (size_t i = 0; i < count; i++) {
		memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
		if (count == 1)
			message->fd = fd;
		else
			close(fd);
	}
}

static void read_control(struct umh_message *message, struct msghdr *received)
{
	struct ucred sender;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(received); header; header = CMSG_NXTHDR(received, header)) {
		if (header->cmsg_level != SOL_SOCKET)
			continue;
		if (header->cmsg_type == SCM_RIGHTS)
			read_descriptors(message, header);
		if (header->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&sender, CMSG_DATA(header), sizeof sender);
			message->sender_pid = sender.pid;
		}
	}
}

/*
 * Returns the size, 0 at the end of file, or a negative errno. There is room for everything that one message can carry;
 * with MSG_PEEK for the sender alone, so that no descriptor is received.
 */
static ssize_t receive(int socket, struct umh_message *message, int flags)
{
	char control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(UMH_SCM_MAX_FD * sizeof(int))]
		__attribute__((aligned(sizeof(struct cmsghdr))));
	struct iovec part = {&message->report, sizeof message->report};
	struct msghdr received;
	ssize_t size;

	*message = (struct umh_message){.sender_pid = 0, .fd = -1};
	do {
		received = (struct msghdr){
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = flags & MSG_PEEK ? CMSG_SPACE(sizeof(struct ucred)) : sizeof control,
		};
		size = recvmsg(socket, &received, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (size < 0 && errno == EINTR);
	if (size < 0)
		return -errno;
	read_control(message, &received);
	return size;
}

/* If a filter refuses waitid(2), the process counts as a child, as in umh_pidfd_is_child(). */
static int is_child(pid_t pid)
{
	siginfo_t info;

	return pid > 0 && (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD);
}

/*
 * A report is valid only if the launcher has sent it; other processes may hold the socket. A successor whose pidfd has
 * not arrived, or whose pid is unknown, is a child of this process.
 */
static int is_from(const struct umh_child *child, const struct umh_message *message)
{
	const int sender = message->sender_pid;

	if (sender > 0 && (sender == child->pid || sender == child->first_pid))
		return 1;
	if (!is_child(sender))
		return 0;
	return child->pid <= 0 || (child->successor_expected &&
				   (message->report.stage == UMH_STAGE_PID_NAMESPACE || child->state >= UMH_FAILED));
}

static int is_valid(const struct umh_message *message, ssize_t size)
{
	return size == (ssize_t)sizeof message->report && message->report.stage < UMH_STAGE_COUNT &&
	       message->report.error <= UMH_MAX_ERRNO;
}

/* The largest number of foreign messages to discard: the socket does not hold more. */
#define MAX_FOREIGN_MESSAGES 1000

static void discard(int socket, struct umh_message *message, int flags)
{
	if (flags & MSG_PEEK)
		receive(socket, message, 0);
	if (message->fd >= 0)
		close(message->fd);
}

/*
 * Discards all messages that are not reports of this launch. A report that could not be read is an error, not an end.
 */
static int next_report(const struct umh_child *child, struct umh_message *message, int flags)
{
	int failures = 0;

	for (int foreign = 0; foreign < MAX_FOREIGN_MESSAGES;) {
		const ssize_t size = receive(child->socket, message, flags);

		if (size == -EAGAIN || (size == 0 && message->sender_pid == 0))
			return 0;
		/*
		 * ECONNRESET is returned once, before the remaining messages: the other end was closed without having
		 * read the plan. And a filter that refused one call may allow the next.
		 */
		if (size < 0 && failures++ > 0)
			return size == -ECONNRESET ? 0 : (int)size;
		if (size < 0)
			continue;
		if (is_valid(message, size) && is_from(child, message))
			return 1;
		discard(child->socket, message, flags);
		foreign++;
	}
	return 0;
}

int umh_report_receive(const struct umh_child *child, struct umh_message *message)
{
	return next_report(child, message, 0);
}

int umh_report_peek(const struct umh_child *child, struct umh_report *report)
{
	struct umh_message message;
	const int result = next_report(child, &message, MSG_PEEK);

	*report = message.report;
	return result;
}

int umh_report_has_exec(const struct umh_child *child)
{
	struct umh_report report;

	return umh_report_peek(child, &report) > 0 && report.stage == UMH_STAGE_EXEC;
}

/* The exit code of a launcher that could not report: the JVM has ended. */
#define EXIT_UNREPORTED 127

/*
 * A launcher without a plan sends no report: its exit code is the errno. If a host randomizes addresses although
 * personality(2) has succeeded, the stack overlaps the launcher once in 8,192 launches.
 */
void umh_report_set_end(struct umh_report *report, int status)
{
	if (report->stage != UMH_STAGE_KILLED)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && WEXITSTATUS(status) < EXIT_UNREPORTED)
		umh_set_failure(report, UMH_STAGE_PLAN, WEXITSTATUS(status), 0);
	if (!WIFSIGNALED(status))
		return;
	report->detail = (uint32_t)WTERMSIG(status);
	if (WTERMSIG(status) == SIGSEGV)
		umh_disable_features(UMH_FEATURE_PERSONALITY);
}
