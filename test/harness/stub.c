/* SPDX-License-Identifier: Apache-2.0 */
/* stub.c - a launcher that the shim can copy: it executes LAUNCHER, which has a sanitizer's run time. */

#include "common/arch.h"
#include "common/syscalls.h"

static __attribute__((noreturn, used)) void stub(long *stack)
{
	char **argv = (char **)(stack + 1);

	sys_exit(-sys_execve(LAUNCHER, argv, argv + stack[0] + 1));
}

UMH_ENTRY(stub);
