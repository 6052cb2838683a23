/* SPDX-License-Identifier: Apache-2.0 */
/* fs.c - where the helper stands in the file system, and the mode of what it creates. */

#include "launch.h"
#include "umh_syscalls.h"

int apply_umask(struct launch *launch)
{
	umh_syscall(__NR_umask, launch->plan->umask); /* cannot fail: it answers the old one */
	return 0;
}

int apply_cwd(struct launch *launch)
{
	const char *path = span(launch, launch->plan->cwd);

	return (int)umh_syscall(__NR_chdir, path ? path : "/");
}
