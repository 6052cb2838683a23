/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - the helper's descriptors: each from the number it was received at to the number it is wanted at. */


#include "launcher/launcher.h"
#include "common/syscalls.h"

/*
 * Descriptors are received at the lowest free numbers in ascending order, and the plan is sorted by target. So
 * number <= target for each, but for those that are wanted without a gap from 0 on to beyond the plan socket's own
 * number: they are one too high. Once that socket and what only the launcher needs are out of the way, these go down,
 * the first one first, and then the others up, the last one first: so none lands on one that has not been moved.
 * Descriptors 0 to 2, the usual case, are where they are wanted and cost nothing.
 */
static int move_descriptor(const struct umh_descriptor *file)
{
	int result;

	if (file->fd == (int)file->target)
		return 0;
	result = sys_dup3(file->fd, (int)file->target, 0);
	if (result < 0)
		return result;
	sys_close(file->fd); /* a file system may complain of what others wrote; closed it is */
	return 0;
}

static int move_descriptors(struct launch *launch, const struct umh_descriptor *files, uint32_t count)
{
	uint32_t down = 0;
	int result = 0;

	while (down < count && files[down].fd >= (int)files[down].target)
		down++;
	for (uint32_t i = 0; result == 0 && i < down; i++) {
		launch->detail = files[i].target;
		result = move_descriptor(&files[i]);
	}
	while (result == 0 && count-- > down) {
		launch->detail = files[count].target;
		result = move_descriptor(&files[count]);
	}
	return result;
}

/* To a number above all targets, and closed by the execve unless it is to be kept. */
static int move_above(int *fd, long target, int command)
{
	int moved = sys_fcntl(*fd, command, target + 1);

	if (moved < 0)
		return moved;
	sys_close(*fd);
	*fd = moved;
	return 0;
}

/*
 * An interpreter opens its script by the number that the script has at the execve, so that must not close it. None of
 * the launcher's own takes 0 to 2, which programs write to when they find them open.
 */
int apply_descriptors(struct launch *launch)
{
	struct umh_descriptor *files = span(launch, launch->plan->descriptors);
	const uint32_t script = launch->plan->flags & UMH_PLAN_SCRIPT ? launch->plan->program : UMH_NO_DESCRIPTOR;
	uint32_t count = launch->plan->descriptors.length / sizeof *files;
	uint32_t own = count;
	long highest;
	int result = 0;

	while (own > 0 && files[own - 1].target == UMH_NO_TARGET)
		own--;
	highest = own ? (long)files[own - 1].target : -1;
	launch->detail = own ? files[own - 1].target : 0;
	if (launch->ruleset >= 0)
		result = move_above(&launch->ruleset, highest < 2 ? 2 : highest, F_DUPFD_CLOEXEC);
	for (uint32_t i = own; result == 0 && i < count; i++)
		if (files[i].fd >= 0)
			result = move_above(&files[i].fd, highest < 2 ? 2 : highest,
					    i == script ? F_DUPFD : F_DUPFD_CLOEXEC);
	if (result == 0 && launch->failure_memfd >= 0)
		result = move_above(&launch->failure_memfd, highest < 2 ? 2 : highest, F_DUPFD_CLOEXEC);
	if (result == 0 && highest >= UMH_PLAN_FD)
		result = move_above(&launch->socket, highest, F_DUPFD_CLOEXEC);
	else if (result == 0)
		result = sys_fcntl(launch->socket, F_SETFD, FD_CLOEXEC);
	return result < 0 ? result : move_descriptors(launch, files, own);
}
