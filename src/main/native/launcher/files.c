/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - the helper's descriptors: each from the number it was received at to the number it is wanted at. */

#include <errno.h>

#include "launch.h"
#include "umh_syscalls.h"

/*
 * Descriptors are received at the lowest free numbers in ascending order, and the plan is sorted by target. So
 * number <= target for each, but for those behind the plan socket's own number; and once that socket is out of the
 * way, moving the last one first never lands on one that has not been moved. Descriptors 0 to n - 1, the usual case,
 * are where they are wanted and cost nothing.
 */
static int move(const struct umh_file *file)
{
	int result;

	if (file->number == (int)file->target)
		return 0;
	result = sys_dup3(file->number, (int)file->target, 0);
	if (result < 0)
		return result;
	return sys_close(file->number);
}

static int move_socket_above(struct launch *launch, uint32_t target)
{
	int moved = sys_fcntl(launch->socket, F_DUPFD_CLOEXEC, (long)target + 1);

	if (moved < 0)
		return moved;
	sys_close(launch->socket);
	launch->socket = moved;
	return 0;
}

int apply_descriptors(struct launch *launch)
{
	const struct umh_file *files = span(launch, launch->plan->files);
	uint32_t count = launch->plan->files.length / sizeof *files;
	int result = sys_fcntl(launch->socket, F_SETFD, FD_CLOEXEC);

	if (result == 0 && count > 0 && files[count - 1].target >= UMH_PLAN_FD) {
		launch->detail = files[count - 1].target;
		result = move_socket_above(launch, files[count - 1].target);
	}
	while (result == 0 && count-- > 0) {
		launch->detail = files[count].target;
		result = move(&files[count]);
	}
	return result;
}
