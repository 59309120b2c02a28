/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "table/column.h"
#include "table/endpoint.h"
#include "base/error.h"
#include "base/pid_namespace.h"
#include "names/names.h"
#include "table/layout.h"
#include "model/traffic.h"
#include "table/line.h"
#include "screen/screen_options.h"

#include <arpa/inet.h>

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))

static void the_table_is_complete_and_ids_are_unique(void **state)
{
	(void)state;
	assert_true(column_count <= COLUMNS_MAX);
	for (size_t i = 0; i < column_count; i++) {
		const struct column *column = &column_table[i];

		assert_non_null(column->rank);
		assert_non_null(column->format);
		assert_non_null(column->description);
		assert_true(column->title != NULL || column->direction != NULL);
		assert_true(
		    column->width_min <= column->width_pref && column->width_pref <= column->width_max);
		assert_int_not_equal(column->groupings, 0);
		assert_ptr_equal(column_find(column->id), column);
	}
	assert_non_null(column_sort_default().column);
}

static void lists_are_parsed_strictly(void **state)
{
	static const char *const wrong[] = { "", "pid,", ",pid", "pid,nonsense", "pid,pid", "PID", "pid name",
		"pid:asc" };
	struct column_list list;
	struct error error;

	(void)state;
	assert_int_equal(column_parse_list(&list, "tx,pid,name", &error), 0);
	assert_int_equal(list.count, 3);
	assert_string_equal(column_table[list.indices[0]].id, "tx");
	assert_string_equal(column_table[list.indices[2]].id, "name");
	assert_int_equal(column_list_needs(&list), COLUMN_NEEDS_NOTHING);
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
		assert_int_equal(column_parse_list(&list, wrong[i], &error), -EINVAL);
		assert_int_equal(error.exit_code, EXIT_CODE_USAGE);
		assert_non_null(strstr(error.text, "--columns"));
		assert_null(strchr(error.text, '\n'));
	}
	assert_int_equal(list.count, 3); /* what was there stays */
}

static void sorts_are_parsed_strictly(void **state)
{
	static const char *const wrong[] = { "", ":asc", "rx:", "rx:up", "rx:asc:desc", "nonsense", "rx,tx" };
	struct column_sort sort;
	struct error error;

	(void)state;
	assert_int_equal(column_parse_sort(&sort, "rx", &error), 0);
	assert_true(sort.descending);
	assert_int_equal(column_parse_sort(&sort, "name", &error), 0);
	assert_false(sort.descending);
	assert_int_equal(column_parse_sort(&sort, "rx:asc", &error), 0);
	assert_string_equal(sort.column->id, "rx");
	assert_false(sort.descending);
	assert_int_equal(column_parse_sort(&sort, "name:desc", &error), 0);
	assert_true(sort.descending);
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
		assert_int_equal(column_parse_sort(&sort, wrong[i], &error), -EINVAL);
		assert_int_equal(error.exit_code, EXIT_CODE_USAGE);
	}
}

static void colors_are_parsed_strictly(void **state)
{
	enum color_choice choice = COLOR_AUTO;
	struct error error;

	(void)state;
	assert_int_equal(color_parse(&choice, "never", &error), 0);
	assert_int_equal(choice, COLOR_NEVER);
	assert_int_equal(color_parse(&choice, "always", &error), 0);
	assert_int_equal(choice, COLOR_ALWAYS);
	assert_int_equal(color_parse(&choice, "Never", &error), -EINVAL);
	assert_int_equal(error.exit_code, EXIT_CODE_USAGE);
}

static void ids_are_listed(void **state)
{
	char text[256], cut[8];
	size_t length = column_ids(text, sizeof text, ", ");

	(void)state;
	assert_int_equal(length, strlen(text));
	assert_int_equal(strncmp(text, "pid, name, user, ", 17), 0);
	assert_int_equal(column_ids(cut, sizeof cut, ", "), length);
	assert_string_equal(cut, "pid, na");
}

/* ---- layout ---- */

static void layout_text(char *text, size_t size, const struct column_context *context, unsigned width)
{
	struct column_list list;
	struct layout layout;

	column_list_default(&list);
	layout_fit(&layout, &list, context, width);
	text[0] = '\0';
	for (unsigned i = 0; i < layout.count; i++)
		snprintf(text + strlen(text), size - strlen(text), "%s%s:%u", i ? " " : "",
		    layout.columns[i].column->id, layout.columns[i].width);
}

static void columns_drop_by_priority(void **state)
{
	static const struct {
		unsigned width;
		const char *layout;
	} cases[] = {
		{ 30, "name:14 rx:7 tx:7" },
		{ 40, "name:8 raddr:17 rx:6 tx:6" },
		{ 80, "pid:7 name:13 laddr:20 raddr:21 rx:7 tx:7" },
		{ 100, "pid:7 name:12 laddr:20 raddr:21 rx:7 tx:7 total:7 history:12" },
		{ 132, "pid:7 name:12 user:8 laddr:20 raddr:21 rx:7 tx:7 total:7 history:16 container:18" },
	};
	struct column_context context = { .grouping = GROUPING_NONE };
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		layout_text(text, sizeof text, &context, cases[i].width);
		assert_string_equal(text, cases[i].layout);
	}
}

static void no_width_is_exceeded_and_none_wasted(void **state)
{
	struct column_list list;
	struct layout layout;

	(void)state;
	column_list_default(&list);
	for (int grouping = 0; grouping < GROUPING_COUNT; grouping++) {
		for (int unit = 0; unit < UNIT_COUNT; unit++) {
			struct column_context context = {
				.grouping = (enum grouping)grouping,
				.unit = (enum unit)unit,
				.address_columns = 60,
			};

			for (unsigned width = 1; width <= 300; width++) {
				unsigned used = 0;

				layout_fit(&layout, &list, &context, width);
				assert_true(layout.count > 0);
				for (unsigned i = 0; i < layout.count; i++) {
					assert_true(layout.columns[i].width > 0);
					used += layout.columns[i].width + (i ? LAYOUT_GAP : 0);
				}
				assert_true(used <= width);
			}
		}
	}
}

static void a_group_is_led_by_what_it_is(void **state)
{
	struct column_context context = { .grouping = GROUPING_CONTAINER };
	char text[256];

	(void)state;
	layout_text(text, sizeof text, &context, 40);
	assert_int_equal(strncmp(text, "container:", 10), 0);
	assert_null(strstr(text, "raddr"));
	context.grouping = GROUPING_REMOTE;
	layout_text(text, sizeof text, &context, 80);
	assert_int_equal(strncmp(text, "raddr:", 6), 0);
	assert_non_null(strstr(text, "connections:"));
	assert_null(strstr(text, "pid:"));
}

/* Whatever the order is by is seen: what matters less makes room for it. */
static void the_column_of_the_order_is_there(void **state)
{
	struct column_list list;

	(void)state;
	column_list_default(&list);
	for (int grouping = 0; grouping < GROUPING_COUNT; grouping++) {
		for (size_t i = 0; i < 2 * column_count; i++) {
			const struct column *column = &column_table[i / 2];
			struct column_context context = {
				.grouping = (enum grouping)grouping, .open = i % 2, .sorted = column
			};

			if (!(column->groupings & 1 << grouping))
				continue;
			for (unsigned width = 40; width <= 200; width += 40) {
				struct layout layout;
				unsigned shown = 0;

				layout_fit(&layout, &list, &context, width);
				for (unsigned at = 0; at < layout.count; at++)
					shown += layout.columns[at].column == column;
				assert_int_equal(shown, 1);
			}
		}
	}
}

/* Of open sockets more is told than history and container. */
static void open_sockets_have_their_columns_first(void **state)
{
	static const char *const ids[] = { "unread:", "unsent:", "idle:", "peer:" };
	struct column_context context = { .open = true, .address_columns = 21 };
	char text[512];

	(void)state;
	layout_text(text, sizeof text, &context, 200);
	for (size_t i = 0; i < ARRAY_LENGTH(ids); i++)
		assert_non_null(strstr(text, ids[i]));
	layout_text(text, sizeof text, &context, 120);
	assert_null(strstr(text, "history:"));
	context.grouping = GROUPING_PROCESS;
	layout_text(text, sizeof text, &context, 100);
	assert_non_null(strstr(text, "unread:"));
	assert_non_null(strstr(text, "unsent:"));
	context.open = false;
	layout_text(text, sizeof text, &context, 200);
	assert_null(strstr(text, "unread:"));
	assert_non_null(strstr(text, "history:"));
}

static void lines_add_up_to_the_screen(void **state)
{
	(void)state;
	for (unsigned height = LAYOUT_HEIGHT_MIN; height <= 100; height++) {
		for (unsigned width = LAYOUT_WIDTH_MIN; width <= 200; width += 10) {
			struct layout_lines lines = layout_lines(width, height);

			assert_int_equal(lines.header + 1 + lines.table + 1, height);
			assert_true(lines.table >= 1);
		}
	}
	assert_int_equal(layout_lines(80, 24).table, 18);
	assert_int_equal(layout_lines(40, 10).table, 5);
}

/* ---- endpoints ---- */

static void check_endpoint(
    const char *address, uint16_t port, unsigned width, const char *expected, unsigned columns)
{
	uint8_t bytes[16] = { 0 };
	struct endpoint endpoint = { .address = bytes, .has_port = port != 0, .port = port };
	char text[ENDPOINT_SIZE];

	endpoint.family = strchr(address, ':') ? 6 : 4;
	assert_int_equal(inet_pton(endpoint.family == 4 ? AF_INET : AF_INET6, address, bytes), 1);
	assert_int_equal(endpoint_format(text, sizeof text, &endpoint, width, true), columns);
	assert_string_equal(text, expected);
}

static void addresses_give_way_in_the_middle(void **state)
{
	static const char longest[] = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff";

	(void)state;
	check_endpoint("192.0.2.1", 443, 21, "192.0.2.1:443", 13);
	check_endpoint("255.255.255.255", 65535, 21, "255.255.255.255:65535", 21);
	check_endpoint("255.255.255.255", 65535, 18, "255.25…5.255:65535", 18);
	check_endpoint("::1", 22, 20, "[::1]:22", 8);
	check_endpoint("::1", 0, 20, "::1", 3);
	check_endpoint(longest, 65535, 47, "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535", 46);
	check_endpoint(longest, 443, 21, "[2001:db…ee:ffff]:443", 21);
	check_endpoint(longest, 443, 9, "[200…fff]", 9);
	check_endpoint("192.0.2.1", 443, 0, "", 0);
}

static void link_local_addresses_show_their_link(void **state)
{
	uint8_t bytes[16] = { 0xFE, 0x80, [15] = 1 };
	struct endpoint endpoint = { 6, bytes, { 3, "eth0" }, .has_port = true, .port = 443 };
	char text[ENDPOINT_SIZE];

	(void)state;
	assert_int_equal(endpoint_format(text, sizeof text, &endpoint, 47, true), 18);
	assert_string_equal(text, "[fe80::1%eth0]:443");
	assert_int_equal(endpoint_columns(&endpoint), 18);
	assert_int_equal(endpoint_format(text, sizeof text, &endpoint, 17, true), 17);
	assert_string_equal(text, "[fe80:…%eth0]:443");
	endpoint.host_name = "printer";
	endpoint_format(text, sizeof text, &endpoint, 47, true);
	assert_string_equal(text, "printer%eth0:443");
	endpoint.host_name = NULL;
	endpoint.has_port = false;
	endpoint.zone.name = "e\033\n";
	endpoint_format(text, sizeof text, &endpoint, 47, true);
	assert_string_equal(text, "fe80::1%e\\x1b\\x0a");
	endpoint.zone.name = "";
	endpoint_format(text, sizeof text, &endpoint, 47, true);
	assert_string_equal(text, "fe80::1%3");
	bytes[0] = 0x20;
	endpoint_format(text, sizeof text, &endpoint, 47, true);
	assert_string_equal(text, "2080::1");
}

static void names_stand_for_numbers(void **state)
{
	uint8_t bytes[16] = { 192, 0, 2, 1 };
	struct endpoint endpoint = {
		.family = 4,
		.address = bytes,
		.has_port = true,
		.port = 443,
		.host_name = "ec2-192-0-2-1.compute.example.org",
		.port_name = "https",
	};
	char text[ENDPOINT_SIZE];

	(void)state;
	endpoint_format(text, sizeof text, &endpoint, 60, true);
	assert_string_equal(text, "ec2-192-0-2-1.compute.example.org:https");
	assert_int_equal(endpoint_format(text, sizeof text, &endpoint, 20, false), 20);
	assert_string_equal(text, "ec2-192~le.org:https");
	endpoint.host_name = "evil\033[31m\n";
	endpoint_format(text, sizeof text, &endpoint, 60, true);
	assert_string_equal(text, "evil\\x1b[31m\\x0a:https");
}

/* ---- cells ---- */

static void every_cell_keeps_its_width(void **state)
{
	static const char *const names[] = { "", "a", "sixteen-bytes-ab", "日本語名日", "é", "\033[31m\n",
		"\xff\xfe\xfd" };
	struct traffic traffic = { .tick = 40, .interval_ns = 1000000000, .time.tv_sec = 2000 };
	struct column_context context = { .traffic = &traffic, .utf8 = true };
	struct cell cell;

	(void)state;
	for (size_t n = 0; n < ARRAY_LENGTH(names); n++) {
		struct row row = {
			.session = { .family = 6,
			    .pid = UINT32_MAX,
			    .lport = 65535,
			    .rport = 65535,
			    .uid = UINT32_MAX,
			    .netns = UINT32_MAX,
			    .rx_bytes = UINT64_MAX / 2,
			    .tx_bytes = n },
			.rx_total_bytes = UINT64_MAX / 2,
			.tx_total_bytes = 12345,
			.members = UINT32_MAX,
			.seen_tick = 40,
			.first_tick = 1,
		};

		memset(row.session.laddr, 0xab, 16);
		memset(row.session.raddr, 0xcd, 16);
		memcpy(row.session.comm, names[n], strlen(names[n]));
		for (size_t i = 0; i < column_count; i++) {
			for (unsigned width = 1; width <= column_table[i].width_max; width++) {
				cell = (struct cell){ .width = width };
				column_table[i].format(&context, &row, &cell);
				/* Numbers have no shorter form than four columns; layout gives them six. */
				if (!column_table[i].right || width >= 6)
					assert_true(cell.columns <= width);
				for (const char *c = cell.text; *c; c++)
					assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
			}
		}
	}
}

static void a_cut_text_is_marked(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(line_fit(text, sizeof text, "git-remote-http", 15, 12, true), 12);
	assert_string_equal(text, "git-remote-…");
	assert_int_equal(line_fit(text, sizeof text, "git-remote-http", 15, 12, false), 12);
	assert_string_equal(text, "git-remote-~");
	assert_int_equal(line_fit(text, sizeof text, "exactly-12-b", 12, 12, true), 12);
	assert_string_equal(text, "exactly-12-b");
	/* A wide character that would be cut in half goes whole. */
	assert_int_equal(line_fit(text, sizeof text, "日本語", 9, 4, true), 3);
	assert_string_equal(text, "日…");
	assert_int_equal(line_fit(text, sizeof text, "日本語", 9, 6, true), 6);
	assert_string_equal(text, "日本語");
	assert_int_equal(line_fit(text, sizeof text, "日本", 6, 3, true), 3);
	assert_string_equal(text, "日…");
	assert_int_equal(line_fit(text, sizeof text, "abc", 3, 0, true), 0);
	assert_string_equal(text, "");
}

static int use_utf8(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

/* That of the process that had the PID when it was seen, or none. */
static void the_command_line_is_of_the_row_s_process(void **state)
{
	struct column_context context = { .names = names_open("", NULL) };
	const struct column *column = column_find("command");
	int64_t now_s = time(NULL);
	struct row own = { .session.pid = (uint32_t)getpid(), .members = 1, .first.wall_s = now_s };
	struct row before = own, nobody = { .members = 1, .first.wall_s = now_s };
	struct cell cell = { .width = 200 };

	(void)state;
	before.first.wall_s = now_s - 3600;
	column->format(&context, &own, &cell);
	if (pid_namespace_is_initial("") == 1) {
		assert_non_null(strstr(cell.text, "test_table_column"));
		assert_true(column->rank(&context, &own) > 0);
	} else {
		assert_string_equal(cell.text, "-");
	}
	column->format(&context, &before, &cell);
	assert_string_equal(cell.text, "-");
	column->format(&context, &nobody, &cell);
	assert_string_equal(cell.text, "-");
	names_close(context.names);
	context.names = NULL;
	column->format(&context, &own, &cell);
	assert_string_equal(cell.text, "-");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_complete_and_ids_are_unique),
		cmocka_unit_test(lists_are_parsed_strictly),
		cmocka_unit_test(sorts_are_parsed_strictly),
		cmocka_unit_test(colors_are_parsed_strictly),
		cmocka_unit_test(ids_are_listed),
		cmocka_unit_test(columns_drop_by_priority),
		cmocka_unit_test(no_width_is_exceeded_and_none_wasted),
		cmocka_unit_test(a_group_is_led_by_what_it_is),
		cmocka_unit_test(the_column_of_the_order_is_there),
		cmocka_unit_test(open_sockets_have_their_columns_first),
		cmocka_unit_test(lines_add_up_to_the_screen),
		cmocka_unit_test(addresses_give_way_in_the_middle),
		cmocka_unit_test(link_local_addresses_show_their_link),
		cmocka_unit_test(names_stand_for_numbers),
		cmocka_unit_test(every_cell_keeps_its_width),
		cmocka_unit_test(a_cut_text_is_marked),
		cmocka_unit_test(the_command_line_is_of_the_row_s_process),
	};

	return cmocka_run_group_tests(tests, use_utf8, NULL);
}
