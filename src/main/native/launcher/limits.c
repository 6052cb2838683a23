/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - resource limits, the OOM score, and the contents of core dumps. */

#include <errno.h>
#include <linux/prctl.h>
#include <sys/resource.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

int apply_oom_score_adj(struct launch *launch)
{
	return write_number(launch, "/proc/self/oom_score_adj", launch->plan->oom_score_adj);
}

/* execve keeps it in the flags of the address space. The JVM changes its own, which each child inherits. */
int apply_coredump_filter(struct launch *launch)
{
	return write_number(launch, "/proc/self/coredump_filter", launch->plan->coredump_filter);
}

/*
 * A hard limit can't be raised without CAP_SYS_RESOURCE. If that is not required, the helper gets the nearest limits:
 * the hard limit unchanged, and the soft limit as requested or reduced to the hard one.
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
