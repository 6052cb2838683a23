/* SPDX-License-Identifier: Apache-2.0 */
/* attacker.c - a process that tries to get at a JVM by way of the helpers that are becoming its own user. */

/*
 *	attacker PID ADDRESS SECONDS
 *
 * PID is the JVM, ADDRESS something that is mapped in the JVM and in no helper: whoever can read there reads the JVM's
 * memory, through whichever process. It ends at SIGTERM, after SECONDS, or with its parent, and says on standard output
 * how often each thing was tried, how often it was allowed, and how often that reached the JVM.
 *
 * A process has a handful of system calls as another user before it is what it shall be; so those that will be born next
 * are asked for by their numbers, again and again, and only those that were met are dealt with further.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a launcher calls itself. */
#define LAUNCHER "umh4j-launcher"

/* How many of the next process numbers are asked for at once. */
#define AHEAD 12

enum way { STOP, MEM, READV, SEIZE, ATTACH, WAYS };

static const char *const names[WAYS] = {"stop", "mem", "readv", "seize", "attach"};

static struct {
	unsigned long tried, allowed, reached;
} counts[WAYS];

/* How many launchers were met. */
static unsigned long launchers;

static pid_t jvm;
static uintptr_t address;
static volatile sig_atomic_t over;

static void end(int signal)
{
	(void)signal;
	over = 1;
}

static int count(enum way way, int allowed, int reached)
{
	counts[way].tried++;
	counts[way].allowed += allowed != 0;
	counts[way].reached += reached != 0;
	return allowed;
}

static int try_stop(pid_t pid)
{
	const int allowed = kill(pid, SIGSTOP) == 0;

	return count(STOP, allowed, allowed && pid == jvm);
}

static void try_mem(pid_t pid)
{
	char path[32], byte;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	count(MEM, fd >= 0, fd >= 0 && (pid == jvm || pread(fd, &byte, 1, (off_t)address) == 1));
	if (fd >= 0)
		close(fd);
}

static void try_readv(pid_t pid)
{
	char byte;
	const struct iovec here = {&byte, 1}, there = {(void *)address, 1};
	const ssize_t size = process_vm_readv(pid, &here, 1, &there, 1, 0);

	/* A process that may be read, and has nothing there, answers EFAULT. */
	count(READV, size == 1 || errno == EFAULT, size == 1);
}

/* The tracee's stop, or its end, which comes first; neither has to come soon. */
static int is_stopped(pid_t pid)
{
	int status;

	for (int attempt = 0; attempt < 1000 && !over; attempt++) {
		const pid_t result = waitpid(pid, &status, __WALL | WNOHANG);

		if (result != 0)
			return result == pid && WIFSTOPPED(status);
		sched_yield();
	}
	return 0;
}

/* A tracee that was got is looked into, and let go. */
static void try_trace(pid_t pid, enum way way)
{
	const int allowed = ptrace(way == SEIZE ? PTRACE_SEIZE : PTRACE_ATTACH, pid, 0, 0) == 0;
	int reached = allowed && pid == jvm;

	if (allowed) {
		if (way == SEIZE)
			ptrace(PTRACE_INTERRUPT, pid, 0, 0);
		if (is_stopped(pid)) {
			errno = 0;
			ptrace(PTRACE_PEEKDATA, pid, (void *)address, 0);
			reached |= errno == 0;
			ptrace(PTRACE_DETACH, pid, 0, 0);
		}
	}
	count(way, allowed, reached);
}

static void try_all(pid_t pid)
{
	try_mem(pid);
	try_readv(pid);
	try_trace(pid, SEIZE);
	try_trace(pid, ATTACH);
	try_stop(pid);
}

/* Tracees that stopped or ended too late for is_stopped(): without this their parent would not see their end. */
static void let_go(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0)
		if (WIFSTOPPED(status))
			ptrace(PTRACE_DETACH, pid, 0, 0);
}

/* A launcher that is our user already and is not the helper yet. */
static int is_launcher(pid_t pid)
{
	char path[32], name[16] = "";
	int fd;

	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, name, sizeof name - 1) < 0)
		name[0] = 0;
	close(fd);
	return strncmp(name, LAUNCHER, strlen(LAUNCHER)) == 0;
}

/* Who may be stopped is ours to look at. */
static void try_range(pid_t pid, pid_t end)
{
	for (pid = pid > 1 ? pid : 2; pid < end && !over; pid++)
		if (pid != getpid() && try_stop(pid)) {
			launchers += is_launcher(pid);
			try_all(pid);
		}
}

/* The last field of /proc/loadavg: the newest process's number. */
static pid_t newest(int loadavg)
{
	char text[64];
	ssize_t size = pread(loadavg, text, sizeof text - 1, 0);

	if (size <= 0)
		return jvm;
	text[size] = 0;
	while (size > 0 && text[size - 1] != ' ')
		size--;
	return atoi(text + size);
}

static void say(void)
{
	for (int way = 0; way < WAYS; way++)
		printf("%s tried %lu allowed %lu reached %lu\n", names[way], counts[way].tried, counts[way].allowed,
		       counts[way].reached);
	printf("launchers %lu\n", launchers);
}

int main(int argc, char **argv)
{
	const int loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);

	if (argc != 4 || loadavg < 0)
		return 2;
	jvm = atoi(argv[1]);
	address = strtoul(argv[2], NULL, 16);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = end}, NULL); /* interrupts what blocks */
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = end}, NULL);
	alarm((unsigned)atoi(argv[3]));
	for (unsigned round = 0; !over; round++) {
		const pid_t next = newest(loadavg);

		try_range(next - AHEAD / 2, next + AHEAD / 2);
		let_go();
		if (round % 16 == 0)
			try_all(jvm);
		if (round % 1024 == 0) /* its threads, and whatever was there before */
			try_range(2, next);
	}
	say();
	return 0;
}
