/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c - the one program that all tests start: reports what it was born with, then does as it is told. */

/*
 *	probe [--out PATH | --fd N] [ACTION ...]
 *
 * The report is one JSON object, to a file that it creates or to a descriptor that it does not list. Without either
 * there is none. It has no libc, whose start-up would open, close and change things before main().
 */

#include "probe.h"

#include "umh_syscalls.h"

static char buffer[1 << 20];

int same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

long number(const char *text)
{
	long value = 0;
	int negative = *text == '-';

	for (text += negative; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (*text - '0');
	return negative ? -value : value;
}

static void write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		long written = sys_write(fd, bytes, size);

		if (written <= 0)
			sys_exit(120);
		bytes += written;
		size -= (size_t)written;
	}
}

static void report(char **argv, char **envp, const char *path, int fd)
{
	struct json json = {.bytes = buffer, .limit = sizeof buffer};

	report_state(&json, argv, envp, fd);
	if (json.overflow)
		sys_exit(121);
	if (path)
		fd = sys_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		sys_exit(122);
	write_all(fd, json.bytes, json.size);
	sys_close(fd);
}

__attribute__((noreturn, used)) void probe(long *stack)
{
	char **argv = (char **)(stack + 1);
	char **envp = argv + stack[0] + 1;
	char **word = argv + (stack[0] > 0);

	if (word[0] && word[1] && same(word[0], "--out")) {
		report(argv, envp, word[1], -1);
		word += 2;
	} else if (word[0] && word[1] && same(word[0], "--fd")) {
		report(argv, envp, 0, (int)number(word[1]));
		word += 2;
	}
	act(word, envp);
	sys_exit(0);
}

UMH_ENTRY(probe);
