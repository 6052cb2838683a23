/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - receives the plan. Every length and offset in a plan is validated before use. */

#include <errno.h>
#include <linux/fs.h>
#include <stddef.h>
#include <sys/mman.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

/* libc has these two only with _GNU_SOURCE. */
#ifndef SCM_CREDENTIALS
#define SCM_CREDENTIALS 2
#endif

struct credentials {
	int pid;
	uint32_t uid, gid;
};

/* Ancillary data: the sender, and room for so many descriptors. The kernel puts them in this order. */
struct sender {
	struct cmsghdr header;
	struct credentials process;
} __attribute__((aligned(sizeof(struct cmsghdr))));

#define ANCILLARY(room)                \
	struct {                       \
		struct sender sender;  \
		struct cmsghdr header; \
		int numbers[room];     \
	}

/*
 * Another library's fork may hold a copy of the JVM's end and send as well, with any uid. The kernel names the sender
 * of each message; only this process's parent is trusted.
 */
static int is_from_parent(const struct launch *launch, const struct msghdr *message)
{
	const struct sender *sender = message->msg_control;

	return message->msg_controllen >= sizeof *sender && sender->header.cmsg_level == SOL_SOCKET &&
	       sender->header.cmsg_type == SCM_CREDENTIALS && sender->process.pid == launch->parent;
}

/*
 * Receives one message with its descriptors, which get the lowest free numbers in order and follow the header. The
 * message was sent before this process existed, so there is nothing to wait for.
 */
static long
receive(const struct launch *launch, void *buffer, uint32_t size, struct sender *sender, size_t room, unsigned *count)
{
	const struct cmsghdr *header = (const void *)(sender + 1);
	struct iovec part = {buffer, size};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = sender,
		.msg_controllen = room,
	};
	long received;

	do
		received = sys_recvmsg(launch->socket, &message, MSG_DONTWAIT);
	while (received == -EINTR);
	if (received < 0)
		return received;
	if (!is_from_parent(launch, &message))
		return launch->parent < 0 ? launch->parent : -EPROTO;
	*count = 0;
	if (message.msg_controllen >= sizeof *sender + sizeof *header)
		*count = (unsigned)((header->cmsg_len - sizeof *header) / sizeof(int));
	/* Truncated: the launcher's RLIMIT_NOFILE is too low for the descriptors. */
	return message.msg_flags & MSG_CTRUNC ? -EMFILE : received;
}

static int check_span(const struct umh_plan *plan, struct umh_span part, uint32_t unit)
{
	if (part.length == 0)
		return 0;
	if (part.offset < sizeof *plan || part.offset % 8 || part.offset > plan->size)
		return -EPROTO;
	return part.length > plan->size - part.offset || part.length % unit ? -EPROTO : 0;
}

static int check_text(const struct umh_plan *plan, struct umh_span part)
{
	if (part.length == 0)
		return 0;
	if (check_span(plan, part, 1) < 0)
		return -EPROTO;
	return ((const char *)plan)[part.offset + part.length - 1] == 0 ? 0 : -EPROTO;
}

/* The elements of the variable parts, in order: their size, or 0 for a text. */
static const uint8_t units[] = {
	8, /* affinity */
	0, /* cwd */
	0, /* root */
	0, /* keyring */
	0, /* exec_label */
	0, /* uid_map */
	0, /* gid_map */
	0, /* setgroups */
	sizeof(struct umh_descriptor),
	sizeof(uint32_t), /* groups */
	sizeof(struct umh_join),
	sizeof(struct umh_landlock_rule),
	8, /* seccomp */
};

static_assert(offsetof(struct umh_plan, seccomp_filter) ==
		      offsetof(struct umh_plan, affinity) + (sizeof units - 1) * sizeof(struct umh_span),
	      "a unit for each part");

static int check_plan(const struct umh_plan *plan)
{
	const struct umh_span *part = (const void *)((const char *)plan + offsetof(struct umh_plan, affinity));

	for (unsigned i = 0; i < sizeof units; i++, part++) {
		int result = units[i] ? check_span(plan, *part, units[i]) : check_text(plan, *part);

		if (result < 0)
			return result;
	}
	return 0;
}

static int map_plan(struct launch *launch, int memfd, uint32_t size)
{
	const long length = umh_syscall(__NR_lseek, memfd, 0, SEEK_END);

	/* A missing byte would be a SIGBUS. The file is sealed, so its length does not change. */
	if (length != size)
		return length < 0 ? (int)length : -EPROTO;
	launch->plan = sys_mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, memfd, 0);
	sys_close(memfd);
	if (sys_is_error(launch->plan))
		return (int)(long)launch->plan;
	return launch->plan->magic == UMH_PLAN_MAGIC && launch->plan->size == size ? 0 : -EPROTO;
}

static int record_descriptors(struct umh_descriptor *descriptors, unsigned *have, unsigned wanted, const int *received,
			      unsigned count)
{
	if (count > wanted - *have)
		return -EPROTO;
	for (unsigned i = 0; i < count; i++)
		descriptors[(*have)++].fd = received[i];
	return 0;
}

/* Receives the descriptors that did not fit into the plan's message. noinline: few plans need its stack. */
static __attribute__((noinline)) int
receive_rest(const struct launch *launch, struct umh_descriptor *descriptors, unsigned have, unsigned wanted)
{
	ANCILLARY(UMH_SCM_MAX_FD) more;
	unsigned count;
	char byte;

	while (have < wanted) {
		long result = receive(launch, &byte, 1, &more.sender, sizeof more, &count);

		if (result < 0)
			return (int)result;
		if (result == 0 || count == 0 ||
		    record_descriptors(descriptors, &have, wanted, more.numbers, count) < 0)
			return -EPROTO;
	}
	return 0;
}

/* received: the numbers of the descriptors that came with the plan. */
static int receive_descriptors(struct launch *launch, const int *received, unsigned count)
{
	struct umh_descriptor *descriptors = span(launch, launch->plan->descriptors);
	const unsigned wanted = launch->plan->descriptors.length / sizeof *descriptors;
	unsigned have = 0;
	int result = record_descriptors(descriptors, &have, wanted, received, count);

	return result < 0 || have == wanted ? result : receive_rest(launch, descriptors, have, wanted);
}

int descriptor(const struct launch *launch, uint32_t index)
{
	const struct umh_descriptor *descriptors = span(launch, launch->plan->descriptors);

	return index < launch->plan->descriptors.length / sizeof *descriptors ? descriptors[index].fd : -EPROTO;
}

void close_descriptor(struct launch *launch, uint32_t index)
{
	struct umh_descriptor *descriptors = span(launch, launch->plan->descriptors);

	if (index >= launch->plan->descriptors.length / sizeof *descriptors ||
	    descriptors[index].target != UMH_NO_TARGET)
		return;
	if (descriptors[index].fd >= 0)
		sys_close(descriptors[index].fd);
	descriptors[index].fd = -1;
}

int receive_plan(struct launch *launch, void *buffer, uint32_t size)
{
	struct umh_plan *plan = buffer;
	ANCILLARY(UMH_DESCRIPTORS_INLINE) first;
	unsigned count;
	long received = receive(launch, buffer, size, &first.sender, sizeof first, &count);
	int result = 0;

	if (received < 0)
		return (int)received;
	if (received < UMH_PLAN_PREFIX || plan->magic != UMH_PLAN_MAGIC || plan->size < sizeof *plan)
		return -EPROTO;
	launch->plan = plan;
	if (received == UMH_PLAN_PREFIX && count == 1) {
		result = map_plan(launch, first.numbers[0], plan->size);
		count = 0;
	} else if (received != plan->size) {
		result = -EPROTO;
	}
	if (result == 0)
		result = check_plan(launch->plan);
	if (result == 0)
		result = receive_descriptors(launch, first.numbers, count);
	/* Numbers were written: a text that shares its bytes with the descriptors may have lost its NUL. */
	return result < 0 ? result : check_plan(launch->plan);
}
