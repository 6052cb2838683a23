/* SPDX-License-Identifier: Apache-2.0 */
/* memfd.c - files without a name that can be executed and never be written again. */

#include "shim/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* 6.3 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* 6.3 */
#endif

/*
 * Without write permission only root can open the file for writing, root of a container included. That makes execve
 * return ETXTBSY; umh.c then creates the launcher again.
 */
#define EXECUTABLE 0555

/* vm.memfd_noexec can require MFD_EXEC; kernels before 6.3 do not know it. */
int umh_memfd_make(const char *name)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = (int)syscall(__NR_memfd_create, name, flags | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(__NR_memfd_create, name, flags);
	return fd < 0 ? -errno : fd;
}

int umh_memfd_seal(int fd)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

	if (fchmod(fd, EXECUTABLE) < 0)
		return -errno;
	if (fcntl(fd, F_ADD_SEALS, seals | F_SEAL_EXEC) == 0)
		return 0;
	return errno == EINVAL && fcntl(fd, F_ADD_SEALS, seals) == 0 ? 0 : -errno;
}

int umh_memfd_write(int fd, const void *bytes, size_t size)
{
	const char *rest = bytes;

	while (size > 0) {
		ssize_t written = write(fd, rest, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		rest += written;
		size -= (size_t)written;
	}
	return 0;
}
