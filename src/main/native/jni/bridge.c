/* SPDX-License-Identifier: Apache-2.0 */
/* bridge.c - from the arrays that cross JNI to the structures of umh.h, and back. */

#include "jni/bridge.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shim/monitor.h"
#include "common/file_identity.h"

int umh_bridge_load(const signed char *image, int size)
{
	return image ? umh_load((const char *)image, (size_t)size) : -EFAULT;
}

/* The path and the arguments, then NULL, then the environment, then NULL. */
static char **vectors(const signed char *strings, int size, int argc, int envc)
{
	const char *string = (const char *)strings;
	const char *end = string + size;
	const size_t count = 1 + (size_t)argc + (size_t)envc;
	char **all = malloc((count + 2) * sizeof *all);
	char **next = all;

	for (size_t i = 0; all && i < count; i++) {
		const char *nul = string < end ? memchr(string, 0, (size_t)(end - string)) : NULL;

		if (!nul) {
			free(all);
			return NULL;
		}
		*next++ = (char *)string;
		if (i == (size_t)argc)
			*next++ = NULL;
		string = nul + 1;
	}
	if (all)
		*next = NULL;
	return all;
}

static void store_child(long long *result_fields, const struct umh_child *child)
{
	result_fields[UMH_RESULT_PID] = child->pid;
	result_fields[UMH_RESULT_PIDFD] = child->pidfd;
	result_fields[UMH_RESULT_SOCKET] = child->socket;
	memcpy(&result_fields[UMH_RESULT_CHILD], child, sizeof *child);
}

/* The one that an answer was last about. */
static struct umh_child load_child(const long long *result_fields)
{
	struct umh_child child;

	memcpy(&child, &result_fields[UMH_RESULT_CHILD], sizeof child);
	return child;
}

static long long nanoseconds(long long seconds, long long rest)
{
	return seconds * 1000000000 + rest;
}

static void store_report(long long *result_fields, const struct umh_report *report)
{
	const int said = report->stage == UMH_STAGE_EXEC && !report->error;

	result_fields[UMH_RESULT_REPORTED_NS] = said ? nanoseconds(report->seconds, report->detail) : 0;
	result_fields[UMH_RESULT_STAGE] = report->stage;
	result_fields[UMH_RESULT_DETAIL] = report->detail;
	result_fields[UMH_RESULT_UNAPPLIED] = (long long)report->unapplied;
}

static int start(const struct umh_request *request, enum umh_until until, long long *result_fields)
{
	struct umh_report report = {0};
	struct umh_child child = UMH_NO_CHILD;
	struct timespec launched = {0};
	int status = 0;
	int result;

	/* Its thread waits for it. Whatever holds the launcher up, it does not outlive the JVM. */
	if (until != UMH_UNTIL_STARTED)
		request->plan->flags |= UMH_PLAN_DIE_WITH_THREAD;
	if (until == UMH_UNTIL_EXIT)
		result = umh_run(request, &child.pid, &report, &status);
	else
		result = umh_start(request, &child, &report);
	clock_gettime(CLOCK_MONOTONIC, &launched);
	result_fields[UMH_RESULT_LAUNCHED_NS] = nanoseconds(launched.tv_sec, launched.tv_nsec);
	if (result == 0 && until == UMH_UNTIL_EXEC)
		result = umh_wait_exec(&child, UMH_BLOCK_BRIEFLY, &report);
	store_child(result_fields, &child);
	store_report(result_fields, &report);
	result_fields[UMH_RESULT_STATUS] = status;
	return result;
}

int umh_bridge_start(const signed char *strings, int size, int argc, int envc, signed char *plan, int plan_size,
		     const int *fds, int fd_count, int cgroup, int until, int launch_timeout_ms, long long *result_fields)
{
	struct umh_request request = {
		.plan = (void *)plan,
		.fds = fds,
		.fd_count = (unsigned)fd_count,
		.cgroup = cgroup,
		.launch_timeout_ms = launch_timeout_ms,
	};
	char **all;
	int result;

	if (!strings || !plan || !result_fields || (!fds && fd_count > 0) || argc < 0 || envc < 0 || fd_count < 0)
		return -EFAULT;
	result_fields[UMH_RESULT_STAGE] = UMH_STAGE_SOCKET;
	if ((size_t)plan_size < sizeof *request.plan || request.plan->size != (uint32_t)plan_size)
		return -EPROTO;
	all = vectors(strings, size, argc, envc);
	if (!all)
		return -ENOMEM;
	request.path = all[0];
	request.launcher_argv = all;
	request.envp = all + 1 + argc + 1;
	result = start(&request, (enum umh_until)until, result_fields);
	free(all);
	return result;
}

int umh_bridge_poll_exec(long long *result_fields)
{
	struct umh_child child;
	struct umh_report report;
	int result;

	if (!result_fields)
		return -EFAULT;
	child = load_child(result_fields);
	result = umh_wait_exec(&child, UMH_NONBLOCK, &report);
	store_child(result_fields, &child);
	store_report(result_fields, &report);
	return result;
}

void umh_bridge_check_launches(void)
{
	umh_monitor_check(0);
}

int umh_bridge_stop_check_ms(void)
{
	return UMH_STOP_CHECK_MS;
}

int umh_bridge_continue_if_stopped(long long *result_fields)
{
	struct umh_child child;
	int result;

	if (!result_fields)
		return -EFAULT;
	child = load_child(result_fields);
	result = umh_continue_if_stopped(&child);
	store_child(result_fields, &child);
	return result;
}

int umh_bridge_allow_exec(const long long *result_fields)
{
	const struct umh_child child = result_fields ? load_child(result_fields) : UMH_NO_CHILD;

	return umh_allow_exec(&child);
}

int umh_bridge_reopen_pidfd(long long *result_fields)
{
	struct umh_child child;
	int result;

	if (!result_fields)
		return -EFAULT;
	child = load_child(result_fields);
	result = umh_reopen_pidfd(&child);
	store_child(result_fields, &child);
	return result;
}

void umh_bridge_close_pidfd(const long long *result_fields)
{
	struct umh_child child = result_fields ? load_child(result_fields) : UMH_NO_CHILD;

	umh_close_pidfd(&child);
}

int umh_bridge_wait(const long long *result_fields, long long *end)
{
	const struct umh_child child = result_fields ? load_child(result_fields) : UMH_NO_CHILD;
	struct umh_usage usage;
	int status;
	int result = end ? umh_wait(&child, UMH_NONBLOCK, &status, &usage) : -EFAULT;

	if (result < 0)
		return result;
	end[UMH_EXIT_STATUS] = status;
	end[UMH_EXIT_USER_US] = usage.user_us;
	end[UMH_EXIT_SYSTEM_US] = usage.system_us;
	end[UMH_EXIT_MINOR_FAULTS] = usage.minor_faults;
	end[UMH_EXIT_MAJOR_FAULTS] = usage.major_faults;
	end[UMH_EXIT_BLOCKS_IN] = usage.blocks_in;
	end[UMH_EXIT_BLOCKS_OUT] = usage.blocks_out;
	end[UMH_EXIT_VOLUNTARY_SWITCHES] = usage.voluntary_switches;
	end[UMH_EXIT_INVOLUNTARY_SWITCHES] = usage.involuntary_switches;
	return 0;
}

int umh_bridge_signal(const long long *result_fields, int signal)
{
	const struct umh_child child = result_fields ? load_child(result_fields) : UMH_NO_CHILD;

	return umh_signal(&child, signal);
}

int umh_bridge_signal_pidfd(int pidfd, int signal)
{
	return syscall(__NR_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

/* Before 6.9 by the group's number, which is the group's as long as its leader has not been reaped. */
int umh_bridge_signal_group(const long long *result_fields, int reaped, int signal)
{
	const struct umh_child child = result_fields ? load_child(result_fields) : UMH_NO_CHILD;
	int result = umh_signal_group(&child, signal);

	if (result != -EINVAL && result != -EPERM && result != -ENOSYS)
		return result;
	if (reaped || child.pid <= 1) /* 0 would be our own group, -1 everybody */
		return result == -EINVAL ? -ESRCH : result;
	return kill(-child.pid, signal) < 0 ? -errno : 0;
}

int umh_bridge_getsid(int pid)
{
	pid_t session = getsid(pid);

	return session < 0 ? -errno : session;
}

int umh_bridge_epoll_watch(int fd, int event, long long token)
{
	return umh_epoll_watch(fd, (enum umh_event)event, (unsigned long long)token);
}

int umh_bridge_epoll_wait(long long *tokens, int capacity, int timeout_ms)
{
	return tokens ? umh_epoll_wait((unsigned long long *)tokens, capacity, timeout_ms) : -EFAULT;
}

/*
 * Whether the other end of an open FIFO is open too. What was opened for writing has a reader, or O_NONBLOCK had refused.
 * Of one for reading only the kernel's copying without waiting tells: 0 bytes is an end of file, nobody writes. It takes
 * nothing away.
 */
static int fifo_has_peer(int fd, int flags)
{
	int pipe[2];
	ssize_t size;
	int error;

	if ((flags & O_ACCMODE) != O_RDONLY)
		return 1;
	if (pipe2(pipe, O_CLOEXEC) < 0)
		return -errno;
	size = tee(fd, pipe[1], 1, SPLICE_F_NONBLOCK);
	error = errno;
	close(pipe[0]);
	close(pipe[1]);
	if (size < 0 && error != EAGAIN)
		return -error;
	return size != 0;
}

/* Nothing has waited for the open; what is done with it later waits again, unless the caller has asked otherwise. */
static int restore_blocking(int fd, int flags)
{
	const int fifo = fcntl(fd, F_GETPIPE_SZ) >= 0;
	const int result = fifo ? fifo_has_peer(fd, flags) : 1;

	if (result <= 0)
		return result < 0 ? result : -ENXIO;
	if (flags & O_NONBLOCK)
		return 0;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

/* A terminal that is opened for a helper must not become the JVM's own. */
int umh_bridge_open(const signed char *path, int flags, int mode)
{
	int result;
	int fd;

	if (!path)
		return -EFAULT;
	if (flags & O_PATH)
		fd = open((const char *)path, flags | O_CLOEXEC);
	else
		fd = open((const char *)path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode);
	if (fd < 0)
		return -errno;
	result = flags & O_PATH ? 0 : restore_blocking(fd, flags);
	if (result < 0)
		close(fd);
	return result < 0 ? result : fd;
}

/* A place below a root, O_PATH. Whoever needs one has a kernel with openat2(2): it is for landlock, which is younger. */
int umh_bridge_open_below(const signed char *root, const signed char *path)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	const int folder = umh_bridge_open(root, O_PATH | O_DIRECTORY, 0);
	int fd;

	if (folder < 0)
		return folder;
	fd = (int)syscall(__NR_openat2, folder, (const char *)path, &how, sizeof how);
	if (fd < 0)
		fd = -errno;
	close(folder);
	return fd;
}

int umh_bridge_is_directory(int fd)
{
	struct stat status;

	return syscall(__NR_fstat, fd, &status) == 0 && S_ISDIR(status.st_mode);
}

/* It or a group above it has been frozen, or it is about to be. */
static int is_frozen(int fd)
{
	int result = umh_cgroup_is_frozen(fd);

	return result == 0 ? umh_cgroup_is_freezing(fd) : result;
}

/* A child that is born frozen does not execute before it is thawed, and holds the thread that has made it until then. */
int umh_bridge_check_cgroup(int fd)
{
	struct statfs system;
	int result;

	if (fstatfs(fd, &system) < 0)
		return -errno;
	if (system.f_type != CGROUP2_SUPER_MAGIC)
		return -EINVAL;
	result = is_frozen(fd);
	return result > 0 ? -EBUSY : result;
}

int umh_bridge_open_cgroup(const signed char *path)
{
	int fd = umh_bridge_open(path, O_PATH | O_DIRECTORY, 0);
	int result = fd < 0 ? fd : umh_bridge_check_cgroup(fd);

	if (fd >= 0 && result < 0)
		close(fd);
	return result < 0 ? result : fd;
}

int umh_bridge_pidfd_open(int pid)
{
	int fd = (int)syscall(__NR_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int umh_bridge_landlock_abi(void)
{
	long abi = syscall(__NR_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? -errno : (int)abi;
}

/* A field of that name and type, or NULL without an exception. */
static jfieldID field(JNIEnv *env, jobject object, const char *name, const char *type)
{
	jfieldID id = (*env)->GetFieldID(env, (*env)->GetObjectClass(env, object), name, type);

	if (!id)
		(*env)->ExceptionClear(env);
	return id;
}

/* Streams have getFD(), channels have not: but all of the JDK's keep their descriptor in a field of one of these names. */
int umh_bridge_descriptor(JNIEnv *env, jobject object)
{
	jfieldID id;
	jint fd;

	if (!object)
		return -EFAULT;
	id = field(env, object, "fd", "Ljava/io/FileDescriptor;");
	if (!id)
		id = field(env, object, "fdObj", "Ljava/io/FileDescriptor;");
	if (id)
		object = (*env)->GetObjectField(env, object, id);
	id = object ? field(env, object, "fd", "I") : NULL;
	if (!id)
		return -EINVAL;
	fd = (*env)->GetIntField(env, object, id);
	return fd < 0 ? -EBADF : fd;
}

long long umh_bridge_file_identity(int fd)
{
	return (long long)umh_file_identity(fd);
}

int umh_bridge_is_same_file(int fd, long long identity)
{
	return umh_is_same_file(fd, (uint64_t)identity);
}

void umh_bridge_close_if_same(int fd, long long identity)
{
	umh_close_if_same(&fd, (uint64_t)identity);
}

static struct umh_blob load_blob(const long long *blob)
{
	return (struct umh_blob){
		.fd = (int)blob[UMH_BLOB_FD],
		.mount = (int)blob[UMH_BLOB_MOUNT],
		.fd_identity = (uint64_t)blob[UMH_BLOB_FD_IDENTITY],
		.mount_identity = (uint64_t)blob[UMH_BLOB_MOUNT_IDENTITY],
	};
}

int umh_bridge_blob_open(const signed char *name, long long *blob)
{
	struct umh_blob opened;
	int result = name && blob ? umh_blob_open((const char *)name, &opened) : -EFAULT;

	if (result == 0) {
		blob[UMH_BLOB_FD] = opened.fd;
		blob[UMH_BLOB_MOUNT] = opened.mount;
		blob[UMH_BLOB_FD_IDENTITY] = (long long)opened.fd_identity;
		blob[UMH_BLOB_MOUNT_IDENTITY] = (long long)opened.mount_identity;
	}
	return result;
}

int umh_bridge_blob_seal(const signed char *name, const long long *blob)
{
	struct umh_blob opened;

	if (!name || !blob)
		return -EFAULT;
	opened = load_blob(blob);
	return umh_blob_seal((const char *)name, &opened);
}

void umh_bridge_blob_discard(const long long *blob)
{
	struct umh_blob opened;

	if (!blob)
		return;
	opened = load_blob(blob);
	umh_blob_discard(&opened);
}

int umh_bridge_features(void)
{
	return umh_features();
}

/* The names of the stages in their order, separated by blanks: the test holds the Java enum against it. */
int umh_bridge_stage_names(signed char *names, int size)
{
#define X(name) #name " "
	static const char all[] = UMH_STAGES(X);
#undef X

	if (!names || size < (int)sizeof all - 1)
		return -ERANGE;
	memcpy(names, all, sizeof all - 1);
	return (int)sizeof all - 1;
}

long long umh_bridge_effective_set(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct sets[2];

	if (syscall(__NR_capget, &header, sets) < 0)
		return 0;
	return (long long)((uint64_t)sets[1].effective << 32 | sets[0].effective);
}

/* The kernel answers EINVAL for the first capability that it does not know. */
int umh_bridge_last_capability(void)
{
	int capability = 0;

	while (capability < 64 && prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0)
		capability++;
	return capability - 1;
}

long long umh_bridge_bounding_set(void)
{
	uint64_t bounding = 0;

	for (int capability = 0; capability < 64; capability++)
		if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1)
			bounding |= UINT64_C(1) << capability;
	return (long long)bounding;
}

int umh_bridge_uid(void)
{
	return (int)geteuid();
}

int umh_bridge_gid(void)
{
	return (int)getegid();
}

int umh_bridge_no_new_privs(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}
