/* SPDX-License-Identifier: Apache-2.0 */
/* launch_monitor.c - monitors launches whose thread sleeps in the kernel, and ends those that would never finish. */

/*
 * A thread that creates a child by vfork sleeps until the child has executed the launcher; only SIGKILL wakes it. A
 * child in a frozen cgroup, or one that is stopped or traced, would hold the thread forever. But the kernel writes the
 * pidfd before the child's first instruction, so another thread can kill the child: the reaper, every UMH_STOP_CHECK_MS
 * while there are launches. The first launch after a pause wakes the reaper; the others only take and release a lock
 * twice.
 *
 * The reaper holds the lock during its check. So the number of a pidfd is still this child's: the launch's thread can't
 * return and close it before.
 */

#include "shim/launch_monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/epoll.h"
#include "shim/launch_state.h"
#include "shim/pidfd.h"
#include "shim/process_state.h"
#include "shim/report.h"

/* From clone to the execve of the launcher takes a tenth of a millisecond. After this time the child is killed. */
#define CLONE_TIMEOUT_MS 10000

/* The reaper continues its checks for so long after the last launch, so the next one need not wake it. */
#define KEEP_CHECKING_MS 1000

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct umh_monitored_launch *launches;
static int is_checking; /* the reaper checks again within UMH_STOP_CHECK_MS */
static long long last_begin_ms;
static long long last_check_ms;

void umh_monitor_begin(struct umh_monitored_launch *launch)
{
	int asleep;

	launch->begin_ms = umh_now_ms();
	pthread_mutex_lock(&lock);
	launch->next = launches;
	launches = launch;
	last_begin_ms = launch->begin_ms;
	asleep = !is_checking;
	is_checking = 1;
	pthread_mutex_unlock(&lock);
	if (asleep)
		umh_epoll_wake();
}

void umh_monitor_end(struct umh_monitored_launch *launch)
{
	pthread_mutex_lock(&lock);
	for (struct umh_monitored_launch **at = &launches; *at; at = &(*at)->next) {
		if (*at == launch) {
			*at = launch->next;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

void umh_monitor_lock(void)
{
	pthread_mutex_lock(&lock);
}

void umh_monitor_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/* The old clone(2) returns pid and pidfd in one word: then the pidfd counts if it is a child's. */
static int exists(const struct umh_monitored_launch *launch)
{
	siginfo_t info;

	if (launch->pid > 0)
		return 1;
	return *launch->pidfd >= 0 &&
	       syscall(__NR_waitid, P_PIDFD, *launch->pidfd, &info, WEXITED | WNOHANG | WNOWAIT, NULL) == 0;
}

/* Other code may have closed the pidfd, and its number may refer to another process. */
static int is_own_pidfd(const struct umh_monitored_launch *launch)
{
	return *launch->pidfd >= 0 && (launch->pid <= 0 || umh_pid_of_pidfd(*launch->pidfd) == launch->pid);
}

/* By pid, if not by pidfd: until the process is reaped, its pid is its own. */
static void signal_launch(const struct umh_monitored_launch *launch, int signal)
{
	siginfo_t info;

	if (is_own_pidfd(launch) && syscall(__NR_pidfd_send_signal, *launch->pidfd, signal, NULL, 0) == 0)
		return;
	if (launch->pid > 0 &&
	    (waitid(P_PID, (id_t)launch->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD))
		kill(launch->pid, signal);
}

static void kill_launch(struct umh_monitored_launch *launch, int error)
{
	launch->error = error;
	signal_launch(launch, SIGKILL);
}

static int is_frozen(const struct umh_monitored_launch *launch)
{
	if (launch->cgroup >= 0 && umh_cgroup_is_frozen(launch->cgroup) > 0)
		return 1;
	return launch->pid > 0 && umh_process_is_frozen(launch->pid);
}

/* A few stops are allowed. Only its tracer, or SIGKILL, ends the stop of a traced process. */
static int is_stopped_too_often(struct umh_monitored_launch *launch)
{
	if (launch->pid <= 0)
		return 0;
	if (umh_process_state(launch->pid) != 'T' && !umh_process_is_traced(launch->pid, &launch->voluntary_switches))
		return 0;
	launch->stop_count++;
	if (!launch->child) /* its own thread does so later */
		signal_launch(launch, SIGCONT);
	return launch->stop_count > UMH_MAX_STOPS;
}

/* After the report EXEC the process may be the helper, and is left alone. */
static void check(struct umh_monitored_launch *launch, long long now)
{
	const long long age = now - launch->begin_ms;
	const long long limit = launch->child == NULL ? CLONE_TIMEOUT_MS : 0;

	if (launch->error || launch->decided || age < UMH_STOP_CHECK_MS || !exists(launch))
		return;
	if (launch->child && umh_report_has_exec(launch->child))
		launch->decided = 1;
	else if ((launch->launch_timeout_ms && age > launch->launch_timeout_ms) || (limit && age > limit))
		kill_launch(launch, ETIMEDOUT);
	else if (!is_frozen(launch))
		launch->frozen_checks = 0;
	else if (launch->frozen_checks++)
		kill_launch(launch, EBUSY);
	if (!launch->error && !launch->decided && is_stopped_too_often(launch))
		kill_launch(launch, ETIMEDOUT);
}

static int is_any_pending(void)
{
	for (const struct umh_monitored_launch *launch = launches; launch; launch = launch->next)
		if (!launch->decided && !launch->error)
			return 1;
	return 0;
}

int umh_monitor_check(int longest)
{
	const long long now = umh_now_ms();
	int result;

	pthread_mutex_lock(&lock);
	if (is_checking && now - last_check_ms >= UMH_STOP_CHECK_MS) {
		last_check_ms = now;
		for (struct umh_monitored_launch *launch = launches; launch; launch = launch->next)
			check(launch, now);
		is_checking = is_any_pending() || now - last_begin_ms < KEEP_CHECKING_MS;
	}
	result = is_checking && (longest < 0 || longest > UMH_STOP_CHECK_MS) ? UMH_STOP_CHECK_MS : longest;
	pthread_mutex_unlock(&lock);
	return result;
}
