/* SPDX-License-Identifier: Apache-2.0 */
/* umh_flight.c - monitors launches whose thread sleeps in the kernel, and ends those that would never finish. */

/*
 * A thread that makes a child by vfork sleeps until that has executed the launcher, and no signal but SIGKILL wakes it. A
 * child that is born into a frozen cgroup, is stopped or is held by a debugger would keep it for good. But the kernel has
 * written the pidfd before the child's first instruction, so that another thread can kill it: the reaper, each UMH_LOOK_MS
 * while launches come. The first one after a pause wakes it, all others cost two turns of a lock.
 *
 * The lock is held while the reaper looks. So the number of a pidfd is still this child's: its thread can't return and
 * close it before.
 */

#include "umh_flight.h"

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

#include "umh.h"
#include "umh_report.h"

/* From clone to the execve of the launcher it takes a tenth of a millisecond; longer than this it takes for no good reason. */
#define LONGEST_CLONE_MS 10000

/* So long after the last launch the reaper still looks each UMH_LOOK_MS, and the next one need not wake it. */
#define AFTERGLOW_MS 1000

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct umh_flight *flights;
static int looking; /* the reaper comes again within UMH_LOOK_MS */
static long long last_begin_ms;
static long long last_look_ms;

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void umh_flight_begin(struct umh_flight *flight)
{
	int asleep;

	flight->begin_ms = now_ms();
	pthread_mutex_lock(&lock);
	flight->next = flights;
	flights = flight;
	last_begin_ms = flight->begin_ms;
	asleep = !looking;
	looking = 1;
	pthread_mutex_unlock(&lock);
	if (asleep)
		umh_wake();
}

void umh_flight_end(struct umh_flight *flight)
{
	pthread_mutex_lock(&lock);
	for (struct umh_flight **at = &flights; *at; at = &(*at)->next) {
		if (*at == flight) {
			*at = flight->next;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

void umh_flights_lock(void)
{
	pthread_mutex_lock(&lock);
}

void umh_flights_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/* A file of a few bytes, as far as it fits: its bytes and a NUL. */
static int read_small(int folder, const char *name, char *text, size_t size)
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
static int holds(int cgroup, const char *name, const char *wanted)
{
	char text[64];
	int result = read_small(cgroup, name, text, sizeof text);

	if (result < 0)
		return result == -ENOENT ? 0 : result;
	return strstr(text, wanted) != NULL;
}

int umh_cgroup_is_frozen(int cgroup)
{
	return holds(cgroup, "cgroup.events", "frozen 1");
}

int umh_cgroup_is_freezing(int cgroup)
{
	return holds(cgroup, "cgroup.freeze", "1");
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
	if (read_small(AT_FDCWD, path, text, sizeof text) < 0)
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
static char state_of(int pid)
{
	char text[128];
	char path[32];
	const char *end;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
	if (read_small(AT_FDCWD, path, text, sizeof text) < 0)
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
	if (read_small(AT_FDCWD, path, text, sizeof text) < 0)
		return 0;
	line = strstr(text, name);
	return line ? strtoll(line + sizeof name - 1, NULL, 10) : 0;
}

/* A tracer that lets it go on, however slowly, is seen by the switches. */
int umh_process_is_held(int pid, long long *switches)
{
	const long long before = *switches;

	if (state_of(pid) != 't')
		return 0;
	*switches = switches_of(pid);
	return *switches != 0 && *switches == before;
}

/* The older clone has one word for both: then the number counts when it is a child's. */
static int exists(const struct umh_flight *flight)
{
	siginfo_t info;

	if (flight->pid > 0)
		return 1;
	return *flight->pidfd >= 0 &&
	       syscall(__NR_waitid, P_PIDFD, *flight->pidfd, &info, WEXITED | WNOHANG | WNOWAIT, NULL) == 0;
}

/* Other code of the process may have closed the pidfd, and another process's be at its number. */
static int is_own_pidfd(const struct umh_flight *flight)
{
	return *flight->pidfd >= 0 && (flight->pid <= 0 || umh_pid_of(*flight->pidfd) == flight->pid);
}

/* Where not by its pidfd, by its pid: as long as nobody has reaped it that is its own. */
static void send(const struct umh_flight *flight, int signal)
{
	siginfo_t info;

	if (is_own_pidfd(flight) && syscall(__NR_pidfd_send_signal, *flight->pidfd, signal, NULL, 0) == 0)
		return;
	if (flight->pid > 0 && (waitid(P_PID, (id_t)flight->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD))
		kill(flight->pid, signal);
}

static void end(struct umh_flight *flight, int error)
{
	flight->error = error;
	send(flight, SIGKILL);
}

static int is_frozen(const struct umh_flight *flight)
{
	if (flight->cgroup >= 0 && umh_cgroup_is_frozen(flight->cgroup) > 0)
		return 1;
	return flight->pid > 0 && umh_process_is_frozen(flight->pid);
}

/* Whoever has stopped it may do so a few times. A tracer's stop ends by the tracer alone, or by SIGKILL. */
static int is_stopped_for_good(struct umh_flight *flight)
{
	if (flight->pid <= 0)
		return 0;
	if (state_of(flight->pid) != 'T' && !umh_process_is_held(flight->pid, &flight->switches))
		return 0;
	flight->stops++;
	if (!flight->child) /* later its thread sees to that */
		send(flight, SIGCONT);
	return flight->stops > UMH_MOST_STOPS;
}

/* Once the launcher has reported EXEC, it may be the helper, and is left alone. */
static void look(struct umh_flight *flight, long long now)
{
	const long long age = now - flight->begin_ms;
	const long long limit = flight->child == NULL ? LONGEST_CLONE_MS : 0;

	if (flight->error || flight->decided || age < UMH_LOOK_MS || !exists(flight))
		return;
	if (flight->child && umh_report_has_arrived(flight->child))
		flight->decided = 1;
	else if ((flight->limit_ms && age > flight->limit_ms) || (limit && age > limit))
		end(flight, ETIMEDOUT);
	else if (!is_frozen(flight))
		flight->frozen = 0;
	else if (flight->frozen++)
		end(flight, EBUSY);
	if (!flight->error && !flight->decided && is_stopped_for_good(flight))
		end(flight, ETIMEDOUT);
}

static int is_any_undecided(void)
{
	for (const struct umh_flight *flight = flights; flight; flight = flight->next)
		if (!flight->decided && !flight->error)
			return 1;
	return 0;
}

int umh_flights_look(int longest)
{
	const long long now = now_ms();
	int result;

	pthread_mutex_lock(&lock);
	if (looking && now - last_look_ms >= UMH_LOOK_MS) {
		last_look_ms = now;
		for (struct umh_flight *flight = flights; flight; flight = flight->next)
			look(flight, now);
		looking = is_any_undecided() || now - last_begin_ms < AFTERGLOW_MS;
	}
	result = looking && (longest < 0 || longest > UMH_LOOK_MS) ? UMH_LOOK_MS : longest;
	pthread_mutex_unlock(&lock);
	return result;
}
