/* SPDX-License-Identifier: Apache-2.0 */
/* What is found out beside BTF: headers, the PMU of kprobes, preemption and the release. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/error.h"
#include "fake_root.h"
#include "kernel/kernel.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define RELEASE "6.1.0-50-amd64"
#define MODULES "/lib/modules/" RELEASE

static void inspect(struct kernel *kernel, const char *release)
{
	const struct kernel_sources sources = { root, release };
	struct error error = { 0 };

	if (kernel_inspect(kernel, &sources, &error) != 0)
		fail_msg("%s", error.text);
}

static void test_no_headers(void **state)
{
	struct kernel kernel;

	(void)state;
	inspect(&kernel, RELEASE);
	assert_int_equal(kernel.headers, HEADERS_NONE);
	/* modules alone, or a link that leads nowhere, are no headers; nor are another kernel's */
	add_link(MODULES "/build", "/nonexistent");
	add_file("/lib/modules/6.1.0-49-amd64/build/include/linux/kconfig.h", "");
	inspect(&kernel, RELEASE);
	assert_int_equal(kernel.headers, HEADERS_NONE);
}

static void test_plain_headers(void **state)
{
	struct kernel kernel;

	(void)state;
	add_file("/usr/src/linux/include/linux/kconfig.h", "");
	add_link(MODULES "/build", "../../../usr/src/linux");
	inspect(&kernel, RELEASE);
	assert_int_equal(kernel.headers, HEADERS_INSTALLED);
}

/* As linux-headers-*-amd64 and -common are unpacked: build has the configuration, source the rest. */
static void test_split_headers(void **state)
{
	struct kernel kernel;

	(void)state;
	add_file("/usr/src/linux-headers-" RELEASE "/include/generated/autoconf.h", "");
	add_file("/usr/src/linux-headers-6.1.0-50-common/include/linux/kconfig.h", "");
	add_link(MODULES "/build", "../../../usr/src/linux-headers-" RELEASE);
	inspect(&kernel, RELEASE);
	assert_int_equal(kernel.headers, HEADERS_NONE);
	add_link(MODULES "/source", "../../../usr/src/linux-headers-6.1.0-50-common");
	inspect(&kernel, RELEASE);
	assert_int_equal(kernel.headers, HEADERS_INSTALLED);
}

/* libbcc does not look at "source" alone: it would go on to where anybody can put headers. */
static void test_headers_without_build(void **state)
{
	struct kernel kernel;

	(void)state;
	add_file("/usr/src/linux/include/linux/kconfig.h", "");
	add_link(MODULES "/source", "../../../usr/src/linux");
	inspect(&kernel, RELEASE);
	assert_int_equal(kernel.headers, HEADERS_NONE);
	/* where both are there it takes "source", whatever "build" has */
	add_link(MODULES "/build", "../../../usr/src/linux");
	inspect(&kernel, RELEASE);
	assert_int_equal(kernel.headers, HEADERS_INSTALLED);
}

#define KPROBE_PMU "/sys/bus/event_source/devices/kprobe"

static void test_kprobes(void **state)
{
	struct kernel kernel;

	(void)state;
	inspect(&kernel, RELEASE);
	assert_int_equal(kernel.kprobe_pmu_type, -1);
	add_file(KPROBE_PMU "/type", "no number\n");
	inspect(&kernel, RELEASE);
	assert_int_equal(kernel.kprobe_pmu_type, -1);
	add_file(KPROBE_PMU "/type", "6\n");
	add_file(KPROBE_PMU "/format/retprobe", "config:0\n");
	inspect(&kernel, RELEASE);
	assert_int_equal(kernel.kprobe_pmu_type, 6);
	assert_int_equal(kernel.kretprobe_bit, 0);
	add_file(KPROBE_PMU "/format/retprobe", "config:3\n");
	inspect(&kernel, RELEASE);
	assert_int_equal(kernel.kretprobe_bit, 3);
}

static void test_kretprobes_that_collide(void **state)
{
	struct kernel kernel;

	(void)state;
	inspect(&kernel, "5.10.0");
	assert_true(kernel.kretprobes_collide);
	inspect(&kernel, "6.0.255");
	assert_true(kernel.kretprobes_collide);
	inspect(&kernel, "6.1.0");
	assert_false(kernel.kretprobes_collide);
}

static void test_preemption(void **state)
{
	static const struct {
		const char *text;
		bool preemptible;
	} modes[] = {
		{ "none voluntary (full) \n", true },
		{ "none (voluntary) full \n", false },
		{ "(none) voluntary full \n", false },
		{ "full (lazy) \n", true }, /* 6.13 */
		{ "none voluntary full (lazy) \n", true },
		{ "(full) lazy \n", true },
		{ "", false },
	};
	struct utsname names;
	struct kernel kernel;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		add_file("/sys/kernel/debug/sched/preempt", modes[i].text);
		inspect(&kernel, RELEASE);
		if (kernel.preemptible != modes[i].preemptible)
			fail_msg("mode '%s'", modes[i].text);
	}
	assert_int_equal(unlink(below_root("/sys/kernel/debug/sched/preempt")), 0);
	inspect(&kernel, RELEASE);
	uname(&names);
	assert_int_equal(kernel.preemptible, strstr(names.version, "PREEMPT") != NULL);
}

static void test_releases(void **state)
{
	static const struct {
		const char *release;
		uint32_t version;
	} releases[] = {
		{ "6.1.0-50-amd64", KERNEL_VERSION_CODE(6, 1, 0) },
		{ "6.18.44-fc-v595", KERNEL_VERSION_CODE(6, 18, 44) },
		{ "5.10", KERNEL_VERSION_CODE(5, 10, 0) },
		{ "6.7-rc3", KERNEL_VERSION_CODE(6, 7, 0) },
		{ "5.10.0", KERNEL_VERSION_CODE(5, 10, 0) },
		{ "5.10.325+", (5 << 16) + (10 << 8) + 255 }, /* as the kernel's own macro since 5.12 */
		{ "10.0.1", KERNEL_VERSION_CODE(10, 0, 1) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(releases); i++) {
		struct kernel kernel;

		inspect(&kernel, releases[i].release);
		assert_string_equal(kernel.release, releases[i].release);
		if (kernel.version != releases[i].version)
			fail_msg("%s was taken for %#x", releases[i].release, kernel.version);
	}
	assert_int_equal(KERNEL_VERSION_CODE(6, 1, 0), 0x060100);
}

static void test_old_releases(void **state)
{
	static const char *const releases[] = { "5.9.16", "5.4.0-200-generic", "4.19.325+", "5.9.255",
		"2.6.32" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(releases); i++) {
		const struct kernel_sources sources = { root, releases[i] };
		struct error error = { 0 };
		struct kernel kernel;
		char expected[128];

		snprintf(
		    expected, sizeof expected, "tcptop needs Linux 5.10 or later; this is %s", releases[i]);
		assert_int_equal(kernel_inspect(&kernel, &sources, &error), -ENOTSUP);
		assert_int_equal(error.exit_code, EXIT_CODE_UNSUPPORTED);
		assert_string_equal(error.text, expected);
	}
}

static void test_garbage_releases(void **state)
{
	static const char *const releases[] = { "", "garbage", "6", "6.", ".1", "six.one", "6-1" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(releases); i++) {
		const struct kernel_sources sources = { root, releases[i] };
		struct error error = { 0 };
		struct kernel kernel;

		if (kernel_inspect(&kernel, &sources, &error) != -EINVAL)
			fail_msg("'%s' was taken for a release", releases[i]);
		assert_int_equal(error.exit_code, EXIT_CODE_UNSUPPORTED);
		assert_non_null(strstr(error.text, "version of kernel"));
	}
}

#define test_with_root(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_root(test_no_headers),
		test_with_root(test_plain_headers),
		test_with_root(test_split_headers),
		test_with_root(test_headers_without_build),
		test_with_root(test_kprobes),
		test_with_root(test_kretprobes_that_collide),
		test_with_root(test_preemption),
		test_with_root(test_releases),
		test_with_root(test_old_releases),
		test_with_root(test_garbage_releases),
	};

	return cmocka_run_group_tests_name("kernel_host", tests, NULL, NULL);
}
