/* SPDX-License-Identifier: Apache-2.0 */
/* tracer.c - traces a process, and does not look when that has ended. */

/*
 *	tracer PID
 *
 * Says so on standard output when it traces PID; goes on until the end of standard input. While a process is traced, its
 * end is shown to the tracer first, and to its parent after the tracer has taken notice or ended.
 */

#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char byte;

	if (argc != 2 || ptrace(PTRACE_SEIZE, atoi(argv[1]), 0, 0) < 0)
		return 1;
	if (write(1, "traces\n", 7) != 7)
		return 2;
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
