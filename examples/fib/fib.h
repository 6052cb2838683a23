/* SPDX-License-Identifier: Apache-2.0 */
/* fib.h - a driver that finds out from the kernel's routing table which of some routes an address takes. */
#ifndef FIB_H
#define FIB_H

#include <stddef.h>
#include <stdint.h>

/*
 * A request has the number of routes and the number of addresses (16 bits each), and then
 *
 *	a route		prefix (32 bits), its length (8 bits), three zero bytes, tag (32 bits, not 0)
 *	an address	32 bits
 *
 * The reply has an errno or 0, and the index of the route that failed (32 bits each). Without an errno, one tag for
 * each address follows; it is 0 if no route leads there. Numbers have their most significant byte first. After each
 * request the table is empty again.
 */
#define FIB_MESSAGE_MAX 65536
#define FIB_REPLY_HEAD  8

/* The exit status of the driver: 0 at the end of file, else the reason. */
enum fib_exit { FIB_EXIT_END, FIB_EXIT_TABLE, FIB_EXIT_MESSAGE, FIB_EXIT_PIPE };

/* Handles one request after the other. converse.c describes the form of a message. */
enum fib_exit fib_converse(int in, int out);

/*
 * Handles a request and returns the size of the reply, at most FIB_MESSAGE_MAX. Every length in a request is validated
 * before use.
 */
size_t fib_evaluate(const uint8_t *request, size_t size, uint8_t *reply);

/* The table: netlink.c has the kernel's, fuzz.c a model of it. The functions return 0 or more, or a negative errno. */
struct fib_route {
	uint32_t prefix;
	uint8_t length;
	uint32_t tag;
};
int fib_open(void);
int fib_add(const struct fib_route *route);
int fib_remove(const struct fib_route *route);
int fib_lookup(uint32_t address, uint32_t *tag);

/*
 * Parses the kernel's reply to the request of this sequence number. Returns 0 and sets the tag, or returns the kernel's
 * negative errno, or -EPROTO for a message that is no reply to this request.
 */
int fib_parse_reply(const void *message, size_t size, uint32_t sequence, uint32_t *tag);

static inline uint32_t fib_get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void fib_put32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

#endif
