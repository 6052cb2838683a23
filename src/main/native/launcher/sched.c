/* SPDX-License-Identifier: Apache-2.0 */
/* sched.c - scheduling, and other attributes that a task passes on to its children. */

#include <errno.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/personality.h>
#include <linux/prctl.h>
#include <sys/resource.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

/* The structure of sched_setattr(2), in its first published size. */
struct sched_attributes {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns;
	uint64_t deadline_ns;
	uint64_t period_ns;
};

#define PERSONALITY_QUERY 0xffffffff

int apply_nice(struct launch *launch)
{
	return (int)umh_syscall(__NR_setpriority, PRIO_PROCESS, 0, launch->plan->nice);
}

/*
 * If NICE was refused, the same value would be refused again, and the policy with it. getpriority(2) returns 20 - nice.
 */
static int32_t nice_or_current(const struct launch *launch)
{
	const long answer = launch->unapplied & UMH_STEP(NICE) ? umh_syscall(__NR_getpriority, PRIO_PROCESS, 0) : 0;

	return answer > 0 ? 20 - (int32_t)answer : launch->plan->nice;
}

/* Also clears SCHED_RESET_ON_FORK: the helper's children inherit as usual. */
int apply_sched(struct launch *launch)
{
	const struct umh_plan *plan = launch->plan;
	struct sched_attributes attributes = {
		.size = sizeof attributes,
		.policy = plan->sched_policy,
		.nice = nice_or_current(launch),
		.priority = plan->sched_priority,
		.runtime_ns = plan->sched_runtime_ns,
		.deadline_ns = plan->sched_deadline_ns,
		.period_ns = plan->sched_period_ns,
	};

	return (int)umh_syscall(__NR_sched_setattr, 0, &attributes, 0);
}

/*
 * Reads before it sets: setting any value gives the task an I/O context that it does not need. Without a class the
 * level has no meaning, and older kernels (5.10: 4) return a level for a task without a context.
 */
int apply_ioprio(struct launch *launch)
{
	const long wanted = launch->plan->ioprio;
	const long now = umh_syscall(__NR_ioprio_get, IOPRIO_WHO_PROCESS, 0);

	if (now == wanted || ((now | wanted) >> IOPRIO_CLASS_SHIFT) == IOPRIO_CLASS_NONE)
		return 0;
	return (int)umh_syscall(__NR_ioprio_set, IOPRIO_WHO_PROCESS, 0, wanted);
}

/* Without a mask: all cpus. The kernel reduces it to the cpuset. */
int apply_affinity(struct launch *launch)
{
	const void *mask = span(launch, launch->plan->affinity);
	uint32_t size = launch->plan->affinity.length;
	uint64_t every[16];

	if (!mask) {
		for (unsigned i = 0; i < sizeof every / sizeof *every; i++)
			every[i] = ~UINT64_C(0);
		mask = every;
		size = sizeof every;
	}
	return (int)umh_syscall(__NR_sched_setaffinity, 0, size, mask);
}

int apply_mempolicy(struct launch *launch)
{
	int result = (int)umh_syscall(__NR_set_mempolicy, MPOL_DEFAULT, 0, 0);

	(void)launch;
	return result == -ENOSYS ? 0 : result; /* a kernel without NUMA has no other policy */
}

int apply_timer_slack(struct launch *launch)
{
	return (int)umh_syscall(__NR_prctl, PR_SET_TIMERSLACK, launch->plan->timer_slack_ns);
}

/* If shim/child.c has changed it and this fails, the helper would not have the JVM's personality. */
int apply_personality(struct launch *launch)
{
	int result = (int)umh_syscall(__NR_personality, launch->plan->personality);

	if (result < 0 && umh_syscall(__NR_personality, PERSONALITY_QUERY) == ADDR_NO_RANDOMIZE)
		launch->plan->required |= UMH_STEP(PERSONALITY);
	return result < 0 ? result : 0;
}

int apply_thp(struct launch *launch)
{
	(void)launch;
	return (int)umh_syscall(__NR_prctl, PR_SET_THP_DISABLE, 0, 0, 0, 0);
}
