/* SPDX-License-Identifier: Apache-2.0 */
/* bridge.c - launches: from the arrays of a JNI call to the structures of the shim, and back. */

#include "jni/bridge.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shim/epoll.h"
#include "shim/launch_monitor.h"
#include "shim/pidfd.h"

int umh_bridge_load(const signed char *image, int size)
{
	return image ? umh_load((const char *)image, (size_t)size) : -EFAULT;
}

/* The path and the arguments, then NULL, then the environment, then NULL. */
static char **vectors(const signed char *strings, int size, int argc, int envc)
{
	const char *string = (const char *)strings;
	const char *end = string + size;
	const size_t count = 1 + (size_t)argc + (size_t)envc;
	char **all = malloc((count + 2) * sizeof *all);
	char **next = all;

	for (size_t i = 0; all && i < count; i++) {
		const char *nul = string < end ? memchr(string, 0, (size_t)(end - string)) : NULL;

		if (!nul) {
			free(all);
			return NULL;
		}
		*next++ = (char *)string;
		if (i == (size_t)argc)
			*next++ = NULL;
		string = nul + 1;
	}
	if (all)
		*next = NULL;
	return all;
}

static void store_child(long long *result_fields, const struct umh_child *child)
{
	result_fields[UMH_RESULT_PID] = child->pid;
	result_fields[UMH_RESULT_PIDFD] = child->pidfd;
	result_fields[UMH_RESULT_SOCKET] = child->socket;
	memcpy(&result_fields[UMH_RESULT_CHILD], child, sizeof *child);
}

/* The process of these result fields. */
static struct umh_child load_child(const long long *result_fields)
{
	struct umh_child child;

	memcpy(&child, &result_fields[UMH_RESULT_CHILD], sizeof child);
	return child;
}

static long long nanoseconds(long long seconds, long long rest)
{
	return seconds * 1000000000 + rest;
}

static void store_report(long long *result_fields, const struct umh_report *report)
{
	const int said = report->stage == UMH_STAGE_EXEC && !report->error;

	result_fields[UMH_RESULT_REPORTED_NS] = said ? nanoseconds(report->seconds, report->detail) : 0;
	result_fields[UMH_RESULT_STAGE] = report->stage;
	result_fields[UMH_RESULT_DETAIL] = report->detail;
	result_fields[UMH_RESULT_UNAPPLIED] = (long long)report->unapplied;
}

static int start(const struct umh_request *request, enum umh_until until, long long *result_fields)
{
	struct umh_report report = {0};
	struct umh_child child = UMH_NO_CHILD;
	struct timespec launched = {0};
	int status = 0;
	int result;

	/* The calling thread waits for the launcher, which must not outlive the JVM. */
	if (until != UMH_UNTIL_STARTED)
		request->plan->flags |= UMH_PLAN_DIE_WITH_THREAD;
	if (until == UMH_UNTIL_EXIT)
		result = umh_run(request, &child.pid, &report, &status);
	else
		result = umh_start(request, &child, &report);
	clock_gettime(CLOCK_MONOTONIC, &launched);
	result_fields[UMH_RESULT_LAUNCHED_NS] = nanoseconds(launched.tv_sec, launched.tv_nsec);
	if (result == 0 && until == UMH_UNTIL_EXEC)
		result = umh_wait_exec(&child, UMH_BLOCK_BRIEFLY, &report);
	store_child(result_fields, &child);
	store_report(result_fields, &report);
	result_fields[UMH_RESULT_STATUS] = status;
	return result;
}

int umh_bridge_start(const signed char *strings, int size, int argc, int envc, signed char *plan, int plan_size,
		     const int *fds, int fd_count, int cgroup, int until, int launch_timeout_ms,
		     long long *result_fields)
{
	struct umh_request request = {
		.plan = (void *)plan,
		.fds = fds,
		.fd_count = (unsigned)fd_count,
		.cgroup = cgroup,
		.launch_timeout_ms = launch_timeout_ms,
	};
	char **all;
	int result;

	if (!strings || !plan || !result_fields || (!fds && fd_count > 0) || argc < 0 || envc < 0 || fd_count < 0)
		return -EFAULT;
	result_fields[UMH_RESULT_STAGE] = UMH_STAGE_SOCKET;
	if ((size_t)plan_size < sizeof *request.plan || request.plan->size != (uint32_t)plan_size)
		return -EPROTO;
	all = vectors(strings, size, argc, envc);
	if (!all)
		return -ENOMEM;
	request.path = all[0];
	request.launcher_argv = all;
	request.envp = all + 1 + argc + 1;
	result = start(&request, (enum umh_until)until, result_fields);
	free(all);
	return result;
}

int umh_bridge_poll_exec(long long *result_fields)
{
	struct umh_child child;
	struct umh_report report;
	int result;

	if (!result_fields)
		return -EFAULT;
	child = load_child(result_fields);
	result = umh_wait_exec(&child, UMH_NONBLOCK, &report);
	store_child(result_fields, &child);
	store_report(result_fields, &report);
	return result;
}

void umh_bridge_check_launches(void)
{
	umh_monitor_check(0);
}

int umh_bridge_stop_check_ms(void)
{
	return UMH_STOP_CHECK_MS;
}

int umh_bridge_continue_if_stopped(long long *result_fields)
{
	struct umh_child child;
	int result;

	if (!result_fields)
		return -EFAULT;
	child = load_child(result_fields);
	result = umh_continue_if_stopped(&child);
	store_child(result_fields, &child);
	return result;
}

int umh_bridge_allow_exec(const long long *result_fields)
{
	const struct umh_child child = result_fields ? load_child(result_fields) : UMH_NO_CHILD;

	return umh_allow_exec(&child);
}

int umh_bridge_reopen_pidfd(long long *result_fields)
{
	struct umh_child child;
	int result;

	if (!result_fields)
		return -EFAULT;
	child = load_child(result_fields);
	result = umh_reopen_pidfd(&child);
	store_child(result_fields, &child);
	return result;
}

void umh_bridge_close_pidfd(const long long *result_fields)
{
	struct umh_child child = result_fields ? load_child(result_fields) : UMH_NO_CHILD;

	umh_close_pidfd(&child);
}

int umh_bridge_wait(const long long *result_fields, long long *exit_fields)
{
	const struct umh_child child = result_fields ? load_child(result_fields) : UMH_NO_CHILD;
	struct umh_usage usage;
	int status;
	int result = exit_fields ? umh_wait(&child, UMH_NONBLOCK, &status, &usage) : -EFAULT;

	if (result < 0)
		return result;
	exit_fields[UMH_EXIT_STATUS] = status;
	exit_fields[UMH_EXIT_USER_US] = usage.user_us;
	exit_fields[UMH_EXIT_SYSTEM_US] = usage.system_us;
	exit_fields[UMH_EXIT_MINOR_FAULTS] = usage.minor_faults;
	exit_fields[UMH_EXIT_MAJOR_FAULTS] = usage.major_faults;
	exit_fields[UMH_EXIT_BLOCKS_IN] = usage.blocks_in;
	exit_fields[UMH_EXIT_BLOCKS_OUT] = usage.blocks_out;
	exit_fields[UMH_EXIT_VOLUNTARY_SWITCHES] = usage.voluntary_switches;
	exit_fields[UMH_EXIT_INVOLUNTARY_SWITCHES] = usage.involuntary_switches;
	return 0;
}

int umh_bridge_signal(const long long *result_fields, int signal)
{
	const struct umh_child child = result_fields ? load_child(result_fields) : UMH_NO_CHILD;

	return umh_signal(&child, signal);
}

int umh_bridge_signal_pidfd(int pidfd, int signal)
{
	return syscall(__NR_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

/* Before 6.9 by the group's number, which is the group's until its leader is reaped. */
int umh_bridge_signal_group(const long long *result_fields, int reaped, int signal)
{
	const struct umh_child child = result_fields ? load_child(result_fields) : UMH_NO_CHILD;
	int result = umh_signal_group(&child, signal);

	if (result != -EINVAL && result != -EPERM && result != -ENOSYS)
		return result;
	if (reaped || child.pid <= 1) /* 0 would be the JVM's own group, -1 all processes */
		return result == -EINVAL ? -ESRCH : result;
	return kill(-child.pid, signal) < 0 ? -errno : 0;
}

int umh_bridge_getsid(int pid)
{
	pid_t session = getsid(pid);

	return session < 0 ? -errno : session;
}

int umh_bridge_epoll_watch(int fd, int event, long long token)
{
	return umh_epoll_watch(fd, (enum umh_event)event, (unsigned long long)token);
}

int umh_bridge_epoll_wait(long long *tokens, int capacity, int timeout_ms)
{
	return tokens ? umh_epoll_wait((unsigned long long *)tokens, capacity, timeout_ms) : -EFAULT;
}
