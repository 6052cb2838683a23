/* SPDX-License-Identifier: Apache-2.0 */
/* trigger.c - makes the kernel start a helper, in one of several ways. */

/*
 *	trigger modprobe	opens a socket of an unknown family: request_module("net-pf-39")
 *	trigger core		a child is killed by SIGSEGV: core_pattern
 *	trigger request_key	requests a key that does not exist: /sbin/request-key
 *	trigger bridge_stp	turns on the spanning tree of a bridge: /sbin/bridge-stp
 *	trigger bridge_end	turns it off, which starts the helper again
 *	trigger release_agent	the last process of a cgroup exits: release_agent
 *	trigger write FILE TEXT	prints the result of one write(2): a count, or a negative errno
 *	trigger blanks FILE N	the same for N blanks, which would not fit into an argument
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/keyctl.h>
#include <linux/sockios.h>

static long write_answer(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long written = fd < 0 ? -1 : write(fd, text, size);

	if (written < 0)
		written = -errno;
	if (fd >= 0)
		close(fd);
	return written;
}

/* 0 or an errno. */
static int write_text(const char *path, const char *text)
{
	long written = write_answer(path, text, strlen(text));

	return written < 0 ? (int)-written : 0;
}

static long blanks_answer(const char *path, size_t size)
{
	char *blanks = malloc(size);

	if (!blanks)
		return -ENOMEM;
	memset(blanks, ' ', size);
	return write_answer(path, blanks, size);
}

static int modprobe(void)
{
	socket(39, SOCK_DGRAM, 0);
	return 0;
}

/* The child is dumpable even after a change of identity. RLIMIT_CORE does not apply to a pipe. */
static int core(void)
{
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_DUMPABLE, 1);
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
		_exit(1);
	}
	return waitpid(child, 0, 0) == child ? 0 : errno;
}

/* The helper instantiates no key. Each name is new, since the kernel caches a refusal. */
static int request_key(void)
{
	char name[32];

	snprintf(name, sizeof name, "umh4j:%d", getpid());
	syscall(SYS_request_key, "user", name, "callout", KEY_SPEC_SESSION_KEYRING);
	return 0;
}

static int bridge_stp(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (ioctl(fd, SIOCBRADDBR, "umh4j0") < 0)
		return errno;
	return write_text("/sys/class/net/umh4j0/bridge/stp_state", "1");
}

/* A separate trigger, so that the first report can be read before. */
static int bridge_end(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	write_text("/sys/class/net/umh4j0/bridge/stp_state", "0");
	return ioctl(fd, SIOCBRDELBR, "umh4j0") < 0 ? errno : 0;
}

static int release_agent(void)
{
	pid_t child;
	int status;

	mkdir("/cg1/sub dir", 0755);
	write_text("/cg1/sub dir/notify_on_release", "1");
	child = fork();
	if (child == 0)
		_exit(write_text("/cg1/sub dir/cgroup.procs", "0"));
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static const struct {
	const char *name;
	int (*function)(void);
} triggers[] = {
	{"modprobe", modprobe},       {"core", core},
	{"request_key", request_key}, {"bridge_stp", bridge_stp},
	{"bridge_end", bridge_end},   {"release_agent", release_agent},
};

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "write"))
		return printf("%ld\n", write_answer(argv[2], argv[3], strlen(argv[3]))) < 0;
	if (argc == 4 && !strcmp(argv[1], "blanks"))
		return printf("%ld\n", blanks_answer(argv[2], strtoul(argv[3], 0, 10))) < 0;
	for (unsigned i = 0; argc == 2 && i < sizeof triggers / sizeof *triggers; i++)
		if (!strcmp(argv[1], triggers[i].name))
			return triggers[i].function();
	return 125;
}
