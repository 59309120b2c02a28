/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/hierarchy.h"

#define LINES_MAX 3

/* Mounted at /, /dev and /proc, which everybody can open, and at nothing that is there. */
static void the_mount_is_found(void **state)
{
	static const struct {
		const char *lines[LINES_MAX]; /* root, mount point and type */
		bool initial;
		const char *path;
		int level;
		bool has_v1;
	} cases[] = {
		{ { "/ / cgroup2" }, true, "/", 0, false },
		{ { "/ / cgroup", "/ /dev cgroup2" }, true, "/dev", 0, true },
		{ { "/ / tmpfs", "/ /proc proc" }, true, "", 0, false },
		/* a part, and then the whole */
		{ { "/a/b / cgroup2" }, true, "/", 2, false },
		{ { "/a/b / cgroup2", "/ /dev cgroup2", "/ /proc cgroup2" }, true, "/dev", 0, false },
		/* one that cannot be opened, before and after */
		{ { "/ /no/such/place cgroup2", "/ /dev cgroup2" }, true, "/dev", 0, false },
		{ { "/ /dev cgroup2", "/ /no/such/place cgroup2" }, true, "/dev", 0, false },
		/* a namespace's own root can be anywhere in the hierarchy; the host's mount is above it */
		{ { "/ / cgroup2" }, false, "/", -1, false },
		{ { "/../../.. /dev cgroup2" }, false, "/dev", 0, false },
		{ { "/ / cgroup2", "/../.. /dev cgroup2" }, false, "/dev", 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hierarchy hierarchy = { 0 };

		for (size_t j = 0; j < LINES_MAX && cases[i].lines[j]; j++) {
			char root[64], mount[64], type[64], line[300];

			assert_int_equal(sscanf(cases[i].lines[j], "%63s %63s %63s", root, mount, type), 3);
			snprintf(line, sizeof line, "36 35 98:0 %s %s rw,nosuid master:1 - %s none rw\n",
			    root, mount, type);
			hierarchy_take(&hierarchy, line, "", cases[i].initial);
		}
		assert_string_equal(hierarchy.path, cases[i].path);
		if (*cases[i].path)
			assert_int_equal(hierarchy.level, cases[i].level);
		assert_int_equal(hierarchy.has_v1, cases[i].has_v1);
	}
}

/* The host's mounts stand below its root; the container's own are none of its. */
static void the_hosts_mount_is_found(void **state)
{
	static const char own[] = "36 35 98:0 / / rw - cgroup2 none rw\n",
	                  hosts[] = "37 35 98:0 / /proc/sys rw - cgroup2 none rw\n";
	static const struct {
		const char *root, *path;
	} cases[] = { { "", "/" }, { "/proc", "/proc/sys" }, { "/proc/", "/proc/sys" },
		{ "/proc/sys", "/proc/sys" }, { "/pro", "" }, { "/", "/" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hierarchy hierarchy = { 0 };

		hierarchy_take(&hierarchy, own, cases[i].root, true);
		hierarchy_take(&hierarchy, hosts, cases[i].root, true);
		assert_string_equal(hierarchy.path, cases[i].path);
	}
}

static void names_of_a_path_are_counted(void **state)
{
	(void)state;
	assert_int_equal(hierarchy_depth(""), 0);
	assert_int_equal(hierarchy_depth("/"), 0);
	assert_int_equal(hierarchy_depth("a"), 1);
	assert_int_equal(hierarchy_depth("/a//bc/"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mount_is_found),
		cmocka_unit_test(the_hosts_mount_is_found),
		cmocka_unit_test(names_of_a_path_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
