/* SPDX-License-Identifier: Apache-2.0 */
/* The help, and the keys and the footer that pages have in common. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "model/group.h"
#include "output/renderer.h"
#include "screen/keys.h"
#include "screen/mode.h"
#include "screen/page.h"
#include "screen/table_mode.h"
#include "screen/ui.h"

#define HELP_COLUMN 39
#define HELP_KEYS 11

#define WORDS_LABEL 18

/* A label and words beside it, or below it where the screen is narrow, on as many lines as they need. */
static void page_words(struct page *page, const char *label, const char *text)
{
	struct line *line = &page->ui->line;
	unsigned start = page->ui->width < 60 ? 2 : WORDS_LABEL;

	page_begin(page);
	line_print(line, STYLE_STRONG, " %s", label);
	if (*label && start < WORDS_LABEL) {
		page_put(page);
		page_begin(page);
	}
	while (*text) {
		size_t length = strcspn(text, " ");

		if (line->columns > start && line->columns + 1 + length > page->ui->width) {
			page_put(page);
			page_begin(page);
		}
		line_pad(line, STYLE_PLAIN, line->columns < start ? start : line->columns + 1);
		line_untrusted(line, STYLE_PLAIN, text, length, page->ui->width);
		text += length + strspn(text + length, " ");
	}
	page_put(page);
}

/* ---- help ---- */

static void help_key(struct line *line, const struct key *key)
{
	unsigned start = line->columns;

	line_print(line, STYLE_STRONG, " %s", key->names);
	line_pad(line, STYLE_PLAIN, start + HELP_KEYS);
	line_print(line, STYLE_PLAIN, "%s", key->help);
}

static void help_amount(
    struct page *page, const char *before, uint64_t rx_bytes, uint64_t tx_bytes, const char *after)
{
	enum unit unit = page->ui->view.context.unit;
	char rx[48], tx[48];

	format_bytes(rx, sizeof rx, rx_bytes, unit);
	format_bytes(tx, sizeof tx, tx_bytes, unit);
	page_begin(page);
	line_print(&page->ui->line, STYLE_STRONG, " %s: RX %s, TX %s%s", before, rx, tx, after);
	page_put(page);
}

static void help_loss(
    struct page *page, const char *before, uint64_t count, const char *after, const char *meaning)
{
	if (!count)
		return;
	page_begin(page);
	line_print(&page->ui->line, STYLE_STRONG, " %s%llu%s", before, (unsigned long long)count, after);
	page_put(page);
	page_text(page, STYLE_PLAIN, meaning);
}

static void help_losses(struct page *page)
{
	const struct traffic *traffic = view_traffic(&page->ui->view);
	const struct session_other *other = &traffic->other_total;
	char calls[64];

	help_loss(page, "Missed: ", traffic->missed_total, " events, which the kernel skipped.",
	    "   No figure includes their bytes.");
	help_loss(page, "Ends not seen: of ", traffic->endings_lost_total, " connections.",
	    "   They are shown as idle, but are closed.");
	if (other->calls) {
		snprintf(calls, sizeof calls, " in %llu call%s.", (unsigned long long)other->calls,
		    other->calls == 1 ? "" : "s");
		help_amount(page, "Other connections", other->rx_bytes, other->tx_bytes, calls);
		page_text(page, STYLE_PLAIN, "   The table was full: they are in the totals but not listed.");
		page_text(page, STYLE_PLAIN, "   Start with a greater --max-sessions.");
	}
}

/* What had to go because only so much is kept. */
static void help_gone(struct page *page)
{
	const struct traffic *traffic = view_traffic(&page->ui->view);
	char before[80];

	if (!traffic->rows_gone)
		return;
	page_text(page, STYLE_PLAIN, "");
	help_loss(page, "Dropped: the ", traffic->rows_gone, " connections that were idle for longest.",
	    "   The sums of processes, hosts and other groups include them.");
	for (int i = GROUPING_NONE + 1; i < GROUPING_COUNT; i++) {
		const struct gone *gone = &traffic->gone[i];

		if (!gone->left_groups)
			continue;
		snprintf(before, sizeof before, "Dropped: the oldest %llu %s",
		    (unsigned long long)gone->left_groups,
		    grouping_name((enum grouping)i, gone->left_groups != 1));
		help_amount(page, before, gone->left_rx_bytes, gone->left_tx_bytes, "");
	}
}

/* That of the latest interval, where it is known. */
static void help_cost(struct page *page)
{
	const struct traffic *traffic = view_traffic(&page->ui->view);
	const struct own_cost *cost = &traffic->cost;
	char all[COST_TEXT_SIZE], programs[COST_TEXT_SIZE], text[128];

	if (!cost->total_ns)
		return;
	snprintf(text, sizeof text, "%s of a CPU; in the kernel %s, %llu runs",
	    cost_share(all, cost->total_ns, traffic->interval_ns),
	    cost_share(programs, cost->programs_ns, traffic->interval_ns), (unsigned long long)cost->runs);
	page_words(page, "Own cost", text);
}

static void help_not_counted(struct page *page)
{
	const struct run *run = page->ui->run;

	if (run->method != PROBE_AUTO)
		page_words(page, "Counted by", probe_method_name(run->method));
	if (page->ui->not_counted)
		page_words(page, "Here", page->ui->not_counted);
	for (size_t i = 0; i < run->not_counted_count; i++)
		page_words(page, i ? "" : "Not counted", run->not_counted[i]);
}

/* What users ask first, and what they see; it has to fit above the fold of 80x24 with the keys that matter. */
static const struct {
	const char *label;
	const char *text;
} help_words[] = {
	{ "Who fills it?", "The first in the list. g: by process, host, ...; c: sums" },
	{ "Why did it stop?", "a lists idle and closed ones, too; Enter: when it ended" },
	{ "One pod?", "F4 and its container id, or g until CONTAINER; Enter" },
	{ "Look later?", TCPTOP_NAME " -o json > FILE; then " TCPTOP_NAME " --replay FILE" },
	{ "Esc", "One step back: page, group, filter, user, following" },
	{ "RX, TX", "What processes received and sent; 1KB is 1024 bytes" },
	{ "Dim, bold", "Idle or closed (x); over 1MB/s. Yellow: frozen. Red: lost" },
	{ "TOTAL, AGE", "Sum since the start or r; since its first traffic here" },
	{ "HISTORY", "Newest at the right; each line is as high as its own peak" },
	{ "SRTT, RETR SUM", "Round trip, smoothed; segments sent again in all its life" },
};

/* Below the keys: what a word on the screen means, a line each. */
static const struct {
	const char *label;
	const char *text;
} help_meanings[] = {
	{ "accounted", "Of what sequence numbers moved by, the share that was counted" },
	{ "Filters F4", "port: listen: host: user: pid: comm: state: why: ... or a word" },
	{ "WHY app", "The process here has nothing to send" },
	{ "WHY remote", "The remote, or the path from it, has sent nothing more" },
	{ "WHY peer", "The process at the remote reads too slowly: window full" },
	{ "WHY buffer", "The send buffer here is full, and all in it is under way" },
	{ "WHY loss, queue", "The network: sent again, or waiting to be acknowledged" },
	{ "WHY reader", "What has arrived waits for the process here to read it" },
	{ "WHY idle", "Nothing was moved, and nothing waits" },
};

static void help_keys(struct page *page, bool motions)
{
	struct ui *ui = page->ui;
	bool two = ui->width >= 2 * HELP_COLUMN, left = true;

	for (size_t i = 0; i < key_count; i++) {
		if ((key_table[i].motion != MOTION_NONE) != motions || !key_table[i].names)
			continue;
		if (left)
			page_begin(page);
		else
			line_pad(&ui->line, STYLE_PLAIN, HELP_COLUMN);
		help_key(&ui->line, &key_table[i]);
		if (!two || !left)
			page_put(page);
		left = !two || !left;
	}
	if (!left)
		page_put(page);
}

static void help_draw(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink)
{
	struct page page = { .ui = ui, .sink = sink, .y = y, .end = end };

	help_losses(&page);
	for (size_t i = 0; i < COUNT_OF(help_words); i++)
		page_words(&page, help_words[i].label, help_words[i].text);
	help_keys(&page, false);
	help_keys(&page, true);
	for (size_t i = 0; i < COUNT_OF(help_meanings); i++)
		page_words(&page, help_meanings[i].label, help_meanings[i].text);
	help_gone(&page);
	help_cost(&page);
	help_not_counted(&page);
	page_end(&page);
}

/* ---- keys ---- */

void page_open(struct ui *ui)
{
	ui->scroll = 0;
}

static void scroll(struct ui *ui, enum motion motion)
{
	unsigned page = ui->height > 3 ? ui->height - 3 : 1;
	unsigned last = ui->page_lines > page ? ui->page_lines - page : 0;

	switch (motion) {
	case MOTION_UP:
		ui->scroll -= ui->scroll > 0;
		break;
	case MOTION_DOWN:
		ui->scroll++;
		break;
	case MOTION_PAGE_UP:
		ui->scroll = ui->scroll > page ? ui->scroll - page : 0;
		break;
	case MOTION_PAGE_DOWN:
		ui->scroll += page;
		break;
	case MOTION_HOME:
		ui->scroll = 0;
		break;
	case MOTION_END:
		ui->scroll = last;
		break;
	case MOTION_NONE:
		break;
	}
	if (ui->scroll > last)
		ui->scroll = last;
}

unsigned page_key(struct ui *ui, int code)
{
	const struct key *key = key_find(code);

	if (key && key->on_pages)
		return key->run(ui);
	/* Another page's key leads there; its own one closes it, as those of the table do. */
	if (key && key->closes_page)
		ui->mode = key->opens && key->opens != ui->mode ? key->opens : MODE_TABLE;
	scroll(ui, key ? key->motion : MOTION_NONE);
	return REACTION_NONE;
}

static unsigned help_key_pressed(struct ui *ui, int code)
{
	unsigned reaction = page_key(ui, code);

	if (ui->mode == MODE_TABLE)
		ui->mode = ui->help_from;
	return reaction;
}

/* ---- footer ---- */

#define FOOTER_WIDE 50 /* columns from which on it has all of its words */

void page_scroll_footer(struct ui *ui, const char *what)
{
	struct line *line = &ui->line;
	unsigned seen = ui->scroll + ui->height - 2;
	bool narrow = ui->width < FOOTER_WIDE;

	ui_footer_key(ui, KEY_CODE_UP, "Up", " ");
	ui_footer_key(ui, KEY_CODE_DOWN, "Down", narrow ? "  " : what);
	if (ui->page_lines > seen)
		line_print(
		    line, STYLE_LABEL, narrow ? "(%u below)" : "(%u more below)", ui->page_lines - seen);
	line_pad(line, STYLE_LABEL, ui->width);
}

void page_footer(struct ui *ui)
{
	ui_footer_key(ui, KEY_CODE_ESCAPE, "Esc", "Back  ");
	page_scroll_footer(ui, "Scroll  ");
}

const struct mode help_mode = {
	.open = page_open,
	.key = help_key_pressed,
	.draw = help_draw,
	.footer = page_footer,
};
