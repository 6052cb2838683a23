/* SPDX-License-Identifier: Apache-2.0 */
/* attacker.c - tries to reach a JVM through launchers that change to its own uid. */

/*
 * 	attacker PID ADDRESS SECONDS
 *
 * PID is the JVM, ADDRESS is mapped in the JVM and in no helper: a process that can read there, through any other
 * process, reads the JVM's memory. It ends at SIGTERM, after SECONDS, or with its parent, and prints how often each way
 * was tried, how often it was allowed, and how often it reached the JVM.
 *
 * Between the change of uid and its execve a launcher makes only a few system calls. So the next pids are tried again
 * and again, and only processes that exist are examined further.
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

/* The launcher's name. */
#define LAUNCHER "umh4j-launcher"

/* The number of pids that are tried at once. */
#define AHEAD 12

enum way { STOP, MEM, READV, SEIZE, ATTACH, WAYS };

static const char *const names[WAYS] = {"stop", "mem", "readv", "seize", "attach"};

static struct {
	unsigned long tried, allowed, reached;
} counts[WAYS];

/* The number of launchers found. */
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

	/* A readable process without memory at the address returns EFAULT. */
	count(READV, size == 1 || errno == EFAULT, size == 1);
}

/* The stop or the end of the tracee; either may take a while. */
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

/* Examines a tracee and detaches from it. */
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

/* Tracees that stopped or ended after is_stopped(): otherwise their parents would not see their end. */
static void let_go(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0)
		if (WIFSTOPPED(status))
			ptrace(PTRACE_DETACH, pid, 0, 0);
}

/* A launcher that has our uid already and has not executed the helper. */
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

/* A process that may be stopped may be examined. */
static void try_range(pid_t pid, pid_t end)
{
	for (pid = pid > 1 ? pid : 2; pid < end && !over; pid++)
		if (pid != getpid() && try_stop(pid)) {
			launchers += is_launcher(pid);
			try_all(pid);
		}
}

/* The last field of /proc/loadavg: the newest pid. */
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
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = end}, NULL); /* interrupts blocking calls */
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = end}, NULL);
	alarm((unsigned)atoi(argv[3]));
	for (unsigned round = 0; !over; round++) {
		const pid_t next = newest(loadavg);

		try_range(next - AHEAD / 2, next + AHEAD / 2);
		let_go();
		if (round % 16 == 0)
			try_all(jvm);
		if (round % 1024 == 0) /* its threads, and older processes */
			try_range(2, next);
	}
	say();
	return 0;
}
