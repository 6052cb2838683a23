/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - declarations for the probe's files. */
#ifndef PROBE_H
#define PROBE_H

#include "probe/json.h"

/*
 * All attributes that a process can read of itself; leaves out the descriptor hidden, which the report is written to.
 */
void report_state(struct json *json, char **argv, char **envp, int hidden);

/* Runs the actions, one after the other; returns after the last. */
void act(char **words, char **envp);

/* One line: permitted, effective, inheritable, bounding, ambient, securebits, no_new_privs, all hexadecimal. */
long brief_capabilities(int fd);

/* To a file, a line for each descriptor that was open before: number, "cloexec" if it is, and its link in /proc. */
long brief_descriptors(const char *path);

int same(const char *a, const char *b);
long number(const char *text);

#endif
