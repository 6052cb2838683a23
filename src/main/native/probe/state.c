/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - the probe's report; its names are those of the recordings in test/expected. */

#include "probe/probe.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>

#include "common/syscalls.h"

#define MAX_FDS 70000
#define LISTED  256

/* The descriptors are listed before the probe opens any. */
static struct {
	int fd, flags, status;
} open_fds[LISTED];
static unsigned open_count;

static char text[65536];

static void look_at_descriptors(int hidden)
{
	struct rlimit limit = {0, 0};
	long highest;

	umh_syscall(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
	highest = limit.rlim_max < MAX_FDS ? (long)limit.rlim_max : MAX_FDS;
	for (int fd = 0; fd < highest && open_count < LISTED; fd++) {
		int flags = sys_fcntl(fd, F_GETFD, 0);

		if (flags < 0 || fd == hidden)
			continue;
		open_fds[open_count].fd = fd;
		open_fds[open_count].flags = flags;
		open_fds[open_count++].status = sys_fcntl(fd, F_GETFL, 0);
	}
}

static long slurp(const char *path)
{
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	long size = 0;
	long got;

	if (fd < 0)
		return fd;
	while ((got = sys_read(fd, text + size, sizeof text - 1 - (size_t)size)) > 0)
		size += got;
	sys_close(fd);
	if (got < 0 && size == 0)
		return got;
	text[size] = 0;
	return size;
}

static void file(struct json *json, const char *name, const char *path)
{
	long size = slurp(path);

	if (size < 0) {
		json_errno(json, name, size);
		return;
	}
	while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == 0))
		size--;
	json_bytes(json, name, text, (size_t)size);
}

static void link(struct json *json, const char *name, const char *path)
{
	char target[4096];
	long size = umh_syscall(__NR_readlinkat, AT_FDCWD, path, target, sizeof target);

	if (size < 0)
		json_errno(json, name, size);
	else
		json_bytes(json, name, target, (size_t)size);
}

static char *append(char *end, const char *more)
{
	while (*more)
		*end++ = *more++;
	*end = 0;
	return end;
}

static char *append_number(char *end, unsigned value)
{
	char digits[12];
	unsigned count = 0;

	do
		digits[count++] = (char)('0' + value % 10);
	while (value /= 10);
	while (count)
		*end++ = digits[--count];
	*end = 0;
	return end;
}

static void vector(struct json *json, const char *name, char **strings)
{
	json_open(json, name, '[');
	for (; *strings; strings++)
		json_text(json, 0, *strings);
	json_close(json, ']');
}

static void numbers3(struct json *json, const char *name, long call)
{
	uint32_t ids[3] = {~0U, ~0U, ~0U};

	umh_syscall(call, &ids[0], &ids[1], &ids[2]);
	json_open(json, name, '[');
	for (int i = 0; i < 3; i++)
		json_number(json, 0, ids[i]);
	json_close(json, ']');
}

static void identity(struct json *json)
{
	uint32_t *groups = (uint32_t *)text;
	long count;

	numbers3(json, "uids_ruid_euid_suid", __NR_getresuid);
	numbers3(json, "gids_rgid_egid_sgid", __NR_getresgid);
	count = umh_syscall(__NR_getgroups, sizeof text / sizeof *groups, groups);
	json_open(json, "groups", '[');
	for (long i = 0; i < count; i++)
		json_number(json, 0, groups[i]);
	json_close(json, ']');
}

/* The fields of /proc/PID/stat, from the second on, that a recording has. */
static void stat_fields(struct json *json)
{
	/* clang-format off */
	static const char *const names[] = {
		"state", "ppid", "pgrp", "session", "tty_nr", "tpgid", "flags_hex", 0, 0, 0, 0, 0, 0, 0, 0,
		"priority", "nice", "num_threads", 0, 0, 0, 0, "rsslim", 0, 0, 0, 0, 0, "signal", "blocked",
		"sigignore", "sigcatch", 0, 0, 0, "exit_signal", 0, "rt_priority", "policy",
	};
	/* clang-format on */
	long size = slurp("/proc/self/stat");
	char *field;

	json_open(json, "stat", '{');
	while (size > 0 && text[size - 1] != ')')
		size--;
	field = size > 0 ? text + size + 1 : 0;
	for (unsigned i = 0; field && i < sizeof names / sizeof *names; i++) {
		char *end = field;

		while (*end && *end != ' ' && *end != '\n')
			end++;
		*end = 0;
		if (names[i] && same(names[i], "flags_hex"))
			json_hex(json, names[i], (unsigned long)number(field), 8);
		else if (names[i] && same(names[i], "rsslim"))
			json_unsigned(json, names[i], (unsigned long)number(field));
		else if (names[i] && i > 0)
			json_number(json, names[i], number(field));
		field = end + 1;
	}
	json_close(json, '}');
}

static int starts_with(const char *line, const char *prefix)
{
	while (*prefix)
		if (*line++ != *prefix++)
			return 0;
	return 1;
}

/* The lines of /proc/PID/status, except for sizes of memory. */
static void status_fields(struct json *json)
{
	long size = slurp("/proc/self/status");
	char *line = text;

	json_open(json, "status", '{');
	while (size > 0 && line < text + size) {
		char *end = line;
		char *value = line;
		char *last;

		while (*end && *end != '\n')
			end++;
		*end = 0;
		while (*value && *value != ':')
			value++;
		if (*value && !starts_with(line, "Vm") && !starts_with(line, "Rss") && !starts_with(line, "Huge")) {
			*value++ = 0;
			while (*value == '\t' || *value == ' ')
				value++;
			for (last = end; last > value && (last[-1] == ' ' || last[-1] == '\t'); last--)
				last[-1] = 0;
			json_text(json, line, value);
		}
		line = end + 1;
	}
	json_close(json, '}');
}

static void controls(struct json *json)
{
	int value;

	json_hex(json, "securebits", (unsigned long)umh_syscall(__NR_prctl, PR_GET_SECUREBITS), 0);
	json_result(json, "no_new_privs", umh_syscall(__NR_prctl, PR_GET_NO_NEW_PRIVS));
	json_result(json, "keepcaps", umh_syscall(__NR_prctl, PR_GET_KEEPCAPS));
	json_result(json, "dumpable", umh_syscall(__NR_prctl, PR_GET_DUMPABLE));
	value = -1;
	umh_syscall(__NR_prctl, PR_GET_PDEATHSIG, &value);
	json_number(json, "pdeathsig", value);
	value = -1;
	umh_syscall(__NR_prctl, PR_GET_CHILD_SUBREAPER, &value);
	json_number(json, "child_subreaper", value);
	json_result(json, "seccomp_mode", umh_syscall(__NR_prctl, PR_GET_SECCOMP));
	json_result(json, "thp_disable", umh_syscall(__NR_prctl, PR_GET_THP_DISABLE));
	json_result(json, "timerslack_ns", umh_syscall(__NR_prctl, PR_GET_TIMERSLACK));
	file(json, "proc_timerslack_ns", "/proc/self/timerslack_ns");
	json_result(json, "mce_kill", umh_syscall(__NR_prctl, PR_MCE_KILL_GET));
	file(json, "oom_score_adj", "/proc/self/oom_score_adj");
	file(json, "coredump_filter", "/proc/self/coredump_filter");
	file(json, "loginuid", "/proc/self/loginuid");
	file(json, "sessionid", "/proc/self/sessionid");
	file(json, "proc_personality", "/proc/self/personality");
	json_hex(json, "personality", (unsigned long)umh_syscall(__NR_personality, 0xffffffff), 0);
}

static void scheduling(struct json *json)
{
	static uint64_t cpus[1024 / 64];
	struct {
		int priority;
	} parameter = {-1};
	int mode = -1;
	long size = umh_syscall(__NR_sched_getaffinity, 0, sizeof cpus, cpus);

	json_result(json, "sched_policy", umh_syscall(__NR_sched_getscheduler, 0));
	umh_syscall(__NR_sched_getparam, 0, &parameter);
	json_number(json, "sched_priority", parameter.priority);
	/* The system call returns 20 - nice, so that no result is negative. */
	json_number(json, "nice", 20 - umh_syscall(__NR_getpriority, PRIO_PROCESS, 0));
	json_result(json, "ioprio", umh_syscall(__NR_ioprio_get, 1, 0));
	json_open(json, "cpu_affinity", '[');
	for (long cpu = 0; cpu < size * 8; cpu++)
		if (cpus[cpu / 64] >> cpu % 64 & 1)
			json_number(json, 0, cpu);
	json_close(json, ']');
	if (umh_syscall(__NR_get_mempolicy, &mode, 0, 0, 0, 0) == -ENOSYS)
		mode = 0;
	json_number(json, "mempolicy", mode);
}

static void limit(struct json *json, unsigned long value)
{
	if (value == RLIM_INFINITY)
		json_text(json, 0, "inf");
	else
		json_number(json, 0, (long)value);
}

static void rlimits(struct json *json)
{
	static const char *const names[] = {
		"CPU",     "FSIZE", "DATA",  "STACK",      "CORE",     "RSS",  "NPROC",  "NOFILE",
		"MEMLOCK", "AS",    "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME",
	};

	json_open(json, "rlimits", '{');
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		struct rlimit now;

		umh_syscall(__NR_prlimit64, 0, i, 0, &now);
		json_open(json, names[i], '[');
		limit(json, now.rlim_cur);
		limit(json, now.rlim_max);
		json_close(json, ']');
	}
	json_close(json, '}');
}

static void dispositions(struct json *json)
{
	struct {
		unsigned long handler, flags, restorer;
		uint64_t mask;
	} action;
	char odd[512];
	char *end = odd;

	for (unsigned signal = 1; signal <= 64; signal++) {
		umh_syscall(__NR_rt_sigaction, signal, 0, &action, sizeof action.mask);
		if (action.handler == (unsigned long)SIG_DFL)
			continue;
		end = append_number(end, signal);
		end = append(end, action.handler == (unsigned long)SIG_IGN ? "I " : "H ");
	}
	json_text(json, "signals_dfl_via_sigaction", end == odd ? "all SIG_DFL" : odd);
}

static void descriptors(struct json *json)
{
	json_open(json, "fds", '[');
	for (unsigned i = 0; i < open_count; i++) {
		char path[64];

		append_number(append(path, "/proc/self/fd/"), (unsigned)open_fds[i].fd);
		json_open(json, 0, '{');
		json_number(json, "fd", open_fds[i].fd);
		link(json, "link", path);
		json_number(json, "F_GETFD", open_fds[i].flags);
		json_octal(json, "F_GETFL_octal", (unsigned long)open_fds[i].status);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void keyring(struct json *json, const char *name, long special)
{
	char description[512];
	long id = umh_syscall(__NR_keyctl, KEYCTL_GET_KEYRING_ID, special, 0);
	long size = umh_syscall(__NR_keyctl, KEYCTL_DESCRIBE, special, description, sizeof description);

	json_open(json, name, '{');
	json_result(json, "id", id);
	if (size < 0)
		json_errno(json, "describe_by_spec", size);
	else
		json_text(json, "describe_by_spec", description);
	json_close(json, '}');
}

static void keyrings(struct json *json)
{
	json_open(json, "keyrings", '{');
	keyring(json, "thread", KEY_SPEC_THREAD_KEYRING);
	keyring(json, "process", KEY_SPEC_PROCESS_KEYRING);
	keyring(json, "session", KEY_SPEC_SESSION_KEYRING);
	keyring(json, "user", KEY_SPEC_USER_KEYRING);
	keyring(json, "user_session", KEY_SPEC_USER_SESSION_KEYRING);
	keyring(json, "reqkey_auth", KEY_SPEC_REQKEY_AUTH_KEY);
	json_result(json, "reqkey_default_set_reqkey_keyring", umh_syscall(__NR_keyctl, KEYCTL_SET_REQKEY_KEYRING, -1));
	/* The number of keys in the session keyring: an id has four bytes. */
	json_result(json, "session_size", umh_syscall(__NR_keyctl, KEYCTL_READ, KEY_SPEC_SESSION_KEYRING, 0, 0));
	json_close(json, '}');
}

static void namespaces(struct json *json)
{
	static const char *const names[] = {
		"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts",
	};

	json_open(json, "ns", '{');
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		char path[64];

		append(append(path, "/proc/self/ns/"), names[i]);
		link(json, names[i], path);
	}
	json_close(json, '}');
}

static void terminal(struct json *json)
{
	int fd = sys_open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC, 0);

	json_result(json, "open_dev_tty", fd < 0 ? fd : 0);
	if (fd >= 0)
		sys_close(fd);
}

/* The auxiliary vector follows the environment. */
static void auxiliary(struct json *json, char **envp)
{
	unsigned long *entry;

	while (*envp)
		envp++;
	json_open(json, "auxv", '{');
	for (entry = (unsigned long *)(envp + 1); entry[0]; entry += 2) {
		if (entry[0] == 23)
			json_number(json, "AT_SECURE", (long)entry[1]);
		if (entry[0] == 31)
			json_text(json, "AT_EXECFN", (const char *)entry[1]);
	}
	json_close(json, '}');
}

void report_state(struct json *json, char **argv, char **envp, int hidden)
{
	look_at_descriptors(hidden);
	json_open(json, 0, '{');
	vector(json, "argv", argv);
	vector(json, "envp", envp);
	link(json, "cwd", "/proc/self/cwd");
	link(json, "root", "/proc/self/root");
	link(json, "exe", "/proc/self/exe");
	file(json, "comm", "/proc/self/comm");
	file(json, "cmdline", "/proc/self/cmdline");
	json_number(json, "pid", umh_syscall(__NR_getpid));
	json_number(json, "ppid", umh_syscall(__NR_getppid));
	json_number(json, "pgrp", umh_syscall(__NR_getpgid, 0));
	json_number(json, "sid", umh_syscall(__NR_getsid, 0));
	terminal(json);
	identity(json);
	stat_fields(json);
	status_fields(json);
	controls(json);
	scheduling(json);
	rlimits(json);
	dispositions(json);
	descriptors(json);
	file(json, "attr_current", "/proc/self/attr/current");
	file(json, "cgroup", "/proc/self/cgroup");
	file(json, "cpuset", "/proc/self/cpuset");
	keyrings(json);
	namespaces(json);
	auxiliary(json, envp);
	json_close(json, '}');
}
