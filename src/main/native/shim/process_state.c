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

/* Reads the first bytes of a file, and adds a NUL. */
static int read_small_file(int directory, const char *name, char *text, size_t size)
{
	int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
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

/* Before Linux 5.2, and in the root cgroup, there is no such file, and no freezer. */
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

/* Only where cgroup v2 is usually mounted; otherwise the state is unknown. */
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
		int directory;

		(void)snprintf(path, sizeof path, "%s%.*s", mounts[i], (int)strcspn(line, "\n"), line);
		directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		frozen = directory < 0 ? 0 : umh_cgroup_is_frozen(directory);
		if (directory >= 0)
			close(directory);
	}
	return frozen > 0;
}

char umh_process_state(int pid)
{
	char text[128];
	char path[32];
	const char *end;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
	if (read_small_file(AT_FDCWD, path, text, sizeof text) < 0)
		return 0;
	end = strrchr(text, ')'); /* behind the name, which may have any characters */
	return (char)(end && end[1] == ' ' ? end[2] : 0);
}

/* How often the process has given up the CPU by itself, as it does at each stop for its tracer. 0: unknown. */
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

int umh_process_is_traced(int pid, long long *switches)
{
	const long long before = *switches;

	if (umh_process_state(pid) != 't')
		return 0;
	*switches = switches_of(pid);
	return *switches != 0 && *switches == before;
}

/* In a /proc of another pid namespace, our numbers are other processes. */
static int is_own_proc(void)
{
	char number[16] = "";

	return readlink("/proc/self", number, sizeof number - 1) > 0 && strtol(number, NULL, 10) == getpid();
}

/*
 * If another library's fork holds a copy of the launcher's end, the socket is not hung up. But execve(2) gives a
 * process the name of its program at the point of no return, and the launcher has set another name before it read the
 * plan. Every process may read the name. If it can't be read, the end of the process decides.
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
	return end - name != sizeof UMH_LAUNCHER_COMM - 1 ||
	       strncmp(name, UMH_LAUNCHER_COMM, sizeof UMH_LAUNCHER_COMM - 1) != 0;
}
