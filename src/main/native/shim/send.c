/* SPDX-License-Identifier: Apache-2.0 */
/* send.c - sends the plan and the descriptors on the plan socket. */

#include "shim/send.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/memfd.h"

static int send_message(int socket, const void *bytes, size_t size, const int *fds, unsigned count)
{
	struct {
		struct cmsghdr header;
		int fds[UMH_SCM_MAX_FD];
	} control;
	struct iovec part = {(void *)bytes, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (count > 0) {
		control.header = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(count * sizeof *fds),
		};
		memcpy(control.fds, fds, count * sizeof *fds);
		message.msg_control = &control;
		message.msg_controllen = control.header.cmsg_len;
	}
	/*
	 * No process reads yet, so a full socket buffer must be an error and not a wait. musl's sendmsg() takes at most
	 * a KiB of ancillary data, so this is the system call.
	 */
	return syscall(__NR_sendmsg, socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static unsigned at_most(unsigned count, unsigned limit)
{
	return count < limit ? count : limit;
}

/* A plan that is too large for a message is sent as a memfd. */
static int send_large_plan(int socket, const struct umh_plan *plan)
{
	int fd = (int)syscall(__NR_memfd_create, "umh4j-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int result;

	if (fd < 0)
		return -errno;
	result = umh_memfd_write(fd, plan, plan->size);
	if (result == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		result = -errno;
	if (result == 0)
		result = send_message(socket, plan, UMH_PLAN_PREFIX, &fd, 1);
	close(fd);
	return result;
}

int umh_send_plan(int socket, const struct umh_request *request)
{
	const struct umh_plan *plan = request->plan;
	unsigned sent = 0;
	int result;

	if (plan->size > UMH_PLAN_INLINE) {
		result = send_large_plan(socket, plan);
	} else {
		sent = at_most(request->fd_count, UMH_DESCRIPTORS_INLINE);
		result = send_message(socket, plan, plan->size, request->fds, sent);
	}
	while (result == 0 && sent < request->fd_count) {
		unsigned count = at_most(request->fd_count - sent, UMH_SCM_MAX_FD);

		result = send_message(socket, "", 1, request->fds + sent, count);
		sent += count;
	}
	return result;
}

/* EBADF means one of the caller's descriptors: this finds its target number. */
enum umh_stage umh_send_failed_stage(const struct umh_request *request, int error, uint32_t *detail)
{
	const struct umh_plan *plan = request->plan;
	const struct umh_descriptor *files = (const void *)((const char *)plan + plan->descriptors.offset);

	for (unsigned i = 0; error == EBADF && i < request->fd_count; i++) {
		if (fcntl(request->fds[i], F_GETFD) < 0) {
			if (i == plan->terminal)
				return UMH_STAGE_TERMINAL;
			*detail = files[i].target;
			return UMH_STAGE_SOURCE;
		}
	}
	return UMH_STAGE_SOCKET;
}
