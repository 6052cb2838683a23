/* SPDX-License-Identifier: Apache-2.0 */
/* calls.c - the system calls between a request and a helper. */

#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* The errnos of each call: from its manual page, and from seccomp filters. A launch must not make any other call. */
static const struct kind kinds[] = {
	{__NR_socketpair, "socketpair", {EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES, EPERM, ENOSYS}},
	{__NR_setsockopt, "setsockopt", {ENOMEM, EPERM, EACCES, ENOSYS}},
	{__NR_sendmsg, "sendmsg", {ENOMEM, ENOBUFS, EAGAIN, ETOOMANYREFS, EPERM, EACCES}},
	{__NR_sendto, "sendto", {EINTR, EAGAIN, ENOBUFS, ENOMEM}},
	{__NR_recvmsg, "recvmsg", {EINTR, ENOMEM, ENOBUFS, EACCES, EIO}},
	{__NR_memfd_create, "memfd_create", {EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM, EACCES}},
	{__NR_write, "write", {EINTR, ENOSPC, EIO, ENOMEM, EPERM, EACCES, EINVAL}},
	{__NR_read, "read", {EINTR, EIO, ENOMEM}},
	{__NR_pread64, "pread64", {EINTR, EIO, ENOMEM, EPERM}},
	{__NR_fcntl, "fcntl", {EMFILE, EINVAL, EBUSY, EPERM, EACCES}},
	{__NR_fchmod, "fchmod", {EIO, EPERM, EROFS, ENOSYS}},
	{__NR_dup3, "dup3", {EINTR, EBUSY, EMFILE, EPERM}},
	{__NR_close, "close", {EINTR, EIO, ENOSPC}},
	{__NR_munmap, "munmap", {EINVAL}},
	{__NR_clone3, "clone3", {EAGAIN, ENOMEM, ENOSPC, EMFILE, ENFILE, EPERM, ENOSYS, EINVAL, EBUSY, E2BIG}},
	{__NR_clone, "clone", {EAGAIN, ENOMEM, ENOSPC, EMFILE, ENFILE, EPERM, ENOSYS, EINVAL}},
	{__NR_pidfd_open, "pidfd_open", {EMFILE, ENFILE, ENOMEM, ENODEV, EPERM, ENOSYS}},
	{__NR_rt_sigprocmask, "rt_sigprocmask", {0}}, /* fails only for an address or a length */
	{__NR_poll, "poll", {EINTR, ENOMEM, EINVAL}},
	{__NR_ppoll, "ppoll", {EINTR, ENOMEM, EINVAL}},
	{__NR_waitid, "waitid", {EINTR, EINVAL, EPERM, ENOSYS}},
	{__NR_wait4, "wait4", {EINTR, ECHILD}},
	{__NR_epoll_ctl, "epoll_ctl", {ENOMEM, ENOSPC, EPERM}},
	{__NR_epoll_wait, "epoll_wait", {EINTR}},
	{__NR_pidfd_send_signal, "pidfd_send_signal", {EPERM, ENOSYS, ESRCH, EINVAL}},
	{__NR_kill, "kill", {EPERM, ESRCH}},
	{__NR_close_range, "close_range", {EMFILE, ENOMEM, EINVAL, EPERM, ENOSYS}},
	{__NR_unshare, "unshare", {ENOMEM, ENOSPC, EPERM, EINVAL, EUSERS, ENOSYS}},
	{__NR_newfstatat, "newfstatat", {ENOENT, EACCES, EPERM, ENOSYS}},
	{__NR_fstat, "fstat", {0}}, /* fails only for a number that is not open: others.c closes each */
	{__NR_geteuid, "geteuid", {0}},
	{__NR_getppid, "getppid", {EPERM, ENOSYS}}, /* a filter's errnos */
	{__NR_openat, "openat", {EINTR, EMFILE, ENFILE, ENOENT, EACCES, EPERM, ENOMEM, ELOOP}},
	{__NR_fsopen, "fsopen", {EMFILE, ENFILE, ENODEV, ENOMEM, EPERM, ENOSYS}},
	{__NR_fsconfig, "fsconfig", {EINVAL, ENOMEM, EPERM, EACCES, EBUSY}},
	{__NR_fsmount, "fsmount", {EMFILE, ENFILE, ENOSPC, ENOMEM, EPERM, EBUSY}},
	{__NR_mount_setattr, "mount_setattr", {EINVAL, EBUSY, EPERM, ENOMEM, ENOSYS}},
	{__NR_getdents64, "getdents64", {ENOENT, EINVAL, EIO}},
	{__NR_execveat, "execveat", {EACCES, ENOMEM, ETXTBSY, EIO, EAGAIN, E2BIG, ENOENT, EPERM, ENOSYS}},
	{__NR_execve, "execve", {EACCES, ENOMEM, ETXTBSY, EIO, EAGAIN, E2BIG, ENOENT, ELIBBAD, EPERM, ENOSYS}},
	{__NR_prctl, "prctl", {EPERM, EINVAL, EACCES, ENOSYS, EFAULT}},
	{__NR_mmap, "mmap", {ENOMEM, EACCES, EPERM, EAGAIN}},
	{__NR_lseek, "lseek", {ESPIPE, EINVAL, EOVERFLOW}},
	{__NR_setpriority, "setpriority", {EACCES, EPERM, ESRCH, ENOSYS}},
	{__NR_sched_setattr, "sched_setattr", {EPERM, EBUSY, EINVAL, ENOSYS}},
	{__NR_ioprio_get, "ioprio_get", {ESRCH, EPERM, ENOSYS}},
	{__NR_ioprio_set, "ioprio_set", {EPERM, EINVAL, ENOMEM, ENOSYS}},
	{__NR_sched_setaffinity, "sched_setaffinity", {EINVAL, EPERM, ENOMEM, ENOSYS}},
	{__NR_set_mempolicy, "set_mempolicy", {EPERM, ENOMEM, ENOSYS}},
	{__NR_prlimit64, "prlimit64", {EPERM, EINVAL, ENOSYS}},
	{__NR_personality, "personality", {EINVAL, EPERM, ENOSYS}},
	{__NR_setns, "setns", {EPERM, EINVAL, ENOMEM, EUSERS, EBADF, ENOSYS}},
	{__NR_mount, "mount", {EPERM, EACCES, ENOMEM, EINVAL, ENOSYS}},
	{__NR_pipe2, "pipe2", {EMFILE, ENFILE, ENOMEM, EPERM}},
	{__NR_setsid, "setsid", {EPERM, ENOSYS}},
	{__NR_setpgid, "setpgid", {EPERM, EACCES, ENOSYS}},
	{__NR_ioctl, "ioctl", {EPERM, EIO, ENOTTY, EINTR}},
	{__NR_keyctl, "keyctl", {EACCES, EDQUOT, ENOMEM, EPERM, EINTR, ENOSYS}},
	{__NR_umask, "umask", {0}}, /* never fails */
	{__NR_chroot, "chroot", {EPERM, ENOENT, EACCES, EIO, ENOMEM, ENOSYS}},
	{__NR_openat2, "openat2", {EMFILE, ENFILE, ENOENT, EACCES, ENOMEM, ELOOP, EAGAIN, EPERM, ENOSYS}},
	{__NR_fchdir, "fchdir", {EACCES, EIO, ENOMEM, EPERM, ENOSYS}},
	{__NR_getcwd, "getcwd", {ENOENT, ENOMEM, EPERM, ENOSYS}},
	{__NR_readlink, "readlink", {ENOENT, EACCES, ENOMEM, EPERM}},
	{__NR_getpid, "getpid", {0}},
	{__NR_clock_nanosleep, "clock_nanosleep", {EINTR, EPERM}},
	{__NR_restart_syscall, "restart_syscall", {0}}, /* a call that a stop has interrupted, as its tracer sees it */
	{__NR_ftruncate, "ftruncate", {ENOMEM, EINVAL, EPERM}},
	{__NR_getgroups, "getgroups", {EPERM, ENOSYS}},
	{__NR_chdir, "chdir", {ENOENT, EACCES, EIO, ENOMEM, ENOTDIR}},
	{__NR_setgroups, "setgroups", {EPERM, ENOMEM, EINVAL, ENOSYS}},
	{__NR_setresgid, "setresgid", {EPERM, EINVAL, ENOSYS}},
	{__NR_getresgid, "getresgid", {EFAULT, ENOSYS}},
	{__NR_setresuid, "setresuid", {EPERM, EAGAIN, EINVAL, ENOSYS}},
	{__NR_getresuid, "getresuid", {EFAULT, ENOSYS}},
	{__NR_capget, "capget", {EFAULT, EPERM, EINVAL, ENOSYS}},
	{__NR_capset, "capset", {EPERM, EINVAL, ENOMEM, ENOSYS}},
	{__NR_landlock_create_ruleset, "landlock_create_ruleset", {ENOSYS, EOPNOTSUPP, EINVAL, ENOMEM, EMFILE}},
	{__NR_landlock_add_rule, "landlock_add_rule", {EINVAL, ENOMSG, ENOMEM, EBADFD, EPERM}},
	{__NR_landlock_restrict_self, "landlock_restrict_self", {EPERM, E2BIG, ENOMEM}},
	{__NR_rt_sigaction, "rt_sigaction", {EINVAL, EFAULT}},
	{__NR_seccomp, "seccomp", {EACCES, EFAULT, EINVAL, ENOMEM, ENOSYS}},
	{__NR_exit_group, "exit_group", {0}}, /* never returns */
};

const struct kind *call_kind(long number)
{
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].number == number)
			return &kinds[i];
	return NULL;
}

/* Whether the current way changes the uid. */
static int changes_uid;

static int is_on(const struct call *call, const char *path)
{
	return strstr(call->text, path) != NULL;
}

static enum umh_stage stage_of_prctl(const struct call *call, enum umh_stage last)
{
	switch (call->args[0]) {
	case PR_SET_DUMPABLE: /* again after each change of identity */
		return last;
	case PR_SET_TIMERSLACK:
		return UMH_STAGE_TIMER_SLACK;
	case PR_SET_THP_DISABLE:
		return UMH_STAGE_THP;
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
		return UMH_STAGE_BOUNDING;
	case PR_SET_KEEPCAPS:
		return call->args[1] ? UMH_STAGE_UID : UMH_STAGE_CAPABILITIES;
	case PR_CAP_AMBIENT:
		return call->args[1] == PR_CAP_AMBIENT_RAISE ? UMH_STAGE_AMBIENT : UMH_STAGE_CAPABILITIES;
	case PR_GET_SECUREBITS:
		return last == UMH_STAGE_UID ? last : UMH_STAGE_SECUREBITS;
	case PR_SET_SECUREBITS:
		return UMH_STAGE_SECUREBITS;
	case PR_SET_PDEATHSIG:
		return UMH_STAGE_PARENT_DEATH;
	case PR_SET_NO_NEW_PRIVS:
		return UMH_STAGE_NO_NEW_PRIVS;
	default:
		return UMH_STAGE_PLAN; /* its name */
	}
}

static enum umh_stage stage_of_path(const struct call *call)
{
	if (is_on(call, "cgroup.procs"))
		return UMH_STAGE_CGROUP;
	if (is_on(call, "oom_score_adj"))
		return UMH_STAGE_OOM_SCORE_ADJ;
	if (is_on(call, "coredump_filter"))
		return UMH_STAGE_COREDUMP_FILTER;
	if (is_on(call, "attr/exec"))
		return UMH_STAGE_EXEC_LABEL;
	if (is_on(call, "status"))
		return UMH_STAGE_PLAN; /* the ignored signals */
	if (call->args[0] == (uint64_t)AT_FDCWD && call->args[2] & O_NONBLOCK)
		return UMH_STAGE_EXEC; /* the program, before its execve */
	return UMH_STAGE_ID_MAP;
}

static enum umh_stage stage_of_rlimit(const struct call *call)
{
	if (call->args[1] == RLIMIT_NOFILE)
		return UMH_STAGE_NOFILE;
	return call->args[1] == RLIMIT_NPROC ? UMH_STAGE_NPROC : UMH_STAGE_RLIMIT;
}

/* The step that the launcher, or one of its children, executes when it makes this call after that one. */
static enum umh_stage stage_in_launcher(const struct call *call, enum umh_stage last)
{
	switch (call->number) {
	case __NR_setpriority:
		return UMH_STAGE_NICE;
	case __NR_sched_setattr:
		return UMH_STAGE_SCHED;
	case __NR_ioprio_get:
	case __NR_ioprio_set:
		return UMH_STAGE_IOPRIO;
	case __NR_sched_setaffinity:
		return UMH_STAGE_AFFINITY;
	case __NR_set_mempolicy:
		return UMH_STAGE_MEMPOLICY;
	case __NR_prctl:
		return stage_of_prctl(call, last);
	case __NR_prlimit64:
		return stage_of_rlimit(call);
	case __NR_openat:
		return stage_of_path(call);
	case __NR_personality:
		return UMH_STAGE_PERSONALITY;
	case __NR_setns:
		return UMH_STAGE_JOIN;
	case __NR_unshare:
	case __NR_mount:
		return UMH_STAGE_UNSHARE;
	case __NR_setpgid: /* the group by which the JVM finds a successor */
		return last == UMH_STAGE_PID_NAMESPACE ? last : UMH_STAGE_SESSION;
	case __NR_setsid:
		return UMH_STAGE_SESSION;
	case __NR_ioctl:
		return UMH_STAGE_TERMINAL;
	case __NR_keyctl:
		return UMH_STAGE_KEYRING;
	case __NR_umask:
		return UMH_STAGE_UMASK;
	case __NR_chroot:
		return UMH_STAGE_ROOT;
	case __NR_chdir: /* the new root's first */
		return last == UMH_STAGE_ROOT ? last : UMH_STAGE_CWD;
	case __NR_fchdir:
	case __NR_getcwd:
		return UMH_STAGE_CWD;
	case __NR_openat2: /* the program, or its directory */
		return is_on(call, "/bin/") ? UMH_STAGE_EXEC : UMH_STAGE_CWD;
	case __NR_newfstatat:
	case __NR_pread64: /* the program's first bytes */
		return UMH_STAGE_EXEC;
	case __NR_clone3:
	case __NR_clone:
		return last == UMH_STAGE_PID_NAMESPACE ? last : UMH_STAGE_UNSHARE;
	case __NR_pipe2:
		return last < UMH_STAGE_UNSHARE ? UMH_STAGE_UNSHARE : UMH_STAGE_PID_NAMESPACE;
	case __NR_wait4:
		return UMH_STAGE_ID_MAP;
	case __NR_fcntl:
		return last == UMH_STAGE_EXEC ? last : UMH_STAGE_DESCRIPTORS;
	case __NR_dup3:
		return UMH_STAGE_DESCRIPTORS;
	case __NR_read: /* waits for umh_allow_exec() */
		return last >= UMH_STAGE_SIGNALS ? UMH_STAGE_EXEC : last;
	case __NR_setgroups:
		return UMH_STAGE_GROUPS;
	case __NR_setresgid:
	case __NR_getresgid:
		return UMH_STAGE_GID;
	case __NR_setresuid:
	case __NR_getresuid:
		return UMH_STAGE_UID;
	case __NR_capset:
		return last >= UMH_STAGE_AMBIENT ? UMH_STAGE_EFFECTIVE : UMH_STAGE_CAPABILITIES;
	case __NR_capget: /* the first of two where the uid changes */
		return changes_uid && last < UMH_STAGE_UID ? UMH_STAGE_UID : UMH_STAGE_CAPABILITIES;
	case __NR_write: /* starts the mapper */
		return last == UMH_STAGE_UNSHARE ? UMH_STAGE_ID_MAP : last;
	case __NR_landlock_create_ruleset:
	case __NR_landlock_add_rule:
	case __NR_landlock_restrict_self:
		return UMH_STAGE_LANDLOCK;
	case __NR_rt_sigaction:
	case __NR_rt_sigprocmask:
		return UMH_STAGE_SIGNALS;
	case __NR_seccomp:
		return UMH_STAGE_SECCOMP;
	case __NR_execve:
	case __NR_execveat:
		return UMH_STAGE_EXEC;
	default:
		return last;
	}
}

static enum umh_stage stage_in_parent(const struct call *call, enum umh_stage last)
{
	switch (call->number) {
	case __NR_socketpair:
	case __NR_setsockopt:
	case __NR_sendmsg:
		return UMH_STAGE_SOCKET;
	case __NR_dup3:
	case __NR_clone3:
	case __NR_clone:
	case __NR_pidfd_open:
		return UMH_STAGE_CLONE;
	case __NR_sendto: /* umh_allow_exec() */
		return UMH_STAGE_EXEC;
	case __NR_poll:
	case __NR_waitid:
	case __NR_recvmsg:
		return UMH_STAGE_WAIT;
	default:
		return last;
	}
}

static enum umh_stage stage_in_child(const struct call *call)
{
	return call->number == __NR_execve || call->number == __NR_execveat ? UMH_STAGE_LAUNCH : UMH_STAGE_CLOSE_FDS;
}

/* The calls so far of each process. */
struct before {
	enum umh_stage stage;
	int arrived;
};

static enum umh_stage stage_of(const struct call *call, enum umh_stage last)
{
	if (call->who == PARENT)
		return stage_in_parent(call, last);
	return call->who == CHILD ? stage_in_child(call) : stage_in_launcher(call, last);
}

static void tell(struct call *call, struct before *before)
{
	call->stage = stage_of(call, before->stage);
	call->arrived = before->arrived;
	before->stage = call->stage;
	before->arrived |= call->who >= LAUNCHER && call->number == __NR_sendmsg &&
			   call->stage != UMH_STAGE_PID_NAMESPACE;
}

void call_stages(struct call *calls, unsigned count, const struct way *way)
{
	struct before before[WHO_COUNT] = {
		[PARENT] = {.stage = way->manner == HOLD ? UMH_STAGE_BLOB : UMH_STAGE_SOCKET},
		[LAUNCHER] = {.stage = UMH_STAGE_PLAN},
		[MAPPER] = {.stage = UMH_STAGE_ID_MAP},
		[SUCCESSOR] = {.stage = UMH_STAGE_PID_NAMESPACE},
	};
	struct order order;

	order_begin(&order, way);
	changes_uid = !!(order.plan.steps & UMH_STEP(UID));
	order_end(&order);
	for (unsigned i = 0; i < count; i++) {
		tell(&calls[i], &before[calls[i].who]);
		for (unsigned j = 0; j < i; j++)
			calls[i].occurrence += calls[j].who == calls[i].who && calls[j].number == calls[i].number &&
					       calls[j].stage == calls[i].stage;
	}
}
