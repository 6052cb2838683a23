/* SPDX-License-Identifier: Apache-2.0 */
/* launcher.c - the launcher as a program with libc, as a sanitizer's run time needs it. */

/* The launcher's entry has another name in that program. The kernel's stack begins right before the arguments. */
void launcher(long *stack);

int main(int argc, char **argv)
{
	(void)argc;
	launcher((long *)argv - 1);
	return 0;
}
