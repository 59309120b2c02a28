/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of what is listed, and groups. */
#include "test_ui.h"

#include "screen/table_lines.h"
#include "table/layout.h"

static void show_workers(struct fixture *fixture)
{
	begin(fixture);
	add(fixture, "nginx", 10, "203.0.113.1", 1001, 1000, 500000);
	add(fixture, "nginx", 11, "203.0.113.1", 1002, 2000, 250000);
	add(fixture, "nginx", 12, "203.0.113.2", 1003, 4000, 125000);
	add(fixture, "sshd", 20, "2001:db8::15", 1004, 8000, 1);
	show(fixture);
}

/* What rows and the line below them say of RX and TX, in bytes per interval. */
static void expect_sum(struct fixture *fixture, unsigned height, const char *label, unsigned rx, unsigned tx)
{
	const char *line = fixture->glass.lines[height - 2];
	unsigned said_rx, said_tx;

	assert_non_null(strstr(line, label));
	assert_int_equal(sscanf(strstr(line, label) + strlen(label), " %uB %uB", &said_rx, &said_tx), 2);
	assert_int_equal(said_rx, rx);
	assert_int_equal(said_tx, tx);
}

static void in_bytes(struct fixture *fixture)
{
	fixture->ui.view.context.unit = UNIT_BYTES;
	fixture->ui.view.context.amount = AMOUNT_INTERVAL;
}

static void a_part_has_a_sum(void **state)
{
	struct fixture *fixture = *state;

	show_workers(fixture);
	in_bytes(fixture);
	paint(fixture, 80, 24);
	assert_string_equal(fixture->glass.lines[22], "");
	assert_false(on_glass(fixture, 24, " of all"));
	type(fixture, "\\nginx\n");
	paint(fixture, 80, 24);
	expect_sum(fixture, 24, "3 processes", 7000, 875000);
	assert_true(on_glass(fixture, 24, " RX 7000B/s of 15000B/s "));
	assert_true(on_glass(fixture, 24, " TX 875000B/s of 875001B/s "));
	assert_true(on_glass(fixture, 24, "all: peak"));
	paint(fixture, 120, 50);
	assert_true(on_glass(fixture, 50, " peak "));
	assert_true(on_glass(fixture, 50, " of all"));
	/* Nothing passes: nothing has a sum. */
	type(fixture, "\\z\n");
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, " RX 0B/s of 15000B/s "));
	assert_string_equal(fixture->glass.lines[22], "");
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, " 15000B/s "));
}

/* However a part is chosen; groups have the sum that connections have. */
static void every_part_has_a_sum(void **state)
{
	struct fixture *fixture = *state;

	show_workers(fixture);
	in_bytes(fixture);
	key(fixture, '6');
	paint(fixture, 80, 24);
	expect_sum(fixture, 24, "sum sshd", 8000, 1);
	key(fixture, '6');
	type(fixture, "\\nginx\n");
	for (int grouping = 0; grouping < GROUPING_COUNT; grouping++) {
		view_set_grouping(&fixture->ui.view, (enum grouping)grouping);
		paint(fixture, 200, 24);
		assert_true(on_glass(fixture, 24, " RX 7000B/s of 15000B/s "));
		assert_int_equal(fixture->ui.view.list.sum.session.rx_bytes, 7000);
		assert_int_equal(fixture->ui.view.list.sum.tx_total_bytes, 875000);
		assert_int_equal(fixture->ui.view.list.sum.members, 3);
		assert_int_equal(fixture->ui.view.list.sum.counts[TALLY_PROCESSES], 3);
	}
}

static void small_screens_say_so_too(void **state)
{
	struct fixture *fixture = *state;

	show_workers(fixture);
	type(fixture, "\\nginx\n");
	for (unsigned width = LAYOUT_WIDTH_MIN; width <= 130; width++) {
		for (unsigned height = LAYOUT_HEIGHT_MIN; height <= 50; height++) {
			struct layout_lines lines = layout_lines(width, height);

			paint(fixture, width, height);
			assert_true(
			    on_glass(fixture, height, width >= 58 || lines.graph ? " of " : " shown"));
			assert_int_equal(table_lines_rows(&fixture->ui), lines.table - (lines.table >= 4));
		}
	}
}

static void groups_have_details(void **state)
{
	static const char *const lines[] = {
		" Program     nginx",
		" User        -",
		" Container   -",
		" Connections 3 with traffic lately",
	};
	struct fixture *fixture = *state;

	show_workers(fixture);
	view_set_grouping(&fixture->ui.view, GROUPING_PROGRAM);
	fixture->ui.view.context.unit = UNIT_BYTES;
	paint(fixture, 80, 40);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 40);
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i++)
		assert_string_equal(fixture->glass.lines[1 + i], lines[i]);
	assert_true(on_glass(fixture, 40, " Total       RX 7000 B (6.84KB)   TX 875000 B (854KB)"));
	assert_true(on_glass(fixture, 40, " Top peers   2"));
	assert_true(on_glass(fixture, 40, "RX 3000B    TX 750000B  203.0.113.1, 2 connections"));
	assert_true(on_glass(fixture, 40, " Processes   3"));
	assert_true(on_glass(fixture, 40, "RX 1000B    TX 500000B  nginx, PID 10, 1 connection"));
	assert_false(on_glass(fixture, 40, "Dropped"));
	/* It stays with its group, whatever its rank, and when there is nothing new. */
	begin(fixture);
	add(fixture, "sshd", 20, "2001:db8::15", 1004, 80000000, 1);
	add(fixture, "curl", 21, "2001:db8::15", 1005, 80000000, 1);
	show(fixture);
	view_changed(&fixture->ui.view);
	paint(fixture, 80, 40);
	assert_string_equal(fixture->glass.lines[1], lines[0]);
	assert_true(on_glass(fixture, 40, "State       idle; last traffic at"));
	/* Its connections are a key away, and back. */
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "3 of 5 connections  in nginx"));
	key(fixture, KEY_CODE_LEFT);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "3 programs"));
	key(fixture, KEY_CODE_RIGHT);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "3 of 5 connections  in nginx"));
}

static void every_group_has_details_of_every_size(void **state)
{
	static const char *const says[] = {
		[GROUPING_PROCESS] = " Process     nginx, PID 10",
		[GROUPING_REMOTE] = " Remote host 203.0.113.1",
		[GROUPING_CONTAINER] = " Container   -",
		[GROUPING_USER] = " User        -",
		[GROUPING_PROGRAM] = " Program     nginx",
		[GROUPING_SERVICE] = " Service     not known",
		[GROUPING_PAIR] = " Pair        nginx (10) with 203.0.113.1",
	};
	struct fixture *fixture = *state;

	show_workers(fixture);
	for (int grouping = GROUPING_NONE + 1; grouping < GROUPING_COUNT; grouping++) {
		view_set_grouping(&fixture->ui.view, (enum grouping)grouping);
		paint(fixture, 80, 24);
		key(fixture, KEY_CODE_ENTER);
		paint(fixture, 80, 24);
		assert_string_equal(fixture->glass.lines[1], says[grouping]);
		for (unsigned width = LAYOUT_WIDTH_MIN; width <= 200; width += 5)
			for (unsigned height = LAYOUT_HEIGHT_MIN; height <= 60; height += 3)
				paint(fixture, width, height);
		key(fixture, KEY_CODE_ESCAPE);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UI_TEST(a_part_has_a_sum),
		UI_TEST(every_part_has_a_sum),
		UI_TEST(small_screens_say_so_too),
		UI_TEST(groups_have_details),
		UI_TEST(every_group_has_details_of_every_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
