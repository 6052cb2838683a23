/* SPDX-License-Identifier: Apache-2.0 */
/* capabilities.c - the five capability sets and the securebits. */

/*
 * Several steps need a capability that the helper may not have, and the kernel clears the permitted set when the last
 * uid 0 is given up. So the set is kept across UID if a later step needs it (apply_keepcaps), then reduced to the
 * helper's capabilities and those that are still needed (CAPABILITIES), and at the end to the helper's (EFFECTIVE).
 */

#include <errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

struct sets {
	uint64_t effective;
	uint64_t permitted;
	uint64_t inheritable;
};

static uint64_t capability(unsigned number)
{
	return UINT64_C(1) << number;
}

static int get_capabilities(struct sets *sets)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct words[2];
	int result = (int)umh_syscall(__NR_capget, &header, words);

	sets->effective = (uint64_t)words[1].effective << 32 | words[0].effective;
	sets->permitted = (uint64_t)words[1].permitted << 32 | words[0].permitted;
	sets->inheritable = (uint64_t)words[1].inheritable << 32 | words[0].inheritable;
	return result;
}

static int set_capabilities(const struct sets *sets)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	const struct __user_cap_data_struct words[2] = {
		{(uint32_t)sets->effective, (uint32_t)sets->permitted, (uint32_t)sets->inheritable},
		{(uint32_t)(sets->effective >> 32), (uint32_t)(sets->permitted >> 32),
		 (uint32_t)(sets->inheritable >> 32)},
	};

	return (int)umh_syscall(__NR_capset, &header, words);
}

/* The capabilities that the steps between CAPABILITIES and EFFECTIVE need. */
static uint64_t needed_later(const struct launch *launch)
{
	uint64_t needed = 0;

	if (has_step(launch, UMH_STEP(SECUREBITS)))
		needed |= capability(CAP_SETPCAP);
	if (has_step(launch, UMH_STEP(LANDLOCK) | UMH_STEP(SECCOMP)) && !has_step(launch, UMH_STEP(NO_NEW_PRIVS)))
		needed |= capability(CAP_SYS_ADMIN);
	/* NOFILE and NPROC raise hard limits after CAPABILITIES, and NPROC limits root without this capability. */
	if (has_step(launch, UMH_STEP(NOFILE) | UMH_STEP(NPROC)))
		needed |= capability(CAP_SYS_RESOURCE);
	return needed;
}

/* The kernel returns EINVAL for the first capability that it does not know. After any other error one may be left. */
int apply_bounding(struct launch *launch)
{
	for (unsigned number = 0; number < 64; number++) {
		long held = umh_syscall(__NR_prctl, PR_CAPBSET_READ, number);
		long result;

		if (held == -EINVAL && number > CAP_AUDIT_READ)
			break;
		launch->detail = number;
		if (held < 0)
			return (int)held;
		if (held == 0 || (launch->plan->bounding & capability(number)))
			continue;
		result = umh_syscall(__NR_prctl, PR_CAPBSET_DROP, number);
		if (result < 0)
			return (int)result;
	}
	return 0;
}

/* As cap_emulate_setxuid() of security/commoncap.c: the sets after a change of uid, if no set is given. */
static int emulate_setuid_fixup(struct launch *launch, const uint32_t old[3])
{
	const long securebits = umh_syscall(__NR_prctl, PR_GET_SECUREBITS);
	uint32_t now[3];
	int had_root = 0, has_root = 0;

	/* NOLINTBEGIN(clang-analyzer-core.*): getresuid(2) has written all three, which an analyzer does not know */
	for (int i = 0; i < 3; i++) {
		now[i] = launch->plan->uids[i] == UINT32_MAX ? old[i] : launch->plan->uids[i];
		had_root |= old[i] == 0;
		has_root |= now[i] == 0;
	}
	/* NOLINTEND(clang-analyzer-core.*) */
	if (securebits < 0)
		return (int)securebits;
	if (securebits & SECBIT_NO_SETUID_FIXUP)
		return 0;
	if (had_root && !has_root)
		launch->permitted = 0;
	if (old[1] == 0 && now[1] != 0)
		launch->effective = 0;
	if (old[1] != 0 && now[1] == 0)
		launch->effective = launch->permitted;
	launch->effective &= launch->permitted;
	return 0;
}

int apply_keepcaps(struct launch *launch)
{
	const uint32_t asked = launch->plan->flags & UMH_PLAN_SET_PERMITTED;
	int inherits;
	uint32_t old[3];
	struct sets now;
	int result = get_capabilities(&now);

	if (result == 0)
		result = (int)umh_syscall(__NR_getresuid, &old[0], &old[1], &old[2]);
	if (result < 0)
		return result;
	launch->permitted = now.permitted;
	launch->effective = now.effective;
	result = emulate_setuid_fixup(launch, old);
	if (result < 0)
		return result;
	/* Without CAP_SETPCAP only permitted capabilities can become inheritable. */
	inherits = (launch->plan->inheritable & ~now.inheritable) != 0;
	if (!asked && !inherits && !(needed_later(launch) & now.permitted))
		return 0;
	return (int)umh_syscall(__NR_prctl, PR_SET_KEEPCAPS, 1);
}

static void choose_sets(struct launch *launch, const struct sets *now)
{
	const struct umh_plan *plan = launch->plan;

	if (!has_step(launch, UMH_STEP(UID))) {
		launch->permitted = now->permitted;
		launch->effective = now->effective;
	}
	if (plan->flags & UMH_PLAN_SET_PERMITTED)
		launch->permitted = launch->effective = plan->permitted;
	if (plan->flags & UMH_PLAN_SET_EFFECTIVE)
		launch->effective = plan->effective;
}

int apply_capabilities(struct launch *launch)
{
	struct sets now, next;
	int result = get_capabilities(&now);

	if (result < 0)
		return result;
	/*
	 * No step needs it any more, and only CAP_SETPCAP could clear it as a securebit. If it is locked, it was never
	 * set.
	 */
	if (has_step(launch, UMH_STEP(UID)))
		umh_syscall(__NR_prctl, PR_SET_KEEPCAPS, 0);
	choose_sets(launch, &now);
	next.permitted = launch->permitted | (needed_later(launch) & now.permitted);
	next.effective = (launch->permitted & now.permitted & (launch->effective | now.effective)) |
			 (needed_later(launch) & now.permitted);
	next.inheritable = launch->plan->inheritable;
	/* An empty inheritable set clears the ambient set; another one would leave what the JVM has in both. */
	if (next.inheritable)
		result = (int)umh_syscall(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (result < 0)
		return result;
	if (next.permitted == now.permitted && next.effective == now.effective && next.inheritable == now.inheritable)
		return 0;
	return set_capabilities(&next);
}

int apply_ambient(struct launch *launch)
{
	long result = 0;

	for (unsigned number = 0; result == 0 && number < 64; number++) {
		if (!(launch->plan->ambient & capability(number)))
			continue;
		launch->detail = number;
		result = umh_syscall(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0);
	}
	return (int)result;
}

int apply_securebits(struct launch *launch)
{
	if (umh_syscall(__NR_prctl, PR_GET_SECUREBITS) == (long)launch->plan->securebits)
		return 0;
	return (int)umh_syscall(__NR_prctl, PR_SET_SECUREBITS, launch->plan->securebits);
}

/*
 * The effective set after execve(2): for root, the bounded or inheritable capabilities; for others, the ambient ones.
 */
static uint64_t effective_after_execve(const struct launch *launch)
{
	const struct umh_plan *plan = launch->plan;
	const int is_root = umh_syscall(__NR_geteuid) == 0 && !(plan->securebits & SECBIT_NOROOT);

	return launch->effective & (is_root ? plan->bounding | plan->inheritable : plan->ambient);
}

int run_with_helper_rights(struct launch *launch, int (*step)(struct launch *launch))
{
	const uint64_t over_files = capability(CAP_DAC_OVERRIDE) | capability(CAP_DAC_READ_SEARCH);
	struct sets now, helper;
	int result = get_capabilities(&now);
	int second;

	if (result < 0)
		return result;
	helper = now;
	if (now.effective & over_files)
		helper.effective &= ~over_files | effective_after_execve(launch);
	if (helper.effective == now.effective)
		return step(launch);
	result = set_capabilities(&helper);
	if (result < 0)
		return result;
	result = step(launch);
	second = set_capabilities(&now);
	return result < 0 ? result : second;
}

int apply_effective(struct launch *launch)
{
	const struct sets last = {launch->effective, launch->permitted, launch->plan->inheritable};

	return set_capabilities(&last);
}
