/* SPDX-License-Identifier: Apache-2.0 */
/* socket.h - plan sockets, created or cached for the next launch. */
#ifndef UMH_SOCKET_H
#define UMH_SOCKET_H

#include <stdint.h>

struct umh_socketpair {
	int parent_end;
	int child_end;
	int cache_index; /* -1 if the pair is not cached; if it is, child_end has a low number */
	uint64_t parent_identity;
	uint64_t child_identity;
};

void umh_sockets_load(void);

/* Closes the cached pairs. */
void umh_sockets_unload(void);

/* Creates a pair; returns a negative errno on failure. */
int umh_socket_create(struct umh_socketpair *pair);

/* Returns an empty pair, cached or new; a negative errno on failure. */
int umh_socket_acquire(struct umh_socketpair *pair);

/* Closes what is open of a pair that is not cached. */
void umh_socket_close(struct umh_socketpair *pair);

/* Ends the use of a pair; drained: the launcher has received all messages, so the next launch can use the pair. */
void umh_socket_release(struct umh_socketpair *pair, int drained);

#endif
