/* SPDX-License-Identifier: Apache-2.0 */
/* file_identity.h - identifies a descriptor's file, so that no call acts on another file at the same number. */
#ifndef UMH_FILE_IDENTITY_H
#define UMH_FILE_IDENTITY_H

/*
 * Other native code of this process may close any descriptor, and the next open file gets its number. So the shim
 * records the identity of the file when it opens a descriptor, and compares it before each use. In a shared table
 * another thread may change the number between the two calls; in a child's separate table it can't (shim/child.c).
 *
 * A memfd, a socket, a pipe and a file of /proc have separate inodes; so has a pidfd since Linux 6.9. Epolls, eventfds
 * and older pidfds share one inode: shim/epoll.c and shim/pidfd.c tell them apart.
 */

#include <stdint.h>
#include <sys/stat.h>

#include "common/syscalls.h"

/* ThreadSanitizer knows that a number is free only if libc's function has closed it. */
#ifdef __SANITIZE_THREAD__
#include <unistd.h>
#define umh_close_number close
#else
#define umh_close_number sys_close
#endif

#define UMH_NO_IDENTITY UINT64_C(0) /* of a number that is not open */

static inline uint64_t umh_file_identity(int fd)
{
	struct stat file = {0};
	uint64_t identity;

	if (umh_syscall(__NR_fstat, fd, &file) < 0)
		return UMH_NO_IDENTITY;
	/*
	 * An odd factor spreads the few device numbers over all bits, so that small inodes of two devices do not
	 * collide.
	 */
	identity = (file.st_dev ^ (uint64_t)(file.st_mode & S_IFMT) << 32) * UINT64_C(0x9e3779b97f4a7c15) + file.st_ino;
	return identity == UMH_NO_IDENTITY ? 1 : identity;
}

/* A plan has room for 32 bits. */
static inline uint32_t umh_short_file_identity(uint64_t identity)
{
	return (uint32_t)(identity ^ identity >> 32);
}

static inline int umh_is_same_file(int fd, uint64_t identity)
{
	return fd >= 0 && identity != UMH_NO_IDENTITY && umh_file_identity(fd) == identity;
}

/* Closes the descriptor if it still refers to that file, and sets it to -1 in any case. */
static inline void umh_close_if_same(int *fd, uint64_t identity)
{
	if (umh_is_same_file(*fd, identity))
		umh_close_number(*fd);
	*fd = -1;
}

#endif
