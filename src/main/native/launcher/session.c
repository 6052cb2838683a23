/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - session, process group and controlling terminal. */

#include <asm/ioctls.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

int apply_session(struct launch *launch)
{
	int result;

	if (launch->plan->flags & UMH_PLAN_SETPGID)
		return (int)umh_syscall(__NR_setpgid, 0, 0);
	result = (int)umh_syscall(__NR_setsid);
	return result < 0 ? result : 0;
}

int apply_terminal(struct launch *launch)
{
	int number = descriptor(launch, launch->plan->terminal);

	int result = number < 0 ? number : (int)umh_syscall(__NR_ioctl, number, TIOCSCTTY, 0);

	close_descriptor(launch, launch->plan->terminal);
	return result;
}
