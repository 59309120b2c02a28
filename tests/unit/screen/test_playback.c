/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that move in time, live and in a recording that is sought. */
#include "test_ui.h"

/* So many intervals, in which nginx moves the interval's number of bytes. */
static void show_many(struct fixture *fixture, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		begin(fixture);
		add(fixture, "nginx", 1874, "203.0.113.84", 51312, fixture->ui.traffic.tick + 1, 0);
		show(fixture);
	}
}

static uint64_t seen_bytes(struct fixture *fixture)
{
	return view_traffic(&fixture->ui.view)->rx_total_bytes;
}

static void live(struct fixture *fixture)
{
	fixture->run.live = true;
	fixture->ui.replay = false;
}

static void steps_back_and_returns_to_now(void **state)
{
	static const int returns[] = { ' ', 'q', KEY_CODE_END, KEY_CODE_ESCAPE, '$' };
	struct fixture *fixture = *state;

	live(fixture);
	show_many(fixture, 20);
	for (size_t i = 0; i < ARRAY_LENGTH(returns); i++) {
		uint64_t now = fixture->ui.traffic.rx_total_bytes;
		unsigned tick = fixture->ui.traffic.tick;

		key(fixture, '[');
		assert_int_equal(seen_bytes(fixture), now - tick);
		key(fixture, '[');
		key(fixture, ']');
		assert_int_equal(seen_bytes(fixture), now - tick);
		show_many(fixture, 1); /* what comes is counted and not shown */
		assert_int_equal(seen_bytes(fixture), now - tick);
		paint(fixture, 40, 10);
		assert_true(on_glass(fixture, 1, "FROZEN 2 s ago"));
		key(fixture, '{');
		assert_int_equal(view_traffic(&fixture->ui.view)->tick, tick - 11);
		assert_int_equal(key(fixture, returns[i]), REACTION_NONE);
		assert_false(fixture->ui.is_frozen);
		assert_int_equal(seen_bytes(fixture), now + tick + 1);
	}
	assert_int_equal(key(fixture, 'q'), REACTION_QUIT);
}

static void ends_where_nothing_is_kept(void **state)
{
	struct fixture *fixture = *state;

	live(fixture);
	key(fixture, '[');
	assert_false(fixture->ui.is_frozen);
	show_many(fixture, PAST_INTERVALS + 10);
	uint32_t first = past_first(&fixture->ui.past);

	assert_in_range(first, 10, 18);
	key(fixture, '^');
	assert_int_equal(view_traffic(&fixture->ui.view)->tick, first);
	key(fixture, '[');
	assert_int_equal(seen_bytes(fixture), first * (first + 1) / 2);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "no more is kept"));
	show_many(fixture, 9);
	key(fixture, ']');
	assert_int_equal(view_traffic(&fixture->ui.view)->tick, past_first(&fixture->ui.past));
	key(fixture, '$');
	/* After a reset there is nothing before it. */
	key(fixture, 'r');
	key(fixture, 'y');
	show_many(fixture, 1);
	key(fixture, '^');
	assert_int_equal(seen_bytes(fixture), 0);
}

/* A frozen screen is a moment of the past, too. */
static void steps_from_a_frozen_screen(void **state)
{
	struct fixture *fixture = *state;

	live(fixture);
	show_many(fixture, 3);
	key(fixture, 'Z');
	show_many(fixture, 2);
	key(fixture, ']');
	assert_int_equal(view_traffic(&fixture->ui.view)->tick, 4);
	key(fixture, '}');
	assert_int_equal(view_traffic(&fixture->ui.view)->tick, 5);
	assert_true(fixture->ui.is_frozen);
}

static void goes_to_a_time(void **state)
{
	struct fixture *fixture = *state;

	live(fixture);
	show_many(fixture, 20); /* the first one ended at 10:42:17 */
	key(fixture, 't');
	type(fixture, "10:42:21");
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "Go to time: 10:42:21"));
	key(fixture, KEY_CODE_ENTER);
	assert_int_equal(view_traffic(&fixture->ui.view)->tick, 5);
	key(fixture, 't');
	type(fixture, "10:4x");
	key(fixture, KEY_CODE_ENTER);
	assert_int_equal(view_traffic(&fixture->ui.view)->tick, 5);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "a time is hours:minutes"));
	key(fixture, 't');
	key(fixture, KEY_CODE_ESCAPE);
	assert_int_equal(fixture->ui.mode, MODE_TABLE);
}

static void file(struct fixture *fixture)
{
	fixture->run.can_seek = true;
}

static void seeks_and_tells_the_player(void **state)
{
	struct fixture *fixture = *state;
	struct play *play = &fixture->request.play;

	file(fixture);
	show_many(fixture, 20);
	assert_int_equal(key(fixture, '['), REACTION_PLAY);
	assert_true(play->is_seek && play->is_paused);
	assert_int_equal(play->position, 19);
	assert_int_equal(fixture->ui.traffic.tick, 19);
	assert_int_equal(seen_bytes(fixture), 190);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 1, "PAUSED  recording 19"));
	/* The interval comes again: its bytes are not counted twice. */
	assert_int_equal(key(fixture, ']'), REACTION_PLAY);
	assert_false(play->is_seek);
	assert_int_equal(play->run_to, 20);
	show_many(fixture, 1);
	assert_int_equal(seen_bytes(fixture), 210);
	assert_int_equal(key(fixture, ' '), REACTION_PLAY);
	assert_false(play->is_paused);
	assert_int_equal(key(fixture, '+'), REACTION_PLAY);
	assert_int_equal(play->speed, 1);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 1, "2x  recording 20"));
	key(fixture, '-');
	key(fixture, '-');
	assert_int_equal(play->speed, -1);
}

/* Before what is kept, all is read again. */
static void rewinds(void **state)
{
	struct fixture *fixture = *state;
	struct play *play = &fixture->request.play;
	struct snapshot end = { .is_end = true };

	file(fixture);
	show_many(fixture, PAST_INTERVALS + 50);
	assert_int_equal(ui_begin_interval(&fixture->ui, &end), 0);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 1, "end of recording"));
	assert_int_equal(key(fixture, '$'), REACTION_NONE);
	assert_int_equal(key(fixture, '^'), REACTION_PLAY);
	assert_true(play->is_seek);
	assert_int_equal(play->position, 0);
	assert_int_equal(play->run_to, 1);
	assert_int_equal(seen_bytes(fixture), 0);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 1, "SEEKING"));
	show_many(fixture, 1);
	assert_int_equal(seen_bytes(fixture), 1);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 1, "recording 1/178"));
	assert_false(playback_runs(&fixture->ui));
	/* To a time that was not read yet */
	key(fixture, 't');
	type(fixture, "10:43");
	assert_int_equal(key(fixture, KEY_CODE_ENTER), REACTION_PLAY);
	assert_true(playback_runs(&fixture->ui));
	show_many(fixture, 42);
	assert_true(playback_runs(&fixture->ui));
	show_many(fixture, 1);
	assert_false(playback_runs(&fixture->ui));
	assert_int_equal(fixture->ui.traffic.tick, 44);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UI_TEST(steps_back_and_returns_to_now),
		UI_TEST(ends_where_nothing_is_kept),
		UI_TEST(steps_from_a_frozen_screen),
		UI_TEST(goes_to_a_time),
		UI_TEST(seeks_and_tells_the_player),
		UI_TEST(rewinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
