/* SPDX-License-Identifier: Apache-2.0 */
/* where.c - prints its working directory and the contents of the file "mark" there. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	char folder[4096] = "none", mark[64] = "none";
	int file = open("mark", O_RDONLY);

	if (file >= 0)
		mark[read(file, mark, sizeof mark - 1) < 0 ? 0 : strcspn(mark, "\n")] = 0;
	if (syscall(__NR_getcwd, folder, sizeof folder) < 0)
		strcpy(folder, "deleted");
	printf("%s %s\n", folder, mark);
	return 0;
}
