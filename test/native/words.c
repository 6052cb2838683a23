/* SPDX-License-Identifier: Apache-2.0 */
/* words.c - sends reports on a plan socket that are not the launcher's, and checks how the shim handles them. */

/*
 * Built with the shim's sources. Each case has a socketpair, a child in the launcher's place, and a process that sends:
 * its messages must be ignored, no process may be harmed, no descriptor may be left. Prints "ok" for each case.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/umh.h"
#include "common/file_identity.h"
#include "shim/report.h"
#include "shim/socket.h"

#define MOST 253

static pid_t victim; /* a child that the shim must not end */

static pid_t sleeper(void)
{
	pid_t pid = fork();

	while (pid == 0)
		pause();
	return pid;
}

static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static void say(int socket, const struct umh_report *word, const int *fds, unsigned count)
{
	char control[CMSG_SPACE(MOST * sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec part = {(void *)word, sizeof *word};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (count > 0) {
		struct cmsghdr *header = (void *)control;

		*header = (struct cmsghdr){CMSG_LEN(count * sizeof *fds), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(header), fds, count * sizeof *fds);
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
	}
	if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
		abort();
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static int is_alive(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

/* As the launcher itself (child->pid is the sender's), or as another process. */
struct words {
	const char *name;
	int by_launcher;
	unsigned stage, error, detail;
	int names_victim; /* by its pid in the report */
	unsigned fds;     /* the number of the victim's pidfds that are sent */
	unsigned wanted_stage;
};

static const struct words cases[] = {
	{"a stranger reports EXEC", 0, UMH_STAGE_EXEC, 0, 0, 0, 0, UMH_STAGE_KILLED},
	{"a stranger reports a failure", 0, UMH_STAGE_UID, EPERM, 0, 0, 0, UMH_STAGE_KILLED},
	{"a stranger names a successor", 0, UMH_STAGE_PID_NAMESPACE, 0, 0, 1, 0, UMH_STAGE_PID_NAMESPACE},
	{"a stranger sends a successor", 0, UMH_STAGE_PID_NAMESPACE, 0, 0, 1, 1, UMH_STAGE_KILLED},
	{"a stranger reports a failed succession", 0, UMH_STAGE_PID_NAMESPACE, EPIPE, 1, 1, 1, UMH_STAGE_KILLED},
	{"a stranger sends many", 0, UMH_STAGE_EXEC, 0, 0, 0, MOST, UMH_STAGE_KILLED},
	{"the launcher names one by its number", 1, UMH_STAGE_PID_NAMESPACE, EPERM, 0, 1, 0, UMH_STAGE_PID_NAMESPACE},
	{"the launcher sends two", 1, UMH_STAGE_PID_NAMESPACE, EPERM, 0, 1, 2, UMH_STAGE_PID_NAMESPACE},
	{"the launcher sends many", 1, UMH_STAGE_UID, EPERM, 0, 0, MOST, UMH_STAGE_UID},
};

static pid_t speak(const struct umh_socketpair *pair, const struct words *words)
{
	const struct umh_report word = {.stage = words->stage,
					.error = words->error,
					.detail = words->detail,
					.seconds = words->names_victim ? (uint32_t)victim : 0};
	pid_t pid = fork();
	int fds[MOST];

	if (pid != 0)
		return pid;
	for (int i = 0; i < MOST; i++)
		fds[i] = pidfd_of(victim);
	for (int times = 0; times < 2; times++)
		say(pair->child_end, &word, fds, words->fds);
	_exit(0);
}

static void try(const struct words *words)
{
	const unsigned before = open_descriptors();
	struct umh_child child = {
		.pidfd = -1, .successor_expected = 1, .report = {.stage = UMH_STAGE_KILLED, .error = EINTR}};
	struct umh_report report;
	struct umh_socketpair pair;
	pid_t speaker;

	if (umh_socket_create(&pair) < 0)
		abort();
	speaker = speak(&pair, words);
	waitid(P_PID, (id_t)speaker, &(siginfo_t){0}, WEXITED | WNOWAIT);
	close(pair.child_end);
	child.socket = pair.parent_end;
	child.socket_identity = umh_file_identity(pair.parent_end);
	child.first_pid = child.pid = words->by_launcher ? speaker : sleeper();
	umh_wait_exec(&child, UMH_BLOCK, &report);
	if (!words->by_launcher)
		kill(child.first_pid, SIGKILL);
	while (waitpid(child.first_pid, NULL, 0) > 0 || waitpid(speaker, NULL, 0) > 0)
		;
	umh_release(&child);
	printf("%s: %s\n", words->name,
	       !is_alive(victim)                     ? "the victim ended"
	       : open_descriptors() != before        ? "a descriptor is left"
	       : report.stage != words->wanted_stage ? "it was heard"
						     : "ok");
}

int main(void)
{
	victim = sleeper();
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		try(&cases[i]);
	kill(victim, SIGKILL);
	return 0;
}
