/* SPDX-License-Identifier: Apache-2.0 */
/* fs.c - where the helper stands in the file system, and the mode of what it creates. */

#include <errno.h>

#include "launch.h"
#include "umh_syscalls.h"

int apply_umask(struct launch *launch)
{
	umh_syscall(__NR_umask, launch->plan->umask); /* cannot fail: it answers the old one */
	return 0;
}

/* The working directory stays outside until CWD, which is always taken with it. */
int apply_root(struct launch *launch)
{
	return (int)umh_syscall(__NR_chroot, span(launch, launch->plan->root));
}

static int change_directory(const struct launch *launch)
{
	const char *path = span(launch, launch->plan->cwd);

	return (int)umh_syscall(__NR_chdir, path ? path : "/");
}

/* Root need not be allowed everywhere: a network file system may know the new user alone. */
int apply_cwd(struct launch *launch)
{
	int result = change_directory(launch);

	launch->cwd_refused = result == -EACCES && asks(launch, UMH_STEP(UID));
	return launch->cwd_refused ? 0 : result;
}

int retry_cwd(struct launch *launch)
{
	return launch->cwd_refused ? change_directory(launch) : 0;
}
