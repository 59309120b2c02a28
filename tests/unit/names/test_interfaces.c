/* SPDX-License-Identifier: Apache-2.0 */
/* In a network namespace of the test's own, where only loopback is: what it is called can be changed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names/interfaces.h"

static uint32_t own_netns(void)
{
	struct stat status;

	assert_int_equal(stat("/proc/self/ns/net", &status), 0);
	return (uint32_t)status.st_ino;
}

static void rename_interface(const char *from, const char *to)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", from);
	snprintf(request.ifr_newname, sizeof request.ifr_newname, "%s", to);
	assert_int_equal(ioctl(fd, SIOCSIFNAME, &request), 0);
	close(fd);
}

static void names_are_those_of_this_namespace(void **state)
{
	struct interfaces *interfaces = interfaces_open();
	uint32_t netns = own_netns(), ifindex = if_nametoindex("lo");

	(void)state;
	assert_non_null(interfaces);
	assert_string_equal(interfaces_name(interfaces, netns, ifindex), "lo");
	assert_null(interfaces_name(interfaces, netns + 1, ifindex));
	assert_null(interfaces_name(interfaces, 0, ifindex));
	assert_null(interfaces_name(interfaces, netns, 0));
	assert_null(interfaces_name(interfaces, netns, UINT32_MAX));
	interfaces_close(interfaces);
	interfaces_close(NULL);
}

/* Index 257 falls to the same entry as 1: it must neither get that one's name nor leave its own. */
static void an_index_without_an_interface_has_no_name(void **state)
{
	struct interfaces *interfaces = interfaces_open();
	uint32_t netns = own_netns();

	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_string_equal(interfaces_name(interfaces, netns, 1), "lo");
		assert_null(interfaces_name(interfaces, netns, 257));
		interfaces_refresh(interfaces);
	}
	interfaces_close(interfaces);
}

static void a_new_name_is_seen_after_a_refresh(void **state)
{
	struct interfaces *interfaces = interfaces_open();
	uint32_t netns = own_netns();

	(void)state;
	assert_string_equal(interfaces_name(interfaces, netns, 1), "lo");
	rename_interface("lo", "fifteen-bytes-\xff");
	assert_string_equal(interfaces_name(interfaces, netns, 1), "lo");
	interfaces_refresh(interfaces);
	assert_string_equal(interfaces_name(interfaces, netns, 1), "fifteen-bytes-\xff");
	rename_interface("fifteen-bytes-\xff", "lo");
	interfaces_close(interfaces);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_this_namespace),
		cmocka_unit_test(an_index_without_an_interface_has_no_name),
		cmocka_unit_test(a_new_name_is_seen_after_a_refresh),
	};

	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
		perror("skipped: no network namespace can be made");
		return 77;
	}
	return cmocka_run_group_tests_name("interfaces", tests, NULL, NULL);
}
