/* SPDX-License-Identifier: Apache-2.0 */
/* process_state.c - whether a process is frozen, stopped, traced or has executed: from /proc and the cgroup. */

#include "shim/process_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/plan.h"

/* A file of a few bytes, as far as it fits: its bytes and a NUL. */
static int read_small_file(int folder, const char *name, char *text, size_t size)
{
	int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t got;
	int error;

	if (file < 0)
		return -errno;
	got = read(file, text, size - 1);
	error = errno;
	close(file);
	text[got < 0 ? 0 : got] = 0;
	return got < 0 ? -error : 0;
}

/* Before Linux 5.2, and at the root, there is nothing to ask and nothing that freezes. */
static int file_contains(int cgroup, const char *name, const char *wanted)
{
	char text[64];
	int result = read_small_file(cgroup, name, text, sizeof text);

	if (result < 0)
		return result == -ENOENT ? 0 : result;
	return strstr(text, wanted) != NULL;
}

int umh_cgroup_is_frozen(int cgroup)
{
	return file_contains(cgroup, "cgroup.events", "frozen 1");
}

int umh_cgroup_is_freezing(int cgroup)
{
	return file_contains(cgroup, "cgroup.freeze", "1");
}

/* At the usual places; where the tree is mounted elsewhere nothing is known. */
int umh_process_is_frozen(int pid)
{
	static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	char text[4096];
	char path[sizeof text + 32];
	const char *line;
	int frozen = 0;

	(void)snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
	if (read_small_file(AT_FDCWD, path, text, sizeof text) < 0)
		return 0;
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!line)
		return 0;
	line = strchr(line, ':') + 2;
	for (size_t i = 0; i < sizeof mounts / sizeof *mounts && frozen <= 0; i++) {
		int folder;

		(void)snprintf(path, sizeof path, "%s%.*s", mounts[i], (int)strcspn(line, "\n"), line);
		folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		frozen = folder < 0 ? 0 : umh_cgroup_is_frozen(folder);
		if (folder >= 0)
			close(folder);
	}
	return frozen > 0;
}

/* The letter of ps(1): T when it was stopped, t while a tracer holds it; 0 when that can't be known. */
char umh_process_state(int pid)
{
	char text[128];
	char path[32];
	const char *end;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
	if (read_small_file(AT_FDCWD, path, text, sizeof text) < 0)
		return 0;
	end = strrchr(text, ')'); /* behind the name, which may hold anything */
	return (char)(end && end[1] == ' ' ? end[2] : 0);
}

/* How often it has given up the processor by itself: as it does at each stop for its tracer. 0: not known. */
static long long switches_of(int pid)
{
	static const char name[] = "\nvoluntary_ctxt_switches:";
	char text[4096];
	char path[32];
	const char *line;

	(void)snprintf(path, sizeof path, "/proc/%d/status", pid);
	if (read_small_file(AT_FDCWD, path, text, sizeof text) < 0)
		return 0;
	line = strstr(text, name);
	return line ? strtoll(line + sizeof name - 1, NULL, 10) : 0;
}

/* A tracer that lets it go on, however slowly, is seen by the switches. */
int umh_process_is_traced(int pid, long long *switches)
{
	const long long before = *switches;

	if (umh_process_state(pid) != 't')
		return 0;
	*switches = switches_of(pid);
	return *switches != 0 && *switches == before;
}

/* A /proc of another pid namespace has other processes at our numbers. */
static int is_own_proc(void)
{
	char number[16] = "";

	return readlink("/proc/self", number, sizeof number - 1) > 0 && strtol(number, NULL, 10) == getpid();
}

/*
 * Another library's fork may hold a copy of the launcher's end; then the socket is not hung up. But execve(2) gives a
 * process the name of its program at the point of no return, and the launcher has had one of its own since before
 * it read the plan. Everybody may read that name. Where it can't be told, the end of the process decides.
 */
int umh_process_has_executed(int pid)
{
	char path[32];
	char stat[256];
	const char *name, *end;

	if (pid <= 0 || !is_own_proc())
		return 0;
	(void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
	if (read_small_file(AT_FDCWD, path, stat, sizeof stat) < 0)
		return 0;
	name = strchr(stat, '(');
	end = strrchr(stat, ')');
	if (!name || !end || strlen(end) < 4 || strtol(end + 4, NULL, 10) != getpid())
		return 0;
	name++;
	return end - name != sizeof UMH_LAUNCHER_COMM - 1 || strncmp(name, UMH_LAUNCHER_COMM, sizeof UMH_LAUNCHER_COMM - 1) != 0;
}
