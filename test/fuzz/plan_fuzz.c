/* SPDX-License-Identifier: Apache-2.0 */
/* plan_fuzz.c - the launcher's plan reader (launcher/plan.c), fed through a socket by libFuzzer. */

/*
 * The first byte of an input selects how the rest is sent: bit 0 as a memfd, the other bits the number of descriptors.
 * A plan that the reader accepts must have the properties that the steps rely on, which are checked again here.
 */

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/launcher.h"

#define MOST_FDS 100

static int nothing = -1;

static void send_bytes(int socket, const void *bytes, size_t size, const int *fds, unsigned count)
{
	char control[CMSG_SPACE(MOST_FDS * sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec part = {(void *)bytes, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (count > 0) {
		struct cmsghdr *header = (void *)control;

		*header = (struct cmsghdr){CMSG_LEN(count * sizeof *fds), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(header), fds, count * sizeof *fds);
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
	}
	sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void send_plan(int socket, const uint8_t *bytes, size_t size, unsigned how)
{
	unsigned count = (how >> 1) % (MOST_FDS + 1);
	int fds[MOST_FDS];

	for (unsigned i = 0; i < MOST_FDS; i++)
		fds[i] = nothing;
	if (how & 1) {
		int memfd = memfd_create("fuzz", MFD_CLOEXEC);

		if (write(memfd, bytes, size) != (ssize_t)size)
			abort();
		send_bytes(socket, bytes, size < UMH_PLAN_PREFIX ? size : UMH_PLAN_PREFIX, &memfd, 1);
		close(memfd);
		send_bytes(socket, "", 1, fds, count);
	} else {
		send_bytes(socket, bytes, size, fds, count);
	}
}

/* Every byte of a part is readable, and a text has its NUL. */
static void touch(const struct launch *launch, struct umh_span part, int is_text)
{
	const char *bytes = span(launch, part);

	if (!bytes)
		return;
	if (part.offset < sizeof *launch->plan || (uint64_t)part.offset + part.length > launch->plan->size)
		abort();
	for (uint32_t i = 0; i < part.length; i++)
		(void)*(const volatile char *)(bytes + i);
	if (is_text && bytes[part.length - 1])
		abort();
}

static void touch_all(const struct launch *launch)
{
	const struct umh_plan *plan = launch->plan;
	const struct umh_span texts[] = {plan->cwd,     plan->root,    plan->keyring,  plan->exec_label,
					 plan->uid_map, plan->gid_map, plan->setgroups};
	const struct umh_span others[] = {plan->affinity, plan->descriptors,    plan->groups,
					  plan->joins,    plan->landlock_rules, plan->seccomp_filter};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		touch(launch, texts[i], 1);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		touch(launch, others[i], 0);
	for (uint32_t i = 0; i < plan->descriptors.length / sizeof(struct umh_descriptor); i++)
		if (fcntl(descriptor(launch, i), F_GETFD) < 0)
			abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct launch launch = {.parent = getpid()};
	const int on = 1;
	int sockets[2];
	int lowest;

	if (size < 1 || size > 32768 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0 ||
	    setsockopt(sockets[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
		return -1;
	lowest = sockets[0];
	send_plan(sockets[0], bytes + 1, size - 1, bytes[0]);
	close(sockets[0]); /* a missing message is an end of file, not a wait */
	launch.socket = sockets[1];
	{
		/* Of the exact size, so that a read beyond it is found. */
		char *buffer = aligned_alloc(8, UMH_PLAN_INLINE);

		if (receive_plan(&launch, buffer, UMH_PLAN_INLINE) == 0)
			touch_all(&launch);
		if (launch.plan && (void *)launch.plan != buffer && (unsigned long)launch.plan < -4095UL)
			munmap(launch.plan, launch.plan->size);
		free(buffer);
	}
	/* The launcher exits after a failure; here its descriptors are closed. */
	close_range((unsigned)lowest, ~0U, 0);
	return 0;
}
