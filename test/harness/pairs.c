/* SPDX-License-Identifier: Apache-2.0 */
/* pairs.c - refuses every two system calls of a launch at once, as a seccomp filter does. */

/*
 * 	pairs LAUNCHER PROGRAM [EVERY [SEED]]
 *
 * A process starts one helper in each of the ways of orders.c. A tracer records all system calls from the request to
 * the helper. Then, for every two of them and with EPERM and with ENOSYS, a new process loads the shim, installs a
 * filter that refuses both, and starts the same helper. The launch must succeed, or fail with that errno at the stage
 * of one of the two. No process may be left, dead or alive, no descriptor and no thread, and the CPU time must be
 * short. PROGRAM is static and exits at once with 0, because the filter applies to it, too. EVERY: only one pair of so
 * many is tried, chosen by SEED; 0: by the clock.
 *
 * On a loaded host a process may wait long for a CPU. It hangs only if neither it nor a child is runnable, or if they
 * have used PATIENCE_S of CPU time. An ended process is never waited for.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trace.h"
#include "shim/features.h"

#define MOST_CALLS 2048
#define PATIENCE_S 20
#define LONGEST_S  600 /* for a process that is always runnable */
#define MOMENT_S   2.0 /* of CPU time */

/* Memory that the tested process shares with this one. */
struct shared {
	struct answer answer;
	atomic_int loaded, go, answered;
};

static struct shared *shared;

static struct call calls[MOST_CALLS];
static unsigned call_count;
static const struct way *way;
static const char *launcher;
static char tiny[PATH_MAX]; /* a program that only exits, because the filter applies to it, too */
static struct answer usual;
static uint64_t required;

static struct tally {
	unsigned long tried, as_usual, left_out, told, wrong;
} tally;
static double slowest;
static unsigned long late; /* processes for which PATIENCE_S was too short on this host */

static const char *name_of(long number)
{
	const struct kind *kind = call_kind(number);

	return kind ? kind->name : "another";
}

/* The tested process */

static void refuse(long first, long second, int error)
{
	const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)first, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)second, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof filter / sizeof *filter, (struct sock_filter *)filter};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(3);
}

static void replace_program(struct order *order)
{
	FILE *file = fopen(tiny, "re");

	order->program_size = file ? fread(order->program, 1, order->program_size, file) : 0;
	if (file)
		fclose(file);
}

static void until(atomic_int *word)
{
	while (!atomic_load(word))
		sched_yield();
}

static __attribute__((noreturn)) void subject(long first, long second, int error)
{
	struct order order;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	if (load_launcher(launcher) < 0)
		_exit(2);
	order_begin(&order, way);
	if (strcmp(order.argv[0], "/bin/true") == 0 || strcmp(order.argv[0], "/bin/false") == 0)
		order.request.path = order.argv[0] = order.argv[1] = tiny;
	if (order.program)
		replace_program(&order);
	umh_disable_features(way->without);
	atomic_store(&shared->loaded, 1);
	until(&shared->go);
	refuse(first, second, error);
	shared->answer = order_make(&order, way);
	atomic_store(&shared->answered, 1);
	for (;;)
		sched_yield(); /* until it is killed: it may be unable to wait, or to exit */
}

/* This process */

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int open_in(pid_t pid)
{
	char path[64];
	int count = 0;

	for (int fd = 0; fd < 1024; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
		count += access(path, F_OK) == 0 || faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	}
	return count;
}

static int threads_of(pid_t pid)
{
	char path[64], line[256];
	int count = -1;
	FILE *status;

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof line, status))
		if (sscanf(line, "Threads: %d", &count) == 1)
			break;
	if (status)
		fclose(status);
	return count;
}

/* 0: none; 'Z': only zombies; otherwise the state of one. */
static char children_of(pid_t pid)
{
	char path[64], state, worst = 0;
	FILE *children, *stat;
	int child;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	children = fopen(path, "re");
	while (children && fscanf(children, "%d", &child) == 1) {
		snprintf(path, sizeof path, "/proc/%d/stat", child);
		stat = fopen(path, "re");
		if (stat && fscanf(stat, "%*d (%*[^)]) %c", &state) == 1)
			worst = !worst || worst == 'Z' ? state : worst;
		if (stat)
			fclose(stat);
	}
	if (children)
		fclose(children);
	return worst;
}

static int is_of(long number, enum umh_stage stage)
{
	for (unsigned i = 0; i < call_count; i++)
		if (calls[i].number == number && calls[i].stage == stage)
			return 1;
	return 0;
}

static int is_either(long number, long first, long second)
{
	return first == number || second == number;
}

/* At a stage of either call, or at one where an alternative is refused. */
static int is_told(long first, long second, int error)
{
	const struct answer *answer = &shared->answer;
	const enum umh_stage stage = answer->report.stage;

	if (answer->result != -error)
		return 0;
	if (stage == UMH_STAGE_SOCKET &&
	    is_either(__NR_fcntl, first, second)) /* at a second attempt, which creates a socket again */
		return 1;
	return !call_kind(first) || !call_kind(second) || is_of(first, stage) || is_of(second, stage) ||
	       stage == UMH_STAGE_WAIT || stage == UMH_STAGE_LAUNCH || stage == UMH_STAGE_CLOSE_FDS ||
	       stage == UMH_STAGE_ROOT || stage == UMH_STAGE_CWD || stage == UMH_STAGE_CGROUP ||
	       stage == UMH_STAGE_BLOB;
}

/* A helper, or its launcher, that can't exit ends by a signal. */
static int is_killed(long first, long second)
{
	return is_either(__NR_exit_group, first, second) &&
	       (shared->answer.report.stage == UMH_STAGE_KILLED ||
		(shared->answer.result == 0 && shared->answer.status < 128));
}

static const char *what_is_left(pid_t pid, int open, double cpu, long first, long second)
{
	const char zombies = children_of(pid);
	const int is = open_in(pid);

	if (zombies && zombies != 'Z')
		return "a child lives";
	if (zombies && !(is_either(__NR_waitid, first, second) && is_either(__NR_wait4, first, second)))
		return "a zombie is left";
	if (is > open && !is_either(__NR_close, first, second))
		return "descriptors are left";
	if (threads_of(pid) != 1)
		return "threads are left";
	return cpu > MOMENT_S ? "it has been busy" : NULL;
}

static void complain(long first, long second, int error, const char *what)
{
	static const char *const stages[] = {
#define X(name) #name,
		UMH_STAGES(X)
#undef X
	};
	const struct answer *answer = &shared->answer;

	tally.wrong++;
	fprintf(stderr, "WRONG %s: %s and %s with %s: %s: %s, %d, status %d, kept %#llx\n", way->name, name_of(first),
		name_of(second), strerrorname_np(error), what, stages[answer->report.stage], answer->result,
		answer->status, (unsigned long long)answer->report.unapplied);
}

static void judge(pid_t pid, int open, double cpu, long first, long second, int error)
{
	const struct answer *answer = &shared->answer;
	const char *left = what_is_left(pid, open, cpu, first, second);
	const int as_usual = answer->result == usual.result &&
			     (usual.result == 0 ? answer->status == usual.status
						: answer->report.stage == usual.report.stage);
	const uint64_t more = as_usual && answer->result == 0 ? answer->report.unapplied & ~usual.report.unapplied : 0;

	if (left)
		complain(first, second, error, left);
	else if (as_usual && more == 0)
		tally.as_usual++;
	else if (as_usual && (more & required & ~UMH_STEP(RLIMIT) & ~UMH_STEP(NOFILE) & ~UMH_STEP(NPROC)) == 0)
		tally.left_out++;
	else if (is_told(first, second, error) || is_killed(first, second))
		tally.told++;
	else
		complain(first, second, error, "reported as");
}

static double cpu_of(pid_t pid)
{
	char path[64];
	unsigned long user = 0, system = 0;
	FILE *stat;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	stat = fopen(path, "re");
	if (stat &&
	    fscanf(stat, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
		user = system = 0;
	if (stat)
		fclose(stat);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Whether the process or a child is runnable. */
static int is_runnable(pid_t pid)
{
	char path[64], state = 0;
	FILE *stat;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	stat = fopen(path, "re");
	if (stat && fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	if (stat)
		fclose(stat);
	return state == 'R' || children_of(pid) == 'R';
}

static int process_ended(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == pid;
}

/* NULL when the word has come, otherwise the reason why it will not come. */
static const char *await(atomic_int *word, pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 20000};
	const double begin = now(), cpu = cpu_of(pid);

	for (unsigned looks = 0; !atomic_load(word); looks++) {
		const double waited = now() - begin;

		if (looks % 64 == 63 && process_ended(pid))
			return atomic_load(word) ? NULL : "it has ended";
		if (waited > PATIENCE_S) {
			if (!is_runnable(pid) || cpu_of(pid) - cpu > PATIENCE_S || waited > LONGEST_S)
				return atomic_load(word) ? NULL : "it hangs";
		}
		nanosleep(&pause, NULL);
	}
	late += now() - begin > PATIENCE_S;
	return NULL;
}

/* Whether it has ended by itself or had to be killed. */
static void end(pid_t pid)
{
	const int by_itself = process_ended(pid);
	int status = 0;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (by_itself)
		fprintf(stderr, "it has ended with status %#x\n", (unsigned)status);
}

static void try(long first, long second, int error)
{
	const char *why;
	double begin, cpu;
	pid_t pid;
	int open;

	memset(shared, 0, sizeof *shared);
	pid = fork();
	if (pid == 0)
		subject(first, second, error);
	why = await(&shared->loaded, pid);
	open = open_in(pid);
	cpu = cpu_of(pid);
	begin = now();
	atomic_store(&shared->go, 1);
	if (!why)
		why = await(&shared->answered, pid);
	slowest = now() - begin > slowest ? now() - begin : slowest;
	tally.tried++;
	if (!why)
		judge(pid, open, cpu_of(pid) - cpu, first, second, error);
	else
		complain(first, second, error, atomic_load(&shared->loaded) ? why : "it is not loaded");
	end(pid);
	if (kill(-pid, 0) == 0 && way->result == 0 && !(required & UMH_STEP(SESSION)))
		complain(first, second, error, "its group lives");
	trace_clean();
}

static int record(void)
{
	struct trace trace = {.way = way, .calls = calls, .capacity = MOST_CALLS};

	trace_record(&trace, &required);
	call_count = trace.call_count;
	usual = told->answer;
	usual.status = 0;
	return told->whole && usual.result == way->result && (usual.result < 0 || told->answer.status == way->status);
}

/*
 * No JVM starts without fstat(2), which identifies descriptors. Without close(2) no pipe ever ends, for which the
 * launcher and its mapper wait.
 */
static int is_indispensable(long number)
{
	return number == __NR_fstat || number == __NR_newfstatat || number == __NR_close;
}

/* Each number once. */
static unsigned numbers(long *found)
{
	unsigned count = 0;

	for (unsigned i = 0; i < call_count; i++) {
		unsigned known = 0;

		while (known < count && found[known] != calls[i].number)
			known++;
		if (known == count && !is_indispensable(calls[i].number))
			found[count++] = calls[i].number;
	}
	return count;
}

static void go(unsigned every)
{
	static const int errors[] = {EPERM, ENOSYS};
	long found[MOST_NUMBERS];
	const unsigned count = numbers(found);
	const struct tally before = tally;

	for (unsigned i = 0; i < count; i++)
		for (unsigned j = i; j < count; j++)
			for (unsigned e = 0; e < 2; e++)
				if (every <= 1 || (unsigned)random() % every == 0)
					try(found[i], found[j], errors[e]);
	printf("| %s | %u | %lu | %lu | %lu | %lu | %lu |\n", way->name, count, tally.tried - before.tried,
	       tally.as_usual - before.as_usual, tally.left_out - before.left_out, tally.told - before.told,
	       tally.wrong - before.wrong);
}

int main(int argc, char **argv)
{
	const unsigned every = argc > 3 ? (unsigned)atoi(argv[3]) : 1;
	unsigned seed = argc > 4 ? (unsigned)atoi(argv[4]) : 0;

	if (argc < 3) {
		fprintf(stderr, "usage: pairs LAUNCHER PROGRAM [EVERY [SEED]]\n");
		return 2;
	}
	seed = seed ? seed : (unsigned)time(NULL);
	srandom(seed);
	setvbuf(stdout, NULL, _IOLBF, 0);
	launcher = argv[1];
	if (!realpath(argv[2], tiny)) {
		perror(argv[2]);
		return 2;
	}
	trace_load(launcher);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	printf("| two calls refused, seed %u | calls | pairs | as usual | left out, and told | one error | wrong |\n"
	       "|---|---:|---:|---:|---:|---:|---:|\n",
	       seed);
	for (way = ways; way < ways + way_count; way++) {
		if (!record()) {
			printf("| %s | not made here | | | | | |\n", way->name);
			continue;
		}
		go(every);
	}
	printf("| all | | %lu | %lu | %lu | %lu | %lu |\n", tally.tried, tally.as_usual, tally.left_out, tally.told,
	       tally.wrong);
	printf("\nThe slowest took %.2f s; %lu waited longer than %d s for a CPU.\n", slowest, late, PATIENCE_S);
	return tally.wrong > 0;
}
