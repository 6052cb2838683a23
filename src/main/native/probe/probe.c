/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c - the program that all tests start: reports what it was born with, then runs its actions. */

/*
 * 	probe [--out PATH | --fd N] [ACTION ...]
 *
 * The report is one JSON object, written to a new file or to a descriptor that the report leaves out. Without either
 * option there is no report. The probe has no libc, whose start-up would open, close and change things before main().
 *
 * A kernel that starts it as a helper chooses the arguments itself. If there is a directory PATH.reports next to the
 * probe's own PATH, the arguments are ignored: the report is PATH.reports/PID, complete as soon as it has that name,
 * and the actions are in PATH.does, a word a line.
 */

#include "probe/probe.h"

#include "common/syscalls.h"

#define AT_EXECFN 31

static char buffer[1 << 20];
static char told[4096];

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

static char *append(char *end, const char *more)
{
	while (*more)
		*end++ = *more++;
	*end = 0;
	return end;
}

static const char *exec_path(char **envp)
{
	unsigned long *entry;

	while (*envp)
		envp++;
	for (entry = (unsigned long *)(envp + 1); entry[0]; entry += 2)
		if (entry[0] == AT_EXECFN)
			return (const char *)entry[1];
	return "";
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

/* The words of a file, one a line. */
static char **words_of(const char *path)
{
	static char *words[64];
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	long size = fd < 0 ? 0 : sys_read(fd, told, sizeof told - 1);
	unsigned count = 0;

	if (fd >= 0)
		sys_close(fd);
	for (long at = 0; at < size && count < sizeof words / sizeof *words - 1; at++) {
		if (at == 0 || told[at - 1] == 0)
			words[count++] = told + at;
		if (told[at] == '\n')
			told[at] = 0;
	}
	return words;
}

/* Reports as a helper of the kernel, if the directory exists; then does not return. */
static void serve_folder(char **argv, char **envp)
{
	const char *path = exec_path(envp);
	char part[4200], whole[4200], digits[24];
	unsigned at = sizeof digits - 1;
	long pid;

	append(append(whole, path), ".reports");
	if (umh_syscall(__NR_faccessat, AT_FDCWD, whole, 0) < 0)
		return;
	pid = umh_syscall(__NR_getpid);
	digits[at] = 0;
	do
		digits[--at] = (char)('0' + pid % 10);
	while (pid /= 10);
	append(append(append(whole, path), ".reports/"), digits + at);
	append(append(part, whole), ".part");
	report(argv, envp, part, -1);
	if (umh_syscall(__NR_renameat2, AT_FDCWD, part, AT_FDCWD, whole, 0) < 0)
		sys_exit(123);
	append(append(part, path), ".does");
	act(words_of(part), envp);
	sys_exit(0);
}

__attribute__((noreturn, used)) void probe(long *stack)
{
	char **argv = (char **)(stack + 1);
	char **envp = argv + stack[0] + 1;
	char **word = argv + (stack[0] > 0);

	serve_folder(argv, envp);
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
