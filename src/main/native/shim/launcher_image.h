/* SPDX-License-Identifier: Apache-2.0 */
/* launcher_image.h - the launcher's memfd, and the low descriptors kept for it. */
#ifndef UMH_LAUNCHER_IMAGE_H
#define UMH_LAUNCHER_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* 0 to 2 are the host's, whether it keeps them open or not; 3 and 4 are the child's (clone.c). */
#define UMH_MIN_LOW_FD 5

/* The launcher's descriptors, close-on-exec, and which files these have to be. Never changed, and never freed. */
struct umh_launcher_image {
	int fd;
	int near_stack; /* the same program beside the stack of a process that nothing is placed at random in; or -1 */
	uint64_t is;
	uint64_t near_stack_identity;
	const struct umh_launcher_image *previous; /* the one that this was made for again */
};

int umh_launcher_image_load(const char *image, size_t size);

/* Closes all that loading has opened. */
void umh_launcher_image_unload(void);

const struct umh_launcher_image *umh_launcher_image(void);

/*
 * Makes again what others have closed of a launcher: 0, also when another thread has done it; or a negative errno. A
 * number that another file has by now is left alone. A launcher that is held is ours, but another process has its file
 * open for writing, so that it can't be executed.
 */
int umh_launcher_image_recreate(const struct umh_launcher_image *broken, int is_busy);

/* A reserved low number, or -1 when all are in use. Between take and give it belongs to the caller. */
int umh_low_fd_borrow(void);

/*
 * Back, when what was put there is still there, or nothing was; a number that others have closed is left alone, and not
 * lent any more.
 */
void umh_low_fd_return(int slot, uint64_t put_there);

#endif
