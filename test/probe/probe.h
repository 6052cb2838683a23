/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - what the probe's files share. */
#ifndef PROBE_H
#define PROBE_H

#include "json.h"

/* Everything that a process can know of itself; leaves out descriptor hidden, through which it will report. */
void report_state(struct json *json, char **argv, char **envp, int hidden);

/* Does what the words say, one after the other; answers when they are used up. */
void act(char **words, char **envp);

int same(const char *a, const char *b);
long number(const char *text);

#endif
