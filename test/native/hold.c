/* SPDX-License-Identifier: Apache-2.0 */
/* hold.c - keeps a copy of another process's descriptor, as a fork without exec does, until its input ends. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char byte;
	int pidfd, copy;

	if (argc < 3)
		return 2;
	pidfd = (int)syscall(__NR_pidfd_open, atoi(argv[1]), 0);
	copy = (int)syscall(__NR_pidfd_getfd, pidfd, atoi(argv[2]), 0);
	puts(copy < 0 ? "refused" : "held");
	fflush(stdout);
	return read(0, &byte, 1) < 0;
}
