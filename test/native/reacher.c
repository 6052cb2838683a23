/* SPDX-License-Identifier: Apache-2.0 */
/* reacher.c - a process that tries to reach the launchers of one JVM by every way that the kernel has. */

/*
 *	reacher reach PARENT [too]		tries each launcher whose ancestor is PARENT; 0: each one that it sees
 *	reacher swap OLD NEW			exchanges two directories
 *	reacher own CGROUP PID LINK OTHER...	freezes, kills and moves the processes of a cgroup that it owns, tries
 *	to
 *						move PID there, and has a link to it and to the others in turn
 *	reacher where				prints the file `mark` of its working directory and, if it may, that of
 *						descriptor 5
 *
 * The first three end at the end of standard input. The first prints `seen` at the first launcher, with `too` at the
 * first one whose limits it has set, and a line at the end for each way: name, tries, successes. `too` adds signals and
 * limits. A launcher loses its name with its execve(2): a success counts only if the process has that name after it.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAUNCHER    "umh4j-launcher"
#define AHEAD       10
#define ANCESTORS   4
#define DESCRIPTORS 16

enum way { EXE, MEM, ROOT, CWD, MAPS, ENVIRON, FD, GETFD, PTRACE, READV, WRITEV, LIST, PRLIMIT, SIGNAL, WAYS };

static const char *const names[WAYS] = {"exe",   "mem",    "root",  "cwd",    "maps", "environ", "fd",
					"getfd", "ptrace", "readv", "writev", "list", "prlimit", "signal"};

static unsigned long tried[WAYS], reached[WAYS], launchers;
static pid_t parent, last;

/* The name and the parent of a process; 0 if there is none. */
static int read_stat(pid_t pid, char name[64], pid_t *ppid)
{
	char path[32], text[256];
	char *begin, *end;
	int fd;
	ssize_t size;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	size = read(fd, text, sizeof text - 1);
	close(fd);
	if (size <= 0)
		return 0;
	text[size] = 0;
	begin = strchr(text, '(');
	end = strrchr(text, ')');
	if (!begin || !end || end - begin > 32)
		return 0;
	*end = 0;
	strcpy(name, begin + 1);
	*ppid = atoi(end + 3); /* behind a space, the state and a space */
	return 1;
}

/* Only launchers of our JVM: other JVMs on this host start helpers, too. */
static int is_launcher(pid_t pid)
{
	char name[64];
	pid_t ppid;

	if (!read_stat(pid, name, &ppid) || strcmp(name, LAUNCHER) != 0)
		return 0;
	for (int i = 0; i < ANCESTORS && parent && ppid != parent; i++)
		if (!read_stat(ppid, name, &ppid))
			return 0;
	return !parent || ppid == parent;
}

static void count(pid_t pid, enum way way, int success)
{
	tried[way]++;
	reached[way] += success && is_launcher(pid);
}

static void try_path(pid_t pid, enum way way, const char *name, int flags)
{
	char path[300];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	count(pid, way, fd >= 0);
	if (fd >= 0)
		close(fd);
}

/* The directory lists the numbers; the links lead to the launcher's files. */
static void try_descriptors(pid_t pid)
{
	char path[64], target[256];
	DIR *directory;

	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	directory = opendir(path);
	count(pid, LIST, directory && readdir(directory));
	if (directory)
		closedir(directory);
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
		count(pid, FD, readlink(path, target, sizeof target) > 0);
		snprintf(path, sizeof path, "fd/%d", fd);
		try_path(pid, FD, path, O_RDONLY);
	}
}

static void try_getfd(pid_t pid)
{
	const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	for (int fd = 0; fd < DESCRIPTORS && pidfd >= 0; fd++) {
		const int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

		count(pid, GETFD, copy >= 0 || errno == EBADF); /* EBADF: access was granted, but nothing was there */
		if (copy >= 0)
			close(copy);
	}
	if (pidfd >= 0)
		close(pidfd);
}

static void try_ptrace(pid_t pid)
{
	const int success = ptrace(PTRACE_SEIZE, pid, 0, 0) == 0;
	int status;

	count(pid, PTRACE, success);
	if (!success)
		return;
	ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	if (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
		ptrace(PTRACE_DETACH, pid, 0, 0);
}

/* Nothing is mapped at 0: with access the result is EFAULT. */
static void try_memory(pid_t pid)
{
	char byte = 0;
	const struct iovec here = {&byte, 1}, there = {NULL, 1};

	count(pid, READV, process_vm_readv(pid, &here, 1, &there, 1, 0) == 1 || errno == EFAULT);
	count(pid, WRITEV, process_vm_writev(pid, &here, 1, &there, 1, 0) == 1 || errno == EFAULT);
}

static void try_all(pid_t pid, int too)
{
	const struct rlimit limit = {4096, 4096};

	try_path(pid, EXE, "exe", O_RDONLY);
	try_path(pid, MEM, "mem", O_RDWR);
	try_path(pid, ROOT, "root", O_RDONLY | O_DIRECTORY);
	try_path(pid, CWD, "cwd", O_RDONLY | O_DIRECTORY);
	try_path(pid, MAPS, "maps", O_RDONLY);
	try_path(pid, ENVIRON, "environ", O_RDONLY);
	try_getfd(pid);
	try_ptrace(pid);
	try_memory(pid);
	try_descriptors(pid);
	if (!too)
		return;
	count(pid, SIGNAL, kill(pid, SIGCONT) == 0);
	count(pid, PRLIMIT, prlimit(pid, RLIMIT_MSGQUEUE, &limit, NULL) == 0);
}

/* The last field of /proc/loadavg: the newest pid. */
static pid_t newest(int loadavg)
{
	char text[64];
	const ssize_t size = pread(loadavg, text, sizeof text - 1, 0);

	if (size <= 0)
		return 0;
	text[size] = 0;
	return atoi(strrchr(text, ' ') + 1);
}

static int is_over(void)
{
	struct pollfd in = {.fd = 0, .events = POLLIN};

	return poll(&in, 1, 0) != 0;
}

static void reach(int too)
{
	const int loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	int said = 0;

	while (!is_over()) {
		const pid_t next = newest(loadavg);

		for (pid_t pid = next > AHEAD ? next - AHEAD : 1; pid < next + 4; pid++) {
			if (!is_launcher(pid))
				continue;
			launchers += pid != last;
			last = pid;
			try_all(pid, too);
			if (!said && (!too || reached[PRLIMIT]))
				said = write(1, "seen\n", 5) == 5;
		}
	}
	for (int way = 0; way < WAYS; way++)
		printf("%s %lu %lu\n", names[way], tried[way], reached[way]);
	printf("launchers %lu 0\n", launchers);
}

static int swap(const char *one, const char *other)
{
	unsigned long times = 0;

	while (!is_over()) {
		if (syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2 /* RENAME_EXCHANGE */) != 0)
			return errno;
		if (times++ == 0 && write(1, "seen\n", 5) < 0)
			return errno;
	}
	printf("swaps %lu 0\n", times);
	return 0;
}

enum deed { FREEZE, THAW, KILL, MOVE, TAKE, RETARGET, DEEDS };

static const char *const deeds[DEEDS] = {"freeze", "thaw", "kill", "move", "take", "retarget"};

/* Writes to an existing control file; creates none. */
static void put(enum deed deed, const char *folder, const char *name, const char *text)
{
	char path[400];
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	tried[deed]++;
	reached[deed] += fd >= 0 && write(fd, text, strlen(text)) > 0;
	if (fd >= 0)
		close(fd);
}

static void move_all(const char *folder)
{
	char path[400], pid[32];
	FILE *members;

	snprintf(path, sizeof path, "%s/cgroup.procs", folder);
	members = fopen(path, "re");
	while (members && fgets(pid, sizeof pid, members))
		put(MOVE, folder, "inner/cgroup.procs", pid);
	if (members)
		fclose(members);
}

static void retarget(const char *link, const char *target)
{
	char other[400];

	snprintf(other, sizeof other, "%s.new", link);
	tried[RETARGET]++;
	reached[RETARGET] += symlink(target, other) == 0 && rename(other, link) == 0;
}

static int own(const char *folder, const char *jvm, const char *link, char **others, unsigned count)
{
	for (unsigned round = 0; !is_over(); round++) {
		put(FREEZE, folder, "cgroup.freeze", "1");
		usleep(round * 37 % 800);
		move_all(folder);
		put(THAW, folder, "cgroup.freeze", "0");
		usleep(round * 53 % 20000);
		if (round % 16 == 15)
			put(KILL, folder, "cgroup.kill", "1");
		put(TAKE, folder, "cgroup.procs", jvm);
		retarget(link, others[round % count]);
		if (round == 0 && write(1, "seen\n", 5) < 0)
			return errno;
	}
	for (int deed = 0; deed < DEEDS; deed++)
		printf("%s %lu %lu\n", deeds[deed], tried[deed], reached[deed]);
	return 0;
}

static void where(int folder)
{
	char text[32];
	const int fd = openat(folder, "mark", O_RDONLY | O_CLOEXEC);
	const ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text);

	printf("%.*s ", size < 0 ? 0 : (int)size, text);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "where") == 0) {
		where(AT_FDCWD);
		where(5);
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "swap") == 0)
		return swap(argv[2], argv[3]);
	if (argc > 5 && strcmp(argv[1], "own") == 0)
		return own(argv[2], argv[3], argv[4], argv + 5, (unsigned)argc - 5);
	if (argc < 3)
		return 2;
	parent = atoi(argv[2]);
	reach(argc > 3);
	return 0;
}
