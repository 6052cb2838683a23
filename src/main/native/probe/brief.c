/* SPDX-License-Identifier: Apache-2.0 */
/* brief.c - reports of a few lines, for tests that start tens of thousands of probes. */

#include "probe/probe.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <stdint.h>

#include "common/syscalls.h"

#define LINE 4200 /* a path, a number and flags */

struct line {
	char bytes[LINE];
	size_t size;
};

static void put(struct line *line, const char *text)
{
	while (*text && line->size < LINE - 1)
		line->bytes[line->size++] = *text++;
	line->bytes[line->size] = 0;
}

static void put_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[24];
	char *digit = digits + sizeof digits - 1;

	*digit = 0;
	do
		*--digit = "0123456789abcdef"[value % base];
	while (value /= base);
	put(line, digit);
}

static long end_line(struct line *line, int fd)
{
	put(line, "\n");
	return sys_write(fd, line->bytes, line->size) == (long)line->size ? 0 : -EIO;
}

/* A bit for each capability for which prctl returns 1. */
static uint64_t asked_one_by_one(long option, long suboption)
{
	uint64_t set = 0;

	for (unsigned number = 0; number < 64; number++) {
		long held = suboption ? umh_syscall(__NR_prctl, option, suboption, number, 0, 0)
				      : umh_syscall(__NR_prctl, option, number, 0, 0, 0);

		if (held < 0)
			break;
		set |= (uint64_t)held << number;
	}
	return set;
}

long brief_capabilities(int fd)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct words[2];
	struct line line = {.size = 0};
	long result = umh_syscall(__NR_capget, &header, words);

	if (result < 0)
		return result;
	put_number(&line, (uint64_t)words[1].permitted << 32 | words[0].permitted, 16);
	put(&line, " ");
	put_number(&line, (uint64_t)words[1].effective << 32 | words[0].effective, 16);
	put(&line, " ");
	put_number(&line, (uint64_t)words[1].inheritable << 32 | words[0].inheritable, 16);
	put(&line, " ");
	put_number(&line, asked_one_by_one(PR_CAPBSET_READ, 0), 16);
	put(&line, " ");
	put_number(&line, asked_one_by_one(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET), 16);
	put(&line, " ");
	put_number(&line, (uint64_t)umh_syscall(__NR_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0), 16);
	put(&line, " ");
	put_number(&line, (uint64_t)umh_syscall(__NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 16);
	return end_line(&line, fd);
}

static long one_descriptor(int out, int fd)
{
	struct line path = {.size = 0}, line = {.size = 0};
	char target[LINE - 64];
	long size;

	put(&path, "/proc/self/fd/");
	put_number(&path, (uint64_t)fd, 10);
	size = umh_syscall(__NR_readlinkat, AT_FDCWD, path.bytes, target, sizeof target - 1);
	if (size < 0)
		return size;
	target[size] = 0;
	put_number(&line, (uint64_t)fd, 10);
	put(&line, sys_fcntl(fd, F_GETFD, 0) == 0 ? " " : " cloexec ");
	put(&line, target);
	return end_line(&line, out);
}

/* Lists the directory, because a descriptor may be above RLIMIT_NOFILE. */
long brief_descriptors(const char *path)
{
	char entries[4096] __attribute__((aligned(8)));
	int directory = sys_open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int out = sys_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	long size = directory < 0 ? directory : out;

	while (size >= 0 && (size = sys_getdents64(directory, entries, sizeof entries)) > 0) {
		for (long at = 0; at < size;) {
			const struct {
				uint64_t inode, offset;
				unsigned short length;
				unsigned char type;
				char name[];
			} *entry = (const void *)(entries + at);
			int fd = (int)number(entry->name);
			long result = 0;

			if (entry->name[0] != '.' && fd != directory && fd != out)
				result = one_descriptor(out, fd);
			if (result < 0)
				return result;
			at += entry->length;
		}
	}
	return size;
}
