/* SPDX-License-Identifier: Apache-2.0 */
/* socket.h - plan sockets: made, lent, and kept for the next launch where that is safe. */
#ifndef UMH_SOCKET_H
#define UMH_SOCKET_H

#include <stdint.h>

struct umh_socketpair {
	int parent_end;
	int child_end;
	int cache_index; /* where it is kept, or -1; then theirs is as low as it could be had */
	uint64_t parent_identity;
	uint64_t child_identity;
};

void umh_sockets_load(void);

/* Closes those that are kept. */
void umh_sockets_unload(void);

/* A new pair; a negative errno. */
int umh_socket_create(struct umh_socketpair *pair);

/* A pair that nothing was said on, kept or new; a negative errno. */
int umh_socket_acquire(struct umh_socketpair *pair);

/* Closes what is still ours of a pair that is not kept. */
void umh_socket_close(struct umh_socketpair *pair);

/* Back, after its launch: clean says that all that was sent was also received, so that the next one can use it. */
void umh_socket_release(struct umh_socketpair *pair, int clean);

#endif
