/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.c - tries every order of the events of a launch, on each way of waiting, against a model, without a scheduler
 * and without real time.
 */

/*
 * 	decide [EVERY [ALWAYS]]
 *
 * This file replaces the launcher: its umh_clone_launcher() creates a process that follows orders. A story has the
 * actions of launcher and successor, and the order between some of them. All orders that respect it are tried, each
 * with a check by the shim after every event, after none, and after a single one. Sockets, pidfds and processes are
 * real. Whenever the shim would sleep, the next events happen instead; after the last one time passes, which is
 * simulated.
 *
 * The ways are umh_start() with a umh_wait_exec() that does not block (as the reaper does), with one that blocks, and
 * umh_run(). The first must not sleep. Each launch must have the model's result and stage and leave no process and no
 * descriptor.
 */

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "orders.h"
#include "shim/clone.h"
#include "shim/socket.h"
#include "shim/epoll.h"
#include "shim/features.h"
#include "shim/pidfd.h"

#define MOST_EVENTS 9
#define MOST_SLEEPS 3000 /* in one launch: more would be a busy loop */

/*
 * An event is a letter.
 *
 * 	S  the first process reports its successor              E  the speaker reports EXEC
 * 	T  the same, and the pidfd is lost                      F  it reports ENOENT
 * 	X  the same, with the pidfd of another process          R  the successor reports EIO at PID_NAMESPACE
 * 	L  the successor reports that it was left behind        G  the first process reports EIO at PID_NAMESPACE
 * 	M  the successor exists, without a report
 * 	N  the speaker has another name                         U  E, of a launcher that could not set its name
 * 	1  the first process exits                              K  it is killed
 * 	2  the successor exits                                  k  it is killed
 * 	H  the last copy of the socket is closed
 *
 * The speaker is the successor, if there is one. The actions of a dead process do not happen.
 */
struct story {
	const char *events;
	const char *rules; /* pairs: the first before the second */
	int successor_expected;
};

/* clang-format off */
static const struct story stories[] = {
	{"EN1H", "EN N1 EH", 0},     {"EN1HK", "EN N1 EH", 0},     {"EFH1", "EF F1 FH", 0},
	{"EFH1K", "EF F1 FH", 0},    {"FH1", "F1 FH", 0},          {"FH1K", "F1 FH", 0},
	{"H1", "", 0},               {"HK", "", 0},                {"EN", "EN", 0},
	{"E1H", "E1 EH", 0},         {"U1NH", "U1 UN N1 UH", 0},   {"EF", "EF", 0},
	{"F", "", 0},                {"1", "", 0},                 {"H", "", 0},
	{"S1EN2H", "S1 SE EN N2 EH 1H", 1},    {"S1EN2HK", "S1 SE EN N2 EH 1H", 1},
	{"S1EN2Hk", "S1 SE EN N2 EH 1H", 1},   {"S1EN", "S1 SE EN", 1},
	{"S1EF2H", "S1 SE EF F2 FH 1H", 1},    {"S1EF2HK", "S1 SE EF F2 FH 1H", 1},
	{"S1EF2Hk", "S1 SE EF F2 FH 1H", 1},   {"S1F2H", "S1 SF F2 FH 1H", 1},
	{"S1F2HKk", "S1 SF F2 FH 1H", 1},      {"S12H", "S1 S2 SH 1H", 1},
	{"S12HKk", "S1 S2 SH 1H", 1},          {"S1EF", "S1 SE EF", 1},
	{"L21H", "L2 LH 1H", 1},               {"L2KH", "L2 LH KH", 1},
	{"L1", "", 1},                         {"1H", "", 1},
	{"1", "", 1},                          {"KH", "", 1},
	{"T1E2H", "T1 TE E2 EH", 1},           {"T1EKH", "T1 TE EH", 1},
	{"RS12H", "R2 S1 RH SH", 1},           {"SGL12H", "SG G1 SL 1L L2 LH", 1},
	{"X1H", "X1 XH", 1},                   {"X1HK", "X1 XH", 1},
	{"F1H", "F1 FH", 1},                   {"SL1K2H", "S1 SL L2 LH", 1},
	{"MKkH", "MK Mk kH KH", 1},            {"MK", "MK", 1},
	{"M1kH", "M1 Mk kH 1H", 1},            {"MFkH", "MF Mk kH FH", 1},
};
/* clang-format on */

enum way_of { PARKED, BLOCKING, RUNNING, WAYS };
static const char *const way_names[] = {"parked", "blocking", "run"};

struct actor {
	pid_t pid;
	int pidfd;
	int orders; /* the write end of its pipe */
	int alive;
};

/* The launch under test. */
static struct {
	const struct story *story;
	enum way_of way;
	char order[MOST_EVENTS + 1];
	unsigned looks; /* a bit for each event that the shim's check follows */
	unsigned next;
	struct actor first, successor;
	int child_end;
	int sleeps;
	int slept; /* a sleep in PARKED, which must not sleep */
} play;

static long long later_ms; /* the simulated time */
static long launches, wrong;

/* The number of orders of each story that are tried in any case; of the others, one of EVERY. */
static long always = 60;
static long tried;

int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

/* Processes */

static void __attribute__((noreturn)) act(int orders)
{
	char letter;

	dup2(orders, 0);
	close_range(3, ~0U, 0); /* otherwise it would hold a copy of the socket */
	prctl(PR_SET_NAME, UMH_LAUNCHER_COMM);
	while (read(0, &letter, 1) == 1) {
		if (letter == 'x')
			_exit(0);
		prctl(PR_SET_NAME, "helper");
	}
	_exit(1);
}

/* Waits until other processes can see the name: otherwise the order is undefined. A killed process has none. */
static void await_name(const struct actor *actor, const char *wanted)
{
	struct pollfd ended = {.fd = actor->pidfd, .events = POLLIN};
	char path[40], name[32] = "";

	snprintf(path, sizeof path, "/proc/%d/comm", actor->pid);
	while (strncmp(name, wanted, strlen(wanted)) != 0 && __real_poll(&ended, 1, 0) == 0) {
		FILE *file = fopen(path, "re");

		if (file && !fgets(name, sizeof name, file))
			name[0] = 0;
		if (file)
			fclose(file);
	}
}

/* As in the launcher: the group keeps the first process's number in use as long as the successor exists. */
static void appear(struct actor *actor)
{
	int orders[2];

	if (pipe(orders) < 0)
		abort();
	actor->pid = fork();
	if (actor->pid == 0)
		act(orders[0]);
	setpgid(actor->pid, play.first.pid);
	close(orders[0]);
	actor->orders = orders[1];
	actor->pidfd = (int)syscall(__NR_pidfd_open, actor->pid, 0);
	actor->alive = 1;
	await_name(actor, UMH_LAUNCHER_COMM);
}

/* The same for the end. */
static void end(struct actor *actor, int kills)
{
	siginfo_t info;

	if (!actor->alive)
		return;
	if (kills)
		kill(actor->pid, SIGKILL);
	else if (write(actor->orders, "x", 1) != 1)
		kill(actor->pid, SIGKILL); /* the shim was faster */
	waitid(P_PID, (id_t)actor->pid, &info, WEXITED | WNOWAIT);
	actor->alive = 0;
}

static void rename_to_helper(const struct actor *actor)
{
	if (actor->alive && write(actor->orders, "n", 1) == 1)
		await_name(actor, "helper");
}

static void forget(struct actor *actor)
{
	if (actor->orders > 0)
		close(actor->orders);
	if (actor->pidfd > 0)
		close(actor->pidfd);
}

/* Events */

/*
 * The kernel lets root choose the sender. Otherwise each process would need the socket and would prevent the hang-up.
 */
static void say(const struct actor *who, enum umh_stage stage, int error, int fd, uint64_t kept)
{
	struct umh_report word = {.stage = stage, .error = (uint32_t)error, .unapplied = kept};
	struct {
		struct cmsghdr header;
		struct ucred sender;
		struct cmsghdr second __attribute__((aligned(8)));
		int fd;
	} control = {
		{CMSG_LEN(sizeof(struct ucred)), SOL_SOCKET, SCM_CREDENTIALS},
		{who->pid, getuid(), getgid()},
		{CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS},
		fd,
	};
	struct iovec part = {&word, sizeof word};
	const struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = fd < 0 ? CMSG_SPACE(sizeof(struct ucred)) : sizeof control,
	};

	if (sendmsg(play.child_end, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EPIPE && errno != EBADF &&
	    errno != ESRCH)
		abort(); /* the order after the last: the shim has killed the process */
}

static struct actor *speaker(void)
{
	return play.story->successor_expected && !strchr(play.story->events, 'X') && !strchr(play.story->events, 'M') &&
			       strcmp(play.story->events, "F1H") != 0
		       ? &play.successor
		       : &play.first;
}

static void say_of_succession(char event)
{
	const int own = (int)syscall(__NR_pidfd_open, getpid(), 0);

	if (!play.first.alive && event != 'L' && event != 'R')
		goto done;
	if (event != 'X' && play.successor.pid == 0)
		appear(&play.successor);
	if (event == 'S')
		say(&play.first, UMH_STAGE_PID_NAMESPACE, 0, play.successor.pidfd, 0);
	else if (event == 'T')
		say(&play.first, UMH_STAGE_PID_NAMESPACE, 0, -1, 0);
	else if (event == 'X')
		say(&play.first, UMH_STAGE_PID_NAMESPACE, 0, own, 0);
	else if (event == 'G')
		say(&play.first, UMH_STAGE_PID_NAMESPACE, EIO, -1, 0);
	else if (event == 'M')
		; /* it was killed before it could */
	else if (play.successor.alive && event == 'L')
		say(&play.successor, UMH_STAGE_PID_NAMESPACE, EPIPE, play.successor.pidfd, 0);
	else if (play.successor.alive)
		say(&play.successor, UMH_STAGE_PID_NAMESPACE, EIO, -1, 0);
done:
	close(own);
}

static void happen(char event)
{
	switch (event) {
	case '1':
	case 'K':
		end(&play.first, event == 'K');
		break;
	case '2':
	case 'k':
		end(&play.successor, event == 'k');
		break;
	case 'H':
		if (play.child_end >= 0)
			close(play.child_end);
		play.child_end = -1;
		break;
	case 'N':
		rename_to_helper(speaker());
		break;
	case 'E':
	case 'U':
		if (speaker()->alive)
			say(speaker(), UMH_STAGE_EXEC, 0, -1, event == 'U' ? UMH_STEP(LAUNCH) : 0);
		break;
	case 'F':
		if (speaker()->alive)
			say(speaker(), UMH_STAGE_EXEC, ENOENT, -1, 0);
		break;
	default:
		say_of_succession(event);
	}
}

/* Runs the events up to the shim's next check; returns whether there was one. */
static int go_on(void)
{
	const unsigned before = play.next;

	while (play.order[play.next]) {
		happen(play.order[play.next++]);
		if (play.looks >> (play.next - 1) & 1)
			break;
	}
	return play.next > before;
}

/* The functions that the shim calls (the linker's --wrap) */

/* Time is simulated, but the end of a killed process takes real time. */
static void let_end(int usual_ms)
{
	struct pollfd successor = {.fd = play.successor.pidfd, .events = POLLIN};
	const int is_silent = strchr(play.story->events, 'M') && successor.fd > 0;

	__real_poll(is_silent ? &successor : NULL, is_silent ? 1 : 0, is_silent ? 50 : usual_ms);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	int result = __real_poll(fds, count, 0);

	if (result != 0 || timeout_ms == 0)
		return result;
	play.slept |= play.way == PARKED;
	if (++play.sleeps > MOST_SLEEPS)
		abort();
	if (go_on())
		return __real_poll(fds, count, 0);
	later_ms += timeout_ms;
	let_end(0);
	return __real_poll(fds, count, 1); /* the end of a killed process takes real time */
}

int __wrap_usleep(useconds_t time);
int __wrap_usleep(useconds_t time)
{
	play.slept |= play.way == PARKED;
	if (++play.sleeps > MOST_SLEEPS)
		abort();
	later_ms += time / 1000;
	go_on();
	return 0;
}

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = __real_clock_gettime(clock, now);

	now->tv_sec += later_ms / 1000;
	return result;
}

/* A wait for an end first runs all events before it. A helper that nothing ends, ends then. */
static void play_until_end(int pidfd)
{
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};

	while (__real_poll(&ended, 1, 0) == 0 && go_on())
		;
	if (__real_poll(&ended, 1, 0) == 0) {
		end(&play.first, 0);
		end(&play.successor, 0);
	}
}

long __real_syscall(long number, ...);
__attribute__((no_sanitize_address)) long __wrap_syscall(long number, ...); /* reads more than it was given */
long __wrap_syscall(long number, ...)
{
	long a[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == __NR_waitid && a[0] == 3 && !(a[3] & WNOHANG)) {
		play.slept |= play.way == PARKED;
		play_until_end((int)a[1]);
	}
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Instead of shim/clone.c */

int umh_clone_launcher(const struct umh_request *request, const struct umh_launcher_image *launcher, int socket,
		       uint64_t socket_identity, int *pidfd, enum umh_stage *stage)
{
	char plan[sizeof(struct order)];

	(void)request;
	(void)launcher;
	(void)socket_identity;
	(void)stage;
	play.child_end = dup(socket);
	while (recv(play.child_end, plan, sizeof plan, MSG_DONTWAIT) > 0)
		;
	appear(&play.first);
	if (strchr(play.story->events, 'L'))
		appear(&play.successor); /* it exists before it reports, and the shim does not know it */
	*pidfd = dup(play.first.pidfd);
	return play.first.pid;
}

/* The model: the events decide, and not when the shim has checked. */
static struct umh_report model(void)
{
	int alive = 1, other = 0, said = 0;

	for (const char *event = play.order; *event; event++) {
		const int speaks = speaker() == &play.first ? alive : other == 1;

		if (*event == '1' || *event == 'K')
			alive = 0;
		else if (*event == '2' || *event == 'k')
			other = other ? 2 : 0;
		else if (*event == 'L' || *event == 'R' || (strchr("STM", *event) && alive))
			other = other ? other : 1;
		if (*event == 'T' && alive)
			return (struct umh_report){.stage = UMH_STAGE_PID_NAMESPACE, .error = EMFILE};
		if ((*event == 'R' && other == 1) || (*event == 'G' && alive))
			return (struct umh_report){.stage = UMH_STAGE_PID_NAMESPACE, .error = EIO};
		if (*event == 'L' && other == 1)
			break;
		if (*event == 'F' && speaks)
			return (struct umh_report){.stage = UMH_STAGE_EXEC, .error = ENOENT};
		if (strchr("EU", *event) && speaks)
			said = 1;
	}
	if (said)
		return (struct umh_report){.stage = UMH_STAGE_EXEC};
	return (struct umh_report){.stage = UMH_STAGE_KILLED, .error = EINTR};
}

/* One launch */

static int outcome_parked(struct umh_child *child, struct umh_report *report)
{
	int result = UMH_PENDING;

	while (result == UMH_PENDING && go_on())
		result = umh_wait_exec(child, UMH_NONBLOCK, report);
	for (int look = 0; result == UMH_PENDING && look < 3000; look++) {
		later_ms += 10;
		let_end(look < 100 ? 0 : 1);
		umh_continue_if_stopped(child);
		result = umh_wait_exec(child, UMH_NONBLOCK, report);
	}
	return result;
}

static int make(const struct umh_request *request, struct umh_report *report)
{
	struct umh_child child;
	int pid, status, result;

	if (play.way == RUNNING)
		return umh_run(request, &pid, report, &status);
	result = umh_start(request, &child, report);
	if (result == 0)
		result = play.way == PARKED ? outcome_parked(&child, report) : umh_wait_exec(&child, UMH_BLOCK, report);
	if (result == 0) { /* the helper, whose end is not part of the launch */
		play.way = BLOCKING;
		umh_signal(&child, SIGKILL);
		play.first.alive = play.successor.alive = 0;
		umh_wait(&child, UMH_BLOCK, &status, NULL);
	}
	umh_release(&child);
	return result;
}

static void complain(const char *what, long is, long wanted)
{
	if (is == wanted)
		return;
	fprintf(stderr, "decide: %s, %s, looks %x: %s: %ld instead of %ld\n", play.order, way_names[play.way],
		play.looks, what, is, wanted);
	wrong++;
}

static void try(const struct story *story, enum way_of way, const char *order, unsigned looks)
{
	static const struct way plain = {.name = "played"};
	const int before = open_descriptors();
	struct umh_report report = {0};
	struct order request;
	struct umh_report wanted;
	int result;

	memset(&play, 0, sizeof play);
	play.story = story;
	play.way = way;
	play.looks = looks;
	play.child_end = -1;
	memcpy(play.order, order, strlen(order));
	order_begin(&request, &plain);
	request.plan.steps = story->successor_expected ? UMH_STEP(PID_NAMESPACE) : 0;
	wanted = model();
	result = make(&request.request, &report);
	order_end(&request);
	play.way = way;
	happen('H');
	forget(&play.first);
	forget(&play.successor);
	launches++;
	complain("result", result, -(long)wanted.error);
	complain("stage", report.stage, wanted.stage);
	complain("sleeps", play.slept, 0);
	if (way != RUNNING) /* RUNNING caches pairs, or creates them when it needs them */
		complain("descriptors", open_descriptors(), before);
	complain("children", waitpid(-1, NULL, WNOHANG), -1);
	while (waitpid(-1, NULL, WNOHANG) == 0 &&
	       kill(play.first.pid, SIGKILL) + kill(play.successor.pid, SIGKILL) > -2)
		;
}

/* Orders */

static int may_come(const struct story *story, const char *done, char event)
{
	for (const char *rule = story->rules; *rule; rule += rule[2] ? 3 : 2)
		if (rule[1] == event && strchr(story->events, rule[0]) && !strchr(done, rule[0]))
			return 0;
	return 1;
}

static void try_looks(const struct story *story, const char *order, long every)
{
	const unsigned count = (unsigned)strlen(order);

	for (int way = 0; way < WAYS; way++)
		for (unsigned look = 0; look <= count + 1; look++)
			if (tried++ < always || tried % every == 0)
				try(story, (enum way_of)way, order,
				    look == count  ? 0
				    : look > count ? ~0U
						   : 1U << look);
}

static void try_orders(const struct story *story, char *order, long every)
{
	const size_t done = strlen(order);

	if (done == strlen(story->events)) {
		try_looks(story, order, every);
		return;
	}
	for (const char *event = story->events; *event; event++)
		if (!strchr(order, *event) && may_come(story, order, *event)) {
			order[done] = *event;
			try_orders(story, order, every);
			order[done] = 0;
		}
}

int main(int argc, char **argv)
{
	const long every = argc > 1 ? atol(argv[1]) : 1;
	int before;

	always = argc > 2 ? atol(argv[2]) : always;
	signal(SIGPIPE, SIG_IGN);
	umh_sockets_load();
	umh_epoll_wake(); /* so that the reaper's descriptors exist before the count */
	before = open_descriptors();
	for (unsigned i = 0; i < sizeof stories / sizeof *stories; i++) {
		char order[MOST_EVENTS + 1] = "";

		tried = 0;
		try_orders(&stories[i], order, every > 0 ? every : 1);
	}
	complain("descriptors at the end", open_descriptors() > before, 0);
	printf("%ld launches of %zu stories, %ld wrong\n", launches, sizeof stories / sizeof *stories, wrong);
	return wrong ? 1 : 0;
}
