/* SPDX-License-Identifier: Apache-2.0 */
/* trace.c - follows all processes from a request to a helper by ptrace(2), on x86-64, and changes one call. */

#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/features.h"

#define PATIENCE_S   60
#define AFTER_EXEC_S 5 /* for a call that depends on time and is not made each time */

/* System calls that no kernel has: the begin and the end of the traced part. */
#define MARK  100000
#define BEGIN 1
#define END   2

struct told *told;
static const char *launcher;

/* The traced process */

static const struct way plain = {.manner = RUN};

static void look_around(int before, const sigset_t *mask)
{
	sigset_t now;
	siginfo_t info;

	told->children = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 ? -errno : 0;
	told->left = open_descriptors() - before;
	sigprocmask(SIG_SETMASK, NULL, &now);
	told->mask = memcmp(mask, &now, 8) == 0;
}

/* Replaces the program by one that runs for a while, and sets whether it must die with its parent. */
static void lengthen(struct order *order, const char *tied)
{
	order->argv[0] = order->argv[1] = "/bin/sleep";
	order->argv[2] = "1000";
	order->request.path = order->argv[0];
	if (tied[0] != 'y')
		return;
	order->plan.steps |= UMH_STEP(PARENT_DEATH);
	order->plan.required |= UMH_STEP(PARENT_DEATH);
	order->plan.parent_death_signal = SIGKILL;
}

/* Waits until it is traced, then starts one helper and another one. */
static __attribute__((noreturn)) void subject(const struct trace *trace, int gate)
{
	struct order order, after;
	sigset_t mask;
	int before;
	char byte;

	setsid(); /* a terminal that is passed on needs a session without one */
	if (load_launcher(launcher) < 0)
		_exit(2);
	order_begin(&order, trace->way);
	order_begin(&after, &plain);
	if (trace->tied)
		lengthen(&order, trace->tied);
	before = open_descriptors();
	sigprocmask(SIG_SETMASK, NULL, &mask);
	if (write(gate, "", 1) != 1 || read(gate, &byte, 1) != 1)
		_exit(2);
	umh_disable_features(trace->way->without);
	syscall(MARK, BEGIN);
	told->answer = order_make(&order, trace->way);
	syscall(MARK, END);
	told->next = order_make(&after, &plain);
	look_around(before, &mask);
	told->whole = 1;
	_exit(0);
}

/* The tracer */

static volatile sig_atomic_t impatient;

static void on_alarm(int signal)
{
	(void)signal;
	impatient = 1;
}

static struct task *find(struct trace *trace, pid_t pid)
{
	for (unsigned i = 0; i < trace->count; i++)
		if (trace->tasks[i].pid == pid)
			return &trace->tasks[i];
	return NULL;
}

static struct task *add(struct trace *trace, pid_t pid)
{
	struct task *task = &trace->tasks[trace->count];

	if (trace->count++ == MOST_TASKS)
		abort();
	*task = (struct task){.pid = pid};
	return task;
}

static void forget(struct trace *trace, pid_t pid)
{
	struct task *task = find(trace, pid);

	if (task)
		*task = trace->tasks[--trace->count];
}

static void peek_text(pid_t pid, uint64_t address, char text[CALL_TEXT])
{
	for (unsigned at = 0; at < CALL_TEXT; at += 8) {
		long word = ptrace(PTRACE_PEEKDATA, pid, address + at, 0);

		memcpy(text + at, &word, 8);
		if (memchr(text + at, 0, 8))
			return;
	}
	text[CALL_TEXT - 1] = 0;
}

static int is_open(long number)
{
	return number == __NR_openat || number == __NR_openat2 || number == __NR_open;
}

static void note(struct trace *trace, struct task *task, const struct __ptrace_syscall_info *info)
{
	struct call *call = &trace->calls[trace->call_count];

	if (trace->call_count++ == trace->capacity)
		abort();
	*call = (struct call){.who = task->who, .number = (long)info->entry.nr};
	call->nth = task->made[call->number % MOST_NUMBERS];
	memcpy(call->args, info->entry.args, sizeof call->args);
	if (is_open(call->number))
		peek_text(task->pid, call->args[1], call->text);
	task->call = call;
}

/* Calls that take effect even if they fail, such as close(2). */
static int takes_effect(long number)
{
	return number == __NR_close || number == __NR_munmap;
}

static void spoil(struct trace *trace, struct task *task, const struct __ptrace_syscall_info *info)
{
	const struct fault *fault = &trace->fault;

	trace->done = 1;
	switch (fault->action) {
	case REFUSE:
		task->override = -fault->error;
		if (!takes_effect((long)info->entry.nr))
			ptrace(PTRACE_POKEUSER, task->pid, 8 * ORIG_RAX, -1L);
		break;
	case SHORTEN:
		ptrace(PTRACE_POKEUSER, task->pid, 8 * RDX, info->entry.args[2] / 2);
		break;
	case KILL:
		kill(task->pid, SIGKILL);
		break;
	default:
		break;
	}
}

/* Returns whether the task continues, stopped and untraced. */
static int enter(struct trace *trace, struct task *task, const struct __ptrace_syscall_info *info)
{
	const struct fault *fault = &trace->fault;

	if (task->who == PARENT && (long)info->entry.nr == MARK) {
		task->looked_at = info->entry.args[0] == BEGIN;
		if (task->looked_at)
			return 0;
		ptrace(PTRACE_DETACH, task->pid, 0, 0);
		forget(trace, task->pid);
		return 1;
	}
	if (task->who == PARENT && !task->looked_at)
		return 0;
	if (trace->calls)
		note(trace, task, info);
	if (trace->way->refused == (long)info->entry.nr && trace->way->refused_error) {
		task->override = -trace->way->refused_error;
		ptrace(PTRACE_POKEUSER, task->pid, 8 * ORIG_RAX, -1L);
	}
	if (fault->action != NOTHING && !trace->done && fault->who == task->who &&
	    fault->number == (long)info->entry.nr && fault->nth == task->made[fault->number % MOST_NUMBERS]) {
		spoil(trace, task, info);
		if (fault->action == STOP) {
			kill(task->pid, SIGSTOP);
			ptrace(PTRACE_DETACH, task->pid, 0, 0);
			forget(trace, task->pid);
			return 1;
		}
	}
	task->made[info->entry.nr % MOST_NUMBERS]++;
	if (info->entry.nr == __NR_clone3)
		task->cloning = (uint64_t)ptrace(PTRACE_PEEKDATA, task->pid, info->entry.args[0], 0);
	else if (info->entry.nr == __NR_clone)
		task->cloning = info->entry.args[0];
	return 0;
}

static void leave(struct trace *trace, struct task *task, long answer)
{
	if (task->who >= LAUNCHER && answer > 0 && ptrace(PTRACE_PEEKUSER, task->pid, 8 * ORIG_RAX, 0) == __NR_sendmsg)
		trace->arrived = 1;
	if (task->call)
		task->call->answer = answer;
	task->call = NULL;
	if (task->override)
		ptrace(PTRACE_POKEUSER, task->pid, 8 * RAX, task->override);
	task->override = 0;
}

/* Which process a new one is. */
static enum who made_by(const struct task *task)
{
	if (task->who == PARENT)
		return CHILD;
	return task->cloning & CLONE_PARENT ? SUCCESSOR : MAPPER;
}

/* Whether the trace of the process is complete. */
static int is_done_with(const struct trace *trace, const struct task *task)
{
	const struct fault *fault = &trace->fault;

	if (trace->calls || fault->action == NOTHING || task->override)
		return 0;
	if (trace->tied || (trace->way->refused_error && task->who == PARENT))
		return 0;
	if (trace->done || task->who > fault->who)
		return 1;
	return task->who == PARENT && fault->who > PARENT && trace->child;
}

static void resume(struct trace *trace, struct task *task, int signal)
{
	const int done = is_done_with(trace, task);

	ptrace(done ? PTRACE_DETACH : PTRACE_SYSCALL, task->pid, 0, signal);
	if (done)
		forget(trace, task->pid);
}

/* A new process may stop before its creator's event; then it waits for that. */
static void introduce(struct trace *trace, struct task *maker)
{
	const enum who who = made_by(maker);
	unsigned long made;
	struct task *task;

	ptrace(PTRACE_GETEVENTMSG, maker->pid, 0, &made);
	trace->child = trace->child ? trace->child : (pid_t)made;
	task = find(trace, (pid_t)made);
	if (!task) {
		add(trace, (pid_t)made)->who = who;
		return;
	}
	task->who = who;
	resume(trace, task, 0);
}

/* Returns whether the task continues untraced: it is the helper now. */
static int executed(struct trace *trace, struct task *task)
{
	if (task->who == CHILD) {
		task->who = LAUNCHER;
		memset(task->made, 0, sizeof task->made);
		return 0;
	}
	trace->helper = task->pid;
	if (trace->tied && !trace->done)
		alarm(AFTER_EXEC_S); /* its helper does not end */
	ptrace(PTRACE_DETACH, task->pid, 0, 0);
	forget(trace, task->pid);
	return 1;
}

static int called(struct trace *trace, struct task *task)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, task->pid, sizeof info, &info) <= 0)
		return 0;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		return enter(trace, task, &info);
	if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		leave(trace, task, (long)info.exit.rval);
	return 0;
}

/* Handles a stop of a traced process. */
static void stopped(struct trace *trace, pid_t pid, int status)
{
	struct task *task = find(trace, pid);
	const int reason = status >> 16;
	int signal = WSTOPSIG(status);

	if (!task) {
		add(trace, pid)->who = WHO_COUNT;
		return;
	}
	if (signal == (SIGTRAP | 0x80)) {
		if (called(trace, task))
			return;
		signal = 0;
	} else if (reason == PTRACE_EVENT_EXEC) {
		if (executed(trace, task))
			return;
		signal = 0;
	} else if (reason == PTRACE_EVENT_FORK || reason == PTRACE_EVENT_VFORK || reason == PTRACE_EVENT_CLONE) {
		introduce(trace, task);
		signal = 0;
	} else if (reason != 0) {
		signal = 0;
	}
	resume(trace, find(trace, pid), signal);
}

/* A process that is neither traced nor our child may still exist; then its parent does, too. */
static int is_over(const struct trace *trace)
{
	return trace->ended && trace->count == 0;
}

static void follow(struct trace *trace)
{
	alarm(PATIENCE_S);
	while (!impatient && !is_over(trace)) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0)
			break;
		if (WIFSTOPPED(status)) {
			stopped(trace, pid, status);
			continue;
		}
		forget(trace, pid);
		trace->ended |= pid == trace->subject;
		if (pid == trace->helper)
			trace->helper = 0;
	}
	alarm(0);
	impatient = 0;
}

/* Our children, and those whose parents have ended. */
static void kill_children(void)
{
	FILE *children = fopen("/proc/thread-self/children", "re");
	int pid;

	while (children && fscanf(children, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	if (children)
		fclose(children);
}

void trace_clean(void)
{
	do
		kill_children();
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR);
}

static void begin(struct trace *trace)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC;
	int gate[2];
	char byte;

	memset(told, 0, sizeof *told);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) < 0)
		abort();
	trace->subject = fork();
	if (trace->subject == 0) {
		close(gate[1]);
		subject(trace, gate[0]);
	}
	close(gate[0]); /* so that the end of a subject that could not begin is noticed */
	if (read(gate[1], &byte, 1) != 1)
		abort();
	add(trace, trace->subject)->who = PARENT;
	if (ptrace(PTRACE_SEIZE, trace->subject, 0, options) < 0)
		abort();
	ptrace(PTRACE_INTERRUPT, trace->subject, 0, 0);
	if (write(gate[1], "", 1) != 1)
		abort();
	close(gate[1]);
}

void trace_load(const char *path)
{
	const struct sigaction action = {.sa_handler = on_alarm};

	launcher = path;
	if (read_launcher(path) < 0)
		abort();
	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		abort();
	sigaction(SIGALRM, &action, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that orphans become our children */
}

void trace_run(struct trace *trace)
{
	begin(trace);
	follow(trace);
}

void trace_record(struct trace *trace, uint64_t *required)
{
	struct order order;

	order_begin(&order, trace->way);
	*required = order.plan.required;
	order_end(&order);
	trace_run(trace);
	trace_clean();
	call_stages(trace->calls, trace->call_count, trace->way);
}
