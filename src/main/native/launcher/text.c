/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - numbers and paths without libc, and small files of /proc and the cgroup. */

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

int write_text(int folder, const char *path, const void *text, uint32_t size)
{
	int fd = (int)umh_syscall(__NR_openat, folder, path, O_WRONLY | O_CLOEXEC);
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
 * Who is not dumpable has files of root's there. Where no other user may look the JVM's own may for a moment: it could
 * look into the JVM as well. A JVM of root never comes here; in a new user namespace, whose files are asked for by folder,
 * the first map makes root of everybody.
 */
int write_proc_self(const struct launch *launch, int folder, const char *path, const void *text, uint32_t size)
{
	int result = write_text(folder, path, text, size);

	if (result != -EACCES || launch->can_be_traced || (folder < 0 && umh_syscall(__NR_geteuid) <= 0))
		return result;
	umh_syscall(__NR_prctl, PR_SET_DUMPABLE, 1);
	result = write_text(folder, path, text, size);
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
