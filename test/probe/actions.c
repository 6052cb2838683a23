/* SPDX-License-Identifier: Apache-2.0 */
/* actions.c - what the probe can be told to do. */

#include "probe.h"

#include <errno.h>
#include <linux/time_types.h>
#include <signal.h>

#include "umh_syscalls.h"

static void sleep_ms(long milliseconds)
{
	struct __kernel_timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	while (umh_syscall(__NR_nanosleep, &time, &time) == -EINTR)
		;
}

static void set_disposition(long signal, unsigned long handler)
{
	struct {
		unsigned long handler, flags, restorer;
		uint64_t mask;
	} action = {.handler = handler};

	umh_syscall(__NR_rt_sigaction, signal, &action, 0, sizeof action.mask);
}

static void kill_self(long signal)
{
	umh_syscall(__NR_kill, umh_syscall(__NR_getpid), signal);
}

/* Standard input to standard output, until its end. */
static void cat(void)
{
	static char block[65536];
	long size;

	while ((size = sys_read(0, block, sizeof block)) > 0)
		for (long at = 0; at < size;) {
			long written = sys_write(1, block + at, (size_t)(size - at));

			if (written <= 0)
				sys_exit(123);
			at += written;
		}
}

static void print(const char *line)
{
	size_t size = 0;

	while (line[size])
		size++;
	sys_write(1, line, size);
	sys_write(1, "\n", 1);
}

/* The words that follow, up to "end", are done by a child that nobody waits for. */
static char **fork_child(char **words)
{
	long pid = umh_syscall(__NR_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		act(words);
		sys_exit(0);
	}
	while (*words && !same(*words, "end"))
		words++;
	return *words ? words + 1 : words;
}

void act(char **words)
{
	while (*words) {
		char *word = *words++;

		if (same(word, "end"))
			return;
		else if (same(word, "cat"))
			cat();
		else if (same(word, "pause"))
			for (;;)
				sleep_ms(1000000);
		else if (same(word, "setsid"))
			umh_syscall(__NR_setsid);
		else if (same(word, "fork"))
			words = fork_child(words);
		else if (!*words)
			sys_exit(124);
		else if (same(word, "exit"))
			sys_exit((int)number(*words));
		else if (same(word, "kill"))
			kill_self(number(*words++));
		else if (same(word, "sleep"))
			sleep_ms(number(*words++));
		else if (same(word, "ignore"))
			set_disposition(number(*words++), (unsigned long)SIG_IGN);
		else if (same(word, "print"))
			print(*words++);
		else
			sys_exit(125);
	}
}
