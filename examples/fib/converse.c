/* SPDX-License-Identifier: Apache-2.0 */
/* converse.c - reads requests from one descriptor and writes replies to another one, until the end of file. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fib.h"

#define HEADER 8 /* the content's length and the request's number, 32 bits each: org.umh4j.Mailbox */

static uint8_t request[FIB_MESSAGE_MAX];
static uint8_t reply[HEADER + FIB_MESSAGE_MAX];

/* Returns 1, or 0 at the end of file or on an error. */
static int read_all(int fd, uint8_t *into, size_t size)
{
	while (size > 0) {
		ssize_t got = read(fd, into, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 0;
		into += got;
		size -= (size_t)got;
	}
	return 1;
}

/* Returns 1, or 0 on an error, such as EPIPE. */
static int write_all(int fd, const uint8_t *from, size_t size)
{
	while (size > 0) {
		ssize_t put = write(fd, from, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return 0;
		from += put;
		size -= (size_t)put;
	}
	return 1;
}

enum fib_exit fib_converse(int in, int out)
{
	uint8_t header[HEADER];

	while (read_all(in, header, sizeof header)) {
		uint32_t size = fib_get32(header);

		if (size > sizeof request)
			return FIB_EXIT_MESSAGE;
		if (!read_all(in, request, size))
			break;
		size = (uint32_t)fib_evaluate(request, size, reply + HEADER);
		fib_put32(reply, size);
		memcpy(reply + 4, header + 4, 4);
		if (!write_all(out, reply, HEADER + size))
			return FIB_EXIT_PIPE;
	}
	return FIB_EXIT_END;
}
