/* SPDX-License-Identifier: Apache-2.0 */
/* What a finding says of several sockets. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "model/diagnosis.h"

#define FINDINGS_MAX 4

/* Of a process that listens with several queues on one port, the numbers are of that which is fullest. */
static void the_fullest_is_told(uint8_t apart)
{
	static const struct {
		uint32_t queues[3][2]; /* so many, of which there may be so many */
		uint32_t backlog, backlog_max;
	} cases[] = {
		{ { { 129, 128 }, { 0, 1000 }, { 0, 0 } }, 129, 128 },
		{ { { 129, 128 }, { 900, 1000 }, { 0, 0 } }, 129, 128 }, /* more wait where there is room */
		{ { { 100, 128 }, { 900, 1000 }, { 5, 128 } }, 900, 1000 },
		{ { { 1, 0 }, { 128, 128 }, { 1000, 1000 } }, 1, 0 },
		{ { { 0, 128 }, { 0, 1000 }, { 0, 5 } }, 0, 1000 }, /* full between two looks */
		{ { { 129, 128 }, { 1001, 1000 }, { 6, 5 } }, 1001, 1000 },
		{ { { UINT32_MAX, UINT32_MAX }, { UINT32_MAX, UINT32_MAX - 1 }, { 0, 5 } }, UINT32_MAX,
		    UINT32_MAX - 1 },
	};
	struct finding findings[FINDINGS_MAX];
	struct diagnosis diagnosis;
	struct snapshot snapshot;

	for (size_t i = 0; i < 6 * COUNT_OF(cases); i++) { /* in each order */
		static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
			{ 2, 0, 1 }, { 2, 1, 0 } };

		snapshot_init(&snapshot);
		for (uint8_t j = 0; j < 3; j++) {
			struct session *listener = snapshot_add(&snapshot);
			const uint32_t *queue = cases[i / 6].queues[orders[i % 6][j]];

			*listener = (struct session){
				.family = 4,
				.laddr = { 10 + j * apart },
				.lport = 80,
				.pid = 1,
				.netns = 7,
				.socket = { .state = SOCKET_LISTEN,
				    .backlog = queue[0],
				    .backlog_max = queue[1] },
			};
		}
		diagnosis_init(&diagnosis);
		snapshot.sockets.count = 3;
		assert_int_equal(diagnosis_add(&diagnosis, &snapshot), 0);
		for (uint8_t j = 0; j < 3; j++)
			snapshot.sessions[j].socket.drops = 1;
		snapshot.sockets.passed_ns = NS_PER_S;
		assert_int_equal(diagnosis_add(&diagnosis, &snapshot), 0);
		assert_int_equal(diagnosis_find(&diagnosis, findings, FINDINGS_MAX), 1);
		assert_int_equal(findings[0].connections, apart ? 3 : 1);
		assert_int_equal(findings[0].backlog, cases[i / 6].backlog);
		assert_int_equal(findings[0].backlog_max, cases[i / 6].backlog_max);
		diagnosis_fini(&diagnosis);
		snapshot_fini(&snapshot);
	}
}

/* At addresses of their own, or at one (SO_REUSEPORT). */
static void the_fullest_queue_is_told(void **state)
{
	(void)state;
	the_fullest_is_told(1);
	the_fullest_is_told(0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(the_fullest_queue_is_told) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
