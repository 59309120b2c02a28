/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts on what was counted, and the paths' rows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "check/judge.h"
#include "kernel/method.h"
#include "model/snapshot.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* PID 10 sent 1009 bytes to PID 11. */
static struct check_result result_moved(void)
{
	struct check_result result = { .id = "path", .title = "title" };

	result.truth.session_count = 2;
	result.truth.sessions[0] = (struct truth){ .role = SIDE_SENDER,
		.family = 4,
		.lport = 1,
		.rport = 2,
		.pid = 10,
		.tx_bytes = 1009,
		.comm = "dp-sender",
		.comm_last = "dp-renamed" };
	result.truth.sessions[1] = (struct truth){ .role = SIDE_RECEIVER,
		.family = 4,
		.lport = 2,
		.rport = 1,
		.pid = 11,
		.rx_bytes = 1009,
		.comm = "dp-receiver",
		.comm_last = "dp-receiver" };
	return result;
}

static struct session sender(uint64_t tx_bytes)
{
	return (struct session){
		.family = 4, .lport = 1, .rport = 2, .pid = 10, .tx_bytes = tx_bytes, .comm = "dp-sender"
	};
}

static struct session receiver(uint64_t rx_bytes)
{
	return (struct session){
		.family = 4, .lport = 2, .rport = 1, .pid = 11, .rx_bytes = rx_bytes, .comm = "dp-receiver"
	};
}

static void expect(
    struct session *sessions, size_t count, const char *declared, enum verdict verdict, const char *reason)
{
	struct check_result result = result_moved();
	const struct snapshot snapshot = { .sessions = sessions, .session_count = count };

	judge_add(&result, &snapshot);
	judge_finish(&result, declared, "the kernel hides it");
	assert_string_equal(result.reason, reason);
	assert_int_equal(result.verdict, verdict);
	assert_string_equal(result.declared, verdict == VERDICT_NOT_COUNTED ? declared : "");
}

static void test_exact_in_pieces_and_beside_others(void **state)
{
	struct session sessions[] = { sender(9), receiver(1009), sender(1000), sender(77) };

	(void)state;
	sessions[3].pid = 99; /* somebody else's connection */
	sessions[3].lport = 3;
	strcpy(sessions[2].comm, "dp-renamed");
	expect(sessions, COUNT_OF(sessions), NULL, VERDICT_EXACT, "");
	expect(sessions, COUNT_OF(sessions), "splice_out", VERDICT_EXACT, "");
}

static void test_too_little(void **state)
{
	struct session sessions[] = { sender(1009), receiver(1008) };

	(void)state;
	expect(sessions, 2, NULL, VERDICT_WRONG, "receiver received 1009, counted 1008");
	expect(sessions, 1, NULL, VERDICT_WRONG, "receiver received 1009, counted 0");
	expect(sessions, 2, "splice_out", VERDICT_NOT_COUNTED, "the kernel hides it");
	expect(sessions, 0, "splice_out", VERDICT_NOT_COUNTED, "the kernel hides it");
}

static void test_too_much_is_never_excused(void **state)
{
	struct session sessions[] = { sender(1010), receiver(1009) };

	(void)state;
	expect(sessions, 2, NULL, VERDICT_WRONG, "sender sent 1009, counted 1010");
	expect(sessions, 2, "splice_out", VERDICT_WRONG, "sender sent 1009, counted 1010");
}

static void test_bytes_of_another(void **state)
{
	struct session sessions[] = { sender(1009), receiver(1009), sender(5) };

	(void)state;
	sessions[2].pid = 12;
	expect(sessions, 3, "splice_out", VERDICT_WRONG,
	    "5 bytes stand under PID 12, port 1, where none were moved");
	sessions[2].pid = 10;
	sessions[2].netns = 1; /* the truth's is not known: any is right */
	sessions[2].tx_bytes = 0;
	expect(sessions, 3, NULL, VERDICT_EXACT, "");
	sessions[0].pid = 13; /* a right sum under a wrong process */
	expect(
	    sessions, 3, NULL, VERDICT_WRONG, "1009 bytes stand under PID 13, port 1, where none were moved");
}

/* Equal addresses and ports: what moved over one link is not what moved over another. */
static void test_link(void **state)
{
	struct check_result result = result_moved();
	struct session sessions[] = { sender(1009), receiver(1009) };
	const struct snapshot snapshot = { .sessions = sessions, .session_count = 2 };

	(void)state;
	result.truth.sessions[0].ifindex = 3;
	sessions[0].ifindex = 3;
	judge_add(&result, &snapshot);
	judge_finish(&result, NULL, "");
	assert_int_equal(result.verdict, VERDICT_EXACT);
	sessions[0].ifindex = 4;
	expect(
	    sessions, 2, NULL, VERDICT_WRONG, "1009 bytes stand under PID 10, port 1, where none were moved");
}

static void test_name(void **state)
{
	struct session sessions[] = { sender(1009), receiver(1009) };

	(void)state;
	strcpy(sessions[1].comm, "other");
	expect(sessions, 2, NULL, VERDICT_WRONG, "receiver has another name than its own");
}

/* Ids in the rows have to exist, or a typing error would make a path wrong where it is declared. */
static void test_excuses_are_blind_spots(void **state)
{
	const struct path *path;

	(void)state;
	for (size_t i = 0; (path = path_at(i)); i++) {
		assert_ptr_equal(path_find(path->id), path);
		for (size_t j = 0; j < PATH_EXCUSES_MAX && path->excused[j]; j++) {
			bool known = false;

			for (size_t k = 0; k < method_count; k++)
				for (size_t l = 0; l < methods[k]->blind_spot_count; l++)
					known |= strcmp(methods[k]->blind_spots[l].id, path->excused[j]) == 0;
			if (!known)
				fail_msg("%s: there is no blind spot %s", path->id, path->excused[j]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_in_pieces_and_beside_others),
		cmocka_unit_test(test_too_little),
		cmocka_unit_test(test_too_much_is_never_excused),
		cmocka_unit_test(test_bytes_of_another),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_excuses_are_blind_spots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
