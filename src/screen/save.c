/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/save.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "loader/writer.h"
#include "output/renderer.h"
#include "screen/frame.h"
#include "screen/settings.h"
#include "screen/table_lines.h"
#include "screen/ui.h"
#include "table/endpoint.h"
#include "table/layout.h"

/* ---- files ---- */

/* All rows, from the first one on; afterwards the list stands where it stood. */
static void print_text(struct ui *ui, FILE *stream)
{
	unsigned width = ui->width, height = ui->height;
	struct view at = ui->view;

	frame_print_final(ui, stream, width, (unsigned)ui->view.list.count + height);
	ui->width = width;
	ui->height = height;
	ui->view.top = at.top;
	ui->view.line = at.line;
	ui->view.height = at.height;
	ui->view.scrolled = at.scrolled;
}

/* Every connection of the intervals, also what the filter leaves out: so it is no filtered recording. */
static int print_json(struct ui *ui, FILE *stream)
{
	uint32_t shown = view_traffic(&ui->view)->tick;
	struct run run = *ui->run;
	struct traffic at;
	struct error error;
	void *state;

	run.words = NULL;
	int err = renderer_json.open(&state, &run, stream, &error);

	traffic_init(&at);
	err = err ? err : past_show(&ui->past, past_base(&ui->past), &at);
	while (!err && at.tick < shown) {
		const struct snapshot *snapshot = past_step(&ui->past, &at);

		err = snapshot ? renderer_json.show(state, snapshot, &error) : -ENOMEM;
	}
	traffic_fini(&at);
	renderer_json.close(state);
	return err;
}

static const char *reason(int err)
{
	return err == -ETIMEDOUT ? "it takes long, and may still be written" : strerror(-err);
}

static int write_file(struct ui *ui, enum writer_file file, char name[WRITER_NAME_SIZE])
{
	char *bytes = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&bytes, &size);
	int err = stream ? 0 : -ENOMEM;

	name[0] = '\0';
	if (stream && file == WRITER_TEXT)
		print_text(ui, stream);
	else if (stream)
		err = print_json(ui, stream);
	if (stream && fclose(stream) != 0)
		err = -ENOMEM;
	err = err ? err : writer_write(ui->run->writer, file, bytes, size, name);
	free(bytes);
	return err;
}

unsigned save_files(struct ui *ui)
{
	char text[WRITER_NAME_SIZE], json[WRITER_NAME_SIZE];

	if (!ui->run->writer || !ui->traffic.tick) {
		ui_say(ui, "nothing to write yet");
		return REACTION_NONE;
	}
	int err = write_file(ui, WRITER_TEXT, text);

	if (err) {
		ui_say(ui, "not written: %s", reason(err));
		return REACTION_NONE;
	}
	err = write_file(ui, WRITER_JSON, json);
	if (err)
		ui_say(ui, "wrote %.40s; not as JSON: %s", text, reason(err));
	else
		ui_say(ui, "wrote %.40s, %.40s", text, json);
	return REACTION_NONE;
}

static void write_settings(struct ui *ui)
{
	char text[WRITER_SETTINGS_MAX], name[WRITER_NAME_SIZE];
	struct settings settings = {
		.columns = ui->columns,
		.sort = ui->view.sort,
		.unit = ui->view.context.unit,
	};
	size_t length = settings_format(text, sizeof text, &settings);
	int err = writer_write(ui->run->writer, WRITER_SETTINGS, text, length, name);

	if (err)
		ui_say(ui, "settings not written: %s", reason(err));
	else
		ui_say(ui, "wrote %s", name);
}

unsigned save_settings(struct ui *ui)
{
	if (!ui->run->writer)
		ui_say(ui, "settings cannot be written here");
	else
		ui_ask(ui, write_settings,
		    "Keep columns, units and order for the next start? y yes, other keys no");
	return REACTION_NONE;
}

/* ---- the clipboard ---- */

unsigned save_copy_address(struct ui *ui)
{
	const struct row *row = view_selected(&ui->view);
	enum grouping grouping = ui->view.context.grouping;

	if (!row || (grouping != GROUPING_NONE && grouping != GROUPING_REMOTE)) {
		ui_say(ui, row ? "a group has no address: Y copies its line" : "nothing to copy");
		return REACTION_NONE;
	}
	const struct session *session = &row->session;
	struct endpoint host = { session->family, session->raddr, session_zone(session), .has_port = false };

	endpoint_format(ui->clipboard, ENDPOINT_SIZE, &host, ENDPOINT_SIZE - 1, ui->utf8);
	ui_say(ui, "copied %s, if the terminal lets it (OSC 52)", ui->clipboard);
	return REACTION_NONE;
}

/* As it is drawn: names in it have been made harmless. */
unsigned save_copy_row(struct ui *ui)
{
	const struct row *row = view_selected(&ui->view);
	struct layout layout;

	if (!row) {
		ui_say(ui, "nothing to copy");
		return REACTION_NONE;
	}
	layout_fit(&layout, &ui->columns, &ui->view.context, ui->width);
	line_begin(&ui->line, ui->width, ui->utf8, STYLE_PLAIN);
	table_lines_row(ui, &layout, row);
	snprintf(ui->clipboard, sizeof ui->clipboard, "%.*s", (int)line_trimmed(&ui->line), ui->line.text);
	ui_say(ui, "copied the line, if the terminal lets it (OSC 52)");
	return REACTION_NONE;
}
