/* SPDX-License-Identifier: Apache-2.0 */
/* syscalls.h - system calls without libc, for the child in the JVM's memory, the launcher and the probe. */
#ifndef UMH_SYSCALLS_H
#define UMH_SYSCALLS_H

/*
 * Each function is the system call of its name and returns the kernel's result, a negative errno on failure. There is
 * no errno variable, no cancellation and no lock: therefore a child in the JVM's memory may use them.
 */

#include <stdint.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "common/arch.h"

#ifndef O_PATH
#define O_PATH 010000000
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

static inline long sys_read(int fd, void *buffer, size_t size)
{
	return umh_syscall(__NR_read, fd, buffer, size);
}

static inline long sys_write(int fd, const void *buffer, size_t size)
{
	return umh_syscall(__NR_write, fd, buffer, size);
}

static inline int sys_open(const char *path, int flags, unsigned mode)
{
	return (int)umh_syscall(__NR_openat, AT_FDCWD, path, flags, mode);
}

static inline int sys_close(int fd)
{
	return (int)umh_syscall(__NR_close, fd);
}

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return (int)umh_syscall(__NR_close_range, first, last, flags);
}

static inline int sys_dup3(int fd, int target, int flags)
{
	return (int)umh_syscall(__NR_dup3, fd, target, flags);
}

static inline int sys_fcntl(int fd, int command, long argument)
{
	return (int)umh_syscall(__NR_fcntl, fd, command, argument);
}

static inline long sys_getdents64(int fd, void *buffer, size_t size)
{
	return umh_syscall(__NR_getdents64, fd, buffer, size);
}

static inline int sys_unshare(int flags)
{
	return (int)umh_syscall(__NR_unshare, flags);
}

static inline long sys_recvmsg(int fd, struct msghdr *message, int flags)
{
	return umh_syscall(__NR_recvmsg, fd, message, flags);
}

static inline long sys_send(int fd, const void *buffer, size_t size, int flags)
{
	return umh_syscall(__NR_sendto, fd, buffer, size, flags);
}

static inline void *sys_mmap(void *address, size_t size, int protection, int flags, int fd, long offset)
{
	return (void *)umh_syscall(__NR_mmap, address, size, protection, flags, fd, offset);
}

static inline int sys_execve(const char *path, char *const argv[], char *const envp[])
{
	return (int)umh_syscall(__NR_execve, path, argv, envp);
}

static inline int sys_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return (int)umh_syscall(__NR_execveat, fd, path, argv, envp, flags);
}

/*
 * The helper's filter may refuse both calls. Then a trap instruction ends the process: no filter and no signal mask
 * prevents that, nor does being pid 1 of a namespace.
 */
static inline __attribute__((noreturn)) void sys_exit(int status)
{
	umh_syscall(__NR_exit_group, status);
	umh_syscall(__NR_exit, status);
	__builtin_trap();
}

/* The kernel returns errors of calls that return addresses as the last 4095 addresses. */
static inline int sys_is_error(const void *result)
{
	return (unsigned long)result >= (unsigned long)-4095L;
}

#endif
