/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - what the helper may use: resource limits, its place in the out-of-memory order, the size of its cores. */

#include <errno.h>
#include <sys/resource.h>

#include "launch.h"
#include "umh_syscalls.h"

/* Decimal for oom_score_adj, which may be negative; hexadecimal for coredump_filter. The text ends at end. */
static char *number_before(char *end, long value, unsigned base)
{
	unsigned long rest = value < 0 ? -(unsigned long)value : (unsigned long)value;

	do
		*--end = "0123456789abcdef"[rest % base];
	while (rest /= base);
	if (base == 16) {
		*--end = 'x';
		*--end = '0';
	}
	if (value < 0)
		*--end = '-';
	return end;
}

static int write_number(const char *path, long value, unsigned base)
{
	char text[24];
	char *end = text + sizeof text;
	char *begin = number_before(end, value, base);
	int fd = sys_open(path, O_WRONLY | O_CLOEXEC, 0);
	long written;

	if (fd < 0)
		return fd;
	written = sys_write(fd, begin, (size_t)(end - begin));
	sys_close(fd);
	return written < 0 ? (int)written : 0;
}

int apply_oom_score_adj(struct launch *launch)
{
	return write_number("/proc/self/oom_score_adj", launch->plan->oom_score_adj, 10);
}

/* Kept across execve in the flags of the address space; the JVM changes its own, which every child then has. */
int apply_coredump_filter(struct launch *launch)
{
	return write_number("/proc/self/coredump_filter", launch->plan->coredump_filter, 16);
}

/*
 * A hard limit can't be raised without CAP_SYS_RESOURCE. Where that is not required, the helper gets what it may
 * have: the hard limit as it is, the soft one as asked or cut to it.
 */
static int set_rlimit(struct launch *launch, unsigned resource, int required)
{
	struct umh_rlimit wanted = launch->plan->rlimits[resource];
	struct umh_rlimit now;
	int result = (int)umh_syscall(__NR_prlimit64, 0, resource, &wanted, 0);

	launch->detail = resource;
	if (result != -EPERM || required)
		return result;
	result = (int)umh_syscall(__NR_prlimit64, 0, resource, 0, &now);
	if (result < 0)
		return result;
	if (wanted.hard > now.hard)
		wanted.hard = now.hard;
	if (wanted.soft > wanted.hard)
		wanted.soft = wanted.hard;
	result = (int)umh_syscall(__NR_prlimit64, 0, resource, &wanted, 0);
	return result < 0 ? result : -EPERM; /* as far as it went; reported as kept */
}

int apply_rlimit(struct launch *launch)
{
	const int required = !!(launch->plan->required & UMH_STEP(RLIMIT));
	int result = 0;

	for (unsigned resource = 0; resource < UMH_RLIMITS; resource++) {
		int one;

		if (resource == RLIMIT_NOFILE)
			continue;
		one = set_rlimit(launch, resource, required);
		if (one < 0 && required)
			return one;
		if (one < 0)
			result = one;
	}
	return result;
}

int apply_nofile(struct launch *launch)
{
	return set_rlimit(launch, RLIMIT_NOFILE, !!(launch->plan->required & UMH_STEP(NOFILE)));
}
