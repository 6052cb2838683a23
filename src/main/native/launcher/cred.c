/* SPDX-License-Identifier: Apache-2.0 */
/* cred.c - uids, gids, groups, keyring, label. Capabilities are in capabilities.c. */

#include <errno.h>
#include <linux/keyctl.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

/*
 * A new, empty session keyring, so that the helper possesses no key of the JVM. The kernel's helper has no session
 * keyring, which a process can't arrange for itself.
 */
int apply_keyring(struct launch *launch)
{
	long keyring = umh_syscall(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, span(launch, launch->plan->keyring));

	if ((keyring == -EPERM || keyring == -ENOSYS) && (launch->plan->flags & UMH_PLAN_KEYRING_OPTIONAL))
		launch->plan->required &= ~UMH_STEP(KEYRING); /* the helper can't use keys either */
	return keyring < 0 ? (int)keyring : 0;
}

/* Takes effect at the next execve, the helper's. */
int apply_exec_label(struct launch *launch)
{
	return write_proc_self(launch, -1, "/proc/thread-self/attr/exec", span(launch, launch->plan->exec_label),
			       launch->plan->exec_label.length - 1);
}

/*
 * Without groups there is nothing to drop, even if setgroups(2) is refused: without privilege, or by the user
 * namespace.
 */
int apply_groups(struct launch *launch)
{
	const unsigned count = launch->plan->groups.length / sizeof(uint32_t);
	const int result = (int)umh_syscall(__NR_setgroups, count, span(launch, launch->plan->groups));

	return result == -EPERM && count == 0 && umh_syscall(__NR_getgroups, 0, 0) == 0 ? 0 : result;
}

/*
 * Checks all three ids after the call. An id that is not given is set to the value that it reads as. Without a mapping
 * in the user namespace that value is another id than the JVM's, or is refused.
 */
static int set_ids(long set, long get, const uint32_t asked[3])
{
	uint32_t now[3] = {0}, wanted[3];
	long result = 0;

	if (asked[0] == UINT32_MAX)
		result = umh_syscall(get, &now[0], &now[1], &now[2]);
	for (int i = 0; i < 3; i++)
		wanted[i] = asked[i] == UINT32_MAX ? now[i] : asked[i];
	if (result == 0)
		result = umh_syscall(set, wanted[0], wanted[1], wanted[2]);
	if (result == 0)
		result = make_undumpable();
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
	int result = apply_keepcaps(launch);

	return result < 0 ? result : set_ids(__NR_setresuid, __NR_getresuid, launch->plan->uids);
}
