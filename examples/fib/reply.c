/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c - parses the kernel's netlink replies. */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "fib.h"

/* A route's metric is its tag; a route that the kernel made itself has none. */
static uint32_t tag_of(const char *attributes, size_t size)
{
	struct rtattr attribute;
	uint32_t tag = 0;

	while (size >= sizeof attribute) {
		memcpy(&attribute, attributes, sizeof attribute);
		if (attribute.rta_len < sizeof attribute || attribute.rta_len > size)
			break;
		if (attribute.rta_type == RTA_PRIORITY && attribute.rta_len == RTA_LENGTH(sizeof tag))
			memcpy(&tag, attributes + RTA_LENGTH(0), sizeof tag);
		if (RTA_ALIGN(attribute.rta_len) >= size)
			break;
		attributes += RTA_ALIGN(attribute.rta_len);
		size -= RTA_ALIGN(attribute.rta_len);
	}
	return tag;
}

int fib_parse_reply(const void *message, size_t size, uint32_t sequence, uint32_t *tag)
{
	struct nlmsghdr header;
	struct nlmsgerr error;

	if (size < sizeof header)
		return -EPROTO;
	memcpy(&header, message, sizeof header);
	if (header.nlmsg_len > size || header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_seq != sequence)
		return -EPROTO;
	if (header.nlmsg_type == NLMSG_ERROR && header.nlmsg_len >= NLMSG_LENGTH(sizeof error)) {
		memcpy(&error, (const char *)message + NLMSG_HDRLEN, sizeof error);
		return error.error > 0 || error.error < -4095 ? -EPROTO : error.error;
	}
	if (header.nlmsg_type != RTM_NEWROUTE || header.nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg)))
		return -EPROTO;
	*tag = tag_of((const char *)message + NLMSG_LENGTH(sizeof(struct rtmsg)),
		      header.nlmsg_len - NLMSG_LENGTH(sizeof(struct rtmsg)));
	return 0;
}
