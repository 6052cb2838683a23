/* SPDX-License-Identifier: Apache-2.0 */
/* memfd.h - files without a name that can be executed and never be written again. */
#ifndef UMH_MEMFD_H
#define UMH_MEMFD_H

#include <stddef.h>

/* An empty one, close-on-exec; or a negative errno: -EACCES where the host forbids executable ones. */
int umh_memfd_make(const char *name);

/* All of it, however many calls that takes; or a negative errno. */
int umh_memfd_write(int fd, const void *bytes, size_t size);

/* From now on nobody can change its bytes, its length or who may execute it. */
int umh_memfd_seal(int fd);

#endif
