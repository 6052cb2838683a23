/* SPDX-License-Identifier: Apache-2.0 */
/* pause.c - the smallest program that does not exit. */

#include <asm/unistd.h>

void _start(void)
{
	for (;;) {
		long result;

		__asm__ volatile("syscall" : "=a"(result) : "a"(__NR_pause) : "rcx", "r11", "memory");
	}
}
