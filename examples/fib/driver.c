/* SPDX-License-Identifier: Apache-2.0 */
/* driver.c - messages in at descriptor 0, replies out at descriptor 1, until the end of file. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fib.h"

#define HEADER 8 /* the content's length and the request's number, 32 bits each: org.umh4j.Mailbox */

enum { EXIT_TABLE = 1, EXIT_MESSAGE = 2, EXIT_PIPE = 3 };

static uint8_t request[FIB_MESSAGE_MAX];
static uint8_t reply[HEADER + FIB_MESSAGE_MAX];

/* 1; or 0 when the pipe ends before. */
static int read_all(uint8_t *into, size_t size)
{
	while (size > 0) {
		ssize_t got = read(0, into, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 0;
		into += got;
		size -= (size_t)got;
	}
	return 1;
}

static void write_all(const uint8_t *from, size_t size)
{
	while (size > 0) {
		ssize_t put = write(1, from, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			_exit(EXIT_PIPE);
		from += put;
		size -= (size_t)put;
	}
}

int main(void)
{
	uint8_t header[HEADER];

	if (fib_open() < 0)
		return EXIT_TABLE;
	while (read_all(header, sizeof header)) {
		uint32_t size = fib_get32(header);

		if (size > sizeof request)
			return EXIT_MESSAGE;
		if (!read_all(request, size))
			break;
		size = (uint32_t)fib_evaluate(request, size, reply + HEADER);
		fib_put32(reply, size);
		memcpy(reply + 4, header + 4, 4);
		write_all(reply, HEADER + size);
	}
	_exit(0);
}
