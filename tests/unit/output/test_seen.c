/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/snapshot.h"
#include "output/seen.h"

static struct session connection(uint32_t number, uint32_t pid)
{
	return (struct session){
		.family = 4, .pid = pid, .lport = (uint16_t)number, .rport = (uint16_t)(number >> 16)
	};
}

static void a_connection_is_known_whoevers_it_is(void **state)
{
	struct session mine = connection(1, 5), other = connection(2, 0), without = connection(1, 0);
	struct seen seen;

	(void)state;
	seen_init(&seen);
	assert_false(seen_has(&seen, &without));
	assert_int_equal(seen_add(&seen, &mine, 1), 0);
	assert_true(seen_has(&seen, &without));
	assert_false(seen_has(&seen, &other));
	seen_fini(&seen);
}

/* The latest ones are known, and memory ends somewhere. */
static void it_stays_small(void **state)
{
	enum { ROUNDS = 10 };
	struct seen seen;
	uint32_t last = ROUNDS * SEEN_KEPT;

	(void)state;
	seen_init(&seen);
	for (uint32_t number = 1; number <= last; number++) {
		struct session session = connection(number, 1);

		assert_int_equal(seen_add(&seen, &session, 1), 0);
	}
	for (uint32_t number = last - SEEN_KEPT + 1; number <= last; number++) {
		struct session session = connection(number, 0);

		assert_true(seen_has(&seen, &session));
	}
	struct session oldest = connection(1, 0);

	assert_false(seen_has(&seen, &oldest));
	assert_true(seen.young.slot_count <= 4 * SEEN_KEPT);
	assert_true(seen.old.slot_count <= 4 * SEEN_KEPT);
	seen_fini(&seen);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_known_whoevers_it_is),
		cmocka_unit_test(it_stays_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
