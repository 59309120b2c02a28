/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit_fixture.h"
#include "base/util.h"
#include "cmocka_names.h"
#include "model/audit.h"
#include "model/cause.h"
#include "model/socket.h"

static void test_an_older_socket_is_known_once_it_stands_still(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = facts(5000, 100);
	struct audit_result result;

	(void)state;
	result = pass(&audit, &found, 300, 0);
	assert_int_equal(result.sockets, 0);
	assert_int_equal(result.excluded[AUDIT_UNKNOWN], 1);
	result = rest(&audit, &found, 1);
	assert_int_equal(result.sockets, 1);
	assert_int_equal(result.excluded[AUDIT_UNKNOWN], 0);
	found = facts(5400, 150);
	pass(&audit, &found, 390, 50); /* ten bytes after the swap */
	result = pass(&audit, &found, 10, 0);
	assert_int_equal(result.bytes, 450);
	assert_int_equal(rest(&audit, &found, 3).unexplained_bytes, 0);
	audit_fini(&audit);
}

static void test_one_wrong_byte_is_found_and_stays_when_the_socket_goes(void **state)
{
	static const int64_t wrong[][2] = { { -1, 0 }, { 1, 0 }, { 0, -1 }, { 0, 1 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		for (int born = 0; born < 2; born++) {
			struct audit audit = { 0 };
			struct socket_facts found = born ? newborn(0, 0) : facts(5000, 100);
			struct audit_result result;

			rest(&audit, &found, 2);
			found = facts(6000, 1100);
			pass(&audit, &found, (uint64_t)((born ? 6000 : 1000) + wrong[i][0]),
			    (uint64_t)((born ? 1100 : 1000) + wrong[i][1]));
			result = rest(&audit, &found, 1);
			assert_int_equal(result.unexplained_bytes + result.pending, 1);
			result = rest(&audit, &found, 1);
			assert_int_equal(result.unexplained_bytes, 1);
			assert_int_equal(result.deviating, 1);
			assert_int_equal(result.pending, 0);
			audit_end(&audit);
			assert_int_equal(audit.result.sockets, 0);
			assert_int_equal(audit.result.deviating, 1);
			assert_int_equal(audit.result.unexplained_bytes, 1);
			assert_int_equal(audit.result.bytes, born ? 7100 : 2000);
			audit_fini(&audit);
		}
}

/* It never stands still, and half of what it moves after a swap is beyond doubt. */
static void test_a_busy_socket_is_held_to_what_is_certain(void **state)
{
	static const struct {
		unsigned counted;
		bool is_found;
	} cases[] = { { 100, false }, { 200, true }, { 50, true }, { 0, true } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct audit audit = { 0 };
		struct socket_facts found = newborn(100, 0);
		struct audit_result result = pass(&audit, &found, cases[i].counted * 7 / 10, 0);

		for (uint64_t moved = 200; moved <= 1000; moved += 100) {
			found = facts(moved, 0);
			result = pass(&audit, &found, cases[i].counted, 0);
		}
		assert_int_equal(result.unexplained_bytes != 0, cases[i].is_found);
		audit_fini(&audit);
	}
}

static void test_sequence_numbers_of_syn_and_fin_are_no_bytes(void **state)
{
	static const struct {
		uint8_t state;
		unsigned sent, came;
	} ends[] = { { SOCKET_ESTABLISHED, 0, 0 }, { SOCKET_FIN_WAIT1, 1, 0 }, { SOCKET_FIN_WAIT2, 1, 0 },
		{ SOCKET_CLOSE_WAIT, 0, 1 }, { SOCKET_LAST_ACK, 1, 1 }, { SOCKET_CLOSING, 1, 1 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		struct audit audit = { 0 };
		struct socket_facts found = newborn(1 + 300 + ends[i].sent, 200 + ends[i].came);
		struct audit_result result;

		found.audit = SOCKET_CONNECTED;
		found.state = ends[i].state;
		assert_int_equal(pass(&audit, &found, 300, 200).sockets, 1);
		result = rest(&audit, &found, 3);
		assert_int_equal(result.bytes, 500);
		assert_int_equal(result.unexplained_bytes + result.pending, 0);
		audit_fini(&audit);
	}
}

static void test_more_than_what_32_bits_hold(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(0, 0);
	uint64_t bytes = UINT64_C(9) << 32;

	(void)state;
	rest(&audit, &found, 1);
	found = facts(bytes, bytes + 5);
	pass(&audit, &found, bytes - 1, bytes + 5);
	struct audit_result result = rest(&audit, &found, 2);

	assert_int_equal(result.bytes, 2 * bytes + 5);
	assert_int_equal(result.unexplained_bytes, 1);
	audit_fini(&audit);
}

static void test_a_call_that_waits_for_room_is_pending_and_then_explained(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(0, 0);

	(void)state;
	rest(&audit, &found, 1);
	found = facts(1000, 0);
	found.unsent_bytes = 500;
	found.unacked_bytes = 200;
	found.audit = SOCKET_HELD;
	struct audit_result result = rest(&audit, &found, 5);

	assert_int_equal(result.unexplained_bytes, 0);
	assert_int_equal(result.pending, 1);
	found = facts(2000, 0);
	pass(&audit, &found, 2000, 0);
	result = rest(&audit, &found, 3);
	assert_int_equal(result.unexplained_bytes + result.pending, 0);
	audit_fini(&audit);
}

static void test_a_receive_that_waits_for_all_is_pending_and_then_explained(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(0, 0);
	struct audit_result result;

	(void)state;
	rest(&audit, &found, 1);
	found = facts(0, 400);
	found.audit = SOCKET_SLEEPER;
	result = rest(&audit, &found, 5);
	assert_int_equal(result.unexplained_bytes, 0);
	assert_int_equal(result.pending, 1);
	found.now.bytes_received = 1000;
	pass(&audit, &found, 0, 1000);
	result = rest(&audit, &found, 3);
	assert_int_equal(result.unexplained_bytes + result.pending, 0);
	audit_fini(&audit);
}

/* What is more than was moved is beyond doubt, whoever waits; and so is what is missing once nobody does. */
static void test_a_reader_that_waits_excuses_what_is_missing_alone(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(0, 0);

	(void)state;
	found.audit = SOCKET_SLEEPER;
	rest(&audit, &found, 1);
	found.now.bytes_received = 1000;
	pass(&audit, &found, 0, 1001);
	assert_int_equal(rest(&audit, &found, 2).unexplained_bytes, 1);
	found.now.bytes_received = 2000;
	pass(&audit, &found, 0, 997);
	assert_int_equal(rest(&audit, &found, 3).unexplained_bytes, 0);
	found.audit = 0;
	assert_int_equal(rest(&audit, &found, 2).unexplained_bytes, 2);
	audit_fini(&audit);
}

/* What is missing may be of a process that the filters leave out, what is too much is nobody's. */
static void test_what_filters_may_leave_out_is_no_deviation(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(0, 0);

	(void)state;
	rest(&audit, &found, 1);
	found.audit = SOCKET_BY_TASK;
	found.now.bytes_acked = 1000;
	for (int i = 0; i < 6; i++) {
		struct audit_healed healed;
		struct audit_entry one = entry(&found, i == 0 ? 900 : i == 3 ? 107 : 0, 0);

		assert_int_equal(audit_take(&audit, &one, &healed), 0);
		audit_end(&audit);
		assert_int_equal(audit.result.unexplained_bytes, i < 4 ? 0 : 7);
	}
	audit_fini(&audit);
}

/* Half of a receive was taken before the base: nobody counts too much. */
static void test_a_reader_that_waits_at_the_base_makes_it_unsure(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = facts(0, 400);

	(void)state;
	found.audit = SOCKET_SLEEPER;
	struct audit_result result = rest(&audit, &found, 3);

	assert_int_equal(result.sockets, 0);
	assert_int_equal(result.excluded[AUDIT_UNKNOWN], 1);
	found.now.bytes_received = 700;
	pass(&audit, &found, 0, 700);
	rest(&audit, &found, 3);
	found.now.bytes_received = 800;
	pass(&audit, &found, 0, 100);
	result = rest(&audit, &found, 3);
	assert_int_equal(result.sockets, 1);
	assert_int_equal(result.unexplained_bytes, 0);
	found.now.bytes_received = 900;
	pass(&audit, &found, 0, 101);
	assert_int_equal(rest(&audit, &found, 3).unexplained_bytes, 1);
	audit_fini(&audit);
}

/* Read while an acknowledgement came in, the numbers do not fit together, once. */
static void test_one_torn_reading_is_no_deviation(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(0, 0);

	(void)state;
	rest(&audit, &found, 1);
	found = facts(1000, 0);
	pass(&audit, &found, 1000, 0);
	found.now.bytes_acked = 400;
	assert_int_equal(pass(&audit, &found, 0, 0).unexplained_bytes, 0);
	found.now.bytes_acked = 1000;
	assert_int_equal(rest(&audit, &found, 3).unexplained_bytes, 0);
	audit_fini(&audit);
}

static void test_an_interval_without_a_pass_is_counted(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = facts(5000, 100);

	(void)state;
	rest(&audit, &found, 2);
	audit_count(&audit, found.cookie, 4711, 300, 20);
	audit_count(&audit, 99, 4711, 1, 1);
	found = facts(5400, 130);
	struct audit_result result = pass(&audit, &found, 100, 10);

	assert_int_equal(result.sockets, 1);
	result = rest(&audit, &found, 3);
	assert_int_equal(result.bytes, 430);
	assert_int_equal(result.unexplained_bytes + result.pending, 0);
	audit_fini(&audit);
}

static void test_after_a_gap_it_begins_anew(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = facts(5000, 100);

	(void)state;
	rest(&audit, &found, 2);
	audit_forget(&audit);
	found = facts(9000, 100);
	assert_int_equal(pass(&audit, &found, 1, 0).sockets, 0);
	struct audit_result result = rest(&audit, &found, 3);

	assert_int_equal(result.sockets, 1);
	assert_int_equal(result.unexplained_bytes, 0);
	audit_fini(&audit);
}

/* Of these not even the first bytes are known to be theirs. */
static void test_newcomers_whose_birth_is_no_base(void **state)
{
	enum { EARLY, BEFORE, PORTS, ANEW, ENDED, ENDED_LATER, UNNOTED, CASES };

	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct audit audit = { 0 };
		struct socket_facts old = facts(5000, 100), found = newborn(1000, 0);
		struct audit_entry new = entry(&found, 1300, 0);
		struct audit_healed healed;

		rest(&audit, &old, 3);
		found.cookie = i == ANEW ? old.cookie : 8;
		new.key_hash = i == PORTS ? old.cookie * 11 : 4711;
		found.audit = i == EARLY ? SOCKET_EARLY : 0;
		found.born_ns = i == BEFORE ? SINCE_NS - 1 : 5;
		if (i != PORTS && i != ANEW)
			take(&audit, &old, 0, 0);
		new.knows_ends = i != UNNOTED;
		if (i == ENDED)
			assert_int_equal(audit_note_end(&audit, new.key_hash), 0);
		assert_int_equal(audit_take(&audit, &new, &healed), 0);
		audit_end(&audit);
		assert_int_equal(audit.result.excluded[AUDIT_UNKNOWN], i != ENDED_LATER);
		found.passed_ns = 1;
		if (i == ENDED_LATER) /* between the swap and the pass */
			assert_int_equal(audit_note_end(&audit, new.key_hash), 0);
		if (i == ENDED_LATER) {
			new.tx_bytes = 0;
			assert_int_equal(audit_take(&audit, &new, &healed), 0);
			audit_end(&audit);
		}
		assert_int_equal(rest(&audit, &found, 3).unexplained_bytes, 0);
		assert_int_equal(audit.result.sockets, 1);
		audit_fini(&audit);
	}
}

static void test_what_is_left_out_and_why(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts sockets[AUDIT_UNKNOWN + 2];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sockets); i++) {
		sockets[i] = newborn(1, 1);
		sockets[i].cookie = i;
	}
	sockets[AUDIT_LAYERED].audit = SOCKET_LAYERED;
	sockets[AUDIT_KERNEL].audit = SOCKET_KERNEL_USER;
	sockets[AUDIT_REPAIRED].audit = SOCKET_REPAIRED;
	sockets[AUDIT_URGENT].audit = SOCKET_URGENT;
	sockets[AUDIT_UNKNOWN].state = SOCKET_CLOSE;
	sockets[AUDIT_UNKNOWN + 1].state = SOCKET_LISTEN;
	for (int n = 0; n < 4; n++) {
		for (size_t i = 0; i < COUNT_OF(sockets); i++) {
			struct audit_entry one = entry(&sockets[i], 3, 3);
			struct audit_healed healed;

			one.passes = i != AUDIT_FILTERED;
			assert_int_equal(audit_take(&audit, &one, &healed), 0);
		}
		audit_end(&audit);
		assert_int_equal(audit.result.sockets, 0);
		for (int i = 0; i < AUDIT_EXCLUSIONS; i++)
			assert_int_equal(audit.result.excluded[i], i != AUDIT_UNKNOWN);
	}
	audit_fini(&audit);
}

static void test_never_100_percent_with_a_byte_off(void **state)
{
	static const struct {
		uint64_t bytes, unexplained_bytes;
		const char *share;
	} cases[] = { { 0, 0, "100.000%" }, { 1000, 0, "100.000%" }, { 1000, 1, "99.900%" },
		{ UINT64_C(1) << 50, 1, "99.999%" }, { 10, 20, "0.000%" } };
	char text[ACCOUNTED_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct audit_result result = { .bytes = cases[i].bytes,
			.unexplained_bytes = cases[i].unexplained_bytes };

		assert_string_equal(accounted_share(text, &result), cases[i].share);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_older_socket_is_known_once_it_stands_still),
		cmocka_unit_test(test_one_wrong_byte_is_found_and_stays_when_the_socket_goes),
		cmocka_unit_test(test_a_busy_socket_is_held_to_what_is_certain),
		cmocka_unit_test(test_sequence_numbers_of_syn_and_fin_are_no_bytes),
		cmocka_unit_test(test_more_than_what_32_bits_hold),
		cmocka_unit_test(test_a_call_that_waits_for_room_is_pending_and_then_explained),
		cmocka_unit_test(test_a_receive_that_waits_for_all_is_pending_and_then_explained),
		cmocka_unit_test(test_a_reader_that_waits_excuses_what_is_missing_alone),
		cmocka_unit_test(test_what_filters_may_leave_out_is_no_deviation),
		cmocka_unit_test(test_a_reader_that_waits_at_the_base_makes_it_unsure),
		cmocka_unit_test(test_one_torn_reading_is_no_deviation),
		cmocka_unit_test(test_an_interval_without_a_pass_is_counted),
		cmocka_unit_test(test_after_a_gap_it_begins_anew),
		cmocka_unit_test(test_newcomers_whose_birth_is_no_base),
		cmocka_unit_test(test_what_is_left_out_and_why),
		cmocka_unit_test(test_never_100_percent_with_a_byte_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
