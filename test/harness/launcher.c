/* SPDX-License-Identifier: Apache-2.0 */
/* launcher.c - the launcher as a program of libc, so that a sanitizer's run time finds what it needs. */

/* The launcher's own entry bears another name in that program; the kernel's stack begins right before the arguments. */
void launcher(long *stack);

int main(int argc, char **argv)
{
	(void)argc;
	launcher((long *)argv - 1);
	return 0;
}
