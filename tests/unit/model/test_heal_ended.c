/* SPDX-License-Identifier: Apache-2.0 */
/* Of a connection that has ended, what skipped runs had not counted is added once no call can tell it any more. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "audit_fixture.h"
#include "base/util.h"
#include "cmocka_names.h"
#include "model/snapshot.h"

enum { OWN_PID = 4711, OTHER_PID = 4712, END_NS = 1000 };

/* It has sent 1,000 bytes and read 500, of which 900 and 440 were counted. */
static struct audit_end_entry ending(void)
{
	return (struct audit_end_entry){ .cookie = 7,
		.key_hash = 77,
		.tx_bytes = 1000,
		.rx_bytes = 500,
		.bits = SOCKET_CLOSED,
		.born_ns = 5,
		.since_ns = SINCE_NS,
		.now_ns = END_NS,
		.tx_counted_bytes = 900,
		.rx_counted_bytes = 440,
		.pid = OWN_PID };
}

/* It is taken in after so many skipped runs, and who adds what is missing asks for it. */
static struct audit_ended *end(struct audit *audit, const struct audit_end_entry *entry, uint64_t missed_runs)
{
	struct audit_ended *ended;
	struct audit_healed healed;

	audit_note_missed(audit, missed_runs);
	assert_int_equal(audit_take_end(audit, entry, &ended, &healed), 0);
	assert_int_equal(healed.tx_bytes | healed.rx_bytes, 0);
	if (ended && audit_is_short(audit, ended))
		ended->row = calloc(1, sizeof *ended->row);
	audit_end(audit);
	return ended;
}

static void test_what_is_missing_is_added_an_interval_later(void **state)
{
	static const struct {
		uint64_t missed_runs, tx_late, rx_late;
		unsigned bits;
		uint32_t pid;
		bool is_shared, is_doubtful;
		int64_t tx_healed, rx_healed;
		uint64_t unexplained;
	} cases[] = {
		{ 1, 0, 0, SOCKET_CLOSED, OWN_PID, false, false, 100, 60, 0 },
		{ 1, 60, 60, SOCKET_CLOSED, OWN_PID, false, false, 40, 0, 0 },
		{ 0, 0, 0, SOCKET_CLOSED, OWN_PID, false, false, 0, 0, 160 },
		{ 1, 0, 0, SOCKET_CLOSED, 0, false, false, 0, 0, 160 },
		{ 1, 0, 0, SOCKET_CLOSED, OWN_PID, true, false, 0, 0, 160 },
		{ 1, 0, 0, SOCKET_CLOSED, OWN_PID, false, true, 0, 0, 0 },
		{ 1, 0, 0, SOCKET_CLOSED | SOCKET_BY_TASK, OWN_PID, false, false, 0, 0, 0 },
		{ 1, 0, 0, SOCKET_CLOSED | SOCKET_LAYERED, OWN_PID, false, false, 0, 0, 0 },
		{ 1, 107, 60, SOCKET_CLOSED, OWN_PID, false, false, 0, 0, 7 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct audit audit = { 0 };
		struct audit_end_entry last = ending();
		struct audit_healed healed = { 0 };
		const struct audit_late late = { .tx_bytes = cases[i].tx_late,
			.rx_bytes = cases[i].rx_late,
			.is_doubtful = cases[i].is_doubtful,
			.has_pass = true,
			.now_ns = END_NS + 1 };

		last.bits = cases[i].bits;
		last.pid = cases[i].pid;
		last.is_shared = cases[i].is_shared;
		struct audit_ended *ended = end(&audit, &last, cases[i].missed_runs);

		if (ended)
			assert_true(audit_judge_ended(&audit, ended, &late, &healed));
		audit_keep_ended(&audit, 0);
		audit_end(&audit);
		assert_int_equal(healed.tx_bytes, cases[i].tx_healed);
		assert_int_equal(healed.rx_bytes, cases[i].rx_healed);
		assert_int_equal(audit.result.healed_bytes, cases[i].tx_healed + cases[i].rx_healed);
		assert_int_equal(audit.result.unexplained_bytes, cases[i].unexplained);
		audit_fini(&audit);
	}
}

/* Reset by the remote while its process has it, a call may be about to return: for a while, which is not too long. */
static void test_one_that_is_not_closed_waits(void **state)
{
	struct audit audit = { 0 };
	struct audit_end_entry last = ending();
	struct audit_healed healed;
	struct audit_late late = { .has_pass = true, .now_ns = END_NS + AUDIT_LATE_NS - 1 };

	(void)state;
	last.bits = 0;
	assert_non_null(end(&audit, &last, 1));
	for (int i = 0; i < 3; i++) {
		late.tx_bytes = i == 1 ? 30 : 0;
		assert_false(audit_judge_ended(&audit, &audit.ended[0], &late, &healed));
		assert_int_equal(healed.tx_bytes | healed.rx_bytes, 0);
		audit_keep_ended(&audit, 1);
		audit_end(&audit);
	}
	late.now_ns++;
	assert_true(audit_judge_ended(&audit, &audit.ended[0], &late, &healed));
	assert_int_equal(healed.tx_bytes, 70);
	assert_int_equal(healed.rx_bytes, 60);
	audit_fini(&audit);
}

/* Whether another connection has its key is known by a pass alone; what is not short is not waited for. */
static void test_without_a_pass_it_waits_for_one(void **state)
{
	(void)state;
	for (int missed = 0; missed < 2; missed++) {
		struct audit audit = { 0 };
		struct audit_end_entry last = ending();
		struct audit_healed healed;
		struct audit_late late = { .has_pass = false, .now_ns = END_NS };

		assert_non_null(end(&audit, &last, missed));
		assert_int_equal(audit_judge_ended(&audit, &audit.ended[0], &late, &healed), !missed);
		assert_int_equal(healed.tx_bytes | healed.rx_bytes, 0);
		late.has_pass = true;
		if (missed)
			assert_true(audit_judge_ended(&audit, &audit.ended[0], &late, &healed));
		assert_int_equal(healed.tx_bytes, missed ? 100 : 0);
		audit_fini(&audit);
	}
}

/* What was healed while it was open, and was only late, is taken back from what was counted until its end. */
static void test_what_was_late_is_taken_back_at_the_end(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(1000, 0);
	struct audit_end_entry last = ending();
	struct audit_ended *ended;
	struct audit_healed healed;

	(void)state;
	audit_note_missed(&audit, 1);
	pass(&audit, &found, 936, 0);
	for (int i = 0; i < 2; i++) {
		struct audit_entry quiet = entry(&found, 0, 0);

		assert_int_equal(audit_take(&audit, &quiet, &healed), 0);
		audit_end(&audit);
	}
	assert_int_equal(audit.result.healed_bytes, 64);
	last.key_hash = found.cookie * 11;
	last.tx_bytes = 1100;
	last.tx_counted_bytes = 164;
	last.rx_bytes = last.rx_counted_bytes = 0;
	assert_int_equal(audit_take_end(&audit, &last, &ended, &healed), 0);
	assert_int_equal(healed.tx_bytes, -64);
	assert_false(audit_is_short(&audit, ended));
	audit_end(&audit);
	assert_int_equal(audit.result.healed_bytes, 0);
	audit_fini(&audit);
}

/* What was missing before a run was skipped stays unexplained. */
static void test_what_was_missing_before_is_not_added(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(1000, 0);
	struct audit_end_entry last = ending();
	const struct audit_late late = { .has_pass = true, .now_ns = END_NS };
	struct audit_healed healed;

	(void)state;
	pass(&audit, &found, 993, 0);
	rest(&audit, &found, 3);
	assert_int_equal(audit.result.unexplained_bytes, 7);
	last.key_hash = found.cookie * 11;
	last.tx_bytes = 1100;
	last.tx_counted_bytes = 90;
	last.rx_bytes = last.rx_counted_bytes = 0;
	assert_true(audit_judge_ended(&audit, end(&audit, &last, 1), &late, &healed));
	assert_int_equal(healed.tx_bytes, 10);
	audit_keep_ended(&audit, 0);
	audit_end(&audit);
	assert_int_equal(audit.result.unexplained_bytes, 7);
	audit_fini(&audit);
}

/* A socket that has connected again: its numbers are not those of the connection that has ended. */
static void test_one_that_has_connected_again_is_another(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(5000, 0);
	struct audit_end_entry last = ending();

	(void)state;
	pass(&audit, &found, 5000, 0);
	rest(&audit, &found, 1);
	last.key_hash = 78;
	last.tx_counted_bytes = 1000;
	last.rx_counted_bytes = 500;
	const struct audit_late late = { .has_pass = true, .now_ns = END_NS };
	struct audit_healed healed;
	struct audit_ended *ended = end(&audit, &last, 0);

	assert_int_equal(audit.result.sockets, 0); /* parted: the pass did not have it */
	assert_true(audit_judge_ended(&audit, ended, &late, &healed));
	audit_keep_ended(&audit, 0);
	audit_end(&audit);
	assert_int_equal(audit.result.unexplained_bytes, 0);
	assert_int_equal(audit.result.bytes, 6500);
	audit_fini(&audit);
}

/* Its end is told only after a pass that did not come to it any more. */
static void test_the_end_of_one_that_was_gone(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(1000, 0);
	struct audit_end_entry last = ending();
	const struct audit_late late = { .has_pass = true, .now_ns = END_NS };
	struct audit_healed healed;

	(void)state;
	last.key_hash = found.cookie * 11;
	last.tx_bytes = 1300;
	last.rx_bytes = last.rx_counted_bytes = 0;
	last.tx_counted_bytes = 100;
	last.born_ns = 0;
	pass(&audit, &found, 1000, 0);
	audit_await_end(&audit.sockets[0], OWN_PID, false, 190, 0);
	audit_end(&audit);
	assert_true(audit_is_awaited(&audit, found.cookie));
	assert_int_equal(audit.result.sockets, 0);
	assert_true(audit_judge_ended(&audit, end(&audit, &last, 1), &late, &healed));
	assert_int_equal(healed.tx_bytes, 10);
	audit_keep_ended(&audit, 0);
	assert_false(audit_is_awaited(&audit, found.cookie));
	audit_end(&audit);
	assert_int_equal(audit.result.bytes, 1300);
	audit_fini(&audit);
}

/* Several processes: those that earlier passes saw count, too. */
static void test_another_process_before_the_end(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(1000, 0);
	struct audit_end_entry last = ending();
	struct audit_entry one = entry(&found, 0, 0);
	struct audit_healed healed;

	(void)state;
	one.tx_bytes = 1000;
	one.pid = OTHER_PID;
	assert_int_equal(audit_take(&audit, &one, &healed), 0);
	audit_end(&audit);
	last.key_hash = found.cookie * 11;
	last.tx_bytes = 1100;
	last.tx_counted_bytes = 50;
	assert_null(end(&audit, &last, 1)->row);
	audit_fini(&audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_missing_is_added_an_interval_later),
		cmocka_unit_test(test_one_that_is_not_closed_waits),
		cmocka_unit_test(test_without_a_pass_it_waits_for_one),
		cmocka_unit_test(test_what_was_late_is_taken_back_at_the_end),
		cmocka_unit_test(test_what_was_missing_before_is_not_added),
		cmocka_unit_test(test_one_that_has_connected_again_is_another),
		cmocka_unit_test(test_the_end_of_one_that_was_gone),
		cmocka_unit_test(test_another_process_before_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
