/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.c - fuzzes the parsers of messages, requests and netlink replies, with a model of the kernel's table. */

/*
 * clang's fuzzer calls LLVMFuzzerTestOneInput(). Without it, main() generates inputs, the same ones in every run. The
 * model behaves like the kernel's table, so a request that adds routes and does not remove them is detected.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fib.h"

#define ROUTES_MAX 8192

static struct fib_route table[ROUTES_MAX];
static unsigned routes;

static uint32_t mask(uint8_t length)
{
	return length == 0 ? 0 : ~UINT32_C(0) << (32 - length);
}

static int is_same(const struct fib_route *a, const struct fib_route *b)
{
	return a->prefix == b->prefix && a->length == b->length && a->tag == b->tag;
}

int fib_open(void)
{
	return 0;
}

int fib_add(const struct fib_route *route)
{
	if (route->prefix & ~mask(route->length))
		return -EINVAL;
	for (unsigned i = 0; i < routes; i++)
		if (is_same(&table[i], route))
			return -EEXIST;
	if (routes == ROUTES_MAX)
		return -ENOMEM;
	table[routes++] = *route;
	return 0;
}

int fib_remove(const struct fib_route *route)
{
	for (unsigned i = 0; i < routes; i++) {
		if (is_same(&table[i], route)) {
			table[i] = table[--routes];
			return 0;
		}
	}
	abort(); /* removed without having been added */
}

/* The route with the longest prefix, and among those the one with the lowest metric. */
int fib_lookup(uint32_t address, uint32_t *tag)
{
	const struct fib_route *best = NULL;

	for (unsigned i = 0; i < routes; i++) {
		const struct fib_route *route = &table[i];

		if ((address & mask(route->length)) != route->prefix)
			continue;
		if (!best || route->length > best->length || (route->length == best->length && route->tag < best->tag))
			best = route;
	}
	*tag = best ? best->tag : 0;
	return 0;
}

static void fuzz_request(const uint8_t *bytes, size_t size)
{
	uint8_t *reply = malloc(FIB_MESSAGE_MAX); /* on the heap, where the sanitizer checks its bounds */
	size_t length;

	if (!reply || size > FIB_MESSAGE_MAX)
		exit(1);
	length = fib_evaluate(bytes, size, reply);
	if (length < FIB_REPLY_HEAD || length > FIB_MESSAGE_MAX || routes != 0)
		abort();
	free(reply);
}

/* Every reply is complete, and there is no reply without a request. */
static void fuzz_conversation(const uint8_t *bytes, size_t size)
{
	int in = memfd_create("in", 0);
	int out = memfd_create("out", 0);
	uint8_t header[8];
	enum fib_exit end;
	off_t at = 0;

	if (in < 0 || out < 0 || write(in, bytes, size) != (ssize_t)size)
		exit(1);
	lseek(in, 0, SEEK_SET);
	end = fib_converse(in, out);
	if ((end != FIB_EXIT_END && end != FIB_EXIT_MESSAGE) || routes != 0)
		abort();
	while (pread(out, header, sizeof header, at) == (ssize_t)sizeof header)
		at += (off_t)sizeof header + fib_get32(header);
	if (at != lseek(out, 0, SEEK_END) || (size < sizeof header && at > 0))
		abort();
	close(in);
	close(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint32_t tag = 0;

	if (size == 0 || size > FIB_MESSAGE_MAX)
		return 0;
	switch (bytes[0] % 3) {
	case 0:
		if (fib_parse_reply(bytes + 1, size - 1, 0, &tag) > 0)
			abort();
		break;
	case 1:
		fuzz_request(bytes + 1, size - 1);
		break;
	default:
		fuzz_conversation(bytes + 1, size - 1);
	}
	return 0;
}

#ifndef FUZZER

#define ROUNDS 300000

static uint32_t next_random(void)
{
	static uint32_t state = 2463534242;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* Generates a request of a few routes and addresses, with or without a message header, and changes some bytes. */
static size_t generate(uint8_t *bytes)
{
	const unsigned counts[2] = {next_random() % 4, next_random() % 4};
	const size_t request = 4 + counts[0] * 12 + counts[1] * 4;
	const uint8_t kind = (uint8_t)next_random();
	const size_t begin = kind % 3 == 2 ? 1 + 8 : 1;
	const size_t size = begin + request;
	uint8_t *at = bytes + begin;

	memset(bytes, 0, size);
	bytes[0] = kind;
	if (begin > 1)
		fib_put32(bytes + 1, (uint32_t)request);
	at[1] = (uint8_t)counts[0];
	at[3] = (uint8_t)counts[1];
	for (unsigned i = 0; i < counts[0]; i++) {
		at[4 + i * 12] = (uint8_t)next_random();
		at[4 + i * 12 + 4] = 8;
		at[4 + i * 12 + 11] = (uint8_t)(next_random() | 1);
	}
	for (unsigned changes = next_random() % 4; changes > 0; changes--)
		bytes[next_random() % size] = (uint8_t)next_random();
	return next_random() % 16 ? size : next_random() % size;
}

int main(void)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint8_t input[64];
		size_t size = generate(input);
		uint8_t *bytes = malloc(size + 1);

		if (!bytes)
			return 1;
		memcpy(bytes, input, size);
		LLVMFuzzerTestOneInput(bytes, size);
		free(bytes);
	}
	printf("%d inputs\n", ROUNDS);
	return 0;
}

#endif
