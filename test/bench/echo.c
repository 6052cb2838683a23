/* SPDX-License-Identifier: Apache-2.0 */
/* echo.c - copies standard input to standard output: the driver of the benchmarks, and C's peer. */

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
