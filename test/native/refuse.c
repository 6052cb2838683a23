/* SPDX-License-Identifier: Apache-2.0 */
/* refuse.c - refuses one system call of a launcher: its first, its second, and so on. */

/*
 * 	refuse TID
 *
 * TID is the thread that starts helpers. A line of standard input, "WHO PLACE ERRNO", is for its next launch: call
 * number PLACE of the launcher, for WHO 0, or of the launcher's fork number WHO, is not made and returns ERRNO. It
 * prints "ready" after it has read the line; and after the launcher has executed the helper or has ended, the name of
 * that call, with its operation if the call has several, or "none" if there were fewer calls. A call like one of the
 * two before it does not count: there are 62 of rt_sigaction. Of the process only that thread is traced.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALL(name) [__NR_##name] = #name
/* clang-format off */
static const char *const names[] = {
	CALL(capget), CALL(capset), CALL(chdir), CALL(chroot), CALL(clone3), CALL(close), CALL(dup3), CALL(execve),
	CALL(exit_group), CALL(fchdir), CALL(fcntl), CALL(ftruncate), CALL(getcwd), CALL(geteuid), CALL(getppid),
	CALL(getresgid), CALL(getresuid), CALL(ioctl), CALL(ioprio_get), CALL(ioprio_set), CALL(keyctl),
	CALL(landlock_add_rule), CALL(landlock_create_ruleset), CALL(landlock_restrict_self), CALL(lseek),
	CALL(memfd_create), CALL(mmap), CALL(mount), CALL(newfstatat), CALL(openat), CALL(openat2), CALL(personality),
	CALL(pipe2), CALL(ppoll), CALL(prctl), CALL(pread64), CALL(prlimit64), CALL(read), CALL(recvmsg),
	CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(sched_setaffinity), CALL(sched_setattr), CALL(seccomp),
	CALL(sendmsg), CALL(set_mempolicy), CALL(setgroups), CALL(setns), CALL(setpgid), CALL(setpriority),
	CALL(setresgid), CALL(setresuid), CALL(setsid), CALL(umask), CALL(unshare), CALL(wait4), CALL(write),
};
/* clang-format on */

static const int of_thread = PTRACE_O_TRACEVFORK;
static const int of_launcher = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK;

/* The launcher and its forks, with those that have ended since the line was read. */
static struct {
	pid_t pid;
	int gone;
	int met;      /* it has stopped once */
	int executed; /* it is the launcher */
	int refused;  /* the call that it is in */
	char last[2][64];
} children[8];

static pid_t thread;
static long who, place, error; /* the request */
static long calls;             /* the number of calls so far */
static int asked;              /* there is a request without a result */
static char call[64];

static int index_of(pid_t pid)
{
	for (int i = 0; i < 8; i++)
		if (children[i].pid == pid)
			return i;
	return -1;
}

static void say(const char *what)
{
	printf("%s\n", what);
	fflush(stdout);
}

/* The name of the file at this address of the process, without its directories. */
static const char *file_name(pid_t pid, unsigned long long address, char path[64])
{
	const struct iovec here = {path, 63}, there = {(void *)(uintptr_t)address, 63};
	const ssize_t size = process_vm_readv(pid, &here, 1, &there, 1, 0);
	char *slash;

	path[size < 0 ? 0 : size] = 0;
	slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* prctl(2) has many operations, and one of these several. Descriptors differ by their numbers, reads by their sizes. */
static void describe(char text[64], pid_t pid, const struct __ptrace_syscall_info *info)
{
	char path[64];
	const unsigned long long number = info->entry.nr, *arguments = (const void *)info->entry.args;
	const char *name = number < sizeof names / sizeof *names && names[number] ? names[number] : "another";

	if (number == __NR_openat)
		snprintf(text, 64, "%s %.32s", name, file_name(pid, arguments[1], path));
	else if (number == __NR_read)
		snprintf(text, 64, "%s %llu", name, arguments[2]);
	else if (number == __NR_prctl && arguments[0] == PR_CAP_AMBIENT)
		snprintf(text, 64, "%s %llu %llu", name, arguments[0], arguments[1]);
	else if (number == __NR_prctl || number == __NR_close || number == __NR_fcntl)
		snprintf(text, 64, "%s %llu", name, arguments[0]);
	else
		snprintf(text, 64, "%s", name);
}

static int is_like_last(int i, const char text[64])
{
	if (strcmp(text, children[i].last[0]) == 0 || strcmp(text, children[i].last[1]) == 0)
		return 1;
	memcpy(children[i].last[0], children[i].last[1], 64);
	memcpy(children[i].last[1], text, 64);
	return 0;
}

static void enter_call(int i, const struct __ptrace_syscall_info *info)
{
	struct user_regs_struct registers;
	char text[64] = "";

	describe(text, children[i].pid, info);
	if (i != who || is_like_last(i, text) || ++calls != place)
		return;
	memcpy(call, text, sizeof call);
	ptrace(PTRACE_GETREGS, children[i].pid, 0, &registers);
	registers.orig_rax = (unsigned long long)-1;
	ptrace(PTRACE_SETREGS, children[i].pid, 0, &registers);
	children[i].refused = 1;
}

static void leave_call(int i)
{
	struct user_regs_struct registers;

	if (!children[i].refused)
		return;
	children[i].refused = 0;
	ptrace(PTRACE_GETREGS, children[i].pid, 0, &registers);
	registers.rax = (unsigned long long)-error;
	ptrace(PTRACE_SETREGS, children[i].pid, 0, &registers);
}

static void stopped_at_call(int i)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, children[i].pid, sizeof info, &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		enter_call(i, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		leave_call(i);
}

/* A child of the thread has not executed the launcher yet. While the launcher runs, a new process is its fork. */
static int welcome(pid_t pid)
{
	const int i = index_of(0);
	int executed = 0;

	for (int other = 0; other < 8; other++)
		executed |= children[other].pid && children[other].executed;
	children[i].pid = pid;
	children[i].executed = executed;
	return i;
}

/* A fork of the launcher may stop, and end, before its parent's event; and its parent may end before it stops. */
static void born(pid_t parent)
{
	unsigned long pid = 0;

	ptrace(PTRACE_GETEVENTMSG, parent, 0, &pid);
	if (pid && index_of((pid_t)pid) < 0)
		welcome((pid_t)pid);
}

/* It has executed the helper, or has ended. */
static void forget(int i)
{
	children[i].gone = 1;
	for (int other = 0; other < 8; other++)
		if (children[other].pid && !children[other].gone)
			return;
	if (asked)
		say(call);
	asked = 0;
}

static int is_birth(int event)
{
	return event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK;
}

static void stopped(pid_t pid, int status)
{
	const int signal = WSTOPSIG(status), event = status >> 16;
	int i = index_of(pid);

	if (pid == thread) {
		ptrace(PTRACE_CONT, pid, 0, event ? 0 : signal);
		return;
	}
	if (is_birth(event))
		born(pid);
	i = i < 0 ? welcome(pid) : i;
	if (!children[i].met)
		ptrace(PTRACE_SETOPTIONS, pid, 0, of_launcher);
	children[i].met = 1;
	if (event == PTRACE_EVENT_EXEC && children[i].executed) {
		ptrace(PTRACE_DETACH, pid, 0, 0);
		forget(i);
		return;
	}
	if (event == PTRACE_EVENT_EXEC)
		children[i].executed = 1;
	if (signal == (SIGTRAP | 0x80))
		stopped_at_call(i);
	ptrace(children[i].executed ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0,
	       event || signal == (SIGTRAP | 0x80) ? 0 : signal);
}

static void follow(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		if (WIFSTOPPED(status))
			stopped(pid, status);
		else if (pid != thread && index_of(pid) >= 0)
			forget(index_of(pid));
	}
}

int main(int argc, char **argv)
{
	struct pollfd input = {.events = POLLIN};
	char line[64];

	thread = argc == 2 ? atoi(argv[1]) : 0;
	if (thread == 0 || ptrace(PTRACE_SEIZE, thread, 0, of_thread) < 0)
		return 1;
	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		follow();
		if (poll(&input, 1, 1) <= 0)
			continue;
		if (!fgets(line, sizeof line, stdin) || sscanf(line, "%ld %ld %ld", &who, &place, &error) != 3)
			return 0;
		snprintf(call, sizeof call, "none");
		memset(children, 0, sizeof children);
		calls = 0;
		asked = 1;
		say("ready");
	}
}
