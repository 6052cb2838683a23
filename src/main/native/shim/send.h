/* SPDX-License-Identifier: Apache-2.0 */
/* send.h - the plan and the descriptors, down the plan socket. */
#ifndef UMH_SEND_H
#define UMH_SEND_H

#include "shim/umh.h"

/* Sends all of it, before there is anybody to read: 0, or a negative errno. */
int umh_send_plan(int socket, const struct umh_request *request);

/* Whose error that was: one of the helper's descriptors, which then is the detail, or the socket. */
enum umh_stage umh_send_failed_stage(const struct umh_request *request, int error, uint32_t *detail);

#endif
