/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of paths that are not counted: nothing until one could matter on this host. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "fake_root.h"
#include "kernel/in_use.h"

#define PROTOCOLS "protocol  size sockets  memory press maxhdr\n"

static const char *const all[] = { "splice_tls", "splice_mptcp", "kernel_readers", "splice_io_uring" };

static void nothing_in_use_is_nothing_to_say(void **state)
{
	(void)state;
	assert_null(in_use_say(root, all, COUNT_OF(all)));
	add_file("/proc/net/protocols", PROTOCOLS "MPTCP     2104      0       0   no       0\n"
	                                          "TCP       2432     17       3   no     320\n");
	add_file("/sys/module/nvme/version", "1\n");
	assert_null(in_use_say(root, all, COUNT_OF(all)));
}

static void a_loaded_module_is_told(void **state)
{
	const char *io_uring = "splice_io_uring";

	(void)state;
	add_file("/sys/module/tls/refcnt", "0\n");
	assert_string_equal(
	    in_use_say(root, all, COUNT_OF(all)), "kernel TLS is loaded: splice() out of it is not counted");
	assert_null(in_use_say(root, &io_uring, 1));
	assert_null(in_use_say(root, all + 1, COUNT_OF(all) - 1));
	add_file("/sys/module/kcm/refcnt", "0\n");
	assert_string_equal(
	    in_use_say(root, all + 1, COUNT_OF(all) - 1), "KCM is loaded: what it receives is not counted");
}

static void sockets_of_a_protocol_are_told(void **state)
{
	(void)state;
	add_file("/proc/net/protocols", PROTOCOLS "MPTCPv6   2104      5       0   no       0\n"
	                                          "MPTCP     2104      2       0   no       0\n");
	assert_string_equal(
	    in_use_say(root, all, COUNT_OF(all)), "MPTCP is in use: splice() out of it is not counted");
}

#define ROOT_TEST(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOT_TEST(nothing_in_use_is_nothing_to_say),
		ROOT_TEST(a_loaded_module_is_told),
		ROOT_TEST(sockets_of_a_protocol_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
