/* SPDX-License-Identifier: Apache-2.0 */
/* Which modules can be there, and which ways past the socket interface a kernel can therefore have. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/util.h"
#include "fake_root.h"
#include "kernel/kernel.h"
#include "kernel/modules.h"
#include "recorded_kernels.h"

#define RELEASE "6.1.0-50-amd64"
#define DEPENDENCIES "/lib/modules/" RELEASE "/modules.dep"

enum { KCM = 1 << 0, NVME_TCP = 1 << 2 };

static unsigned possible(void)
{
	static const char *const names[] = { "kcm", NULL, "nvme_tcp" };

	return modules_possible(root, RELEASE, names, COUNT_OF(names));
}

/* A kernel that can load no modules has those that are built in. */
static void test_no_modules(void **state)
{
	(void)state;
	add_file(DEPENDENCIES, "kernel/drivers/nvme/host/nvme-tcp.ko:\n");
	assert_int_equal(possible(), 0);
	add_file("/sys/module/nvme_tcp/parameters/so_priority", "0\n");
	assert_int_equal(possible(), NVME_TCP);
	add_file("/sys/module/kcm/uevent", "");
	assert_int_equal(possible(), NVME_TCP | KCM);
}

static void test_installed_modules(void **state)
{
	static const struct {
		const char *dependencies;
		unsigned possible;
	} cases[] = {
		{ "", 0 },
		{ "kernel/drivers/nvme/host/nvme-tcp.ko: kernel/drivers/nvme/host/nvme-core.ko\n", NVME_TCP },
		{ "kernel/drivers/nvme/host/nvme_tcp.ko.xz: kernel/x.ko\n", NVME_TCP },
		{ "kernel/net/kcm/kcm.ko.zst:", KCM },
		{ "kcm.ko:\n", KCM },
		{ "kernel/fs/ext4/ext4.ko:\nkernel/net/kcm/kcm.ko:\nnvme-tcp.ko:\n", KCM | NVME_TCP },
		/* a module that needs it, others whose names are alike, no names */
		{ "kernel/drivers/nvme/host/other.ko: kernel/drivers/nvme/host/nvme-tcp.ko\n", 0 },
		{ "kernel/drivers/nvme/target/nvmet-tcp.ko:\nkernel/net/kcm2.ko:\nkernel/net/akcm.ko:\n", 0 },
		{ "\n:\n/\n/:\nkcm", 0 },
	};

	(void)state;
	add_file("/proc/modules", "");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		add_file(DEPENDENCIES, cases[i].dependencies);
		if (possible() != cases[i].possible)
			fail_msg("case %zu", i);
	}
	add_file("/sys/module/nvme_tcp/uevent", "");
	assert_int_equal(possible(), NVME_TCP);
}

/* In a container the host's modules are not to be seen: any may be loaded. */
static void test_unknown_modules(void **state)
{
	(void)state;
	add_file("/proc/modules", "");
	assert_int_equal(possible(), KCM | NVME_TCP);
}

static unsigned ways_of(const char *release)
{
	const struct kernel_sources sources = { root, release };
	struct error error = { 0 };
	struct kernel kernel;

	assert_int_equal(kernel_inspect(&kernel, &sources, &error), 0);
	return kernel.ways;
}

#define BOTH (WAY_READERS | WAY_SENDERS)
#define ALWAYS (BOTH | WAY_LINKS_MPTCP)

/* Without BTF nothing but the version is known. */
static void test_ways_of_versions(void **state)
{
	(void)state;
	assert_int_equal(ways_of("5.10.0"), ALWAYS);
	assert_int_equal(ways_of("6.14.255"), ALWAYS);
	assert_int_equal(ways_of("6.15.0"), ALWAYS | WAY_RECEIVE_IO_URING);
	assert_int_equal(ways_of("7.0.0"), ALWAYS | WAY_RECEIVE_IO_URING | WAY_SPLICE_MPTCP);
}

/* BTF does not know modules. */
static void test_ways_of_modules(void **state)
{
	char target[512];

	(void)state;
	snprintf(target, sizeof target, "%s/btf-6.1/sys/kernel/btf", TCPTOP_DATA_DIR);
	add_link("/sys/kernel/btf", target);
	assert_int_equal(ways_of(RELEASE), 0);
	add_file("/proc/modules", "");
	assert_int_equal(ways_of(RELEASE), BOTH);
	add_file(DEPENDENCIES, "kernel/net/kcm/kcm.ko.zst:");
	assert_int_equal(ways_of(RELEASE), WAY_READERS);
	add_file(DEPENDENCIES, "kernel/drivers/net/ovpn/ovpn.ko:\n"); /* of 6.16: another one of that name */
	assert_int_equal(ways_of(RELEASE), 0);
	add_file("/lib/modules/6.16.0/modules.dep", "kernel/drivers/net/ovpn/ovpn.ko:\n");
	assert_int_equal(ways_of("6.16.0"), BOTH);
}

static void test_ways_of_recorded_kernels(void **state)
{
	struct kernel newer = kernel_6_18(), older = kernel_6_1();

	(void)state;
	assert_int_equal(newer.ways, WAY_RECEIVE_IO_URING);
	assert_int_equal(older.ways, 0);
}

#define test_with_root(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_root(test_no_modules),
		test_with_root(test_installed_modules),
		test_with_root(test_unknown_modules),
		test_with_root(test_ways_of_versions),
		test_with_root(test_ways_of_modules),
		cmocka_unit_test(test_ways_of_recorded_kernels),
	};

	return cmocka_run_group_tests_name("modules", tests, NULL, NULL);
}
