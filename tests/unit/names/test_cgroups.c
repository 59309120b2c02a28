/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>

#include "names/cgroups.h"

enum { CGROUPS = 200000, KEPT = 100 };

/* Large blocks are mapped, and counted apart. */
static size_t allocated_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static uint64_t id_of(uint32_t i)
{
	return 1000 + (uint64_t)i * 7919;
}

static void expect_text(const struct cgroups *cgroups, uint32_t number, uint64_t cgroup_id)
{
	char text[40];

	snprintf(text, sizeof text, "cgroup %llu", (unsigned long long)cgroup_id);
	assert_string_equal(cgroups_text(cgroups, number), text);
}

/* What somebody has stays what it was; of the others nothing is left, and no number comes again. */
static void what_nobody_has_is_forgotten(void **state)
{
	struct cgroups *cgroups = cgroups_open(NULL, NULL, NULL);
	uint32_t kept[KEPT], number = 0, times = 0;
	size_t first_bytes = 0;

	(void)state;
	for (uint32_t i = 0; i < KEPT; i++)
		kept[i] = cgroups_find(cgroups, id_of(i), 1, 0);
	for (uint32_t i = KEPT; i < CGROUPS; i++) {
		uint32_t before = number;

		number = cgroups_find(cgroups, id_of(i), 1, 0);
		assert_true(number > before && number > kept[KEPT - 1]);
		assert_int_equal(cgroups_find(cgroups, id_of(i), 1, 0), number);
		if (!cgroups_are_many(cgroups))
			continue;
		for (uint32_t j = 0; j < KEPT; j++)
			cgroups_keep(cgroups, kept[j]);
		cgroups_keep(cgroups, 0);
		cgroups_keep(cgroups, UINT32_MAX);
		cgroups_forget(cgroups);
		if (++times == 2)
			first_bytes = allocated_bytes();
	}
	assert_true(times > 10);
	assert_true(allocated_bytes() < first_bytes + (1 << 20));
	for (uint32_t j = 0; j < KEPT; j++) {
		expect_text(cgroups, kept[j], id_of(j));
		assert_int_equal(cgroups_find(cgroups, id_of(j), 1, 0), kept[j]);
	}
	expect_text(cgroups, number, id_of(CGROUPS - 1));
	assert_string_equal(cgroups_text(cgroups, kept[KEPT - 1] + 1), "-");
	assert_string_equal(cgroups_path(cgroups, kept[KEPT - 1] + 1), "-");
	/* One that comes back is found again, under another number. */
	assert_true(cgroups_find(cgroups, id_of(KEPT), 1, 0) > number);
	cgroups_close(cgroups);
}

/* As many as are in use, however many: none is lost, and they are searched less and less often. */
static void what_all_have_is_kept(void **state)
{
	struct cgroups *cgroups = cgroups_open(NULL, NULL, NULL);
	uint32_t times = 0, number;

	(void)state;
	for (uint32_t i = 0; i < CGROUPS; i++) {
		assert_int_equal(cgroups_find(cgroups, id_of(i), 1, 0), i + 1);
		if (!cgroups_are_many(cgroups))
			continue;
		for (number = 1; number <= i + 1; number++)
			cgroups_keep(cgroups, number);
		cgroups_forget(cgroups);
		times++;
	}
	assert_true(times > 0 && times < 10);
	for (uint32_t i = 0; i < CGROUPS; i++)
		expect_text(cgroups, i + 1, id_of(i));
	cgroups_close(cgroups);
}

/* Those that were told and those that were asked for are one store, in whichever order. */
static void what_is_told_has_a_name(void **state)
{
	struct cgroups *cgroups = cgroups_open(NULL, NULL, NULL);

	(void)state;
	cgroups_learn(cgroups, 0, "/none");
	cgroups_learn(cgroups, 5, "");
	cgroups_learn(cgroups, 7, "/system.slice/nginx.service");
	cgroups_begin(cgroups);
	uint32_t seven = cgroups_find(cgroups, 7, 1, 0), five = cgroups_find(cgroups, 5, 1, 0);

	assert_int_equal(cgroups_find(cgroups, 0, 1, 0), 0);
	assert_string_equal(cgroups_text(cgroups, seven), "nginx.service");
	assert_string_equal(cgroups_path(cgroups, seven), "/system.slice/nginx.service");
	assert_string_equal(cgroups_text(cgroups, five), "cgroup 5");
	assert_string_equal(cgroups_path(cgroups, five), "cgroup 5");
	cgroups_learn(cgroups, 5, "/\x1b[31m\n\xff");
	cgroups_learn(cgroups, 7, "/lxc.payload.web"); /* another host's recording goes on */
	assert_int_equal(cgroups_find(cgroups, 5, 1, 0), five);
	assert_string_equal(cgroups_text(cgroups, five), "\x1b[31m\n\xff");
	assert_string_equal(cgroups_text(cgroups, seven), "lxc:web");
	assert_false(cgroups_pending(cgroups));
	cgroups_close(cgroups);
}

/* A host that makes cgroups for weeks, of which some rows have a few: these stay, and the memory is bounded. */
static void what_is_told_is_forgotten(void **state)
{
	struct cgroups *cgroups = cgroups_open(NULL, NULL, NULL);
	uint32_t kept = 0, times = 0;
	size_t first_bytes = 0;
	char path[64];

	(void)state;
	for (uint32_t i = 1; i <= CGROUPS; i++) {
		snprintf(path, sizeof path, "/run-%u.service", i);
		cgroups_learn(cgroups, i, path);
		if (i == 10)
			kept = cgroups_find(cgroups, i, 1, 0);
		if (!cgroups_are_many(cgroups))
			continue;
		cgroups_keep(cgroups, kept);
		cgroups_forget(cgroups);
		assert_false(cgroups_are_many(cgroups));
		if (++times == 2)
			first_bytes = allocated_bytes();
	}
	assert_true(times > 10);
	assert_true(allocated_bytes() < first_bytes + (1 << 20));
	assert_string_equal(cgroups_text(cgroups, kept), "run-10.service");
	assert_int_equal(cgroups_find(cgroups, 10, 1, 0), kept);
	cgroups_close(cgroups);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nobody_has_is_forgotten),
		cmocka_unit_test(what_all_have_is_kept),
		cmocka_unit_test(what_is_told_has_a_name),
		cmocka_unit_test(what_is_told_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
