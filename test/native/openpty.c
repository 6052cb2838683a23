/* SPDX-License-Identifier: Apache-2.0 */
/* openpty.c - opens a pseudo-terminal, prints the name of its other side, and keeps it open until it is killed. */

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
