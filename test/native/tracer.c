/* SPDX-License-Identifier: Apache-2.0 */
/* tracer.c - traces a process, and does not wait for its end. */

/*
 * 	tracer PID
 *
 * Prints a line when it traces PID, and continues until the end of standard input. The end of a traced process is
 * reported to the tracer first, and to its parent after the tracer has waited for it or has ended.
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
