/* SPDX-License-Identifier: Apache-2.0 */
/* trigger.c - does what makes the kernel start a helper, one way each. */

/*
 *	trigger modprobe	a socket of a family that nobody has: request_module("net-pf-39")
 *	trigger core		dies of SIGSEGV: core_pattern
 *	trigger request_key	asks for a key that does not exist: /sbin/request-key
 *	trigger bridge_stp	turns on the spanning tree of a bridge: /sbin/bridge-stp
 *	trigger release_agent	leaves the last process of a cgroup: release_agent
 *	trigger bridge_end	turns it off, which starts the helper once more
 *	trigger write FILE TEXT	prints what one write(2) answers: a count, or an errno below 0
 *	trigger blanks FILE N	the same for so many blanks, which would not fit an argument
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

/* Dumpable also after a change of identity, and whatever the limit: a pipe has none. */
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

/* The helper instantiates nothing, so there is no key in the end; a name of its own each time, or the refusal is cached. */
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

	if (ioctl(fd, SIOCBRADDBR, "truth") < 0)
		return errno;
	return write_text("/sys/class/net/truth/bridge/stp_state", "1");
}

/* Apart, so that the first report can be taken before. */
static int bridge_end(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	write_text("/sys/class/net/truth/bridge/stp_state", "0");
	return ioctl(fd, SIOCBRDELBR, "truth") < 0 ? errno : 0;
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
	{"modprobe", modprobe},
	{"core", core},
	{"request_key", request_key},
	{"bridge_stp", bridge_stp},
	{"bridge_end", bridge_end},
	{"release_agent", release_agent},
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
