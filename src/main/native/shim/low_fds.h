/* SPDX-License-Identifier: Apache-2.0 */
/* low_fds.h - low descriptors in reserve, each lent to one launch at a time for its plan socket. */
#ifndef UMH_LOW_FDS_H
#define UMH_LOW_FDS_H

#include "shim/launcher_image.h"

/* 0 to 2 are the host's, open or not; 3 and 4 are the child's (child.c). */
#define UMH_MIN_LOW_FD 5

/* Reserves the missing descriptors, as duplicates of the launcher's. */
void umh_low_fds_reserve(const struct umh_launcher_image *launcher);

/* Closes all. */
void umh_low_fds_unload(void);

/* A reserved number, or -1 if all are lent. Until it is returned, it belongs to the caller. */
int umh_low_fd_borrow(void);

/*
 * Returns a number, where the caller may have put a file with that identity, or UMH_NO_IDENTITY. If other code has put
 * another file there, the number is left alone and never lent again.
 */
void umh_low_fd_return(int fd, uint64_t identity);

#endif
