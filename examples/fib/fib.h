/* SPDX-License-Identifier: Apache-2.0 */
/* fib.h - a driver that asks the kernel's own routing table: which of these routes would these addresses take? */
#ifndef FIB_H
#define FIB_H

#include <stddef.h>
#include <stdint.h>

/*
 * A request: how many routes and how many addresses there are (16 bits each), then
 *
 *	a route		prefix (32 bits), its length (8 bits), three zero bytes, tag (32 bits, not 0)
 *	an address	32 bits
 *
 * Its reply: an errno or 0 and, with an errno, which route it is about (32 bits each); then, without, one tag an address,
 * 0 where no route leads there. Numbers have their most significant byte first. A request leaves nothing behind: the next
 * one begins with an empty table.
 */
#define FIB_MESSAGE_MAX 65536
#define FIB_REPLY_HEAD  8

/* How the driver ends: 0 at its end of file, else with what went wrong. */
enum fib_exit { FIB_EXIT_END, FIB_EXIT_TABLE, FIB_EXIT_MESSAGE, FIB_EXIT_PIPE };

/* Answers one request after the other; in messages, which converse.c describes. */
enum fib_exit fib_converse(int in, int out);

/* The size of the reply, which is at most FIB_MESSAGE_MAX. Nothing in a request is believed before it was measured. */
size_t fib_evaluate(const uint8_t *request, size_t size, uint8_t *reply);

/* The table, netlink.c's or a model of it (fuzz.c): 0 or more, or a negative errno. */
struct fib_route {
	uint32_t prefix;
	uint8_t length;
	uint32_t tag;
};
int fib_open(void);
int fib_add(const struct fib_route *route);
int fib_remove(const struct fib_route *route);
int fib_lookup(uint32_t address, uint32_t *tag);

/* What the kernel has answered to the request of this number: 0 and the tag, or a negative errno; -EPROTO is none. */
int fib_answer(const void *message, size_t size, uint32_t sequence, uint32_t *tag);

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
