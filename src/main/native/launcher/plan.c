/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - the launcher's end of the plan socket. Nothing in a plan is believed before it was measured. */

#include <errno.h>
#include <linux/fs.h>
#include <sys/mman.h>

#include "launch.h"
#include "umh_syscalls.h"

/* One message with its descriptors, which the kernel gives the lowest free numbers, in order. */
static long receive(int socket, void *buffer, uint32_t size, int *numbers, unsigned limit, unsigned *count)
{
	struct {
		struct cmsghdr header;
		int numbers[UMH_SCM_MAX];
	} control;
	struct iovec part = {buffer, size};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	long received;

	do
		received = sys_recvmsg(socket, &message, 0);
	while (received == -EINTR);
	if (received < 0)
		return received;
	*count = 0;
	if (message.msg_controllen >= sizeof control.header)
		*count = (unsigned)((control.header.cmsg_len - sizeof control.header) / sizeof(int));
	/* Truncated: the launcher's own RLIMIT_NOFILE was too low for what was sent. */
	if (message.msg_flags & MSG_CTRUNC)
		return -EMFILE;
	if (*count > limit)
		return -EPROTO;
	for (unsigned i = 0; i < *count; i++)
		numbers[i] = control.numbers[i];
	return received;
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

static int check_plan(const struct umh_plan *plan)
{
	const struct {
		struct umh_span part;
		uint32_t unit; /* 0: a text */
	} parts[] = {
		{plan->affinity, 8},
		{plan->cwd, 0},
		{plan->root, 0},
		{plan->keyring, 0},
		{plan->exec_label, 0},
		{plan->uid_map, 0},
		{plan->gid_map, 0},
		{plan->setgroups, 0},
		{plan->files, sizeof(struct umh_file)},
		{plan->groups, sizeof(uint32_t)},
		{plan->joins, sizeof(struct umh_join)},
		{plan->rules, sizeof(struct umh_landlock_rule)},
		{plan->seccomp, 8},
	};

	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
		int result = parts[i].unit ? check_span(plan, parts[i].part, parts[i].unit) : check_text(plan, parts[i].part);

		if (result < 0)
			return result;
	}
	return 0;
}

static int map_plan(struct launch *launch, int memfd, uint32_t size)
{
	const long length = umh_syscall(__NR_lseek, memfd, 0, SEEK_END);

	/* A byte that is not there would be a SIGBUS; the file is sealed, so what was measured stays. */
	if (length != size)
		return length < 0 ? (int)length : -EPROTO;
	launch->plan = sys_mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, memfd, 0);
	sys_close(memfd);
	if (sys_is_error(launch->plan))
		return (int)(long)launch->plan;
	return launch->plan->magic == UMH_PLAN_MAGIC && launch->plan->size == size ? 0 : -EPROTO;
}

/* Descriptors that came with the plan have their numbers in received; the rest follows in messages of one byte. */
static int receive_files(struct launch *launch, const int *received, unsigned count)
{
	struct umh_file *files = span(launch, launch->plan->files);
	const unsigned wanted = launch->plan->files.length / sizeof *files;
	int numbers[UMH_SCM_MAX];
	unsigned have = 0;

	for (;;) {
		char byte;
		long result;

		if (count > wanted - have)
			return -EPROTO;
		for (unsigned i = 0; i < count; i++)
			files[have++].number = received[i];
		if (have == wanted)
			return 0;
		result = receive(launch->socket, &byte, 1, numbers, UMH_SCM_MAX, &count);
		if (result < 0)
			return (int)result;
		if (result == 0 || count == 0)
			return -EPROTO;
		received = numbers;
	}
}

int file_number(const struct launch *launch, uint32_t place)
{
	const struct umh_file *files = span(launch, launch->plan->files);

	return place < launch->plan->files.length / sizeof *files ? files[place].number : -EPROTO;
}

int receive_plan(struct launch *launch, void *buffer, uint32_t size)
{
	struct umh_plan *plan = buffer;
	int numbers[UMH_SCM_MAX];
	unsigned count;
	long received = receive(launch->socket, buffer, size, numbers, UMH_SCM_MAX, &count);
	int result = 0;

	if (received < 0)
		return (int)received;
	if (received < UMH_PLAN_PREFIX || plan->magic != UMH_PLAN_MAGIC || plan->size < sizeof *plan)
		return -EPROTO;
	launch->plan = plan;
	if (received == UMH_PLAN_PREFIX && count == 1) {
		result = map_plan(launch, numbers[0], plan->size);
		count = 0;
	} else if (received != plan->size) {
		result = -EPROTO;
	}
	if (result == 0)
		result = check_plan(launch->plan);
	if (result == 0)
		result = receive_files(launch, numbers, count);
	/* Numbers were written: a text that shares its bytes with the files may have lost its end. */
	return result < 0 ? result : check_plan(launch->plan);
}

int say(const struct launch *launch, const struct umh_report *word, int fd)
{
	struct {
		struct cmsghdr header;
		int fd;
	} control = {
		.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)},
		.fd = fd,
	};
	struct iovec part = {(void *)word, sizeof *word};
	const struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = fd < 0 ? 0 : &control,
		.msg_controllen = fd < 0 ? 0 : CMSG_SPACE(sizeof fd),
	};
	long result = umh_syscall(__NR_sendmsg, launch->socket, &message, MSG_NOSIGNAL);

	/* The helper's own filter may be in force by now, and forbid this; most programs may write. */
	if (result < 0 && result != -EPIPE && fd < 0)
		result = sys_write(launch->socket, (const char *)word, sizeof *word);
	return result < 0 ? (int)result : 0;
}
