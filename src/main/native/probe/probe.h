/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - what the probe's files share. */
#ifndef PROBE_H
#define PROBE_H

#include "probe/json.h"

/* Everything that a process can know of itself; leaves out descriptor hidden, through which it will report. */
void report_state(struct json *json, char **argv, char **envp, int hidden);

/* Does what the words say, one after the other; answers when they are used up. */
void act(char **words, char **envp);

/* One line: permitted, effective, inheritable, bounding, ambient, securebits, no_new_privs, all hexadecimal. */
long brief_capabilities(int fd);

/* To a file, a line for each descriptor that was open before: number, "cloexec" if it is, what it refers to. */
long brief_descriptors(const char *path);

int same(const char *a, const char *b);
long number(const char *text);

#endif
