/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cmocka_names.h"
#include "names/resolver.h"

#define MS 1000000

enum { KIND_NAMED, KIND_NONE, KIND_THIRD_TIME, KIND_SLOW, KIND_STUCK };

static atomic_uint asked[256];

static void pause_ms(unsigned ms)
{
	const struct timespec pause = { ms / 1000, ms % 1000 * MS };

	nanosleep(&pause, NULL);
}

/* The first byte is the kind, the second a number. */
static enum resolver_answer ask(const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE])
{
	unsigned times = ++asked[key[1]];

	if (key[0] == KIND_SLOW)
		pause_ms(300);
	if (key[0] == KIND_STUCK)
		pause_ms(3000);
	if (key[0] == KIND_NONE)
		return ANSWER_NONE;
	if (key[0] == KIND_THIRD_TIME && times < 3)
		return ANSWER_LATER;
	snprintf(name, RESOLVER_NAME_SIZE, "name %u.%u", key[1], key[2] << 8 | key[3]);
	return ANSWER_NAME;
}

static const uint8_t *key_of(uint8_t kind, uint8_t number, unsigned rest)
{
	static uint8_t key[RESOLVER_KEY_SIZE];

	key[0] = kind;
	key[1] = number;
	key[2] = (uint8_t)(rest >> 8);
	key[3] = (uint8_t)rest;
	return key;
}

/* As the screen does: looks again at each change and now and then. */
static const char *wait_for(struct resolver *resolver, const uint8_t *key, unsigned ms)
{
	uint64_t end = clock_now_ns() + (uint64_t)ms * MS;
	const char *name;

	while (!(name = resolver_find(resolver, key, true)) && clock_now_ns() < end) {
		pause_ms(5);
		resolver_changed(resolver);
	}
	return name;
}

static int begin(void **state)
{
	for (size_t i = 0; i < 256; i++)
		asked[i] = 0;
	*state = resolver_open(ask);
	return *state ? 0 : -1;
}

static int end(void **state)
{
	resolver_close(*state);
	return 0;
}

static void names_arrive_later(void **state)
{
	struct resolver *resolver = *state;
	const uint8_t *key = key_of(KIND_NAMED, 1, 0);

	assert_null(resolver_find(resolver, key, false));
	assert_false(resolver_pending(resolver));
	assert_null(resolver_find(resolver, key, true));
	assert_true(resolver_pending(resolver));
	assert_string_equal(wait_for(resolver, key, 2000), "name 1.0");
	assert_string_equal(resolver_find(resolver, key, false), "name 1.0");
	resolver_changed(resolver);
	assert_false(resolver_pending(resolver));
	assert_int_equal(asked[1], 1);
}

static void what_has_no_name_is_left_alone_for_a_while(void **state)
{
	const uint8_t *key = key_of(KIND_NONE, 2, 0);

	assert_null(wait_for(*state, key, 1500));
	assert_int_equal(asked[2], 1);
}

static void what_could_not_be_had_is_asked_again(void **state)
{
	const uint8_t *key = key_of(KIND_THIRD_TIME, 3, 0);
	uint64_t start = clock_now_ns();

	assert_string_equal(wait_for(*state, key, 10000), "name 3.0");
	assert_int_equal(asked[3], 3);
	/* ... with pauses of half a second and one. */
	assert_true(clock_now_ns() - start > (uint64_t)1400 * MS);
}

/* Nobody waits, and one that is slow does not hold up the others. */
static void slow_servers_hold_nothing(void **state)
{
	struct resolver *resolver = *state;
	uint64_t start = clock_now_ns();

	resolver_find(resolver, key_of(KIND_STUCK, 4, 0), true);
	resolver_find(resolver, key_of(KIND_STUCK, 4, 1), true);
	for (unsigned i = 0; i < 1000; i++) {
		resolver_find(resolver, key_of(KIND_NAMED, 5, i), true);
		resolver_changed(resolver);
	}
	assert_true(clock_now_ns() - start < (uint64_t)1000 * MS); /* which alone takes 3 s */
	assert_non_null(wait_for(resolver, key_of(KIND_NAMED, 5, 999), 2000));
	assert_true(clock_now_ns() - start < (uint64_t)3000 * MS);
}

/* There is room for some thousand, all of which were just looked for: others have no name, and nothing breaks. */
static void too_many_are_left_out(void **state)
{
	struct resolver *resolver = *state;
	unsigned named = 0;

	for (unsigned i = 0; i < 20000; i++)
		resolver_find(resolver, key_of(KIND_NAMED, 7, i), true);
	for (int i = 0; i < 200; i++) {
		resolver_changed(resolver);
		pause_ms(5);
	}
	for (unsigned i = 0; i < 20000; i++) {
		const char *name = resolver_find(resolver, key_of(KIND_NAMED, 7, i), true);
		char expected[32];

		snprintf(expected, sizeof expected, "name 7.%u", i);
		if (name)
			assert_string_equal(name, expected);
		named += name != NULL;
	}
	assert_uint_in_range(named, 3000, 4096);
}

static void closing_does_not_wait(void **state)
{
	struct resolver *resolver = resolver_open(ask);
	uint64_t start = clock_now_ns();

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		resolver_find(resolver, key_of(KIND_SLOW, 8, i), true);
	resolver_close(resolver);
	resolver_close(NULL);
	assert_true(clock_now_ns() - start < (uint64_t)100 * MS);
	pause_ms(700); /* for the threads to free it */
	assert_true(asked[8] <= 6);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_arrive_later, begin, end),
		cmocka_unit_test_setup_teardown(what_has_no_name_is_left_alone_for_a_while, begin, end),
		cmocka_unit_test_setup_teardown(what_could_not_be_had_is_asked_again, begin, end),
		cmocka_unit_test_setup_teardown(slow_servers_hold_nothing, begin, end),
		cmocka_unit_test_setup_teardown(too_many_are_left_out, begin, end),
		cmocka_unit_test(closing_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
