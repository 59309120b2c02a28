/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit_fixture.h"
#include "base/util.h"
#include "cmocka_names.h"

static struct audit_end_entry ending(uint64_t cookie, uint64_t tx_bytes, uint64_t rx_bytes)
{
	return (struct audit_end_entry){ .cookie = cookie,
		.key_hash = cookie * 11,
		.tx_bytes = tx_bytes,
		.rx_bytes = rx_bytes,
		.bits = SOCKET_CLOSED,
		.born_ns = 5,
		.since_ns = SINCE_NS };
}

/* The end, an interval in which this was counted of it, and the next, too. */
static struct audit_result end(
    struct audit *audit, const struct audit_end_entry *entry, uint64_t tx_late_bytes, uint64_t rx_late_bytes)
{
	const struct audit_late late = {
		.tx_bytes = tx_late_bytes, .rx_bytes = rx_late_bytes, .has_pass = true
	};
	struct audit_ended *ended;
	struct audit_healed healed;

	assert_int_equal(audit_take_end(audit, entry, &ended, &healed), 0);
	audit_end(audit);
	for (size_t i = 0; i < audit->ended_count; i++) {
		assert_true(audit_judge_ended(audit, &audit->ended[i], &late, &healed));
		assert_int_equal(healed.tx_bytes, 0);
		assert_int_equal(healed.rx_bytes, 0);
	}
	audit_keep_ended(audit, 0);
	audit_end(audit);
	return audit->result;
}

static void test_a_connection_that_no_pass_has_seen_is_audited_at_its_end(void **state)
{
	static const struct {
		uint64_t tx_counted, rx_counted, tx_late, rx_late;
		unsigned bits;
		uint64_t unexplained;
	} cases[] = {
		{ 1000, 500, 0, 0, 0, 0 },
		{ 900, 400, 100, 100, 0, 0 }, /* calls that returned after the swap */
		{ 999, 500, 0, 0, 0, 1 },
		{ 1000, 502, 0, 0, 0, 2 },
		{ 1000, 502, 0, 0, SOCKET_UNREAD, 0 }, /* read after its end */
		{ 1000, 499, 0, 0, SOCKET_UNREAD, 1 },
		{ 1, 1, 0, 0, SOCKET_BY_TASK, 0 },
		{ 1001, 1, 0, 0, SOCKET_BY_TASK, 1 },
		{ 1, 1, 0, 0, SOCKET_LAYERED, 0 },
		{ 1, 1, 0, 0, SOCKET_EARLY, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct audit audit = { 0 };
		struct audit_end_entry entry = ending(9, 1000, 500);

		entry.tx_counted_bytes = cases[i].tx_counted;
		entry.rx_counted_bytes = cases[i].rx_counted;
		entry.bits = SOCKET_CLOSED | cases[i].bits;
		struct audit_result result = end(&audit, &entry, cases[i].tx_late, cases[i].rx_late);

		assert_int_equal(result.unexplained_bytes, cases[i].unexplained);
		assert_int_equal(result.deviating, cases[i].unexplained != 0);
		assert_int_equal(result.bytes, cases[i].bits & (SOCKET_LAYERED | SOCKET_EARLY) ? 0 : 1500);
		audit_fini(&audit);
	}
}

/* What was pending is decided, the SYN is out as the passes had it, and nothing is counted twice. */
static void test_the_end_of_a_connection_that_was_audited(void **state)
{
	for (int wrong = 0; wrong < 2; wrong++)
		for (int connected = 0; connected < 2; connected++) {
			struct audit audit = { 0 };
			struct socket_facts found = newborn(1000 + connected, 300);
			struct audit_end_entry entry = ending(found.cookie, 1200 - connected, 300);

			(void)state;
			found.audit = SOCKET_SLEEPER | (connected ? SOCKET_CONNECTED : 0);
			pass(&audit, &found, 1000, 300 - wrong);
			assert_int_equal(rest(&audit, &found, 3).unexplained_bytes, 0);
			entry.tx_bytes = 1200;
			entry.has_syn = connected;
			entry.tx_counted_bytes = 200;
			struct audit_result result = end(&audit, &entry, 0, 0);

			assert_int_equal(result.unexplained_bytes, wrong);
			assert_int_equal(result.bytes, 1500);
			assert_int_equal(result.sockets, 0);
			audit_fini(&audit);
		}
}

static void test_an_end_of_which_too_little_is_known(void **state)
{
	struct audit audit = { 0 };
	struct audit_end_entry older = ending(9, 1000, 500), unnoted = older, seen = older;

	(void)state;
	older.born_ns = SINCE_NS - 1;
	unnoted.born_ns = 0;
	assert_int_equal(end(&audit, &older, 0, 0).bytes, 0);
	assert_int_equal(end(&audit, &unnoted, 0, 0).bytes, 0);
	audit_forget(&audit);
	assert_int_equal(end(&audit, &seen, 0, 0).bytes, 0);
	audit_fini(&audit);
}

/* Most of what a crowded interval took is given back, and what a steady load needs stays where it is. */
static void test_memory_of_a_crowded_interval_is_given_back(void **state)
{
	enum { CROWD = 20000, STEADY = 1500, FEW = 10, ROUNDS = 50 };
	struct audit audit = { 0 };
	size_t steady = 0, steady_keys = 0;
	struct audit_ended *ended;
	struct audit_healed healed;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned count = round == 0 ? CROWD : round < ROUNDS / 2 ? STEADY : FEW;

		for (uint64_t cookie = 1; cookie <= count; cookie++) {
			const struct audit_end_entry entry = ending(cookie, 1000, 500);

			assert_int_equal(audit_note_end(&audit, entry.key_hash), 0);
			assert_int_equal(audit_take_end(&audit, &entry, &ended, &healed), 0);
		}
		audit_keep_ended(&audit, 0);
		audit_end(&audit);
		if (round == 2) {
			steady = audit.ended_capacity;
			steady_keys = audit.ended_key_capacity;
		}
		if (round > 2 && round < ROUNDS / 2) {
			assert_int_equal(audit.ended_capacity, steady);
			assert_int_equal(audit.ended_key_capacity, steady_keys);
		}
	}
	assert_true(steady >= STEADY && steady < CROWD);
	assert_true(steady_keys >= STEADY && steady_keys < CROWD);
	assert_true(audit.ended_capacity < STEADY);
	assert_true(audit.ended_key_capacity < STEADY);
	audit_fini(&audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_connection_that_no_pass_has_seen_is_audited_at_its_end),
		cmocka_unit_test(test_the_end_of_a_connection_that_was_audited),
		cmocka_unit_test(test_an_end_of_which_too_little_is_known),
		cmocka_unit_test(test_memory_of_a_crowded_interval_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
