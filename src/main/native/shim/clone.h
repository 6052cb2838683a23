/* SPDX-License-Identifier: Apache-2.0 */
/* clone.h - creates the process that becomes the launcher. */
#ifndef UMH_CLONE_H
#define UMH_CLONE_H

#include "shim/launcher_image.h"
#include "shim/umh.h"

/*
 * Creates the child, which executes the launcher; socket is the launcher's end of the plan socket. Returns the pid and
 * fills *pidfd. If the child could not execute the launcher, it is reaped, and its errno and stage are returned: -EBADF
 * if the launcher (LAUNCH) or the socket (CLOSE_FDS) is another file. With request->cgroup, -ENOSYS at CLONE means that
 * this kernel can't create a process in a cgroup. A child that does not proceed is killed and reaped, at CLONE: -EBUSY
 * if its cgroup is frozen, -ETIMEDOUT if it was stopped, or after request->launch_timeout_ms.
 */
int umh_clone_launcher(const struct umh_request *request, const struct umh_launcher_image *launcher, int socket,
		       uint64_t socket_identity, int *pidfd, enum umh_stage *stage);

#endif
