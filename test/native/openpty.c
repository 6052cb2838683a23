/* SPDX-License-Identifier: Apache-2.0 */
/* openpty.c - makes a pseudo-terminal, says what its other side is called, and keeps it until it is ended. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return 1;
	printf("%s\n", ptsname(master));
	fflush(stdout);
	pause();
	return 0;
}
