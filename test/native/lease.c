/* SPDX-License-Identifier: Apache-2.0 */
/* lease.c - holds a lease on a file, and releases it so many milliseconds after a process opens the file; -1: never. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	sigset_t broken;
	int fd = argc > 2 ? open(argv[1], O_RDONLY) : -1;
	int signal;

	sigemptyset(&broken);
	sigaddset(&broken, SIGIO);
	sigprocmask(SIG_BLOCK, &broken, NULL);
	if (fd < 0 || fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
		perror("lease");
		return 1;
	}
	write(STDOUT_FILENO, "h", 1);
	for (;;) {
		sigwait(&broken, &signal);
		if (atoi(argv[2]) < 0)
			continue;
		usleep((useconds_t)atoi(argv[2]) * 1000);
		fcntl(fd, F_SETLEASE, F_UNLCK);
	}
}
