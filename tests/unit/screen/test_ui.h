/* SPDX-License-Identifier: Apache-2.0 */
/* A ui with a few sessions, and the lines that it paints, for the tests of the screen. */
#ifndef TCPTOP_TEST_UI_H
#define TCPTOP_TEST_UI_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "cmocka_names.h"
#include "model/snapshot.h"
#include "names/names.h"
#include "output/renderer.h"
#include "screen/frame.h"
#include "screen/keys.h"
#include "screen/playback.h"
#include "screen/ui.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))
#define LINES_MAX 220

struct glass {
	char lines[LINES_MAX][LINE_COLUMNS_MAX * 4];
	bool put[LINES_MAX];
};

struct fixture {
	struct ui ui;
	struct run run;
	struct screen_options options;
	struct renderer_request request;
	struct snapshot snapshot;
	struct glass glass;
};

static inline void put_line(void *to, unsigned y, const struct line *line)
{
	struct glass *glass = to;
	wchar_t wide[LINE_COLUMNS_MAX * 2];
	size_t bytes = 0;

	assert_true(y < LINES_MAX);
	assert_false(glass->put[y]);
	glass->put[y] = true;
	memcpy(glass->lines[y], line->text, line->bytes);
	glass->lines[y][line_trimmed(line)] = '\0';
	for (unsigned i = 0; i < line->run_count; i++)
		bytes += line->runs[i].bytes;
	assert_int_equal(bytes, line->bytes);
	/* The C library's opinion of the columns. */
	assert_int_not_equal(mbstowcs(wide, line->text, ARRAY_LENGTH(wide)), (size_t)-1);
	assert_int_equal(wcswidth(wide, wcslen(wide)), line->columns);
	assert_true(line->columns <= line->width);
}

static inline void paint(struct fixture *fixture, unsigned width, unsigned height)
{
	struct line_sink sink = { put_line, &fixture->glass };

	memset(fixture->glass.put, 0, sizeof fixture->glass.put);
	assert_int_equal(frame_draw(&fixture->ui, width, height, &sink), 0);
	for (unsigned y = 0; y < height; y++)
		assert_true(fixture->glass.put[y]);
}

/* Read alone: what the key asks for is done before the next one comes. */
static inline unsigned key(struct fixture *fixture, int code)
{
	fixture->request = (struct renderer_request){ 0 };
	return frame_key(&fixture->ui, code, &fixture->request);
}

static inline void type(struct fixture *fixture, const char *text)
{
	for (; *text; text++)
		key(fixture, *text);
}

static inline void add(struct fixture *fixture, const char *comm, uint32_t pid, const char *raddr,
    uint16_t rport, uint64_t rx_bytes, uint64_t tx_bytes)
{
	struct session *session = snapshot_add(&fixture->snapshot);

	session->family = strchr(raddr, ':') ? 6 : 4;
	inet_pton(session->family == 4 ? AF_INET : AF_INET6, raddr, session->raddr);
	inet_pton(session->family == 4 ? AF_INET : AF_INET6,
	    session->family == 4 ? "10.0.0.5" : "2001:db8::5", session->laddr);
	session->lport = 443;
	session->rport = rport;
	session->pid = pid;
	session->uid = UINT32_MAX;
	session->netns = 4026531840u;
	session->rx_bytes = rx_bytes;
	session->tx_bytes = tx_bytes;
	snprintf(session->comm, sizeof session->comm, "%s", comm);
}

/* Of a connection as add() makes them. */
static inline void close_connection(struct fixture *fixture, const char *raddr, uint16_t rport)
{
	struct ending *ending = snapshot_add_ending(&fixture->snapshot);
	struct session *session = &ending->connection;

	session->family = 4;
	inet_pton(AF_INET, raddr, session->raddr);
	inet_pton(AF_INET, "10.0.0.5", session->laddr);
	session->lport = 443;
	session->rport = rport;
	session->netns = 4026531840u;
}

static inline void begin(struct fixture *fixture)
{
	unsigned tick = fixture->ui.traffic.tick;

	snapshot_reset(&fixture->snapshot);
	fixture->snapshot.interval_ns = 1000000000;
	fixture->snapshot.time.tv_sec = 1795344137 + tick;
}

static inline void show(struct fixture *fixture)
{
	snapshot_total(&fixture->snapshot);
	assert_int_equal(ui_begin_interval(&fixture->ui, &fixture->snapshot), 1);
	assert_int_equal(playback_merge(&fixture->ui, &fixture->snapshot), 0);
}

static inline void show_typical(struct fixture *fixture)
{
	begin(fixture);
	add(fixture, "nginx", 1874, "203.0.113.84", 51312, 18000, 9400000);
	add(fixture, "postgres", 3311, "10.0.0.31", 42480, 0, 640000);
	add(fixture, "sshd", 5120, "2001:db8::15", 50412, 1200, 0);
	show(fixture);
}

static inline int start(void **state, bool utf8)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	if (!fixture || !setlocale(LC_CTYPE, "C.UTF-8"))
		return -1;
	setenv("TZ", "UTC", 1);
	screen_options_init(&fixture->options);
	/* As for a recording: nothing of this host is on the screen. */
	fixture->run.screen = &fixture->options;
	fixture->run.method = PROBE_TRACEPOINT;
	snapshot_init(&fixture->snapshot);
	*state = fixture;
	fixture->run.names = names_open(NULL, NULL);
	return fixture->run.names ? ui_init(&fixture->ui, &fixture->run, utf8) : -1;
}

static inline int set_up(void **state)
{
	return start(state, true);
}

static inline int set_up_ascii(void **state)
{
	return start(state, false);
}

static inline int tear_down(void **state)
{
	struct fixture *fixture = *state;

	ui_fini(&fixture->ui);
	names_close(fixture->run.names);
	snapshot_fini(&fixture->snapshot);
	free(fixture);
	return 0;
}

/* As it runs on a kernel that can, or cannot, tell of sockets. */
static inline void begin_live(struct fixture *fixture, bool can_tell_sockets)
{
	ui_fini(&fixture->ui);
	fixture->run.live = true;
	fixture->run.interval_ns = 1000000000;
	fixture->run.can_tell_sockets = can_tell_sockets;
	assert_int_equal(ui_init(&fixture->ui, &fixture->run, true), 0);
}

static inline void expect_lines(struct fixture *fixture, const char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_string_equal(fixture->glass.lines[i], lines[i]);
}

static inline bool on_glass(struct fixture *fixture, unsigned height, const char *text)
{
	for (unsigned y = 0; y < height; y++)
		if (strstr(fixture->glass.lines[y], text))
			return true;
	return false;
}

#define UI_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
