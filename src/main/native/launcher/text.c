/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - numbers and paths without libc, and writes to small files of /proc and the cgroup. */

#include <errno.h>
#include <linux/prctl.h>

#include "common/syscalls.h"
#include "launcher/launcher.h"

char *format_number_before(char *end, long value)
{
	unsigned long rest = value < 0 ? -(unsigned long)value : (unsigned long)value;

	do
		*--end = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		*--end = '-';
	return end;
}

char *copy_text_before(char *end, const char *text)
{
	unsigned size = 0;

	while (text[size])
		size++;
	while (size > 0)
		*--end = text[--size];
	return end;
}

int write_text(int directory, const char *path, const void *text, uint32_t size)
{
	int fd = (int)umh_syscall(__NR_openat, directory, path, O_WRONLY | O_CLOEXEC);
	long written;

	if (fd < 0)
		return fd;
	written = sys_write(fd, text, size);
	sys_close(fd);
	if (written < 0)
		return (int)written;
	return written == size ? 0 : -EIO; /* a part of a number is another number */
}

/*
 * The /proc files of an undumpable process belong to root. If no process of another user can trace it, it becomes
 * dumpable for a moment: processes of the JVM's uid could trace the JVM as well. A JVM of root never needs this. In a
 * new user namespace, whose files are opened relative to a directory, the first map makes every process root.
 */
int write_proc_self(const struct launch *launch, int directory, const char *path, const void *text, uint32_t size)
{
	int result = write_text(directory, path, text, size);

	if (result != -EACCES || launch->can_be_traced || (directory < 0 && umh_syscall(__NR_geteuid) <= 0))
		return result;
	umh_syscall(__NR_prctl, PR_SET_DUMPABLE, 1);
	result = write_text(directory, path, text, size);
	restore_undumpable(launch);
	return result;
}

int write_number(const struct launch *launch, const char *path, long value)
{
	char text[24];
	char *end = text + sizeof text;
	char *begin = format_number_before(end, value);

	return write_proc_self(launch, -1, path, begin, (uint32_t)(end - begin));
}
