/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c - what the compiler may call although there is no libc. */

#include <stddef.h>

void *memset(void *memory, int byte, size_t size);

void *memset(void *memory, int byte, size_t size)
{
	char *bytes = memory;

	while (size-- > 0) {
		*bytes++ = (char)byte;
		__asm__ volatile("" ::: "memory"); /* else the loop is seen to be a memset, and calls it */
	}
	return memory;
}
