/* SPDX-License-Identifier: Apache-2.0 */
/* file_identity.h - identifies a descriptor's file, so that no call acts on another file at the same number. */
#ifndef UMH_FILE_IDENTITY_H
#define UMH_FILE_IDENTITY_H

/*
 * Other native code of this process may close any number, and the next file that is opened gets it. So the identity of
 * each descriptor is noted when it is made, and compared before the number is used. In a shared table another thread
 * may still change the number between the two calls; in a child's own table it can't (shim/clone.c).
 *
 * A memfd, a socket, a pipe and a file of /proc have inodes of their own, and a pidfd has since Linux 6.9. An epoll, an
 * eventfd and an older pidfd share one: shim/epoll.c and shim/pidfd.c say how these are told apart.
 */

#include <stdint.h>
#include <sys/stat.h>

#include "common/syscalls.h"

/* ThreadSanitizer knows that a number is free by libc's function alone. */
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
	/* An odd factor spreads the few devices over all bits, so that no small inode of one meets that of another. */
	identity = (file.st_dev ^ (uint64_t)(file.st_mode & S_IFMT) << 32) * UINT64_C(0x9e3779b97f4a7c15) + file.st_ino;
	return identity == UMH_NO_IDENTITY ? 1 : identity;
}

/* The part of it for which a plan has room. */
static inline uint32_t umh_short_file_identity(uint64_t identity)
{
	return (uint32_t)(identity ^ identity >> 32);
}

static inline int umh_is_same_file(int fd, uint64_t identity)
{
	return fd >= 0 && identity != UMH_NO_IDENTITY && umh_file_identity(fd) == identity;
}

/* Closes the number if it is still that file's, and leaves it alone otherwise; in both cases it is set to -1. */
static inline void umh_close_if_same(int *fd, uint64_t identity)
{
	if (umh_is_same_file(*fd, identity))
		umh_close_number(*fd);
	*fd = -1;
}

#endif
