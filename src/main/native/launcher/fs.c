/* SPDX-License-Identifier: Apache-2.0 */
/* fs.c - root, working directory and umask. */

#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/sched.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

int apply_umask(struct launch *launch)
{
	umh_syscall(__NR_umask, launch->plan->umask); /* cannot fail: returns the old umask */
	return 0;
}

static int joins_mount_namespace(const struct launch *launch)
{
	const struct umh_join *joins = span(launch, launch->plan->joins);
	const uint32_t count = launch->plan->joins.length / sizeof *joins;
	uint32_t flags = 0;

	for (uint32_t i = 0; i < count; i++)
		flags |= joins[i].flags;
	return (flags & CLONE_NEWNS) != 0;
}

/* Whether paths are resolved in another tree than the JVM's. The working directory is then its root, until CWD. */
static int has_other_root(const struct launch *launch)
{
	return has_step(launch, UMH_STEP(ROOT)) || joins_mount_namespace(launch);
}

/*
 * A magic link of /proc leads out of any root, for instance to the launcher's open files. No path needs one. In another
 * tree RESOLVE_IN_ROOT also holds if a directory is moved out of the tree meanwhile.
 */
static int open_path(const char *path, uint64_t flags, uint64_t resolve)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags, .resolve = RESOLVE_NO_MAGICLINKS | resolve};

	return (int)umh_syscall(__NR_openat2, AT_FDCWD, path, &how, sizeof how);
}

/* getcwd(2) fails for a deleted directory, and returns a path without a leading slash for one outside of the root. */
static __attribute__((noinline)) int require_below_root(void)
{
	char path[PATH_MAX];
	const long size = umh_syscall(__NR_getcwd, path, sizeof path);

	if (size < 0)
		return (int)size;
	return path[0] == '/' ? 0 : -EXDEV;
}

/* Before openat2(2) (5.6) a magic link is followed, and refused if it has led out of the root. */
static int enter_directory(const struct launch *launch, const char *path)
{
	const int fd = open_path(path, O_DIRECTORY, has_other_root(launch) ? RESOLVE_IN_ROOT : 0);
	int result = fd;

	if (fd >= 0) {
		result = (int)umh_syscall(__NR_fchdir, fd);
		sys_close(fd);
	} else if (fd == -ENOSYS || fd == -EPERM) {
		result = (int)umh_syscall(__NR_chdir, path);
	}
	return result < 0 ? result : require_below_root();
}

/* chroot(2) does not change the working directory: a relative path would start outside of the root. */
int apply_root(struct launch *launch)
{
	const char *path = span(launch, launch->plan->root);
	int result;

	if (!joins_mount_namespace(launch)) {
		result = (int)umh_syscall(__NR_chroot, path);
		return result < 0 ? result : (int)umh_syscall(__NR_chdir, "/");
	}
	/* Links on the way may belong to root of that namespace. */
	result = enter_directory(launch, path);
	return result < 0 ? result : (int)umh_syscall(__NR_chroot, ".");
}

/* Without a working directory in the plan the helper starts at the root. */
int chdir_to_root(struct launch *launch)
{
	if (span(launch, launch->plan->cwd) || has_step(launch, UMH_STEP(ROOT)))
		return 0;
	return (int)umh_syscall(__NR_chdir, "/");
}

static int enter_cwd(struct launch *launch)
{
	return enter_directory(launch, span(launch, launch->plan->cwd));
}

/*
 * With the helper's rights: so a directory that the helper may not enter is refused, and one that only the JVM may not
 * enter is not.
 */
int apply_cwd(struct launch *launch)
{
	return span(launch, launch->plan->cwd) ? run_with_helper_rights(launch, enter_cwd) : 0;
}

/*
 * In another tree the program's path must not lead out by a magic link. execve(2) reports all other errors of the path.
 * Without openat2(2) the path reaches only files that the helper could reach by the same link.
 */
int check_program(struct launch *launch, const char *path)
{
	int fd;

	if (launch->plan->program != UMH_NO_DESCRIPTOR || !has_other_root(launch))
		return 0;
	fd = open_path(path, 0, 0);
	if (fd < 0)
		return fd == -ELOOP ? fd : 0;
	sys_close(fd);
	return 0;
}
