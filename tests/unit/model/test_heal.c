/* SPDX-License-Identifier: Apache-2.0 */
/* What runs that the kernel skipped had not counted is added, once it is beyond doubt, and nothing else is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit_fixture.h"
#include "base/util.h"
#include "cmocka_names.h"

enum { OWN_PID = 4711, OTHER_PID = 4712 };

/* A pass after so many runs were skipped, in which a process has moved so much by what was counted. */
static struct audit_healed pass_of(struct audit *audit, struct socket_facts *found, uint32_t pid,
    uint64_t tx_bytes, uint64_t rx_bytes, uint64_t missed_runs)
{
	struct audit_entry one = entry(found, tx_bytes, rx_bytes);
	struct audit_healed healed;

	one.pid = pid;
	audit_note_missed(audit, missed_runs);
	assert_int_equal(audit_take(audit, &one, &healed), 0);
	found->passed_ns = 1;
	audit_end(audit);
	return healed;
}

static struct audit_healed quiet_passes(struct audit *audit, struct socket_facts *found, int passes)
{
	struct audit_healed sum = { 0 };

	for (int i = 0; i < passes; i++) {
		struct audit_healed healed = pass_of(audit, found, 0, 0, 0, 0);

		sum.tx_bytes += healed.tx_bytes;
		sum.rx_bytes += healed.rx_bytes;
	}
	return sum;
}

/* A newborn, of which a process has sent 1,000 bytes and received 500, and less was counted. */
static struct audit_healed begin(struct audit *audit, struct socket_facts *found, uint64_t missed_runs)
{
	*audit = (struct audit){ 0 };
	*found = newborn(0, 0);
	quiet_passes(audit, found, 2);
	*found = facts(1000, 500);
	return pass_of(audit, found, OWN_PID, 936, 404, missed_runs);
}

static void test_what_is_missing_is_added_once_in_either_direction(void **state)
{
	struct audit audit;
	struct socket_facts found;
	struct audit_healed healed = begin(&audit, &found, 3);

	(void)state;
	assert_int_equal(healed.tx_bytes | healed.rx_bytes, 0);
	healed = quiet_passes(&audit, &found, 5);
	assert_int_equal(healed.tx_bytes, 64);
	assert_int_equal(healed.rx_bytes, 96);
	assert_int_equal(audit.result.healed_bytes, 160);
	assert_int_equal(audit.result.unexplained_bytes + audit.result.deviating + audit.result.pending, 0);
	audit_end(&audit); /* the socket is gone */
	assert_int_equal(audit.result.healed_bytes, 160);
	assert_int_equal(audit.result.bytes, 1500);
	audit_fini(&audit);
}

static void test_without_a_skipped_run_it_stays_unexplained(void **state)
{
	struct audit audit;
	struct socket_facts found;

	(void)state;
	begin(&audit, &found, 0);
	struct audit_healed healed = quiet_passes(&audit, &found, 5);

	assert_int_equal(healed.tx_bytes | healed.rx_bytes, 0);
	assert_int_equal(audit.result.unexplained_bytes, 160);
	/* nor does one that is skipped later explain it; what is missing from then on it does */
	healed = pass_of(&audit, &found, 0, 0, 0, 1);
	assert_int_equal(healed.tx_bytes | healed.rx_bytes, 0);
	found = facts(1100, 500);
	pass_of(&audit, &found, OWN_PID, 90, 0, 0);
	healed = quiet_passes(&audit, &found, 4);
	assert_int_equal(healed.tx_bytes, 10);
	assert_int_equal(healed.rx_bytes, 0);
	assert_int_equal(audit.result.unexplained_bytes, 160);
	audit_fini(&audit);
}

/* Runs that were skipped before it was born had none of its bytes. */
static void test_runs_that_were_skipped_before_the_base_explain_nothing(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(0, 0), old = facts(0, 0);

	(void)state;
	old.cookie = 99;
	pass_of(&audit, &old, 0, 0, 0, 1000);
	quiet_passes(&audit, &found, 2);
	found = facts(1000, 0);
	pass_of(&audit, &found, OWN_PID, 990, 0, 0);
	assert_int_equal(quiet_passes(&audit, &found, 4).tx_bytes, 0);
	assert_int_equal(audit.result.unexplained_bytes, 10);
	audit_fini(&audit);
}

/* It is not known whose call was skipped. */
static void test_of_several_processes_nothing_is_added(void **state)
{
	(void)state;
	for (int at_once = 0; at_once < 3; at_once++) {
		struct audit audit;
		struct socket_facts found;

		begin(&audit, &found, 3);
		if (at_once == 2) {
			found = facts(1010, 500);
			audit_count(&audit, found.cookie, OTHER_PID, 10, 0);
		} else {
			struct audit_entry one = entry(&found, 10, 0);
			struct audit_healed healed;

			found = facts(1010, 500);
			one.pid = at_once ? OWN_PID : OTHER_PID;
			one.is_shared = at_once;
			assert_int_equal(audit_take(&audit, &one, &healed), 0);
			audit_end(&audit);
		}
		struct audit_healed healed = quiet_passes(&audit, &found, 4);

		assert_int_equal(healed.tx_bytes | healed.rx_bytes, 0);
		assert_int_equal(audit.result.unexplained_bytes, 160);
		audit_fini(&audit);
	}
}

/* While a call waits it may have moved what it has not told; of what filters leave out nothing is known. */
static void test_what_a_waiting_call_explains_is_not_added(void **state)
{
	static const unsigned bits[] = { SOCKET_HELD, SOCKET_BY_TASK };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bits); i++) {
		struct audit audit;
		struct socket_facts found;

		begin(&audit, &found, 3);
		found.audit = bits[i];
		struct audit_healed healed = quiet_passes(&audit, &found, 6);

		assert_int_equal(healed.tx_bytes | healed.rx_bytes, 0);
		found.audit = 0;
		healed = quiet_passes(&audit, &found, 2);
		assert_int_equal(healed.tx_bytes, 64);
		assert_int_equal(healed.rx_bytes, 96);
		audit_fini(&audit);
	}
}

/* A task that lost its processor between what it moved and the program that counts it. */
static void test_what_was_late_and_is_counted_after_all_is_taken_back(void **state)
{
	struct audit audit;
	struct socket_facts found;

	(void)state;
	begin(&audit, &found, 3);
	quiet_passes(&audit, &found, 3);
	found = facts(1100, 500);
	struct audit_healed healed = pass_of(&audit, &found, OWN_PID, 100 + 64, 0, 0);

	assert_int_equal(healed.tx_bytes, -64);
	healed = quiet_passes(&audit, &found, 4);
	assert_int_equal(healed.tx_bytes, 0);
	assert_int_equal(audit.result.healed_bytes, 96);
	assert_int_equal(audit.result.unexplained_bytes, 0);
	audit_fini(&audit);
}

/* No call is that late: what is counted too much long after is a fault, and is said to be one. */
static void test_what_was_healed_long_ago_excuses_nothing(void **state)
{
	static const struct {
		uint64_t after_ns;
		int64_t taken_back;
	} cases[] = { { AUDIT_LATE_NS - 1, -64 }, { AUDIT_LATE_NS, -64 }, { 2 * AUDIT_LATE_NS, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct audit audit;
		struct socket_facts found;

		begin(&audit, &found, 3);
		found.told_ns = 1000;
		assert_int_equal(quiet_passes(&audit, &found, 3).tx_bytes, 64);
		found.told_ns += cases[i].after_ns;
		assert_int_equal(pass_of(&audit, &found, OWN_PID, 64, 0, 0).tx_bytes, cases[i].taken_back);
		assert_int_equal(quiet_passes(&audit, &found, 4).tx_bytes, 0);
		assert_int_equal(audit.result.unexplained_bytes, 64 + cases[i].taken_back);
		audit_fini(&audit);
	}
}

/* However often something is missing and healed, only what was healed lately may be late. */
static void test_what_is_healed_again_and_again_is_no_store_of_excuses(void **state)
{
	enum { ROUNDS = 20 };
	struct audit audit;
	struct socket_facts found;

	(void)state;
	begin(&audit, &found, 3);
	quiet_passes(&audit, &found, 3);
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		found = facts(1000 + 10 * round, 500);
		found.told_ns = round * AUDIT_LATE_NS / 2;
		pass_of(&audit, &found, OWN_PID, 0, 0, 1);
		assert_int_equal(quiet_passes(&audit, &found, 3).tx_bytes, 10);
	}
	/* of all that, what was within the last 20 s */
	assert_int_equal(pass_of(&audit, &found, OWN_PID, 200, 0, 0).tx_bytes, -30);
	quiet_passes(&audit, &found, 4);
	assert_int_equal(audit.result.unexplained_bytes, 170);
	audit_fini(&audit);
}

/* What is too much and was never added is not taken from anybody. */
static void test_too_much_is_never_healed(void **state)
{
	struct audit audit = { 0 };
	struct socket_facts found = newborn(0, 0);

	(void)state;
	quiet_passes(&audit, &found, 2);
	found = facts(1000, 0);
	pass_of(&audit, &found, OWN_PID, 1007, 0, 5);
	assert_int_equal(quiet_passes(&audit, &found, 4).tx_bytes, 0);
	assert_int_equal(audit.result.unexplained_bytes, 7);
	audit_fini(&audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_missing_is_added_once_in_either_direction),
		cmocka_unit_test(test_without_a_skipped_run_it_stays_unexplained),
		cmocka_unit_test(test_runs_that_were_skipped_before_the_base_explain_nothing),
		cmocka_unit_test(test_of_several_processes_nothing_is_added),
		cmocka_unit_test(test_what_a_waiting_call_explains_is_not_added),
		cmocka_unit_test(test_what_was_late_and_is_counted_after_all_is_taken_back),
		cmocka_unit_test(test_what_was_healed_long_ago_excuses_nothing),
		cmocka_unit_test(test_what_is_healed_again_and_again_is_no_store_of_excuses),
		cmocka_unit_test(test_too_much_is_never_healed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
