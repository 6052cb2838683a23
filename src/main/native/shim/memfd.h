/* SPDX-License-Identifier: Apache-2.0 */
/* memfd.h - files without a name that can be executed and never be written again. */
#ifndef UMH_MEMFD_H
#define UMH_MEMFD_H

#include <stddef.h>

/* Creates an empty file, close-on-exec; or a negative errno: -EACCES if the host forbids executable memfds. */
int umh_memfd_make(const char *name);

/* Writes all bytes; returns a negative errno on failure. */
int umh_memfd_write(int fd, const void *bytes, size_t size);

/* Prevents all changes of bytes, length and permission to execute. */
int umh_memfd_seal(int fd);

#endif
