/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup.c - enters the cgroup, if the kernel could not create the process in it. */

#include "common/syscalls.h"
#include "launcher/launcher.h"

/* 0 is the process that writes. */
int apply_cgroup(struct launch *launch)
{
	int directory = descriptor(launch, launch->plan->cgroup);

	int result = directory < 0 ? directory : write_text(directory, "cgroup.procs", "0", 1);

	close_descriptor(launch, launch->plan->cgroup);
	return result;
}
