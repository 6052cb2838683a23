/* SPDX-License-Identifier: Apache-2.0 */
/* child.h - the child in the JVM's memory, between clone and the execve of the launcher. */
#ifndef UMH_CHILD_H
#define UMH_CHILD_H

#include "shim/umh.h"

/* In memory that the child shares with its parent, except under an emulator: the child returns its error here. */
struct umh_child_args {
	const struct umh_request *request;
	int socket;
	int launcher;
	int near_stack; /* the launcher for a process without address randomization, or -1 */
	uint64_t socket_identity;
	uint64_t launcher_identity;
	uint64_t near_stack_identity;
	int table_copied;     /* the child starts with a separate descriptor table */
	int retry_with_copy;  /* set by the child: it must be created again with a copy of the table */
	int memory_copied;    /* the child can report on the socket alone */
	int has_run;          /* the child has begun: no signal has killed it before */
	int socket_verified;  /* the socket is the plan socket */
	enum umh_stage stage; /* set by the child if it could not execute the launcher */
	int error;
};

/* Runs in the child; see umh_clone3() in common/arch.h. Never returns. */
void umh_child_main(void *args);

#endif
