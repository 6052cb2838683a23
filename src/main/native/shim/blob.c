/* SPDX-License-Identifier: Apache-2.0 */
/* blob.c - a program in memory: bytes that become an executable file, which is on no disk. */

/*
 * The file is a sealed memfd, as the launcher is. If the host forbids executable memfds (vm.memfd_noexec=2), it is in a
 * separate tmpfs that is mounted nowhere, as the kernel's user mode drivers were. That tmpfs is made read-only before
 * any process can execute the file, and ends with the last descriptor of the file.
 */

#include "shim/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/file_identity.h"
#include "shim/memfd.h"

#define EXECUTABLE 0555

static void close_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void umh_blob_discard(struct umh_blob *blob)
{
	umh_close_if_same(&blob->fd, blob->fd_identity);
	umh_close_if_same(&blob->mount, blob->mount_identity);
}

/* A file system without a path; needs CAP_SYS_ADMIN and Linux 5.2. */
static int private_mount(void)
{
	int context = (int)syscall(__NR_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	int mount = -1;
	int error;

	if (context < 0)
		return -errno;
	if (syscall(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = (int)syscall(__NR_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	error = errno;
	close(context);
	return mount < 0 ? -error : mount;
}

static int open_in_mount(const char *name, struct umh_blob *blob)
{
	blob->mount = private_mount();
	if (blob->mount < 0)
		return blob->mount;
	blob->fd = openat(blob->mount, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, EXECUTABLE);
	return blob->fd < 0 ? -errno : 0;
}

int umh_blob_open(const char *name, struct umh_blob *blob)
{
	int result;

	*blob = (struct umh_blob){.fd = umh_memfd_make(name), .mount = -1};
	result = blob->fd;
	if (result == -EACCES && open_in_mount(name, blob) == 0)
		result = 0;
	blob->fd_identity = umh_file_identity(blob->fd);
	blob->mount_identity = umh_file_identity(blob->mount);
	if (result >= 0)
		return 0;
	umh_blob_discard(blob);
	return result; /* the error of the memfd is better than that of the mount */
}

/* While a file is open for writing it can't be executed, nor can its mount become read-only. */
static int seal_mount(const char *name, struct umh_blob *blob)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	int fd = openat(blob->mount, name, O_RDONLY | O_CLOEXEC);
	int error = errno;

	close_open(&blob->fd);
	if (fd >= 0 && fchmod(fd, EXECUTABLE) == 0 && /* the JVM's umask may have removed these */
	    syscall(__NR_mount_setattr, blob->mount, "", AT_EMPTY_PATH, &read_only, sizeof read_only) == 0)
		return fd;
	error = fd < 0 ? error : errno;
	close_open(&fd);
	return -error;
}

int umh_blob_seal(const char *name, struct umh_blob *blob)
{
	int fd;

	if (!umh_is_same_file(blob->fd, blob->fd_identity) ||
	    (blob->mount >= 0 && !umh_is_same_file(blob->mount, blob->mount_identity))) {
		fd = -EBADF; /* other code has closed it meanwhile */
	} else if (blob->mount >= 0) {
		fd = seal_mount(name, blob);
	} else {
		int result = umh_memfd_seal(blob->fd);

		fd = result < 0 ? result : blob->fd;
		if (result == 0)
			blob->fd = -1;
	}
	umh_blob_discard(blob);
	return fd;
}
