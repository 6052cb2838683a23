/* SPDX-License-Identifier: Apache-2.0 */
/* cred.c - the helper's credentials: keyring, securebits, capability sets. */

#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>

#include "launch.h"
#include "umh_syscalls.h"

/*
 * A new, empty, anonymous session keyring, so that no key of the JVM is in the helper's possession.
 * The kernel's helper has none at all, which a process can't arrange for itself.
 */
int apply_keyring(struct launch *launch)
{
	long keyring = umh_syscall(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);

	(void)launch;
	if (keyring == -ENOSYS)
		return 0; /* a kernel without keys has nothing to inherit */
	return keyring < 0 ? (int)keyring : 0;
}

int apply_securebits(struct launch *launch)
{
	(void)launch;
	if (umh_syscall(__NR_prctl, PR_GET_SECUREBITS) == 0)
		return 0;
	return (int)umh_syscall(__NR_prctl, PR_SET_SECUREBITS, 0);
}

/* The kernel answers EINVAL for the first capability it does not know. */
int apply_bounding(struct launch *launch)
{
	for (unsigned capability = 0; capability < 64; capability++) {
		long held = umh_syscall(__NR_prctl, PR_CAPBSET_READ, capability);
		long result;

		if (held == -EINVAL)
			break;
		if (held != 1 || (launch->plan->bounding >> capability & 1))
			continue;
		launch->detail = capability;
		result = umh_syscall(__NR_prctl, PR_CAPBSET_DROP, capability);
		if (result < 0)
			return (int)result;
	}
	return 0;
}

/* Ambient capabilities go with the inheritable ones: the kernel keeps them a subset. */
int apply_inheritable(struct launch *launch)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct sets[2];
	const uint32_t low = (uint32_t)launch->plan->inheritable;
	const uint32_t high = (uint32_t)(launch->plan->inheritable >> 32);
	long result = umh_syscall(__NR_capget, &header, sets);

	if (result < 0)
		return (int)result;
	if (sets[0].inheritable == low && sets[1].inheritable == high)
		return 0;
	sets[0].inheritable = low;
	sets[1].inheritable = high;
	return (int)umh_syscall(__NR_capset, &header, sets);
}
