/* SPDX-License-Identifier: Apache-2.0 */
/* netlink.c - the routing table of this process's network namespace, which has no other process. */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fib.h"

#define LOOPBACK 1 /* the index of lo in every new network namespace */

static int netlink = -1;
static uint32_t sequence;

struct request {
	struct nlmsghdr header;
	union {
		struct rtmsg route;
		struct ifinfomsg link;
	};
	char attributes[64];
};

static void add_attribute(struct request *request, unsigned short type, uint32_t value)
{
	const struct rtattr attribute = {.rta_len = RTA_LENGTH(sizeof value), .rta_type = type};
	char *end = (char *)request + NLMSG_ALIGN(request->header.nlmsg_len);

	memcpy(end, &attribute, sizeof attribute);
	memcpy(end + RTA_LENGTH(0), &value, sizeof value);
	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_SPACE(sizeof value);
}

/* Sends one request and receives its reply: an acknowledgment, an error, or the requested route. */
static int ask(struct request *request, uint32_t *tag)
{
	char reply[4096];
	ssize_t size;
	int result;

	request->header.nlmsg_seq = ++sequence;
	if (send(netlink, request, request->header.nlmsg_len, 0) < 0)
		return -errno;
	do {
		size = recv(netlink, reply, sizeof reply, 0);
		result = size < 0 ? -errno : fib_parse_reply(reply, (size_t)size, sequence, tag);
	} while (result == -EINTR || (size > 0 && result == -EPROTO)); /* not a reply to this request */
	return result;
}

static struct request route_request(unsigned short type, unsigned short flags, const struct fib_route *route)
{
	struct request request = {
		.header =
			{
				.nlmsg_len = NLMSG_LENGTH(sizeof request.route),
				.nlmsg_type = type,
				.nlmsg_flags = NLM_F_REQUEST | flags,
			},
		.route =
			{
				.rtm_family = AF_INET,
				.rtm_dst_len = route->length,
				.rtm_table = RT_TABLE_MAIN,
				.rtm_protocol = RTPROT_STATIC,
				.rtm_scope = RT_SCOPE_LINK,
				.rtm_type = RTN_UNICAST,
			},
	};

	if (route->length > 0)
		add_attribute(&request, RTA_DST, htonl(route->prefix));
	add_attribute(&request, RTA_OIF, LOOPBACK);
	add_attribute(&request, RTA_PRIORITY, route->tag);
	return request;
}

int fib_open(void)
{
	struct request up = {
		.header =
			{
				.nlmsg_len = NLMSG_LENGTH(sizeof up.link),
				.nlmsg_type = RTM_NEWLINK,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
			},
		.link = {.ifi_index = LOOPBACK, .ifi_flags = IFF_UP, .ifi_change = IFF_UP},
	};
	uint32_t none;

	netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	return netlink < 0 ? -errno : ask(&up, &none);
}

int fib_add(const struct fib_route *route)
{
	struct request request = route_request(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, route);
	uint32_t none;

	return ask(&request, &none);
}

int fib_remove(const struct fib_route *route)
{
	struct request request = route_request(RTM_DELROUTE, NLM_F_ACK, route);
	uint32_t none;

	return ask(&request, &none);
}

int fib_lookup(uint32_t address, uint32_t *tag)
{
	struct request request = {
		.header =
			{
				.nlmsg_len = NLMSG_LENGTH(sizeof request.route),
				.nlmsg_type = RTM_GETROUTE,
				.nlmsg_flags = NLM_F_REQUEST,
			},
		.route = {.rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_flags = RTM_F_FIB_MATCH},
	};
	int result;

	add_attribute(&request, RTA_DST, htonl(address));
	result = ask(&request, tag);
	return result == -ENETUNREACH || result == -EHOSTUNREACH ? 0 : result;
}
