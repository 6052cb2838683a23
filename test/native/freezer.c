/* SPDX-License-Identifier: Apache-2.0 */
/* freezer.c - freezes and thaws a cgroup at random moments for some seconds, and leaves it frozen. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int write_all(int fd, const char *text)
{
	return pwrite(fd, text, 1, 0) == 1 ? 0 : -1;
}

int main(int argc, char **argv)
{
	const int fd = argc > 2 ? open(argv[1], O_WRONLY) : -1;
	const time_t end = argc > 2 ? time(NULL) + atoi(argv[2]) : 0;
	unsigned short seed[3] = {1, 2, 3};

	if (fd < 0)
		return 1;
	while (time(NULL) < end) {
		write_all(fd, "1");
		usleep(150 + (useconds_t)(nrand48(seed) % 1500));
		write_all(fd, "0");
		usleep(150 + (useconds_t)(nrand48(seed) % 1500));
	}
	return write_all(fd, "1") < 0;
}
