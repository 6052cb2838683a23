/* SPDX-License-Identifier: Apache-2.0 */
/* echo.c - standard input to standard output: the driver that is measured, and the program that C talks to. */

#include <unistd.h>

int main(void)
{
	static char block[65536];
	ssize_t size;

	while ((size = read(0, block, sizeof block)) > 0)
		for (ssize_t at = 0; at < size;) {
			ssize_t written = write(1, block + at, (size_t)(size - at));

			if (written < 0)
				return 1;
			at += written;
		}
	return 0;
}
