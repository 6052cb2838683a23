/* SPDX-License-Identifier: Apache-2.0 */
/* clone.h - makes the process that becomes the launcher. */
#ifndef UMH_CLONE_H
#define UMH_CLONE_H

#include "shim/umh.h"
#include "shim/launcher_image.h"

/*
 * Creates the child and has it execute the launcher, whose plan socket is socket in our table. Answers the pid, fills
 * *pidfd. When it could not execute the launcher the child is gone, and its errno and stage are answered: -EBADF when
 * the launcher (LAUNCH) or the socket (CLOSE_FDS) is not what it has to be. With request->cgroup the answer -ENOSYS at CLONE
 * means that this kernel can't create a process in a cgroup. A child that is held is killed and reaped, at CLONE: -EBUSY
 * when its cgroup is frozen, -ETIMEDOUT when it was stopped, or after request->launch_timeout_ms.
 */
int umh_clone_launcher(const struct umh_request *request, const struct umh_launcher_image *launcher, int socket,
		       uint64_t socket_identity, int *pidfd, enum umh_stage *stage);

#endif
