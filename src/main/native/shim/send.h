/* SPDX-License-Identifier: Apache-2.0 */
/* send.h - sends the plan and the descriptors on the plan socket. */
#ifndef UMH_SEND_H
#define UMH_SEND_H

#include "shim/umh.h"

/* Sends everything before the launcher exists to read it: 0, or a negative errno. */
int umh_send_plan(int socket, const struct umh_request *request);

/* The stage of such an error: a descriptor of the helper, whose number is then the detail, or the socket. */
enum umh_stage umh_send_failed_stage(const struct umh_request *request, int error, uint32_t *detail);

#endif
