/* SPDX-License-Identifier: Apache-2.0 */
/* umh_clone.h - makes the process that becomes the launcher. */
#ifndef UMH_CLONE_H
#define UMH_CLONE_H

#include "umh.h"

/*
 * Creates the child and has it execute the launcher, whose plan socket is socket in our table. Answers the pid, fills
 * *pidfd. A child that could not execute the launcher says so on the socket and is gone. With request->cgroup the
 * answer -ENOSYS means that this kernel can't create a process in a cgroup.
 */
int umh_clone_launcher(const struct umh_request *request, int socket, int *pidfd);

#endif
