/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - writes one JSON object into a buffer, without libc. */

#include "probe/json.h"

#include <errno.h>

static void put(struct json *json, char c)
{
	if (json->size < json->limit)
		json->bytes[json->size++] = c;
	else
		json->overflow = 1;
}

static void put_text(struct json *json, const char *text)
{
	while (*text)
		put(json, *text++);
}

static void put_digits(struct json *json, unsigned long value, unsigned base, unsigned digits)
{
	char text[24];
	unsigned count = 0;

	do
		text[count++] = "0123456789abcdef"[value % base];
	while (value /= base);
	while (digits > count) {
		put(json, '0');
		digits--;
	}
	while (count > 0)
		put(json, text[--count]);
}

static void put_quoted(struct json *json, const char *bytes, size_t size)
{
	put(json, '"');
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c < 0x20 || c >= 0x7f) {
			put_text(json, "\\u");
			put_digits(json, c, 16, 4);
			continue;
		}
		if (c == '"' || c == '\\')
			put(json, '\\');
		put(json, (char)c);
	}
	put(json, '"');
}

static size_t length(const char *text)
{
	size_t size = 0;

	while (text[size])
		size++;
	return size;
}

/* A comma, unless this is the first member, then the name. */
static void put_name(struct json *json, const char *name)
{
	char before = json->size ? json->bytes[json->size - 1] : '{';

	if (before != '{' && before != '[')
		put(json, ',');
	if (name) {
		put_quoted(json, name, length(name));
		put(json, ':');
	}
}

void json_open(struct json *json, const char *name, char bracket)
{
	if (json->size)
		put_name(json, name);
	put(json, bracket);
}

void json_close(struct json *json, char bracket)
{
	put(json, bracket);
}

void json_bytes(struct json *json, const char *name, const char *bytes, size_t size)
{
	put_name(json, name);
	put_quoted(json, bytes, size);
}

void json_text(struct json *json, const char *name, const char *text)
{
	json_bytes(json, name, text, length(text));
}

void json_number(struct json *json, const char *name, long value)
{
	put_name(json, name);
	if (value < 0)
		put(json, '-');
	put_digits(json, value < 0 ? -(unsigned long)value : (unsigned long)value, 10, 0);
}

void json_unsigned(struct json *json, const char *name, unsigned long value)
{
	put_name(json, name);
	put_digits(json, value, 10, 0);
}

void json_hex(struct json *json, const char *name, unsigned long value, unsigned digits)
{
	put_name(json, name);
	put(json, '"');
	put_text(json, "0x");
	put_digits(json, value, 16, digits);
	put(json, '"');
}

void json_octal(struct json *json, const char *name, unsigned long value)
{
	put_name(json, name);
	put_text(json, "\"0");
	put_digits(json, value, 8, 0);
	put(json, '"');
}

static const struct {
	int number;
	const char *name;
} errors[] = {
	{EPERM, "-EPERM"},   {ENOENT, "-ENOENT"}, {ESRCH, "-ESRCH"},   {EINTR, "-EINTR"},     {EIO, "-EIO"},
	{ENXIO, "-ENXIO"},   {EBADF, "-EBADF"},   {EAGAIN, "-EAGAIN"}, {ENOMEM, "-ENOMEM"},   {EACCES, "-EACCES"},
	{EFAULT, "-EFAULT"}, {EBUSY, "-EBUSY"},   {EINVAL, "-EINVAL"}, {EMFILE, "-EMFILE"},   {ENOTTY, "-ENOTTY"},
	{ENOSYS, "-ENOSYS"}, {ENOKEY, "-ENOKEY"}, {EDQUOT, "-EDQUOT"}, {ENOTDIR, "-ENOTDIR"},
};

void json_errno(struct json *json, const char *name, long result)
{
	for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
		if (errors[i].number == -result) {
			json_text(json, name, errors[i].name);
			return;
		}
	json_number(json, name, result);
}

void json_result(struct json *json, const char *name, long result)
{
	if (result < 0)
		json_errno(json, name, result);
	else
		json_number(json, name, result);
}
