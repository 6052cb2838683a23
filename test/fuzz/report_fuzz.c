/* SPDX-License-Identifier: Apache-2.0 */
/* report_fuzz.c - the shim's reader of reports (shim/report.c), fed through a socket by libFuzzer. */

/*
 * An input is a sequence of messages: a byte with the length and, in bit 7, whether a descriptor comes along; the
 * bytes.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim/umh.h"
#include "common/file_identity.h"

static int nothing = -1;

static void send_word(int socket, const uint8_t *bytes, size_t size, int with_fd)
{
	char control[CMSG_SPACE(sizeof nothing)] __attribute__((aligned(8))) = {0};
	struct cmsghdr *header = (void *)control;
	struct iovec part = {(void *)bytes, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (with_fd) {
		*header = (struct cmsghdr){CMSG_LEN(sizeof nothing), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(header), &nothing, sizeof nothing);
		message.msg_control = control;
		message.msg_controllen = sizeof control;
	}
	sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	return 0;
}

static int next_number(void)
{
	int fd = dup(nothing);

	close(fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const int before = next_number();
	struct umh_child child = {.pid = getpid(), .pidfd = -1, .socket = -1, .successor_expected = size & 1};
	const int on = 1;
	struct umh_report report;
	int sockets[2];
	int result;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0 ||
	    setsockopt(sockets[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
		return -1;
	for (size_t at = 0; at < size;) {
		size_t length = bytes[at] & 0x7f;
		int with_fd = bytes[at++] >> 7;

		length = length < size - at ? length : size - at;
		send_word(sockets[1], bytes + at, length, with_fd);
		at += length;
	}
	close(sockets[1]);
	child.socket = sockets[0];
	child.socket_identity = umh_file_identity(child.socket);
	result = umh_wait_exec(&child, UMH_NONBLOCK, &report);
	/*
	 * The result is 0 or an errno, at an existing stage, and no received descriptor stays open. The other end is
	 * closed.
	 */
	if (result > 0 || result < -4095 || report.stage >= UMH_STAGE_COUNT)
		abort();
	umh_release(&child);
	if (next_number() != before)
		abort();
	return 0;
}
