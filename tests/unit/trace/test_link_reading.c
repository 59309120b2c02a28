/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the kernel, made by hand: what they say of an interface, its counters, addresses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "model/snapshot.h"
#include "trace/addresses.h"
#include "trace/link_reading.h"
#include "trace/netlink.h"

struct message {
	_Alignas(struct nlmsghdr) char bytes[2048];
};

static struct nlmsghdr *begin(struct message *message, uint16_t type, const void *header, size_t size)
{
	struct nlmsghdr *nlmsg = (struct nlmsghdr *)message->bytes;

	memset(message, 0, sizeof *message);
	nlmsg->nlmsg_type = type;
	nlmsg->nlmsg_len = (uint32_t)NLMSG_LENGTH(NLMSG_ALIGN(size));
	memcpy(NLMSG_DATA(nlmsg), header, size);
	return nlmsg;
}

static struct rtattr *add(struct nlmsghdr *nlmsg, uint16_t type, const void *value, size_t size)
{
	struct rtattr *attribute = (struct rtattr *)((char *)nlmsg + nlmsg->nlmsg_len);

	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), value, size);
	nlmsg->nlmsg_len += (uint32_t)RTA_ALIGN(attribute->rta_len);
	return attribute;
}

static struct nlmsghdr *begin_link(struct message *message, int index, const char *name, uint64_t rx_bytes)
{
	const struct ifinfomsg info = { .ifi_index = index, .ifi_flags = IFF_UP };
	struct rtnl_link_stats64 stats = { .rx_bytes = rx_bytes, .rx_dropped = 3, .rx_missed_errors = 4 };
	struct nlmsghdr *nlmsg = begin(message, RTM_NEWLINK, &info, sizeof info);

	add(nlmsg, IFLA_IFNAME, name, strlen(name) + 1);
	add(nlmsg, IFLA_STATS64, &stats, sizeof stats);
	return nlmsg;
}

static void add_kind(struct nlmsghdr *nlmsg, const char *kind)
{
	struct message inner;
	struct nlmsghdr *list = begin(&inner, 0, "", 0);
	struct rtattr *attribute = add(list, IFLA_INFO_KIND, kind, strlen(kind) + 1);

	add(nlmsg, IFLA_LINKINFO, attribute, RTA_ALIGN(attribute->rta_len));
}

static void add_u32(struct nlmsghdr *nlmsg, uint16_t type, uint32_t value)
{
	add(nlmsg, type, &value, sizeof value);
}

static void test_parse(void **state)
{
	struct link_reading reading;
	struct message message;
	struct nlmsghdr *nlmsg = begin_link(&message, 7, "eth0", UINT64_C(5000000000));

	(void)state;
	add_u32(nlmsg, IFLA_CARRIER_CHANGES, 5);
	assert_int_equal(link_reading_parse(&reading, nlmsg), 0);
	assert_int_equal(reading.ifindex, 7);
	assert_string_equal(reading.name, "eth0");
	assert_true(reading.up);
	assert_true(reading.has_speed);
	assert_int_equal(reading.carries, 0);
	assert_int_equal(reading.carrier_changes, 5);
	assert_int_equal(reading.counts[LINK_RX_BYTES], UINT64_C(5000000000));
	assert_int_equal(reading.counts[LINK_RX_DROPS], 7);
}

/* Which speeds mean something, and who carries whom. */
static void test_kinds(void **state)
{
	static const struct {
		const char *kind; /* NULL: a device */
		int index;
		bool other_namespace, has_speed;
		uint32_t carries;
	} cases[] = {
		{ NULL, 2, false, true, 9 },
		{ NULL, LINK_LOOPBACK, false, false, 9 },
		{ "veth", 2, false, false, 0 },
		{ "vlan", 2, false, true, 9 },
		{ "bond", 2, false, true, 9 },
		{ "vlan", 2, true, true, 0 },
		{ "tun", 2, false, false, 9 },
		{ "vlanx", 2, false, false, 9 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct link_reading reading;
		struct message message;
		struct nlmsghdr *nlmsg = begin_link(&message, cases[i].index, "a", 1);

		add_u32(nlmsg, IFLA_LINK, 9);
		if (cases[i].other_namespace)
			add_u32(nlmsg, IFLA_LINK_NETNSID, 0);
		if (cases[i].kind)
			add_kind(nlmsg, cases[i].kind);
		assert_int_equal(link_reading_parse(&reading, nlmsg), 0);
		assert_int_equal(reading.has_speed, cases[i].has_speed);
		assert_int_equal(reading.carries, cases[i].carries);
	}
}

/* Cut at every byte, a message is refused or read, and nothing beyond it is. */
static void test_cut(void **state)
{
	struct link_reading reading;
	struct message message;
	struct nlmsghdr *nlmsg = begin_link(&message, 7, "eth0", 1);
	uint32_t whole = nlmsg->nlmsg_len;
	int refused = 0;

	(void)state;
	for (uint32_t length = NLMSG_HDRLEN; length < whole; length++) {
		nlmsg->nlmsg_len = length;
		refused += link_reading_parse(&reading, nlmsg) == -EBADMSG;
	}
	assert_int_equal(refused, whole - NLMSG_HDRLEN);
	nlmsg->nlmsg_len = whole;
	assert_int_equal(link_reading_parse(&reading, nlmsg), 0);
}

static void test_difference(void **state)
{
	static const struct {
		uint64_t bytes_before, bytes_now, packets_before, packets_now, expected;
	} cases[] = {
		{ 1000, 1500, 10, 15, 500 },
		{ 1000, 1000, 10, 10, 0 },
		{ UINT32_MAX - 99, 400, 10, 15, 500 }, /* 32 bits wrapped */
		{ UINT64_C(1) << 32, UINT64_C(1) << 33, 1, 2, UINT64_C(1) << 32 },
		{ 4000000000, 700, 3000000, 7, 700 }, /* reset: packets fell, too */
		{ UINT64_C(9000000000), 700, 3000000, 7, 700 },
		{ UINT64_C(9000000000), 8999999999, 10, 11, 0 }, /* corrected */
		{ 5, 3, 10, 11, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct link_reading before = { 0 }, now = { 0 };
		uint64_t counts[LINK_COUNTS];

		before.counts[LINK_TX_BYTES] = cases[i].bytes_before;
		now.counts[LINK_TX_BYTES] = cases[i].bytes_now;
		before.counts[LINK_TX_PACKETS] = cases[i].packets_before;
		now.counts[LINK_TX_PACKETS] = cases[i].packets_now;
		link_reading_difference(counts, &before, &now);
		assert_int_equal(counts[LINK_TX_BYTES], cases[i].expected);
		assert_int_equal(counts[LINK_RX_BYTES], 0);
	}
}

/* ---- addresses ---- */

static void add_address(struct addresses *addresses, uint32_t ifindex, uint8_t family, const uint8_t *address)
{
	const struct ifaddrmsg info = { .ifa_family = family == 4 ? AF_INET : AF_INET6,
		.ifa_index = ifindex };
	static const uint8_t other_end[16] = { 203, 0, 113, 9 };
	struct message message;
	struct nlmsghdr *nlmsg = begin(&message, RTM_NEWADDR, &info, sizeof info);

	add(nlmsg, IFA_ADDRESS, family == 4 ? other_end : address, family == 4 ? 4 : 16);
	if (family == 4)
		add(nlmsg, IFA_LOCAL, address, 4);
	assert_int_equal(addresses_add(addresses, nlmsg), 0);
}

static void test_addresses(void **state)
{
	static const uint8_t eth0[16] = { 192, 0, 2, 1 }, eth1[16] = { 198, 51, 100, 1 },
	                     both[16] = { 10, 0, 0, 1 }, home[16] = { 127, 0, 0, 1 },
	                     far[16] = { 203, 0, 113, 1 }, local6[16] = { 0xfe, 0x80, [15] = 1 },
	                     far6[16] = { 0xfe, 0x80, [15] = 2 };
	const struct {
		uint8_t family;
		const uint8_t *local, *remote;
		uint32_t ifindex, expected;
	} cases[] = {
		{ 4, eth0, far, 0, 2 },
		{ 4, eth1, far, 0, 3 },
		{ 4, eth0, eth1, 0, LINK_LOOPBACK }, /* both here */
		{ 4, home, home, 0, LINK_LOOPBACK },
		{ 4, both, far, 0, 0 },
		{ 4, far, far6, 0, 0 },
		{ 6, local6, far6, 3, 3 },
		{ 6, local6, local6, 3, LINK_LOOPBACK },
	};
	struct addresses addresses;

	(void)state;
	addresses_init(&addresses);
	add_address(&addresses, 3, 4, both);
	add_address(&addresses, 2, 4, eth0);
	add_address(&addresses, 2, 4, both);
	add_address(&addresses, 3, 6, local6);
	add_address(&addresses, 3, 4, eth1);
	addresses_sort(&addresses);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct session session = { .family = cases[i].family, .ifindex = cases[i].ifindex };

		memcpy(session.laddr, cases[i].local, 16);
		memcpy(session.raddr, cases[i].remote, 16);
		assert_int_equal(addresses_link(&addresses, &session), cases[i].expected);
	}
	assert_true(addresses_has(&addresses, 2));
	assert_false(addresses_has(&addresses, 4));
	addresses_fini(&addresses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_difference),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
