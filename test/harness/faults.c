/* SPDX-License-Identifier: Apache-2.0 */
/* faults.c - has every system call from a request to a helper fail in turn, or kills or stops its process there. */

/*
 * 	faults LAUNCHER [EVERY]
 *
 * A process starts one helper in each of the ways of orders.c. First the system calls of the parent, of the child in
 * its memory, of the launcher and of its children are recorded. Then, each time in a new process,
 *
 * 	each call is refused with each of its errnos, and cut short if it reads or writes;
 * 	the child, the launcher and its children are killed at each call;
 * 	the launcher and its successor are stopped at each call; only the parent's user may stop the others;
 * 	the parent is killed at each call, with a helper that must die with it and with one that must not.
 *
 * The result must have the call's stage and errno; or the shim does the call another way; or the step is optional, and
 * the result reports it. Nothing may be left, and the next helper must start. The counts are printed as tables. EVERY:
 * only one case of so many is tried.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trace.h"

#define MOST_CALLS 2048

/* The cases of a way, and their results. */
struct tally {
	unsigned long tried, told, another_way, left_out, wrong;
};

static unsigned long number_of_fault;
static unsigned every = 1;

static struct call calls[MOST_CALLS];
static unsigned call_count;
static const struct way *way;
static uint64_t usually_kept;
static uint64_t required;

/*
 * Failures that are not reported, because the call has an alternative or does not matter. A successor is a launcher,
 * too.
 */
static const struct tolerance {
	enum who who;
	long number;
	int error;            /* 0: any */
	int stage;            /* ANY: at any */
	unsigned first, last; /* its occurrences at the stage, from 0 */
} tolerances[] = {
#define ANY  -1
#define EACH 0, UINT_MAX
	/* close(2) closes a descriptor even if it fails; memory ends with the launcher. */
	{PARENT, __NR_close, 0, ANY, EACH},
	{CHILD, __NR_close, 0, ANY, EACH},
	{LAUNCHER, __NR_close, 0, ANY, EACH},
	{MAPPER, __NR_close, 0, ANY, EACH},
	/* The parent's own oom_score_adj saves a step if it is known. */
	{PARENT, __NR_pread64, 0, ANY, EACH},
	/* The call is made once more. */
	{PARENT, __NR_recvmsg, 0, ANY, EACH},
	/* As on an older kernel, or under a filter. */
	{PARENT, __NR_clone3, EPERM, ANY, EACH},
	{PARENT, __NR_clone3, ENOSYS, ANY, EACH},
	{PARENT, __NR_clone3, EINVAL, ANY, EACH},
	{PARENT, __NR_clone, EINVAL, ANY, EACH},
	{PARENT, __NR_fcntl, EINVAL, UMH_STAGE_BLOB, 0, 0},
	{CHILD, __NR_close_range, EPERM, ANY, EACH},
	{CHILD, __NR_close_range, ENOSYS, ANY, EACH},
	{CHILD, __NR_execveat, EPERM, ANY, EACH},
	{CHILD, __NR_execveat, ENOSYS, ANY, EACH},
	/* Another process has the launcher's file open for writing: the launcher is created again. */
	{CHILD, __NR_execveat, ETXTBSY, ANY, EACH},
	{CHILD, __NR_execve, ETXTBSY, ANY, EACH},
	{LAUNCHER, __NR_execveat, EPERM, UMH_STAGE_EXEC, EACH},
	{LAUNCHER, __NR_execveat, ENOSYS, UMH_STAGE_EXEC, EACH},
	/* The kernel executes the file anyway; an emulator could not open it. */
	{CHILD, __NR_fcntl, 0, ANY, EACH},
	{LAUNCHER, __NR_fcntl, 0, UMH_STAGE_EXEC, EACH},
	{LAUNCHER, __NR_clone3, EPERM, ANY, EACH},
	{LAUNCHER, __NR_clone3, ENOSYS, ANY, EACH},
	/* Without a list in /proc descriptors are closed one by one. */
	{CHILD, __NR_openat, 0, ANY, EACH},
	{CHILD, __NR_read, 0, ANY, EACH},
	{CHILD, __NR_getdents64, 0, ANY, EACH},
	/* By this group the JVM finds a successor that was killed before its report. */
	{LAUNCHER, __NR_setpgid, 0, UMH_STAGE_PID_NAMESPACE, EACH},
	/* The call could save a step, which is applied then. */
	{LAUNCHER, __NR_ioprio_get, 0, ANY, EACH},
	{LAUNCHER, __NR_prctl, 0, UMH_STAGE_SECUREBITS, 0, 0},
	/* PR_SET_KEEPCAPS is not needed any more, and ends with the execve. */
	{LAUNCHER, __NR_prctl, 0, UMH_STAGE_CAPABILITIES, 0, 0},
	/* The launcher does not need address randomization; another image of it is executed then. */
	{CHILD, __NR_personality, 0, ANY, EACH},
	/* If the ignored signals are unknown, all are reset. */
	{LAUNCHER, __NR_openat, 0, UMH_STAGE_PLAN, EACH},
	{LAUNCHER, __NR_read, 0, UMH_STAGE_PLAN, EACH},
	/* The launcher's name in ps(1). */
	{LAUNCHER, __NR_prctl, 0, UMH_STAGE_PLAN, 1, 1},
	/* Closes what the exit closes a moment later. */
	{LAUNCHER, __NR_close_range, 0, ANY, EACH},
	/* The memfd for a failure after the filter. */
	{LAUNCHER, __NR_memfd_create, 0, ANY, EACH},
	{LAUNCHER, __NR_ftruncate, 0, ANY, EACH},
	/* An unreadable program is not checked. */
	{LAUNCHER, __NR_newfstatat, 0, UMH_STAGE_EXEC, EACH},
	{LAUNCHER, __NR_openat, 0, UMH_STAGE_EXEC, EACH},
	{LAUNCHER, __NR_pread64, 0, UMH_STAGE_EXEC, EACH},
	/* If the launcher's name is unknown, the hang-up or the end decides. */
	{PARENT, __NR_readlink, 0, ANY, EACH},
	{PARENT, __NR_read, 0, ANY, EACH},
	{PARENT, __NR_clock_nanosleep, 0, ANY, EACH},
	/* The kernel has no information about a pidfd: /proc has. */
	{PARENT, __NR_ioctl, 0, ANY, EACH},
	/* write(2) serves instead. */
	{LAUNCHER, __NR_sendmsg, 0, UMH_STAGE_NPROC, EACH},
	{LAUNCHER, __NR_sendmsg, 0, UMH_STAGE_EFFECTIVE, EACH},
	{LAUNCHER, __NR_sendmsg, 0, UMH_STAGE_EXEC, EACH},
	/* A filter refuses them: clone(2) copies the table; wait4(2), ppoll(2) and periodic checks serve instead. */
	{CHILD, __NR_unshare, EPERM, ANY, EACH},
	{CHILD, __NR_unshare, ENOSYS, ANY, EACH},
	{PARENT, __NR_waitid, EPERM, ANY, EACH},
	{PARENT, __NR_waitid, ENOSYS, ANY, EACH},
	{PARENT, __NR_poll, EPERM, ANY, EACH},
	{PARENT, __NR_epoll_wait, EPERM, ANY, EACH},
	/* The launcher exits whether or not it is killed. */
	{PARENT, __NR_pidfd_send_signal, 0, ANY, EACH},
	/* Without a watch the launch is checked every UMH_STOP_CHECK_MS. */
	{PARENT, __NR_epoll_ctl, 0, ANY, EACH},
};

/* An interrupted call is made again. In the launcher all signals are blocked. */
static int is_done_again(const struct call *call)
{
	static const long of_parent[] = {__NR_poll,  __NR_waitid, __NR_wait4, __NR_epoll_wait,
					 __NR_write, __NR_dup3,   __NR_sendto};

	for (unsigned i = 0; call->who == PARENT && i < sizeof of_parent / sizeof *of_parent; i++)
		if (of_parent[i] == call->number)
			return 1;
	return call->number == __NR_recvmsg || call->number == __NR_wait4;
}

/* For a launch that has failed, or a launcher that has a successor: waitpid(2) serves as well. */
static int is_of_no_helper(const struct call *call)
{
	for (unsigned i = (unsigned)(call - calls) + 1; i < call_count; i++)
		if (calls[i].who == PARENT && calls[i].number == __NR_waitid)
			return way->manner != RUN || call->args[3] & WNOHANG;
	return way->result < 0 && way->manner != RUN;
}

static int is_required(const struct call *call)
{
	return (required >> call->stage & 1) != 0;
}

/* The cases that the table can't express. */
static int is_tolerated_here(const struct call *call, int error)
{
	int pid;

	switch (call->number) {
	case __NR_dup3: /* the second of two: a low descriptor that can't be restored is not lent any more */
		return call->who == PARENT && call->nth % 2 == 1;
	case __NR_waitid: /* WNOWAIT: whether it is a child, which is assumed if it can't be asked */
		return (call->args[3] & WNOWAIT) || is_of_no_helper(call);
	case __NR_memfd_create: /* the program is in a tmpfs instead */
		return error == EACCES && way->manner == HOLD;
	case __NR_poll: /* the result of an earlier failure stays */
		return way->result < 0 && (way->manner == RUN || call->nth > 0);
	case __NR_mmap: /* the memory for a failure after the filter */
		return call->who == LAUNCHER && call->args[1] == sizeof(uint32_t);
	case __NR_write: /* an id map, which is written again as a dumpable process */
		return error == EACCES && call->stage == UMH_STAGE_ID_MAP;
	case __NR_openat: /* the same; a process's name, its cgroup */
		if (call->who != PARENT)
			return error == EACCES && call->stage == UMH_STAGE_ID_MAP;
		return sscanf(call->text, "/proc/%d", &pid) == 1 || strstr(call->text, "cgroup");
	case __NR_fcntl: /* a memfd that can't be verified is not used */
		return call->who == PARENT && call->args[1] == F_GET_SEALS;
	case __NR_openat2: /* before 5.6; and for the program only ELOOP matters */
		return call->stage == UMH_STAGE_EXEC ? error != ELOOP : error == EPERM || error == ENOSYS;
	case __NR_set_mempolicy: /* a kernel without NUMA */
		return error == ENOSYS && !is_required(call);
	case __NR_clone3: /* a kernel without CLONE_INTO_CGROUP */
		return error == E2BIG && call->who == PARENT && (required & UMH_STEP(CGROUP)) == 0 && way->ask &&
		       usually_kept == 0 && strstr(way->name, "cgroup");
	default:
		return 0;
	}
}

static int is_tolerated(const struct call *call, int error)
{
	const enum who who = call->who == SUCCESSOR ? LAUNCHER : call->who;

	if ((error == EINTR && is_done_again(call)) || is_tolerated_here(call, error))
		return 1;
	for (unsigned i = 0; i < sizeof tolerances / sizeof *tolerances; i++) {
		const struct tolerance *one = &tolerances[i];

		if (one->who == who && one->number == call->number && (one->error == 0 || one->error == error) &&
		    (one->stage == ANY || one->stage == (int)call->stage) && call->occurrence >= one->first &&
		    call->occurrence <= one->last)
			return 1;
	}
	return 0;
}

/* Judging */

static const char *const whose[] = {"parent half", "child", "launcher", "mapper", "successor"};
static const char *const stages[] = {
#define X(name) #name,
	UMH_STAGES(X)
#undef X
};

static void complain(const struct call *call, const char *fault, const char *what, struct tally *tally)
{
	const struct answer *answer = &told->answer;
	const char *error = strerrorname_np(-answer->result);
	const struct kind *kind = call_kind(call->number);

	fprintf(stderr, "WRONG %s: %s: %s %u(%#llx, %#llx) %s: %s: %s: %s%s%s, status %d, kept %#llx\n", way->name,
		whose[call->who], kind ? kind->name : "?", call->nth, (unsigned long long)call->args[0],
		(unsigned long long)call->args[1], call->text, fault, what, stages[answer->report.stage],
		answer->result ? " " : "",
		answer->result == 0 ? ""
		: error             ? error
				    : "?",
		answer->status, (unsigned long long)answer->report.unapplied);
	tally->wrong++;
}

static int is_as_usual(const struct answer *answer)
{
	if (way->result < 0)
		return answer->result == way->result && (int)answer->report.stage == way->stage;
	return answer->result == 0 && answer->status == way->status;
}

static int is_told(enum umh_stage stage, int error)
{
	return told->answer.result == -error && told->answer.report.stage == stage;
}

/* For the cgroup that a process is created in. The error of the memfd is better than that of the mount. */
static int is_told_so(const struct call *call, int error)
{
	if (is_told(call->stage, error))
		return 1;
	if (call->number == __NR_clone3 && is_told(UMH_STAGE_CGROUP, error))
		return 1;
	if ((call->number == __NR_capget || call->number == __NR_capset) && is_told(UMH_STAGE_CWD, error))
		return 1; /* the directory is entered with the helper's capabilities */
	if (call->number == __NR_execve && error == ENOENT && is_told(UMH_STAGE_LAUNCH, ENOSYS))
		return 1; /* no /proc: the first error is better */
	return way->refused_error && is_told(UMH_STAGE_BLOB, way->refused_error);
}

/* Why nothing else matters: something is left, or the process did not continue. */
static const char *what_is_left(void)
{
	if (!told->whole)
		return "it did not come to its end";
	if (told->next.result != 0 || told->next.status != 0)
		return "the next one failed";
	if (told->left > 0)
		return "descriptors are left";
	if (told->children != -ECHILD)
		return "a child is left";
	return told->mask ? NULL : "signals stay blocked";
}

static void judge_refused(const struct call *call, int error, struct tally *tally)
{
	const uint64_t more = told->answer.report.unapplied & ~usually_kept;
	const int as_usual = is_as_usual(&told->answer);
	const char *left = what_is_left();

	if (left)
		complain(call, strerrorname_np(error), left, tally);
	else if (is_tolerated(call, error) && as_usual && more == 0)
		tally->another_way++;
	else if (as_usual && more == UINT64_C(1) << call->stage &&
		 (!is_required(call) || call->number == __NR_prlimit64))
		tally->left_out++;
	else if ((!is_tolerated(call, error) || is_tolerated_here(call, error)) && is_told_so(call, error))
		tally->told++;
	else
		complain(call, strerrorname_np(error), as_usual ? "not reported" : "reported as", tally);
}

/* Half of it: the rest follows, or the result is EIO, or the kernel's errno for half a number. */
static void judge_shortened(const struct call *call, struct tally *tally)
{
	const uint64_t more = told->answer.report.unapplied & ~usually_kept;
	const char *left = what_is_left();

	if (left)
		complain(call, "cut short", left, tally);
	else if (is_as_usual(&told->answer) && more == 0)
		tally->another_way++;
	else if (is_as_usual(&told->answer) && more == UINT64_C(1) << call->stage)
		tally->left_out++;
	else if (told->answer.result < 0 && told->answer.report.stage == call->stage)
		tally->told++;
	else
		complain(call, "cut short", "reported as", tally);
}

static int is_at_end(const struct call *call)
{
	return call->arrived || call->number == __NR_sendmsg || call->number == __NR_exit_group;
}

/* After its last report a launcher can't be distinguished from a helper that is killed before its first instruction. */
static int is_helpers_death(const struct call *call)
{
	return is_at_end(call) &&
	       (is_as_usual(&told->answer) || (told->answer.result == 0 && told->answer.status == SIGKILL));
}

static void judge_killed(const struct call *call, struct tally *tally)
{
	const char *left = what_is_left();

	if (left)
		complain(call, "killed", left, tally);
	else if (is_told(call->who == MAPPER ? UMH_STAGE_ID_MAP : UMH_STAGE_KILLED, EINTR) || is_helpers_death(call))
		tally->told++;
	else
		complain(call, "killed", "reported as", tally);
}

static void judge_stopped(const struct call *call, struct tally *tally)
{
	const char *left = what_is_left();

	if (left)
		complain(call, "stopped", left, tally);
	else if (is_as_usual(&told->answer))
		tally->another_way++;
	else
		complain(call, "stopped", "reported as", tally);
}

/* Trying */

/* Whether the case is among those to try, and has happened. */
static int happens(const struct call *call, enum action action, int error, struct tally *tally)
{
	struct trace trace = {.way = way, .fault = {call->who, call->number, call->nth, action, error}};

	if (number_of_fault++ % every)
		return 0;
	trace_run(&trace);
	trace_clean();
	tally->tried += (unsigned long)trace.done;
	return trace.done;
}

static int can_be_cut(const struct call *call)
{
	const long number = call->number;

	return (number == __NR_read || number == __NR_write || number == __NR_pread64) && call->args[2] > 1;
}

static void refuse(const struct call *call, struct tally *tally)
{
	const struct kind *kind = call_kind(call->number);

	if (!kind) {
		fprintf(stderr, "WRONG %s: %s: call %ld is unheard of\n", way->name, whose[call->who], call->number);
		tally->wrong++;
		return;
	}
	for (unsigned i = 0; i < sizeof kind->errors / sizeof *kind->errors && kind->errors[i]; i++)
		if (call->answer != -kind->errors[i] && happens(call, REFUSE, kind->errors[i], tally))
			judge_refused(call, kind->errors[i], tally);
	if (can_be_cut(call) && happens(call, SHORTEN, 0, tally))
		judge_shortened(call, tally);
}

static void end(const struct call *call, struct tally *killed, struct tally *stopped)
{
	if (call->who == PARENT)
		return;
	if (happens(call, KILL, 0, killed))
		judge_killed(call, killed);
	/* After EXEC the process counts as the helper: it may be stopped, and stays so. */
	if ((call->who == LAUNCHER || call->who == SUCCESSOR) && !is_at_end(call) && happens(call, STOP, 0, stopped))
		judge_stopped(call, stopped);
}

/* Waits for the end of all processes; returns whether it came. */
static int all_end(void)
{
	for (int i = 0; i < 10000; i++) {
		const struct timespec moment = {.tv_nsec = 1000000};

		if (waitpid(-1, NULL, __WALL | WNOHANG) < 0 && errno == ECHILD)
			return 1;
		nanosleep(&moment, NULL);
	}
	return 0;
}

/*
 * The parent is killed: a helper that must die with it ends, another one lives once its launcher could report EXEC.
 * Before that no helper may start.
 */
static void die(const struct call *call, const char *tied, struct tally *tally)
{
	struct trace trace = {.way = way, .fault = {PARENT, call->number, call->nth, KILL, 0}, .tied = tied};
	int lives;

	if (number_of_fault++ % every)
		return;
	trace_run(&trace);
	if (!trace.done) { /* a call that depends on time is not made each time */
		trace_clean();
		return;
	}
	tally->tried++;
	lives = trace.helper && kill(trace.helper, 0) == 0;
	if (required & UMH_STEP(PID_NAMESPACE))
		lives |= trace.arrived; /* a successor that could not be reported ends */
	if (tied[0] == 'y' ? all_end() : lives == trace.arrived)
		tally->told++;
	else
		complain(call, "the parent is killed",
			 tied[0] == 'y' ? "a tied helper lives" : "a detached helper does not live", tally);
	trace_clean();
}

/* Of a call that is made many times at one stage the first four and the last are enough. */
static int is_one_of_many(const struct call *call)
{
	unsigned after = 0;

	for (const struct call *other = call + 1; other < calls + call_count; other++)
		after += other->who == call->who && other->number == call->number && other->stage == call->stage;
	return call->occurrence >= 4 && after > 0;
}

/* Records the calls of a way; returns whether this host can run it. */
static int record(void)
{
	struct trace trace = {.way = way, .calls = calls, .capacity = MOST_CALLS};

	trace_record(&trace, &required);
	call_count = trace.call_count;
	usually_kept = told->answer.report.unapplied;
	return is_as_usual(&told->answer) && !what_is_left();
}

/* A host without the feature, or one that refuses it to every user. */
static int is_impossible_here(const struct answer *answer)
{
	return answer->result == -EPERM || answer->result == -ENOSYS || answer->result == -EOPNOTSUPP ||
	       answer->result == -ENOENT;
}

static void add(struct tally *sum, const struct tally *more)
{
	sum->tried += more->tried;
	sum->told += more->told;
	sum->another_way += more->another_way;
	sum->left_out += more->left_out;
	sum->wrong += more->wrong;
}

static void print(const char *name, unsigned count, const struct tally *tally)
{
	printf("| %s | %u | %lu | %lu | %lu | %lu | %lu |\n", name, count, tally->tried, tally->told,
	       tally->another_way, tally->left_out, tally->wrong);
}

struct ends {
	struct tally killed, stopped, tied, detached;
};

/* A helper with the parent's terminal gets SIGHUP, and one that waits before its execve is never allowed to. */
static int is_detached(void)
{
	return !(required & (UMH_STEP(PARENT_DEATH) | UMH_STEP(TERMINAL))) && way->manner != HOLD;
}

/* The parent waits in waitid(2) for a helper that does not end. */
static void go(struct tally *refused, struct ends *ends)
{
	int waits = 0;

	for (unsigned i = 0; i < call_count; i++) {
		if (is_one_of_many(&calls[i]))
			continue;
		refuse(&calls[i], refused);
		end(&calls[i], &ends->killed, &ends->stopped);
		if (calls[i].who != PARENT || waits || way->result < 0)
			continue;
		waits = calls[i].number == __NR_waitid;
		die(&calls[i], "yes", &ends->tied);
		if (is_detached())
			die(&calls[i], "no", &ends->detached);
	}
}

static void print_end(const char *what, const struct tally *tally)
{
	printf("| %s | %lu | %lu |\n", what, tally->tried, tally->wrong);
}

int main(int argc, char **argv)
{
	struct tally all = {0};
	struct ends ends = {0};
	unsigned sum = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: faults LAUNCHER [EVERY]\n");
		return 2;
	}
	every = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	trace_load(argv[1]);
	printf("| launch | system calls | faults | reported | replaced | unapplied | wrong |\n"
	       "|---|---:|---:|---:|---:|---:|---:|\n");
	for (way = ways; way < ways + way_count; way++) {
		struct tally refused = {0};

		if (!record()) {
			const int possible = !is_impossible_here(&told->answer) || what_is_left();

			fprintf(stderr, "%s %s: it can't be made here: %s %d\n", possible ? "WRONG" : "SKIPPED",
				way->name, stages[told->answer.report.stage], told->answer.result);
			all.wrong += (unsigned)possible;
			printf("| %s | not made here | | | | | |\n", way->name);
			continue;
		}
		go(&refused, &ends);
		print(way->name, call_count, &refused);
		add(&all, &refused);
		sum += call_count;
	}
	print("all", sum, &all);
	printf("\n| event at each of these system calls | how often | wrong |\n|---|---:|---:|\n");
	print_end("child, launcher or a child of it killed", &ends.killed);
	print_end("launcher or successor stopped and continued", &ends.stopped);
	print_end("parent killed; a helper with a parent death signal is killed", &ends.tied);
	print_end("parent killed; any other helper continues", &ends.detached);
	return all.wrong + ends.killed.wrong + ends.stopped.wrong + ends.tied.wrong + ends.detached.wrong > 0;
}
