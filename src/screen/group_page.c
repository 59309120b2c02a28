/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/group_page.h"

#include <ctype.h>
#include <stdio.h>

#include "base/util.h"
#include "model/group.h"
#include "names/names.h"
#include "screen/page.h"
#include "screen/ui.h"

#define PARTS_MAX 8 /* of each kind */
#define PART_WIDTH 48

/* By what a group is taken apart: those that the members of a group may differ in. */
static const struct part {
	enum grouping by;
	enum grouping one_of; /* whose groups have one of them: it is not told; GROUPING_NONE: none has */
	const char *label;
} parts[] = {
	{ GROUPING_REMOTE, GROUPING_NONE, "Top peers" },
	{ GROUPING_PROCESS, GROUPING_PAIR, "Processes" },
};

/* What the columns that are told by a grouping say of a row: "nginx", "203.0.113.84". Untrusted, escaped. */
static void say(struct ui *ui, enum grouping grouping, const struct row *row, struct cell *cell)
{
	struct column_context context = ui->view.context;
	struct cell one = { .width = PART_WIDTH };
	size_t used = 0;

	context.grouping = grouping;
	cell->text[0] = '\0';
	for (size_t i = 0; i < column_count; i++) {
		if (!(column_table[i].identifies & 1 << grouping))
			continue;
		column_table[i].format(&context, row, &one);
		used += (size_t)snprintf(
		    cell->text + used, sizeof cell->text - used, "%s%s", used ? " with " : "", one.text);
		used = used < sizeof cell->text ? used : sizeof cell->text - 1;
	}
}

static void label_of(char *label, size_t size, enum grouping grouping)
{
	snprintf(label, size, "%s", grouping_name(grouping, false));
	label[0] = (char)toupper((unsigned char)label[0]);
}

/* What the group is told by, or several, or none is known. */
static void fact(struct page *page, const struct row *group, enum grouping grouping, const char *column)
{
	struct cell cell = { .width = PART_WIDTH };
	char label[PAGE_LABEL_WIDTH + 4];

	if (grouping == page->ui->view.context.grouping)
		return;
	label_of(label, sizeof label, grouping);
	column_find(column)->format(&page->ui->view.context, group, &cell);
	page_detail(page, label, "%s", cell.text);
}

void group_page_who(struct page *page, const struct row *group)
{
	struct ui *ui = page->ui;
	enum grouping grouping = ui->view.context.grouping;
	char label[PAGE_LABEL_WIDTH + 4];
	struct cell cell = { 0 };

	label_of(label, sizeof label, grouping);
	say(ui, grouping, group, &cell);
	if (grouping == GROUPING_PROCESS)
		page_detail(page, label, "%s, PID %u", cell.text, group->session.pid);
	else
		page_detail(page, label, "%s", cell.text);
	if (grouping == GROUPING_CONTAINER && group->container)
		page_detail(page, "Cgroup", "%s", names_container_path(ui->names, group->container));
	if (grouping != GROUPING_PROGRAM && grouping != GROUPING_PAIR)
		fact(page, group, GROUPING_PROCESS, "name");
	fact(page, group, GROUPING_USER, "user");
	fact(page, group, GROUPING_CONTAINER, "container");
	char closed[32] = "";

	if (group->closed_members)
		snprintf(closed, sizeof closed, ", %u closed", group->closed_members);
	page_detail(page, "Connections", "%u%s%s", group->members,
	    ui->view.context.all    ? " that are kept"
	    : ui->view.context.open ? " that are open, or had traffic lately"
	                            : " with traffic lately",
	    closed);
}

/* Takes those with the largest totals from the front. */
static const struct row *take_largest(struct rows *rows, size_t taken)
{
	size_t best = taken;

	for (size_t i = taken + 1; i < rows->count; i++)
		if (rows->rows[i].rx_total_bytes + rows->rows[i].tx_total_bytes >
		    rows->rows[best].rx_total_bytes + rows->rows[best].tx_total_bytes)
			best = i;
	struct row largest = rows->rows[best];

	rows->rows[best] = rows->rows[taken];
	rows->rows[taken] = largest;
	return &rows->rows[taken];
}

static void put_part(struct page *page, enum grouping by, const struct row *part)
{
	struct ui *ui = page->ui;
	char rx[48], tx[48], pid[24] = "";
	struct cell cell = { 0 };

	say(ui, by, part, &cell);
	format_bytes(rx, sizeof rx, part->rx_total_bytes, ui->view.context.unit);
	format_bytes(tx, sizeof tx, part->tx_total_bytes, ui->view.context.unit);
	if (by == GROUPING_PROCESS)
		snprintf(pid, sizeof pid, ", PID %u", part->session.pid);
	page_detail(page, "", "RX %-8s TX %-8s %s%s, %u connection%s", rx, tx, cell.text, pid, part->members,
	    part->members == 1 ? "" : "s");
}

static void put_parts(struct page *page, const struct part *part, struct rows *rows)
{
	page_detail(page, part->label, "%zu%s", rows->count, rows->count > PARTS_MAX ? ", the largest:" : "");
	for (size_t i = 0; i < rows->count && i < PARTS_MAX; i++)
		put_part(page, part->by, take_largest(rows, i));
}

static void put_others(struct page *page, const struct row *group, const struct row *kept)
{
	uint64_t rx_bytes = group->rx_total_bytes - kept->rx_total_bytes;
	uint64_t tx_bytes = group->tx_total_bytes - kept->tx_total_bytes;

	if (rx_bytes || tx_bytes)
		page_detail(page, "Dropped",
		    "RX %llu B   TX %llu B of the total: connections not kept any more",
		    (unsigned long long)rx_bytes, (unsigned long long)tx_bytes);
}

void group_page_parts(struct page *page, const struct row *group)
{
	struct view *view = &page->ui->view;
	struct row kept;

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		struct rows rows;

		if (parts[i].by == view->context.grouping || parts[i].one_of == view->context.grouping)
			continue;
		rows_init(&rows);
		if (list_take_apart(
		        &rows, &kept, &view->settings, &view->context, &group->session, parts[i].by) == 0)
			put_parts(page, &parts[i], &rows);
		else
			page_text(page, STYLE_PLAIN, " Not enough memory to take the group apart.");
		rows_fini(&rows);
	}
	put_others(page, group, &kept);
}
