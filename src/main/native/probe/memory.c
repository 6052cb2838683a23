/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c - functions that the compiler calls by itself, without libc. */

#include <stddef.h>

void *memset(void *memory, int byte, size_t size);

void *memset(void *memory, int byte, size_t size)
{
	char *bytes = memory;

	while (size-- > 0) {
		*bytes++ = (char)byte;
		__asm__ volatile("" ::: "memory"); /* otherwise the compiler replaces the loop by a call of memset */
	}
	return memory;
}
