/* SPDX-License-Identifier: Apache-2.0 */
/* umh_socket.h - plan sockets: made, lent, and kept for the next launch where that is safe. */
#ifndef UMH_SOCKET_H
#define UMH_SOCKET_H

#include <stdint.h>

struct umh_pair {
	int ours;
	int theirs;
	int place; /* where it is kept, or -1; then theirs is as low as it could be had */
	uint64_t ours_is;
	uint64_t theirs_is;
};

void umh_pairs_load(void);

/* Closes those that are kept. */
void umh_pairs_unload(void);

/* A new pair; a negative errno. */
int umh_pair_make(struct umh_pair *pair);

/* A pair that nothing was said on, kept or new; a negative errno. */
int umh_pair_take(struct umh_pair *pair);

/* Closes what is still ours of a pair that is not kept. */
void umh_pair_close(struct umh_pair *pair);

/* Back, after its launch: clean says that all that was sent was also received, so that the next one can use it. */
void umh_pair_give(struct umh_pair *pair, int clean);

#endif
