/* SPDX-License-Identifier: Apache-2.0 */
/* launcher_image.h - the launcher's memfd. */
#ifndef UMH_LAUNCHER_IMAGE_H
#define UMH_LAUNCHER_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* The launcher's descriptors, close-on-exec, and the files that they must refer to. Never changed, never freed. */
struct umh_launcher_image {
	int fd;
	int near_stack; /* the same program at UMH_NEAR_STACK, for a process without address randomization; or -1 */
	uint64_t identity;
	uint64_t near_stack_identity;
	const struct umh_launcher_image *previous; /* the image that this one replaces */
};

int umh_launcher_image_load(const char *image, size_t size);

/* Closes the descriptors that loading has opened. */
void umh_launcher_image_unload(void);

const struct umh_launcher_image *umh_launcher_image(void);

/*
 * Creates a launcher again whose descriptors other code has closed: 0, also if another thread has done it; or a
 * negative errno. Leaves numbers alone that refer to other files. is_busy: the descriptor is valid, but another process
 * has the file open for writing, so execve returns ETXTBSY.
 */
int umh_launcher_image_recreate(const struct umh_launcher_image *broken, int is_busy);

#endif
