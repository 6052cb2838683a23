/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - what the helper may use: cgroup, resource limits, out-of-memory order, size of its cores. */

#include <errno.h>
#include <linux/prctl.h>
#include <sys/resource.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

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

static int write_number(const struct launch *launch, const char *path, long value)
{
	char text[24];
	char *end = text + sizeof text;
	char *begin = format_number_before(end, value);

	return write_proc_self(launch, -1, path, begin, (uint32_t)(end - begin));
}

/* Only where the kernel could not create us in it: 0 stands for the process that writes. */
int apply_cgroup(struct launch *launch)
{
	int folder = descriptor(launch, launch->plan->cgroup);

	int result = folder < 0 ? folder : write_text(folder, "cgroup.procs", "0", 1);

	close_descriptor(launch, launch->plan->cgroup);
	return result;
}

int apply_oom_score_adj(struct launch *launch)
{
	return write_number(launch, "/proc/self/oom_score_adj", launch->plan->oom_score_adj);
}

/* Kept across execve in the flags of the address space; the JVM changes its own, which every child then has. */
int apply_coredump_filter(struct launch *launch)
{
	return write_number(launch, "/proc/self/coredump_filter", launch->plan->coredump_filter);
}

/*
 * A hard limit can't be raised without CAP_SYS_RESOURCE. Where that is not required, the helper gets what it may
 * have: the hard limit as it is, the soft one as asked or cut to it.
 */
static int set_rlimit_within_hard(unsigned resource, struct umh_rlimit wanted)
{
	struct umh_rlimit now;
	int result = (int)umh_syscall(__NR_prlimit64, 0, resource, 0, &now);

	if (result < 0)
		return result;
	if (wanted.hard > now.hard)
		wanted.hard = now.hard;
	if (wanted.soft > wanted.hard)
		wanted.soft = wanted.hard;
	return (int)umh_syscall(__NR_prlimit64, 0, resource, &wanted, 0);
}

static int set_rlimit(struct launch *launch, unsigned resource, uint64_t step)
{
	const struct umh_rlimit *wanted = &launch->plan->rlimits[resource];
	int result;

	if (!(launch->plan->rlimits_set >> resource & 1))
		return 0;
	launch->detail = resource;
	result = (int)umh_syscall(__NR_prlimit64, 0, resource, wanted, 0);
	if (result == 0 || (launch->plan->rlimits_required >> resource & 1))
		return result;
	set_rlimit_within_hard(resource, *wanted);
	launch->unapplied |= step;
	return 0;
}

int apply_rlimit(struct launch *launch)
{
	int result = 0;

	for (unsigned resource = 0; result == 0 && resource < UMH_RLIMIT_COUNT; resource++)
		if (resource != RLIMIT_NOFILE && resource != RLIMIT_NPROC)
			result = set_rlimit(launch, resource, UMH_STEP(RLIMIT));
	return result;
}

int apply_nofile(struct launch *launch)
{
	return set_rlimit(launch, RLIMIT_NOFILE, UMH_STEP(NOFILE));
}

int apply_nproc(struct launch *launch)
{
	return set_rlimit(launch, RLIMIT_NPROC, UMH_STEP(NPROC));
}
