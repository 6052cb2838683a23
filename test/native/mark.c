/* SPDX-License-Identifier: Apache-2.0 */
/* mark.c - a program that must not be executed: it creates a file next to itself. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	return creat("/tmp/umh4j-was-executed", 0600) < 0;
}
