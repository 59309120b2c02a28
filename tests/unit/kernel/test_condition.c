/* SPDX-License-Identifier: Apache-2.0 */
/* What values of filters are, and which are none. The program text that they make: test_program.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "kernel/condition_kinds.h"

static int add(struct conditions *conditions, const char *option, const char *value, struct error *error)
{
	const struct condition_kind *kind = condition_kind_find(option);

	assert_non_null(kind);
	return conditions_add(conditions, kind, value, error);
}

/* The one condition of a value. */
static struct condition read_one(const char *option, const char *value)
{
	struct conditions conditions = { 0 };
	struct error error;

	if (add(&conditions, option, value, &error) != 0)
		fail_msg("--%s '%s': %s", option, value, error.text);
	assert_int_equal(conditions.count, 1);
	struct condition condition = conditions.items[0];

	conditions_fini(&conditions);
	return condition;
}

static void wrong_values_are_refused(void **state)
{
	static const struct {
		const char *option, *value;
	} wrong[] = {
		{ "port", "" },
		{ "port", "0" },
		{ "port", "65536" },
		{ "port", "80-" },
		{ "port", "-80" },
		{ "port", "90-80" },
		{ "port", "80,,81" },
		{ "port", " 80" },
		{ "port", "0x50" },
		{ "port", "00000000000000000080" },
		{ "lport", "!" },
		{ "rport", "https" },
		{ "uid", "" },
		{ "uid", "-1" },
		{ "uid", "4294967295" },
		{ "uid", "no such user" },
		{ "uid", "0,no such" },
		{ "comm", "" },
		{ "comm", "!" },
		{ "host", "" },
		{ "host", "10.0.0" },
		{ "host", "10.0.0.1/33" },
		{ "host", "10.0.0.1/" },
		{ "host", "::1/129" },
		{ "host", "fe80::1%no such link" },
		{ "host", "fe80::1%" },
		{ "host", "fe80::1%0" },
		{ "host", "fe80::1%1/64" },
		{ "host", "fe80::/10%1" },
		{ "host", "::1%1" },
		{ "host", "10.0.0.1%1" },
		{ "host", "::g" },
		{ "netns", "" },
		{ "netns", "0" },
		{ "netns", "no such name" },
		{ "netns", "/dev/null" },
		{ "netns", "/proc/self/ns/mnt" },
		{ "mntns", "/proc/self/ns/net" },
		{ "mntns", "name" },
		{ "netns", "99999999999999999999" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct conditions conditions = { 0 };
		struct error error = { 0 };

		if (add(&conditions, wrong[i].option, wrong[i].value, &error) == 0)
			fail_msg("--%s '%s' is taken", wrong[i].option, wrong[i].value);
		assert_int_equal(error.exit_code, EXIT_CODE_USAGE);
		assert_non_null(strstr(error.text, wrong[i].option));
		conditions_fini(&conditions);
	}
}

/* What a name holds cannot write to the terminal that shows the error. */
static void hostile_values_are_escaped(void **state)
{
	struct conditions conditions = { 0 };
	struct error error = { 0 };

	(void)state;
	assert_int_not_equal(add(&conditions, "uid", "\033[2Jx\n", &error), 0);
	assert_null(strchr(error.text, '\033'));
	assert_null(strchr(error.text, '\n'));
	conditions_fini(&conditions);
}

static void ports_are_ranges(void **state)
{
	struct condition one = read_one("port", "65535"), many = read_one("lport", "!1-65535");

	(void)state;
	assert_int_equal(one.ports.first, 65535);
	assert_int_equal(one.ports.last, 65535);
	assert_false(one.excludes);
	assert_int_equal(many.ports.first, 1);
	assert_int_equal(many.ports.last, 65535);
	assert_true(many.excludes);
}

/* A list where values have no commas themselves; each has its own "!". */
static void values_of_a_list_are_added(void **state)
{
	struct conditions conditions = { 0 };
	struct error error;

	(void)state;
	assert_int_equal(add(&conditions, "uid", "0,!7,root", &error), 0);
	assert_int_equal(conditions.count, 3);
	assert_int_equal(conditions.items[1].number, 7);
	assert_int_equal(conditions.items[2].number, 0);
	assert_false(conditions.items[0].excludes || conditions.items[2].excludes);
	assert_true(conditions.items[1].excludes);
	assert_int_equal(add(&conditions, "comm", "a,b", &error), 0);
	assert_int_equal(conditions.count, 4);
	assert_string_equal(conditions.items[3].comm, "a,b");
	conditions_fini(&conditions);
}

/* The kernel keeps 15 bytes. */
static void long_names_are_cut(void **state)
{
	(void)state;
	assert_string_equal(read_one("comm", "systemd-resolved-x").comm, "systemd-resolve");
	assert_string_equal(read_one("comm", "!!x").comm, "!x");
}

static void expect_network(const char *value, int family, const char *address, const char *mask)
{
	struct condition condition = read_one("host", value);
	char text[INET6_ADDRSTRLEN];

	assert_int_equal(condition.network.family, family);
	assert_string_equal(inet_ntop(family, condition.network.address, text, sizeof text), address);
	assert_string_equal(inet_ntop(family, condition.network.mask, text, sizeof text), mask);
}

static void networks_lose_what_is_not_in_the_prefix(void **state)
{
	(void)state;
	expect_network("10.1.2.3", AF_INET, "10.1.2.3", "255.255.255.255");
	expect_network("10.1.2.3/8", AF_INET, "10.0.0.0", "255.0.0.0");
	expect_network("10.1.2.255/25", AF_INET, "10.1.2.128", "255.255.255.128");
	expect_network("10.1.2.3/0", AF_INET, "0.0.0.0", "0.0.0.0");
	expect_network("fd00:1::1/8", AF_INET6, "fd00::", "ff00::");
	expect_network("::1", AF_INET6, "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	expect_network("2001:db8:ffff::/33", AF_INET6, "2001:db8:8000::", "ffff:ffff:8000::");
	/* IPv4 in IPv6's form */
	expect_network("::ffff:10.1.2.3", AF_INET, "10.1.2.3", "255.255.255.255");
	expect_network("::ffff:10.1.2.3/104", AF_INET, "10.0.0.0", "255.0.0.0");
	expect_network("::/0", AF_INET6, "::", "::");
}

static void link_local_addresses_are_on_a_link(void **state)
{
	char loopback[IF_NAMESIZE + 16];
	char name[IF_NAMESIZE];

	(void)state;
	expect_network("fe80::1%7", AF_INET6, "fe80::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_int_equal(read_one("host", "!fe80::1%7").network.ifindex, 7);
	assert_int_equal(read_one("host", "fe80::1").network.ifindex, 0);
	if (!if_indextoname(1, name))
		return;
	snprintf(loopback, sizeof loopback, "fe80::1%%%s", name);
	assert_int_equal(read_one("host", loopback).network.ifindex, 1);
}

static void namespaces_are_inodes(void **state)
{
	struct stat net, mnt;
	char pid[16];

	(void)state;
	assert_int_equal(stat("/proc/self/ns/net", &net), 0);
	assert_int_equal(stat("/proc/self/ns/mnt", &mnt), 0);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	assert_int_equal(read_one("netns", pid).number, net.st_ino);
	assert_int_equal(read_one("netns", "/proc/self/ns/net").number, net.st_ino);
	assert_int_equal(read_one("mntns", pid).number, mnt.st_ino);
	assert_int_equal(read_one("mntns", "!/proc/self/ns/mnt").number, mnt.st_ino);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_values_are_refused),
		cmocka_unit_test(hostile_values_are_escaped),
		cmocka_unit_test(ports_are_ranges),
		cmocka_unit_test(values_of_a_list_are_added),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(networks_lose_what_is_not_in_the_prefix),
		cmocka_unit_test(link_local_addresses_are_on_a_link),
		cmocka_unit_test(namespaces_are_inodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
