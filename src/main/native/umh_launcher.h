/* SPDX-License-Identifier: Apache-2.0 */
/* umh_launcher.h - the launcher's memfd, and the low descriptors kept for it. */
#ifndef UMH_LAUNCHER_H
#define UMH_LAUNCHER_H

#include <stddef.h>

int umh_launcher_load(const char *image, size_t size);

/* Closes all that loading has opened. */
void umh_launcher_unload(void);

/* The launcher's own descriptor, close-on-exec. */
int umh_launcher_fd(void);

/* The same program placed beside the stack of a process that the kernel places nothing at random in; or -1. */
int umh_launcher_beside_stack(void);

/* A reserved low number, or -1 when all are in use. Between take and give it belongs to the caller. */
int umh_slot_take(void);
void umh_slot_give(int slot);

/* Instead of give, for one that does not hold the launcher again: it is not lent any more, and the caller closes it. */
void umh_slot_lose(int slot);

#endif
