/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - writes one JSON object into a buffer, without libc. */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>

/* Members that do not fit are left out, and overflow is set: an incomplete report is not written. */
struct json {
	char *bytes;
	size_t size;
	size_t limit;
	int overflow;
};

void json_open(struct json *json, const char *name, char bracket); /* name is 0 for an element */
void json_close(struct json *json, char bracket);
void json_text(struct json *json, const char *name, const char *text);
void json_bytes(struct json *json, const char *name, const char *bytes, size_t size);
void json_number(struct json *json, const char *name, long value);
void json_unsigned(struct json *json, const char *name, unsigned long value);
void json_hex(struct json *json, const char *name, unsigned long value, unsigned digits);
void json_octal(struct json *json, const char *name, unsigned long value);
void json_errno(struct json *json, const char *name, long result); /* "-ENOENT" */

/* The number, or the name of an errno. */
void json_result(struct json *json, const char *name, long result);

#endif
