/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup.c - the cgroup, where the kernel could not create the process in it. */

#include "common/syscalls.h"
#include "launcher/launcher.h"

/* Only where the kernel could not create us in it: 0 stands for the process that writes. */
int apply_cgroup(struct launch *launch)
{
	int folder = descriptor(launch, launch->plan->cgroup);

	int result = folder < 0 ? folder : write_text(folder, "cgroup.procs", "0", 1);

	close_descriptor(launch, launch->plan->cgroup);
	return result;
}
