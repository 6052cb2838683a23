/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - reports to the shim that the launcher is ready, or that a step has failed. */

#include <errno.h>
#include <linux/memfd.h>
#include <sys/mman.h>

#include "common/syscalls.h"
#include "launcher/launcher.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* 6.3 */
#endif

int send_report(const struct launch *launch, const struct umh_report *report, int fd)
{
	struct {
		struct cmsghdr header;
		int fd;
	} control = {
		.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)},
		.fd = fd,
	};
	struct iovec part = {(void *)report, sizeof *report};
	const struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = fd < 0 ? 0 : &control,
		.msg_controllen = fd < 0 ? 0 : CMSG_SPACE(sizeof fd),
	};
	long result = umh_syscall(__NR_sendmsg, launch->socket, &message, MSG_NOSIGNAL);

	/* The helper's filter may be in force and refuse sendmsg(2); most filters allow write(2). */
	if (result < 0 && result != -EPIPE && fd < 0)
		result = sys_write(launch->socket, (const char *)report, sizeof *report);
	return result < 0 ? (int)result : 0;
}

/* A launch works without it, but a failure after the filter is then reported with less detail. */
void create_failure_memfd(struct launch *launch)
{
	int file;

	if (!has_step(launch, UMH_STEP(SECCOMP)))
		return;
	file = (int)umh_syscall(__NR_memfd_create, "umh4j-verdict", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (file < 0)
		file = (int)umh_syscall(__NR_memfd_create, "umh4j-verdict", MFD_CLOEXEC); /* before 6.3 */
	if (file < 0)
		return;
	if (umh_syscall(__NR_ftruncate, file, sizeof *launch->stored_failure) == 0)
		launch->stored_failure = sys_mmap(0, sizeof *launch->stored_failure, PROT_READ | PROT_WRITE, MAP_SHARED,
						  file, 0);
	if (sys_is_error(launch->stored_failure))
		launch->stored_failure = 0;
	launch->failure_memfd = file;
}

void store_failure(const struct launch *launch, enum umh_stage stage, int error)
{
	if (launch->stored_failure)
		*(volatile uint32_t *)launch->stored_failure = UMH_STORED_FAILURE(stage, error);
}

/*
 * Without a plan this process is not a launcher but a program that some process has executed: then descriptor 3 is not
 * the plan socket, and only the exit code reports the error. Descriptors are closed first, because older kernels let
 * other processes open those of an exiting process.
 */
void fail(const struct launch *launch, enum umh_stage stage, int error)
{
	const struct umh_report report = {
		.stage = stage,
		.error = (uint32_t)error,
		.detail = launch->detail,
		.unapplied = launch->unapplied,
	};

	if (!launch->plan)
		sys_exit(error);
	store_failure(launch, stage, error);
	send_report(launch, &report, -1); /* fails if the JVM has ended */
	sys_close_range(0, ~0U, 0);
	sys_exit(127);
}
