/* SPDX-License-Identifier: Apache-2.0 */
/* cred.c - who the helper is: uids, gids, groups, keyring, label. Its capabilities are in capabilities.c. */

#include <errno.h>
#include <linux/keyctl.h>

#include "launch.h"
#include "umh_syscalls.h"

/*
 * A new, empty session keyring, so that no key of the JVM is in the helper's possession.
 * The kernel's helper has none at all, which a process can't arrange for itself.
 */
int apply_keyring(struct launch *launch)
{
	long keyring = umh_syscall(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, span(launch, launch->plan->keyring));

	if ((keyring == -EPERM || keyring == -ENOSYS) && (launch->plan->flags & UMH_PLAN_KEYLESS))
		launch->plan->required &= ~UMH_STEP(KEYRING); /* a filter, or a kernel without keys: nobody has any */
	return keyring < 0 ? (int)keyring : 0;
}

/* Takes effect at the next execve, which is the helper's. */
int apply_exec_label(struct launch *launch)
{
	return write_own(launch, -1, "/proc/thread-self/attr/exec", span(launch, launch->plan->exec_label),
			 launch->plan->exec_label.length - 1);
}

/* Who has no groups has none to drop, also where nobody may set any: without privilege, or in a user namespace that denies it. */
int apply_groups(struct launch *launch)
{
	const unsigned count = launch->plan->groups.length / sizeof(uint32_t);
	const int result = (int)umh_syscall(__NR_setgroups, count, span(launch, launch->plan->groups));

	return result == -EPERM && count == 0 && umh_syscall(__NR_getgroups, 0, 0) == 0 ? 0 : result;
}

/*
 * That all three are as asked is looked at, not believed. One that is left alone is set to what it looks like: an id
 * without a mapping in the user namespace is not what it looks like, and refused.
 */
static int set_ids(long set, long get, const uint32_t asked[3])
{
	uint32_t now[3], wanted[3];
	long result = 0;

	if (asked[0] == UINT32_MAX)
		result = umh_syscall(get, &now[0], &now[1], &now[2]);
	for (int i = 0; i < 3; i++)
		wanted[i] = asked[i] == UINT32_MAX ? now[i] : asked[i];
	if (result == 0)
		result = umh_syscall(set, wanted[0], wanted[1], wanted[2]);
	if (result == 0)
		result = hide();
	if (result == 0)
		result = umh_syscall(get, &now[0], &now[1], &now[2]);
	for (int i = 0; result == 0 && i < 3; i++)
		if (wanted[i] != now[i])
			result = -EPERM;
	return (int)result;
}

int apply_gid(struct launch *launch)
{
	return set_ids(__NR_setresgid, __NR_getresgid, launch->plan->gids);
}

int apply_uid(struct launch *launch)
{
	int result = keep_capabilities(launch);

	return result < 0 ? result : set_ids(__NR_setresuid, __NR_getresuid, launch->plan->uids);
}
