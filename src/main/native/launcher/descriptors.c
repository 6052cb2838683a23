/* SPDX-License-Identifier: Apache-2.0 */
/* descriptors.c - moves each of the helper's descriptors from its received number to its target. */

#include "launcher/launcher.h"
#include "common/syscalls.h"

/*
 * Descriptors are received at the lowest free numbers in ascending order, and the plan is sorted by target. So fd <=
 * target for each, except for targets without a gap from 0 to beyond the plan socket's number, which are received one
 * too high. After the socket and the launcher's own descriptors are moved above all targets, these move down, the
 * lowest first, and then the others up, the highest first: so no dup3 closes one that has not moved yet. Descriptors 0
 * to 2, the usual case, have their numbers already and cost nothing.
 */
static int move_descriptor(const struct umh_descriptor *file)
{
	int result;

	if (file->fd == (int)file->target)
		return 0;
	result = sys_dup3(file->fd, (int)file->target, 0);
	if (result < 0)
		return result;
	sys_close(file->fd); /* a file system may return the error of other writers; the number is closed */
	return 0;
}

static int move_descriptors(struct launch *launch, const struct umh_descriptor *descriptors, uint32_t count)
{
	uint32_t down = 0;
	int result = 0;

	while (down < count && descriptors[down].fd >= (int)descriptors[down].target)
		down++;
	for (uint32_t i = 0; result == 0 && i < down; i++) {
		launch->detail = descriptors[i].target;
		result = move_descriptor(&descriptors[i]);
	}
	while (result == 0 && count-- > down) {
		launch->detail = descriptors[count].target;
		result = move_descriptor(&descriptors[count]);
	}
	return result;
}

/* Moves to a number above all targets; execve closes it unless command is F_DUPFD. */
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
 * An interpreter opens its script by the number that the script has at the execve, so execve must not close it. The
 * launcher's own descriptors never get 0 to 2, because programs write to these if they are open.
 */
int apply_descriptors(struct launch *launch)
{
	struct umh_descriptor *descriptors = span(launch, launch->plan->descriptors);
	const uint32_t script = launch->plan->flags & UMH_PLAN_SCRIPT ? launch->plan->program : UMH_NO_DESCRIPTOR;
	uint32_t count = launch->plan->descriptors.length / sizeof *descriptors;
	uint32_t own = count;
	long highest;
	int result = 0;

	while (own > 0 && descriptors[own - 1].target == UMH_NO_TARGET)
		own--;
	highest = own ? (long)descriptors[own - 1].target : -1;
	launch->detail = own ? descriptors[own - 1].target : 0;
	if (launch->ruleset >= 0)
		result = move_above(&launch->ruleset, highest < 2 ? 2 : highest, F_DUPFD_CLOEXEC);
	for (uint32_t i = own; result == 0 && i < count; i++)
		if (descriptors[i].fd >= 0)
			result = move_above(&descriptors[i].fd, highest < 2 ? 2 : highest,
					    i == script ? F_DUPFD : F_DUPFD_CLOEXEC);
	if (result == 0 && launch->failure_memfd >= 0)
		result = move_above(&launch->failure_memfd, highest < 2 ? 2 : highest, F_DUPFD_CLOEXEC);
	if (result == 0 && highest >= UMH_PLAN_FD)
		result = move_above(&launch->socket, highest, F_DUPFD_CLOEXEC);
	else if (result == 0)
		result = sys_fcntl(launch->socket, F_SETFD, FD_CLOEXEC);
	return result < 0 ? result : move_descriptors(launch, descriptors, own);
}
