/* SPDX-License-Identifier: Apache-2.0 */
/* The page of services: by listening port how many connections come, are open, wait, are turned away, and are reset. */
#include <stdio.h>
#include <stdlib.h>

#include "base/format.h"
#include "base/util.h"
#include "model/services.h"
#include "output/renderer.h"
#include "screen/header.h"
#include "screen/mode.h"
#include "screen/page.h"
#include "screen/ui.h"

#define CELL_MAX 32
#define PORT_WIDTH 6
#define NAME_WIDTH_MIN 12
#define NAME_WIDTH_MAX 30

/* ---- cells ---- */

static void put_count(char *cell, uint64_t count)
{
	format_count(cell, CELL_MAX, count, 7);
}

static void cell_fresh(const struct ui *ui, const struct service *service, char *cell)
{
	double per_s = service_fresh_per_s(&ui->services, service);

	if (!ui->services.span_ns)
		snprintf(cell, CELL_MAX, "-");
	else if (per_s > 0 && per_s < 10)
		snprintf(cell, CELL_MAX, "%.1f", per_s);
	else
		put_count(cell, (uint64_t)(per_s + 0.5));
}

static void cell_open(const struct ui *ui, const struct service *service, char *cell)
{
	(void)ui;
	put_count(cell, service->open);
}

static void cell_backlog(const struct ui *ui, const struct service *service, char *cell)
{
	(void)ui;
	snprintf(cell, CELL_MAX, "%u/%u", service->backlog, service->backlog_max);
}

static void cell_dropped(const struct ui *ui, const struct service *service, char *cell)
{
	(void)ui;
	put_count(cell, service->all_drops);
}

static void cell_ended(const struct ui *ui, const struct service *service, char *cell)
{
	(void)ui;
	put_count(cell, service->all.ended);
}

static void cell_reset(const struct ui *ui, const struct service *service, char *cell)
{
	(void)ui;
	put_count(cell, service->all.resets);
}

static void cell_timed_out(const struct ui *ui, const struct service *service, char *cell)
{
	(void)ui;
	put_count(cell, service->all.timed_out);
}

static bool is_full(const struct service *service)
{
	return service->backlog > service->backlog_max || service->drops;
}

static bool is_reset(const struct service *service)
{
	return service->ends.resets;
}

static bool is_timed_out(const struct service *service)
{
	return service->ends.timed_out;
}

static const struct service_column {
	const char *title;
	unsigned width;
	unsigned from_width; /* of the screen */
	void (*format)(const struct ui *ui, const struct service *service, char *cell);
	bool (*alerts)(const struct service *service); /* just now; NULL: never */
} columns[] = {
	{ "NEW/s", 7, 0, cell_fresh, NULL },
	{ "OPEN", 7, 52, cell_open, NULL },
	{ "BACKLOG", 10, 0, cell_backlog, is_full },
	{ "DROPPED", 7, 72, cell_dropped, is_full },
	{ "ENDED", 7, 64, cell_ended, NULL },
	{ "RESET", 7, 80, cell_reset, is_reset },
	{ "TIMED OUT", 9, 92, cell_timed_out, is_timed_out },
};

static unsigned name_width(const struct ui *ui)
{
	unsigned taken = 1 + PORT_WIDTH + 1;

	for (size_t i = 0; i < COUNT_OF(columns); i++)
		if (ui->width >= columns[i].from_width)
			taken += 1 + columns[i].width;
	unsigned left = ui->width > taken ? ui->width - taken : 0;

	return left < NAME_WIDTH_MIN ? NAME_WIDTH_MIN : left > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : left;
}

/* ---- the page ---- */

static void draw_service(struct page *page, const struct service *service)
{
	struct ui *ui = page->ui;
	enum style style = service ? STYLE_PLAIN : STYLE_HEAD;

	page_begin(page);
	if (service) {
		line_print(&ui->line, style, " %*u ", PORT_WIDTH, service->session.lport);
		page_process(ui, &service->session, name_width(ui));
	} else {
		line_print(&ui->line, style, " %*s %-*s", PORT_WIDTH, "PORT", (int)name_width(ui), "PROCESS");
	}
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		char cell[CELL_MAX];

		if (ui->width < columns[i].from_width)
			continue;
		snprintf(cell, sizeof cell, "%s", columns[i].title);
		if (service)
			columns[i].format(ui, service, cell);
		bool alerts = service && columns[i].alerts && columns[i].alerts(service);

		line_print(&ui->line, alerts ? STYLE_ALERT : style, " %*s", (int)columns[i].width, cell);
	}
	if (!service)
		line_pad(&ui->line, STYLE_HEAD, ui->width);
	page_put(page);
}

static int compare_busy(const void *a, const void *b)
{
	const struct service *left = *(const struct service *const *)a,
	                     *right = *(const struct service *const *)b;

	return COMPARE(right->fresh, left->fresh) ?: COMPARE(right->open, left->open)
	                                                 ?: COMPARE(left->session.lport, right->session.lport)
	                                                        ?: COMPARE(left->session.netns, right->session.netns);
}

static bool passes(struct ui *ui, const struct service *service)
{
	struct row row = { .session = service->session, .members = 1 };

	return list_passes(&ui->view.settings, &ui->view.context, &row);
}

static const char *say_nothing(const struct ui *ui)
{
	if (ui->replay)
		return " The recording tells of none here: it needs -a and --connections.";
	if (!ui->run->can_tell_connections || !ui->run->can_tell_sockets)
		return " This kernel cannot tell of them.";
	return " They are told after one interval, NEW/s after two.";
}

/* Nothing is counted where there was no pass yet: that none listens is not known. */
static void draw_title(struct page *page, size_t shown)
{
	struct ui *ui = page->ui;
	const struct services *services = &ui->services;

	page_begin(page);
	/* services are of the latest interval that was taken in, and of no other one */
	if (services->count && view_traffic(&ui->view)->tick < ui->services_tick)
		line_print(&ui->line, STYLE_ALERT,
		    ui->replay ? " Not of then, but of later:" : " Not of then, but of now:");
	if (services->items)
		line_print(&ui->line, STYLE_PLAIN, " %zu listening port%s  ", shown, shown == 1 ? "" : "s");
	else
		line_print(&ui->line, STYLE_PLAIN, " listening ports  ");
	header_filters(ui);
	page_put(page);
}

static void services_draw(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink)
{
	struct page page = { .ui = ui, .sink = sink, .y = y, .end = end };
	const struct services *services = &ui->services;
	size_t count = services->count, shown = 0;
	const struct service **busiest = reallocarray(NULL, count + 1, sizeof *busiest);

	for (size_t i = 0; i < count && busiest; i++)
		if (passes(ui, &services->items[i]))
			busiest[shown++] = &services->items[i];
	if (busiest)
		qsort(busiest, shown, sizeof *busiest, compare_busy);
	draw_title(&page, shown);
	draw_service(&page, NULL);
	for (size_t i = 0; i < shown; i++)
		draw_service(&page, busiest[i]);
	free(busiest);
	if (!shown)
		page_text(&page, STYLE_DIM,
		    count             ? " None passes the filter."
		    : services->items ? " Nothing listens."
		                      : say_nothing(ui));
	page_end(&page);
}

const struct mode services_mode = {
	.open = page_open,
	.key = page_key,
	.draw = services_draw,
	.footer = page_footer,
};
