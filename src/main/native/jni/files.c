/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - open files, cgroups, programs in memory, and the descriptors in objects of the JDK. */

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/file_identity.h"
#include "jni/bridge.h"
#include "shim/blob.h"
#include "shim/process_state.h"

/*
 * Whether the other end of an open FIFO is open. A FIFO open for writing has a reader, because O_NONBLOCK has not
 * failed. For reading, tee(2) without waiting shows it: 0 bytes are an end of file, so there is no writer. It consumes
 * nothing.
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

/* The open has not blocked; reads and writes must block again, unless the caller has asked for O_NONBLOCK. */
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

/* A terminal that is opened for a helper must not become the JVM's controlling terminal: O_NOCTTY. */
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

/* Opens a path below a root with O_PATH. It is for landlock, which is younger than openat2(2). */
int umh_bridge_open_below(const signed char *root, const signed char *path)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	const int directory = umh_bridge_open(root, O_PATH | O_DIRECTORY, 0);
	int fd;

	if (directory < 0)
		return directory;
	fd = (int)syscall(__NR_openat2, directory, (const char *)path, &how, sizeof how);
	if (fd < 0)
		fd = -errno;
	close(directory);
	return fd;
}

int umh_bridge_is_directory(int fd)
{
	struct stat status;

	return syscall(__NR_fstat, fd, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The cgroup or an ancestor is frozen, or about to be. */
static int is_frozen(int fd)
{
	int result = umh_cgroup_is_frozen(fd);

	return result == 0 ? umh_cgroup_is_freezing(fd) : result;
}

/* A child in a frozen cgroup does not execute the launcher, and holds the thread that has created it. */
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

/* A field of that name and type, or NULL without a pending exception. */
static jfieldID field(JNIEnv *env, jobject object, const char *name, const char *type)
{
	jfieldID id = (*env)->GetFieldID(env, (*env)->GetObjectClass(env, object), name, type);

	if (!id)
		(*env)->ExceptionClear(env);
	return id;
}

/* Streams have getFD(). Channels do not, but all of the JDK's have the descriptor in a field of one of these names. */
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
