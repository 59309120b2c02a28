/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "model/snapshot.h"

static void test_add(void **state)
{
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	for (uint32_t i = 0; i < 10000; i++) {
		static const struct session zeroed;
		struct session *session = snapshot_add(&snapshot);

		assert_non_null(session);
		assert_memory_equal(session, &zeroed, sizeof zeroed);
		memset(session, 0xAA, sizeof *session);
		session->pid = i;
		assert_int_equal(snapshot.session_count, i + 1);
	}
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(snapshot.sessions[i].pid, i);
	snapshot_fini(&snapshot);
	assert_null(snapshot.sessions);
	assert_int_equal(snapshot.session_count, 0);
	snapshot_fini(&snapshot);
}

static void test_reset(void **state)
{
	struct snapshot snapshot;
	size_t capacity;

	(void)state;
	snapshot_init(&snapshot);
	for (int i = 0; i < 10000; i++)
		assert_non_null(snapshot_add(&snapshot));
	snapshot.rx_bytes = 1;
	snapshot.missed_runs = 2;
	snapshot.other.calls = 3;
	snapshot.last = true;
	capacity = snapshot.session_capacity;

	/* Well used: the memory stays, everything else goes, and reused rows are zeroed again. */
	memset(snapshot.sessions, 0xAA, sizeof *snapshot.sessions);
	snapshot_reset(&snapshot);
	assert_int_equal(snapshot.session_capacity, capacity);
	assert_int_equal(snapshot.session_count, 0);
	assert_int_equal(snapshot.rx_bytes, 0);
	assert_int_equal(snapshot.missed_runs, 0);
	assert_int_equal(snapshot.other.calls, 0);
	assert_false(snapshot.last);
	assert_int_equal(snapshot_add(&snapshot)->pid, 0);

	/* Hardly used: given back. */
	snapshot_reset(&snapshot);
	assert_true(snapshot.session_capacity < capacity);
	assert_non_null(snapshot_add(&snapshot));
	snapshot_fini(&snapshot);
}

/* What a filter passes on beside sessions. */
static void test_reset_as(void **state)
{
	struct snapshot from, snapshot;

	(void)state;
	snapshot_init(&from);
	snapshot_init(&snapshot);
	assert_non_null(snapshot_add(&from));
	snapshot_add_ending(&from)->ago_us = 7;
	for (uint64_t id = 1; id <= 1000; id++) {
		struct made_cgroup *cgroup = snapshot_add_cgroup(&from);

		assert_non_null(cgroup);
		cgroup->id = id;
		strcpy(cgroup->path.text, "/a");
	}
	from.missed_runs = 5;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(snapshot_reset_as(&snapshot, &from), 0);
		assert_int_equal(snapshot.session_count, 0);
		assert_int_equal(snapshot.missed_runs, 5);
		assert_int_equal(snapshot.ending_count, 1);
		assert_int_equal(snapshot.cgroup_count, 1000);
		assert_int_equal(snapshot.cgroups[999].id, 1000);
		assert_string_equal(snapshot.cgroups[0].path.text, "/a");
		assert_ptr_not_equal(snapshot.cgroups, from.cgroups);
	}
	snapshot_reset(&from);
	assert_int_equal(from.cgroup_count, 0);
	snapshot_fini(&from);
	snapshot_fini(&snapshot);
}

static void test_total(void **state)
{
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	snapshot_total(&snapshot);
	assert_int_equal(snapshot.rx_bytes, 0);
	for (uint64_t i = 1; i <= 4; i++) {
		struct session *session = snapshot_add(&snapshot);

		assert_non_null(session);
		session->rx_bytes = i << 33;
		session->tx_bytes = i;
	}
	snapshot.other.rx_bytes = 7;
	snapshot.other.tx_bytes = 100;
	snapshot.rx_bytes = 999; /* filled, not added to */
	snapshot_total(&snapshot);
	assert_int_equal(snapshot.rx_bytes, (UINT64_C(10) << 33) + 7);
	assert_int_equal(snapshot.tx_bytes, 110);
	snapshot_fini(&snapshot);
}

/* Each differs from the one before in one field of the key that outweighs all that follow. */
static void test_compare_key(void **state)
{
	const struct session ordered[] = {
		{ .family = 4, .laddr = { 1 }, .lport = 1, .raddr = { 1 }, .rport = 1, .pid = 1, .netns = 1 },
		{ .family = 4,
		    .laddr = { 1 },
		    .lport = 1,
		    .raddr = { 1 },
		    .rport = 1,
		    .pid = 1,
		    .netns = UINT32_MAX },
		{ .family = 4, .laddr = { 1 }, .lport = 1, .raddr = { 1 }, .rport = 1, .pid = UINT32_MAX },
		{ .family = 4, .laddr = { 1 }, .lport = 1, .raddr = { 1 }, .rport = 65535 },
		{ .family = 4, .laddr = { 1 }, .lport = 1, .raddr = { 255 } },
		{ .family = 4, .laddr = { 1 }, .lport = 65535 },
		{ .family = 4, .laddr = { 255 } },
		{ .family = 6 },
	};
	const size_t count = sizeof ordered / sizeof *ordered;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < count; k++) {
			int order = session_compare_key(&ordered[i], &ordered[k]);

			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
	}
}

static void test_compare_key_only(void **state)
{
	const struct session a = {
		.family = 4, .rx_bytes = 1, .comm = "a", .uid = 1, .mntns = 1, .cgroup_id = 1
	};
	const struct session b = { .family = 4, .tx_bytes = 2, .comm = "b" };

	(void)state;
	assert_int_equal(session_compare_key(&a, &b), 0);
}

static void add_row(struct snapshot *snapshot, int family, uint32_t pid, uint64_t rx_bytes)
{
	struct session *session = snapshot_add(snapshot);

	assert_non_null(session);
	session->family = (uint8_t)family;
	session->pid = pid;
	session->rx_bytes = rx_bytes;
	session->tx_bytes = 10 * rx_bytes;
}

static void test_filter(void **state)
{
	static const uint32_t pids[] = { 3, 7 };
	static const struct {
		struct session_filter filter;
		size_t kept;
		uint64_t rx_bytes; /* with the 100 of "other sessions" */
	} cases[] = {
		{ { 0, NULL, 0 }, 5, 131 },
		{ { 4, NULL, 0 }, 3, 111 },
		{ { 6, NULL, 0 }, 2, 120 },
		{ { 0, pids, 2 }, 3, 107 + 16 },
		{ { 0, pids, 1 }, 1, 101 },
		{ { 6, pids, 2 }, 1, 116 },
		{ { 6, pids, 1 }, 0, 100 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct snapshot snapshot;

		snapshot_init(&snapshot);
		add_row(&snapshot, 4, 3, 1);
		add_row(&snapshot, 4, 5, 4);
		add_row(&snapshot, 4, 7, 6);
		add_row(&snapshot, 6, 7, 16);
		add_row(&snapshot, 6, 9, 4);
		snapshot.other = (struct session_other){ .calls = 3, .rx_bytes = 100 };
		snapshot.missed_runs = 8;
		snapshot.last = true;
		snapshot_total(&snapshot);
		snapshot_filter(&snapshot, &cases[i].filter);
		assert_int_equal(snapshot.session_count, cases[i].kept);
		assert_int_equal(snapshot.rx_bytes, cases[i].rx_bytes);
		assert_int_equal(snapshot.other.calls, 3);
		assert_int_equal(snapshot.missed_runs, 8);
		assert_true(snapshot.last);
		for (size_t j = 0; j < snapshot.session_count; j++)
			assert_true(
			    !cases[i].filter.family || snapshot.sessions[j].family == cases[i].filter.family);
		snapshot_fini(&snapshot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_reset_as),
		cmocka_unit_test(test_total),
		cmocka_unit_test(test_compare_key),
		cmocka_unit_test(test_compare_key_only),
		cmocka_unit_test(test_filter),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
