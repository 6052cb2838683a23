/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c - one request: adds its routes, looks its addresses up, removes the routes. */

#include <errno.h>

#include "fib.h"

#define COUNTS        4
#define ROUTE_SIZE    12
#define ADDRESS_SIZE  4
#define ADDRESSES_MAX ((FIB_MESSAGE_MAX - FIB_REPLY_HEAD) / ADDRESS_SIZE)

static struct fib_route route_at(const uint8_t *request, unsigned number)
{
	const uint8_t *at = request + COUNTS + (size_t)number * ROUTE_SIZE;

	return (struct fib_route){.prefix = fib_get32(at), .length = at[4], .tag = fib_get32(at + 8)};
}

static int is_route(const uint8_t *request, unsigned number)
{
	const uint8_t *zero = request + COUNTS + (size_t)number * ROUTE_SIZE + 5;
	const struct fib_route route = route_at(request, number);

	return route.length <= 32 && route.tag != 0 && (zero[0] | zero[1] | zero[2]) == 0;
}

static size_t failed(uint8_t *reply, int error, uint32_t which)
{
	fib_put32(reply, (uint32_t)-error);
	fib_put32(reply + 4, which);
	return FIB_REPLY_HEAD;
}

static int add_all(const uint8_t *request, unsigned routes, unsigned *added)
{
	for (*added = 0; *added < routes; ++*added) {
		const struct fib_route route = route_at(request, *added);
		int result = is_route(request, *added) ? fib_add(&route) : -EINVAL;

		if (result < 0)
			return result;
	}
	return 0;
}

static int look_up_all(const uint8_t *address, unsigned addresses, uint8_t *tags)
{
	for (unsigned i = 0; i < addresses; i++) {
		uint32_t tag = 0;
		int result = fib_lookup(fib_get32(address + (size_t)i * ADDRESS_SIZE), &tag);

		if (result < 0)
			return result;
		fib_put32(tags + (size_t)i * ADDRESS_SIZE, tag);
	}
	return 0;
}

size_t fib_evaluate(const uint8_t *request, size_t size, uint8_t *reply)
{
	unsigned routes, addresses, added;
	int result;

	if (size < COUNTS)
		return failed(reply, -EPROTO, 0);
	routes = (unsigned)request[0] << 8 | request[1];
	addresses = (unsigned)request[2] << 8 | request[3];
	if (addresses > ADDRESSES_MAX)
		return failed(reply, -EPROTO, 0);
	if (size != COUNTS + (size_t)routes * ROUTE_SIZE + (size_t)addresses * ADDRESS_SIZE)
		return failed(reply, -EPROTO, 0);
	result = add_all(request, routes, &added);
	if (result == 0)
		result = look_up_all(request + COUNTS + (size_t)routes * ROUTE_SIZE, addresses, reply + FIB_REPLY_HEAD);
	for (unsigned i = 0; i < added; i++) {
		const struct fib_route route = route_at(request, i);

		fib_remove(&route);
	}
	if (result < 0)
		return failed(reply, result, added);
	failed(reply, 0, 0);
	return FIB_REPLY_HEAD + (size_t)addresses * ADDRESS_SIZE;
}
