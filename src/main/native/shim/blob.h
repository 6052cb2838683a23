/* SPDX-License-Identifier: Apache-2.0 */
/* blob.h - a program in memory: opened, filled by write(2), then sealed. */
#ifndef UMH_BLOB_H
#define UMH_BLOB_H

#include <stdint.h>

struct umh_blob {
	int fd;               /* to be written */
	int mount;            /* the private tmpfs of the file, or -1 for a memfd */
	uint64_t fd_identity; /* the files that these must refer to; the sealed descriptor refers to the first */
	uint64_t mount_identity;
};

/* The name is a file name without a slash. */
int umh_blob_open(const char *name, struct umh_blob *blob);

/* Returns a descriptor to execute, which no process can write to. Closes the blob's descriptors, on failure too. */
int umh_blob_seal(const char *name, struct umh_blob *blob);

/* Closes the blob's descriptors. */
void umh_blob_discard(struct umh_blob *blob);

#endif
