/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/link_reading.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "trace/netlink.h"

/* Interfaces of these kinds (IFLA_INFO_KIND) carry what others move, at their speed. Those of no kind are devices. */
static const char *const kinds_with_speed[] = { "bond", "team", "vlan", "macvlan" };

static bool kind_is(const struct rtattr *kind, const char *name)
{
	return strnlen(RTA_DATA(kind), RTA_PAYLOAD(kind)) == strlen(name) &&
	       memcmp(RTA_DATA(kind), name, strlen(name)) == 0;
}

/* IFLA_INFO_KIND; NULL: none */
static const struct rtattr *find_kind(const struct rtattr *info)
{
	if (!info)
		return NULL;
	int left = (int)RTA_PAYLOAD(info);

	for (const struct rtattr *attribute = RTA_DATA(info); RTA_OK(attribute, left);
	     attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == IFLA_INFO_KIND)
			return attribute;
	return NULL;
}

static void read_kind(struct link_reading *reading, const struct rtattr *const *attributes)
{
	const struct rtattr *kind = find_kind(attributes[IFLA_LINKINFO]);
	/* An end of a veth pair names the other end as if it were below. */
	bool is_veth = kind && kind_is(kind, "veth");

	if (!is_veth && !attributes[IFLA_LINK_NETNSID])
		reading->carries = netlink_u32(attributes[IFLA_LINK], 0);
	if (reading->carries == reading->ifindex)
		reading->carries = 0;
	reading->has_speed = !kind && reading->ifindex != LINK_LOOPBACK;
	for (size_t i = 0; kind && i < COUNT_OF(kinds_with_speed); i++)
		reading->has_speed |= kind_is(kind, kinds_with_speed[i]);
}

int link_reading_parse(struct link_reading *reading, const struct nlmsghdr *message)
{
	const struct rtattr *attributes[IFLA_MAX + 1];
	/* Kernels before 6.1 end it earlier, at rx_nohandler (4.6) or before that. */
	struct rtnl_link_stats64 stats = { 0 };

	memset(reading, 0, sizeof *reading);
	if (netlink_attributes(message, sizeof(struct ifinfomsg), attributes, IFLA_MAX) < 0 ||
	    !attributes[IFLA_IFNAME] || !attributes[IFLA_STATS64])
		return -EBADMSG;
	const struct ifinfomsg *info = NLMSG_DATA(message);
	const struct rtattr *name = attributes[IFLA_IFNAME], *counted = attributes[IFLA_STATS64];
	size_t size = RTA_PAYLOAD(counted);

	memcpy(&stats, RTA_DATA(counted), size < sizeof stats ? size : sizeof stats);
	reading->ifindex = (uint32_t)info->ifi_index;
	snprintf(reading->name, sizeof reading->name, "%.*s", (int)RTA_PAYLOAD(name),
	    (const char *)RTA_DATA(name));
	reading->up = info->ifi_flags & IFF_UP;
	reading->carrier_changes = netlink_u32(attributes[IFLA_CARRIER_CHANGES], 0);
	read_kind(reading, attributes);
	reading->counts[LINK_RX_BYTES] = stats.rx_bytes;
	reading->counts[LINK_TX_BYTES] = stats.tx_bytes;
	reading->counts[LINK_RX_PACKETS] = stats.rx_packets;
	reading->counts[LINK_TX_PACKETS] = stats.tx_packets;
	reading->counts[LINK_RX_DROPS] = stats.rx_dropped + stats.rx_missed_errors;
	reading->counts[LINK_TX_DROPS] = stats.tx_dropped;
	reading->counts[LINK_RX_ERRORS] = stats.rx_errors;
	reading->counts[LINK_TX_ERRORS] = stats.tx_errors;
	return 0;
}

/* A reset takes packets and bytes back together, which wrap at different times. */
static bool was_reset(const struct link_reading *before, const struct link_reading *now,
    enum link_count bytes, enum link_count packets)
{
	return now->counts[bytes] < before->counts[bytes] && now->counts[packets] < before->counts[packets];
}

void link_reading_difference(
    uint64_t counts[LINK_COUNTS], const struct link_reading *before, const struct link_reading *now)
{
	bool reset = was_reset(before, now, LINK_RX_BYTES, LINK_RX_PACKETS) ||
	             was_reset(before, now, LINK_TX_BYTES, LINK_TX_PACKETS);

	for (int i = 0; i < LINK_COUNTS; i++) {
		uint64_t was = before->counts[i], is = now->counts[i];

		if (reset)
			counts[i] = is;
		else if (is >= was)
			counts[i] = is - was;
		else
			/* A single counter that falls from elsewhere than the end of 32 bits was corrected. */
			counts[i] = was > INT32_MAX && was <= UINT32_MAX ? (uint32_t)(is - was) : 0;
	}
}
