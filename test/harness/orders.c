/* SPDX-License-Identifier: Apache-2.0 */
/* orders.c - plans that together request every step of the launcher. */

#include "orders.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file_identity.h"
#include "shim/memfd.h"
#include "shim/blob.h"
#include "shim/epoll.h"
#include "shim/features.h"
#include "shim/pidfd.h"

#define NOBODY 65534
#define OLD_KERNEL                                                                                      \
	(UMH_FEATURE_CLONE3 | UMH_FEATURE_CLOSE_RANGE | UMH_FEATURE_EXECVEAT | UMH_FEATURE_PIDFD_INFO | \
	 UMH_FEATURE_PERSONALITY)

static size_t read_file(const char *path, char **bytes)
{
	struct stat found;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*bytes = NULL;
	if (fd < 0 || fstat(fd, &found) < 0)
		return 0;
	*bytes = malloc((size_t)found.st_size);
	if (read(fd, *bytes, (size_t)found.st_size) != found.st_size)
		found.st_size = 0;
	close(fd);
	return (size_t)found.st_size;
}

static void ask(struct order *order, uint64_t steps)
{
	order->plan.steps |= steps;
	order->plan.required |= steps;
}

static struct umh_span put(struct order *order, const void *bytes, size_t size)
{
	const uint32_t at = (order->plan.size + 7) & ~UINT32_C(7);

	if (at + size > sizeof order->bytes)
		abort();
	memcpy(order->bytes + at, bytes, size);
	order->plan.size = at + (uint32_t)size;
	return (struct umh_span){at, (uint32_t)size};
}

static struct umh_span text(struct order *order, const char *string)
{
	return put(order, string, strlen(string) + 1);
}

/* Collects the descriptors, which are added to the plan last. */
static void file(struct order *order, int fd, uint32_t target)
{
	struct umh_descriptor *files = (void *)(order->bytes + sizeof order->bytes) -
				       sizeof(struct umh_descriptor[ORDER_MANY]);

	files[order->request.fd_count].target = target;
	order->fds[order->request.fd_count++] = fd;
}

static uint32_t extra(struct order *order, int fd)
{
	file(order, fd, UMH_NO_TARGET);
	return order->request.fd_count - 1;
}

static uint32_t opened(struct order *order, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	order->opened[order->opened_count++] = fd;
	return extra(order, fd);
}

static void limit(struct order *order, unsigned resource, int required)
{
	struct rlimit now;

	getrlimit(resource, &now);
	order->plan.rlimits[resource] = (struct umh_rlimit){now.rlim_cur, now.rlim_max};
	order->plan.rlimits_set |= 1U << resource;
	order->plan.rlimits_required |= (unsigned)required << resource;
}

/* The steps of every helper from Java. */
static void usual(struct order *order)
{
	struct umh_plan *plan = &order->plan;

	plan->steps |= UMH_STEP(OOM_SCORE_ADJ) | UMH_STEP(COREDUMP_FILTER) | UMH_STEP(NICE) | UMH_STEP(SCHED) |
		       UMH_STEP(IOPRIO) | UMH_STEP(AFFINITY) | UMH_STEP(MEMPOLICY) | UMH_STEP(TIMER_SLACK) |
		       UMH_STEP(PERSONALITY) | UMH_STEP(THP) | UMH_STEP(KEYRING) | UMH_STEP(SECUREBITS);
	ask(order, UMH_STEP(RLIMIT) | UMH_STEP(SESSION) | UMH_STEP(UMASK) | UMH_STEP(CWD) | UMH_STEP(DESCRIPTORS) |
			   UMH_STEP(NOFILE) | UMH_STEP(CAPABILITIES) | UMH_STEP(SIGNALS) | UMH_STEP(NPROC));
	plan->oom_score_adj = 1; /* not the JVM's, so that it is written */
	plan->coredump_filter = 0x33;
	plan->timer_slack_ns = 50000;
	plan->umask = 022;
	limit(order, RLIMIT_CORE, 0);
	limit(order, RLIMIT_CPU, 1);
	limit(order, RLIMIT_NOFILE, 0);
	limit(order, RLIMIT_NPROC, 0);
}

static void fails(struct order *order)
{
	order->argv[0] = order->argv[1] = "/bin/false";
}

static void missing(struct order *order)
{
	order->argv[0] = "/no/such/program";
}

static void folder(struct order *order)
{
	order->argv[0] = "/bin";
}

static void many(struct order *order)
{
	static const char padding[UMH_PLAN_INLINE];

	put(order, padding, sizeof padding);
	for (unsigned i = 0; i < ORDER_MANY; i++)
		file(order, 0, i);
}

static void scattered(struct order *order)
{
	static const uint32_t targets[] = {0, 1, 2, 5, 9, 200};

	for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++)
		file(order, 0, targets[i]);
}

/* Another user with a few capabilities in all five sets, which needs each of these steps. */
static void identity(struct order *order)
{
	const uint64_t few = 1 << CAP_KILL | 1 << CAP_NET_BIND_SERVICE;
	static const uint32_t groups[] = {1, 2, 3};
	struct umh_plan *plan = &order->plan;

	ask(order, UMH_STEP(BOUNDING) | UMH_STEP(GROUPS) | UMH_STEP(GID) | UMH_STEP(UID) | UMH_STEP(AMBIENT) |
			   UMH_STEP(SECUREBITS) | UMH_STEP(PARENT_DEATH) | UMH_STEP(NO_NEW_PRIVS) |
			   UMH_STEP(EFFECTIVE));
	plan->flags |= UMH_PLAN_SET_PERMITTED | UMH_PLAN_SET_EFFECTIVE;
	plan->permitted = plan->effective = plan->inheritable = plan->ambient = plan->bounding = few;
	plan->securebits = SECBIT_NOROOT;
	plan->parent_death_signal = SIGKILL;
	plan->groups = put(order, groups, sizeof groups);
	for (int i = 0; i < 3; i++)
		plan->uids[i] = plan->gids[i] = NOBODY;
}

static void filter(struct order *order)
{
	static const struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

	ask(order, UMH_STEP(SECCOMP) | UMH_STEP(EFFECTIVE));
	order->plan.seccomp_filter = put(order, allow, sizeof allow);
}

/* Denies all file access below the root directory. */
static void sandbox(struct order *order)
{
	const uint64_t all = (1 << 13) - 1;
	struct umh_landlock_rule rule = {.access = all};

	filter(order);
	ask(order, UMH_STEP(NO_NEW_PRIVS) | UMH_STEP(LANDLOCK));
	order->plan.landlock_rights = all;
	rule.index = opened(order, "/", O_PATH);
	order->plan.landlock_rules = put(order, &rule, sizeof rule);
}

/* A filter with privilege instead of no_new_privs: the privilege is dropped after it. */
static void privileged(struct order *order)
{
	filter(order);
	ask(order, UMH_STEP(UID));
	for (int i = 0; i < 3; i++)
		order->plan.uids[i] = NOBODY;
}

static void mapped(struct order *order)
{
	struct umh_plan *plan = &order->plan;

	ask(order, UMH_STEP(UNSHARE) | UMH_STEP(ID_MAP) | UMH_STEP(PID_NAMESPACE));
	plan->unshare_flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS;
	plan->uid_map = text(order, "0 0 65536\n");
	plan->gid_map = text(order, "0 0 65536\n");
}

static void mapped_by_itself(struct order *order)
{
	struct umh_plan *plan = &order->plan;

	ask(order, UMH_STEP(UNSHARE) | UMH_STEP(ID_MAP));
	plan->unshare_flags = CLONE_NEWUSER | CLONE_NEWUTS;
	plan->flags |= UMH_PLAN_MAP_SELF;
	plan->setgroups = text(order, "deny");
	plan->uid_map = text(order, "0 0 1\n");
	plan->gid_map = text(order, "0 0 1\n");
}

static void joined(struct order *order)
{
	struct umh_join join = {.flags = CLONE_NEWUTS};

	ask(order, UMH_STEP(JOIN) | UMH_STEP(ROOT) | UMH_STEP(KEYRING));
	join.index = opened(order, "/proc/self/ns/uts", O_RDONLY);
	order->plan.joins = put(order, &join, sizeof join);
	order->plan.root = text(order, "/");
	order->plan.cwd = text(order, "/usr");
	order->plan.keyring = text(order, "umh4j-harness");
}

static void terminal(struct order *order)
{
	int pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	grantpt(pty);
	unlockpt(pty);
	order->opened[order->opened_count++] = pty;
	ask(order, UMH_STEP(TERMINAL));
	order->plan.terminal = opened(order, ptsname(pty), O_RDWR | O_NOCTTY);
}

static void group(struct order *order)
{
	order->plan.flags |= UMH_PLAN_SETPGID;
}

static void cgroup(struct order *order)
{
	const char *hybrid = "/sys/fs/cgroup/unified";
	const char *path = access(hybrid, F_OK) == 0 ? hybrid : "/sys/fs/cgroup";

	order->plan.cgroup = opened(order, path, O_PATH | O_DIRECTORY);
	order->request.cgroup = order->fds[order->plan.cgroup];
}

/* The program's memfd is part of the launch. */
static void held(struct order *order)
{
	order->program_size = read_file("/bin/true", &order->program);
	order->plan.flags |= UMH_PLAN_WAIT_BEFORE_EXEC;
	order->plan.program = extra(order, -1);
}

const struct way ways[] = {
	{"wait for the exit", RUN, 0, NULL, 0, 0, 0, 0, 0},
	{"wait for the exit, exit code 1", RUN, 0, fails, 0, 0, 1 << 8, 0, 0},
	{"wait for the execve", START, 0, NULL, 0, 0, 0, 0, 0},
	{"wait for the execve by epoll", WATCH, 0, NULL, 0, 0, 0, 0, 0},
	{"missing program", RUN, 0, missing, -ENOENT, UMH_STAGE_EXEC, 0, 0, 0},
	{"directory as program", START, 0, folder, -EACCES, UMH_STAGE_EXEC, 0, 0, 0},
	{"large plan, many descriptors", RUN, 0, many, 0, 0, 0, 0, 0},
	{"scattered descriptor numbers", RUN, 0, scattered, 0, 0, 0, 0, 0},
	{"other identity", RUN, 0, identity, 0, 0, 0, 0, 0},
	{"landlock and seccomp", RUN, 0, sandbox, 0, 0, 0, 0, 0},
	{"seccomp without no_new_privs", START, 0, privileged, 0, 0, 0, 0, 0},
	{"new namespaces", START, 0, mapped, 0, 0, 0, 0, 0},
	{"new namespaces, wait for the exit", RUN, 0, mapped, 0, 0, 0, 0, 0},
	{"new namespaces without privilege", RUN, 0, mapped_by_itself, 0, 0, 0, 0, 0},
	{"joined namespace, other root", RUN, 0, joined, 0, 0, 0, 0, 0},
	{"controlling terminal", START, 0, terminal, 0, 0, 0, 0, 0},
	{"process group", RUN, 0, group, 0, 0, 0, 0, 0},
	{"created in a cgroup", RUN, 0, cgroup, 0, 0, 0, 0, 0},
	{"cgroup entered by the launcher", START, UMH_FEATURE_CLONE3, cgroup, 0, 0, 0, 0, 0},
	{"program in memory, held before the execve", HOLD, 0, held, 0, 0, 0, 0, 0},
	{"the same, without executable memfds", HOLD, 0, held, 0, 0, 0, __NR_memfd_create, EACCES},
	{"old kernel", RUN, OLD_KERNEL, NULL, 0, 0, 0, 0, 0},
	{"old kernel, wait for the execve", START, OLD_KERNEL, scattered, 0, 0, 0, 0, 0},
};
const unsigned way_count = sizeof ways / sizeof *ways;

static void put_files(struct order *order)
{
	struct umh_descriptor *files = (void *)(order->bytes + sizeof order->bytes) -
				       sizeof(struct umh_descriptor[ORDER_MANY]);

	if (order->request.fd_count > 0)
		order->plan.descriptors = put(order, files, order->request.fd_count * sizeof *files);
}

void order_begin(struct order *order, const struct way *way)
{
	memset(order, 0, sizeof *order);
	order->plan.magic = UMH_PLAN_MAGIC;
	order->plan.size = sizeof order->plan;
	order->plan.bounding = UINT64_MAX;
	order->plan.program = order->plan.terminal = order->plan.cgroup = UMH_NO_DESCRIPTOR;
	for (int i = 0; i < 3; i++)
		order->plan.uids[i] = order->plan.gids[i] = UINT32_MAX;
	order->argv[0] = order->argv[1] = "/bin/true";
	order->envp[0] = getenv("HARNESS_ENVIRONMENT");
	order->request.launcher_argv = order->argv;
	order->request.envp = order->envp;
	order->request.plan = &order->plan;
	order->request.fds = order->fds;
	order->request.cgroup = -1;
	usual(order);
	if (way->ask)
		way->ask(order);
	put_files(order);
	order->request.path = order->argv[0];
}

void order_end(struct order *order)
{
	while (order->opened_count > 0)
		close(order->opened[--order->opened_count]);
	free(order->program);
}

/* Making */

static struct answer run(const struct umh_request *request)
{
	struct answer answer = {0};
	int pid = -1;

	answer.result = umh_run(request, &pid, &answer.report, &answer.status);
	return answer;
}

static void finish(struct umh_child *child, struct answer *answer)
{
	if (answer->result == 0)
		answer->result = umh_wait(child, UMH_BLOCK, &answer->status, NULL);
	if (answer->result < 0 && child->pidfd >= 0) {
		answer->report = (struct umh_report){.stage = UMH_STAGE_WAIT};
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
	}
	umh_release(child);
}

static struct answer start(const struct umh_request *request)
{
	struct answer answer = {0};
	struct umh_child child;

	answer.result = umh_start(request, &child, &answer.report);
	if (answer.result == 0)
		answer.result = umh_wait_exec(&child, UMH_BLOCK, &answer.report);
	finish(&child, &answer);
	return answer;
}

/* As the class Child, without its threads. */
static struct answer watch(const struct umh_request *request)
{
	struct answer answer = {0};
	struct umh_child child;
	unsigned long long token;

	answer.result = umh_start(request, &child, &answer.report);
	if (answer.result < 0)
		return answer;
	umh_epoll_watch(child.socket, UMH_HANG_UP, 1);
	umh_epoll_watch(child.pidfd, UMH_EXIT, 2);
	for (answer.result = UMH_PENDING; answer.result == UMH_PENDING;) {
		if (umh_epoll_wait(&token, 1, UMH_STOP_CHECK_MS) == 0)
			umh_continue_if_stopped(&child);
		answer.result = umh_wait_exec(&child, UMH_NONBLOCK, &answer.report);
	}
	finish(&child, &answer);
	return answer;
}

static int blob(const struct order *order)
{
	struct umh_blob made;
	int result = umh_blob_open("program", &made);

	if (result < 0)
		return result;
	result = umh_memfd_write(made.fd, order->program, order->program_size);
	if (result == 0)
		return umh_blob_seal("program", &made);
	umh_blob_discard(&made);
	return result;
}

static struct answer hold(struct order *order)
{
	struct answer answer = {.report.stage = UMH_STAGE_BLOB};
	struct umh_child child = {.pid = -1, .pidfd = -1, .socket = -1};
	int fd = blob(order);

	answer.result = fd;
	if (fd < 0)
		return answer;
	order->fds[order->plan.program] = fd;
	order->plan.program_identity = umh_short_file_identity(umh_file_identity(fd));
	answer.result = umh_start(&order->request, &child, &answer.report);
	if (answer.result == 0) {
		const int told = umh_allow_exec(&child);

		if (told < 0)
			umh_signal(&child, SIGKILL);
		answer.result = umh_wait_exec(&child, UMH_BLOCK, &answer.report);
		finish(&child, &answer);
		if (told < 0 && told != -EPIPE) {
			answer.result = told;
			answer.report.stage = UMH_STAGE_EXEC;
		}
	}
	close(fd);
	return answer;
}

struct answer order_make(struct order *order, const struct way *way)
{
	switch (way->manner) {
	case RUN:
		return run(&order->request);
	case START:
		return start(&order->request);
	case WATCH:
		return watch(&order->request);
	default:
		return hold(order);
	}
}

static char *image;
static size_t image_size;

int read_launcher(const char *path)
{
	if (!image)
		image_size = read_file(path, &image);
	return image_size > 0 ? 0 : -ENOENT;
}

int load_launcher(const char *path)
{
	int result = read_launcher(path);

	return result < 0 ? result : umh_load(image, image_size);
}

int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}
