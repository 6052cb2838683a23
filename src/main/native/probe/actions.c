/* SPDX-License-Identifier: Apache-2.0 */
/* actions.c - the probe's actions: a word and its arguments, one after the other. */

#include "probe/probe.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/time_types.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "common/syscalls.h"

/* The exit codes of an action that is unknown or has failed. */
enum { EXIT_UNKNOWN = 124, EXIT_FAILED = 125 };

static void require(long result)
{
	if (result < 0)
		sys_exit(EXIT_FAILED);
}

static void do_exit(char **words)
{
	sys_exit((int)number(words[0]));
}

static void do_kill(char **words)
{
	require(umh_syscall(__NR_kill, umh_syscall(__NR_getpid), number(words[0])));
}

static void sleep_ms(long milliseconds)
{
	struct __kernel_timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	while (umh_syscall(__NR_nanosleep, &time, &time) == -EINTR)
		;
}

static void do_sleep(char **words)
{
	sleep_ms(number(words[0]));
}

/* Waits until a file of that name exists. */
static void do_await(char **words)
{
	while (umh_syscall(__NR_faccessat, AT_FDCWD, words[0], 0) < 0)
		sleep_ms(1);
}

static void do_pause(char **words)
{
	(void)words;
	for (;;)
		sleep_ms(1000000);
}

/* Allocates memory until that fails. */
static void do_hog(char **words)
{
	(void)words;
	for (;;) {
		long block = umh_syscall(__NR_mmap, 0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
					 0);

		require(block);
		*(volatile char *)block = 1;
	}
}

static void do_print(char **words)
{
	size_t size = 0;

	while (words[0][size])
		size++;
	words[0][size] = '\n'; /* instead of its NUL, which is not needed any more */
	require(sys_write(1, words[0], size + 1));
}

/* Copies standard input to standard output. */
static void do_cat(char **words)
{
	static char block[65536];
	long size;

	(void)words;
	while ((size = sys_read(0, block, sizeof block)) > 0)
		for (long at = 0; at < size;) {
			long written = sys_write(1, block + at, (size_t)(size - at));

			require(written);
			at += written;
		}
}

static void do_setsid(char **words)
{
	(void)words;
	require(umh_syscall(__NR_setsid));
}

static void do_ignore(char **words)
{
	struct {
		unsigned long handler, flags, restorer;
		uint64_t mask;
	} action = {.handler = (unsigned long)SIG_IGN};

	require(umh_syscall(__NR_rt_sigaction, number(words[0]), &action, 0, sizeof action.mask));
}

static void do_block(char **words)
{
	uint64_t mask = UINT64_C(1) << (number(words[0]) - 1);

	require(umh_syscall(__NR_rt_sigprocmask, SIG_BLOCK, &mask, 0, sizeof mask));
}

static void do_umask(char **words)
{
	umh_syscall(__NR_umask, number(words[0]));
}

static void do_chdir(char **words)
{
	require(umh_syscall(__NR_chdir, words[0]));
}

static void do_nice(char **words)
{
	require(umh_syscall(__NR_setpriority, PRIO_PROCESS, 0, number(words[0])));
}

static void do_policy(char **words)
{
	int priority = 0;

	require(umh_syscall(__NR_sched_setscheduler, 0, number(words[0]), &priority));
}

static void do_ioprio(char **words)
{
	require(umh_syscall(__NR_ioprio_set, 1, 0, number(words[0])));
}

static void do_cpu(char **words)
{
	uint64_t mask = UINT64_C(1) << number(words[0]);

	require(umh_syscall(__NR_sched_setaffinity, 0, sizeof mask, &mask));
}

static void do_slack(char **words)
{
	require(umh_syscall(__NR_prctl, PR_SET_TIMERSLACK, number(words[0])));
}

static void do_personality(char **words)
{
	require(umh_syscall(__NR_personality, number(words[0])));
}

static void do_thp(char **words)
{
	(void)words;
	require(umh_syscall(__NR_prctl, PR_SET_THP_DISABLE, 1));
}

static void do_no_new_privs(char **words)
{
	(void)words;
	require(umh_syscall(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1));
}

/* A filter that allows everything. */
static void do_seccomp(char **words)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {1, &allow};

	(void)words;
	require(umh_syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

static void do_securebits(char **words)
{
	require(umh_syscall(__NR_prctl, PR_SET_SECUREBITS, number(words[0])));
}

static void do_drop(char **words)
{
	require(umh_syscall(__NR_prctl, PR_CAPBSET_DROP, number(words[0])));
}

static void do_keyring(char **words)
{
	require(umh_syscall(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, words[0]));
}

static void do_rlimit(char **words)
{
	struct rlimit limit = {(rlim_t)number(words[1]), (rlim_t)number(words[2])};

	require(umh_syscall(__NR_prlimit64, 0, number(words[0]), &limit, 0));
}

/* Writes text to a file: oom_score_adj, coredump_filter, cgroup.procs. */
static void do_write(char **words)
{
	int fd = sys_open(words[0], O_WRONLY, 0);
	size_t size = 0;

	require(fd);
	while (words[1][size])
		size++;
	require(sys_write(fd, words[1], size));
	sys_close(fd);
}

/* Opens so many descriptors, which execve does not close. */
static void do_descriptors(char **words)
{
	for (long left = number(words[0]); left > 0; left--)
		require(sys_open("/dev/null", O_RDWR, 0));
}

static void do_close(char **words)
{
	sys_close((int)number(words[0]));
}

static void do_setuid(char **words)
{
	long id = number(words[0]);

	require(umh_syscall(__NR_setgroups, 0, 0));
	require(umh_syscall(__NR_setresgid, id, id, id));
	require(umh_syscall(__NR_setresuid, id, id, id));
}

static void do_group(char **words)
{
	uint32_t group = (uint32_t)number(words[0]);

	require(umh_syscall(__NR_setgroups, 1, &group));
}

static void do_unshare(char **words)
{
	require(umh_syscall(__NR_unshare, number(words[0])));
}

/* Type, target, flags, options. */
static void do_mount(char **words)
{
	require(umh_syscall(__NR_mount, words[0], words[1], words[0], number(words[2]), words[3]));
}

static void do_umount(char **words)
{
	require(umh_syscall(__NR_umount2, words[0], MNT_DETACH));
}

static void do_caps(char **words)
{
	(void)words;
	require(brief_capabilities(1));
}

static void do_fds(char **words)
{
	require(brief_descriptors(words[0]));
}

/* Makes a system call with two arguments, and exits with its errno, or with 0. */
static void do_errno(char **words)
{
	long result = umh_syscall(number(words[0]), number(words[1]), number(words[2]));

	sys_exit(result < 0 ? (int)-result : 0);
}

/* Allocates so many MiB of memory and writes to each page. */
static void do_take(char **words)
{
	const size_t size = (size_t)number(words[0]) << 20;
	long memory = umh_syscall(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	require(memory < 0 && memory > -4096 ? memory : 0);
	for (size_t at = 0; at < size; at += 4096)
		((volatile char *)memory)[at] = 1;
}

static const struct action {
	const char *word;
	unsigned arguments;
	void (*function)(char **arguments);
} actions[] = {
	{"exit", 1, do_exit},
	{"kill", 1, do_kill},
	{"sleep", 1, do_sleep},
	{"await", 1, do_await},
	{"pause", 0, do_pause},
	{"hog", 0, do_hog},
	{"print", 1, do_print},
	{"cat", 0, do_cat},
	{"setsid", 0, do_setsid},
	{"ignore", 1, do_ignore},
	{"block", 1, do_block},
	{"umask", 1, do_umask},
	{"chdir", 1, do_chdir},
	{"nice", 1, do_nice},
	{"policy", 1, do_policy},
	{"ioprio", 1, do_ioprio},
	{"cpu", 1, do_cpu},
	{"slack", 1, do_slack},
	{"personality", 1, do_personality},
	{"thp", 0, do_thp},
	{"no-new-privs", 0, do_no_new_privs},
	{"seccomp", 0, do_seccomp},
	{"securebits", 1, do_securebits},
	{"drop", 1, do_drop},
	{"keyring", 1, do_keyring},
	{"rlimit", 3, do_rlimit},
	{"write", 2, do_write},
	{"descriptors", 1, do_descriptors},
	{"close", 1, do_close},
	{"setuid", 1, do_setuid},
	{"group", 1, do_group},
	{"unshare", 1, do_unshare},
	{"mount", 4, do_mount},
	{"umount", 1, do_umount},
	{"caps", 0, do_caps},
	{"fds", 1, do_fds},
	{"errno", 3, do_errno},
	{"take", 1, do_take},
};

/* The words that follow, up to "end", are for a child that is not waited for. */
static char **fork_child(char **words, char **envp)
{
	if (umh_syscall(__NR_clone, SIGCHLD, 0, 0, 0, 0) == 0) {
		act(words, envp);
		sys_exit(0);
	}
	while (*words && !same(*words, "end"))
		words++;
	return *words ? words + 1 : words;
}

static char **do_one(const struct action *action, char **words)
{
	for (unsigned i = 0; i < action->arguments; i++)
		if (!words[i])
			sys_exit(EXIT_UNKNOWN);
	action->function(words);
	return words + action->arguments;
}

void act(char **words, char **envp)
{
	while (*words && !same(*words, "end")) {
		const char *word = *words++;
		unsigned i;

		if (same(word, "exec")) /* the rest is a path and its argument vector */
			require(sys_execve(words[0], words + 1, envp));
		if (same(word, "fork")) {
			words = fork_child(words, envp);
			continue;
		}
		for (i = 0; i < sizeof actions / sizeof *actions && !same(word, actions[i].word); i++)
			;
		if (i == sizeof actions / sizeof *actions)
			sys_exit(EXIT_UNKNOWN);
		words = do_one(&actions[i], words);
	}
}
