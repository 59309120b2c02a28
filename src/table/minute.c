/* SPDX-License-Identifier: Apache-2.0 */
#include "table/minute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/util.h"
#include "model/group.h"
#include "model/traffic.h"
#include "table/list.h"

#define MINUTE_NS (60 * NS_PER_S)
#define NOW_NS (10 * NS_PER_S)

/* Growth that is listed: by one part in so many of what it was before, at least. What comes in bursts is not steady. */
#define GROWTH_PARTS 2

/* What is open and has been idle for so long has gone; those that send every few seconds have not. */
#define IDLE_NS (20 * NS_PER_S)

/* Which intervals the rates are of: the latest ones, and those before. */
struct spans {
	unsigned now, before;
	uint64_t now_ns, before_ns;
};

/* Groups by key, and what each has in each part. */
struct changes {
	struct rows groups;
	struct change (*parts)[MINUTE_PARTS];
	size_t capacity;
};

struct build {
	const struct traffic *traffic;
	struct spans spans;
	uint64_t from_ns; /* what came or went later is of the minute */
	struct changes processes;
	struct changes programs;
};

static uint64_t length_ns(const struct traffic *traffic, unsigned age)
{
	return traffic->lengths_ns[(traffic->tick - age) % ROW_POINTS];
}

/* 10 s and what is known before it, up to the minute; of less than 30 s the latest third. */
static struct spans choose_spans(const struct traffic *traffic)
{
	unsigned known = traffic->tick < ROW_POINTS ? traffic->tick : ROW_POINTS, age = 0;
	uint64_t known_ns = 0;
	struct spans spans = { 0 };

	for (unsigned i = 0; i < known; i++)
		known_ns += length_ns(traffic, i);
	uint64_t wanted_ns = known_ns / 3 < NOW_NS ? known_ns / 3 : NOW_NS;

	/* To the nearest whole interval, but one at least. */
	for (; age < known && (!age || spans.now_ns + length_ns(traffic, age) / 2 <= wanted_ns); age++) {
		spans.now++;
		spans.now_ns += length_ns(traffic, age);
	}
	for (; age < known && spans.now_ns + spans.before_ns < MINUTE_NS; age++) {
		spans.before++;
		spans.before_ns += length_ns(traffic, age);
	}
	return spans;
}

/* The mean rate of some intervals, from that which is `age` old back. */
static uint64_t mean_rate(
    const struct traffic *traffic, const struct row *row, unsigned age, unsigned count, uint64_t span_ns)
{
	double bytes = 0;

	for (unsigned i = age; i < age + count; i++)
		bytes += (double)series_rate(row->points[(traffic->tick - i) % ROW_POINTS]) *
		         ((double)length_ns(traffic, i) / NS_PER_S);
	return span_ns ? whole_number(bytes / ((double)span_ns / NS_PER_S) + 0.5) : 0;
}

/* ---- connections to changes, changes to larger ones ---- */

static void change_add(struct change *to, const struct change *change)
{
	bool first = !to->processes;
	const struct session *a = &to->example, *b = &change->example;

	/* What is gone has no connection to show. */
	bool shows = change->connections && (!to->connections || change->last.clock_ns > to->last.clock_ns);
	bool compares = to->connections && change->connections;
	bool same_family = !compares || a->family == b->family;

	if (compares) {
		to->same_lport &= change->same_lport && a->lport == b->lport;
		to->same_rport &= change->same_rport && a->rport == b->rport;
		to->same_raddr &= change->same_raddr && same_family && a->ifindex == b->ifindex &&
		                  memcmp(a->raddr, b->raddr, sizeof a->raddr) == 0;
	} else if (change->connections) {
		to->same_lport = change->same_lport;
		to->same_rport = change->same_rport;
		to->same_raddr = change->same_raddr;
	}
	if (shows)
		to->example = change->example;
	if (first || change->last.clock_ns > to->last.clock_ns)
		to->last = change->last;
	to->connections += change->connections;
	to->processes += change->processes;
	to->open += change->open;
	to->rx_bytes += change->rx_bytes;
	to->tx_bytes += change->tx_bytes;
	to->before_bytes_per_s += change->before_bytes_per_s;
	to->now_bytes_per_s += change->now_bytes_per_s;
}

/* The group of a row, which is added to it. NULL: no memory. */
static struct change *changes_of(struct changes *changes, enum grouping grouping, const struct row *row)
{
	struct session key = group_key(grouping, row);
	bool added;
	size_t index = rows_find_or_add(&changes->groups, &key, &added);

	if (index == ROW_NONE)
		return NULL;
	if (index >= changes->capacity) {
		size_t capacity = changes->capacity ? 2 * changes->capacity : 64;
		struct change(*parts)[MINUTE_PARTS] = reallocarray(changes->parts, capacity, sizeof *parts);

		if (!parts)
			return NULL;
		memset(parts + changes->capacity, 0, (capacity - changes->capacity) * sizeof *parts);
		changes->parts = parts;
		changes->capacity = capacity;
	}
	group_add(&changes->groups.rows[index], row, added);
	return changes->parts[index];
}

static void changes_fini(struct changes *changes)
{
	rows_fini(&changes->groups);
	free(changes->parts);
}

/*
 * What a row has in each part; false: nothing. Of what is gone, whose rows were evicted, only the rates are known: what it was
 * is older than from_ns.
 */
static bool tell(
    const struct build *build, const struct row *row, bool is_gone, struct change told[MINUTE_PARTS])
{
	const struct traffic *traffic = build->traffic;
	const struct spans *spans = &build->spans;
	bool is_closed = row->closed.clock_ns != 0;
	bool idle = !traffic_is_recent(traffic, row) && traffic->clock_ns - row->last.clock_ns >= IDLE_NS;
	const struct change self = { .connections = !is_gone,
		.open = !is_gone && !is_closed,
		.rx_bytes = row->rx_total_bytes,
		.tx_bytes = row->tx_total_bytes,
		.example = row->session,
		.same_lport = true,
		.same_raddr = true,
		.same_rport = true };

	for (int part = 0; part < MINUTE_PARTS; part++)
		told[part] = (struct change){ 0 };
	/* a socket that was only told of, as open, has not had its first bytes */
	if (!is_gone && row->seen_tick && row->first.clock_ns > build->from_ns) {
		told[MINUTE_CAME] = self;
		told[MINUTE_CAME].open = !is_closed && !idle;
		told[MINUTE_CAME].last = row->first;
	}
	if (!is_gone && row_end(row)->clock_ns > build->from_ns && (is_closed || idle)) {
		told[MINUTE_WENT] = self;
		told[MINUTE_WENT].last = *row_end(row);
	}
	uint64_t now = mean_rate(traffic, row, 0, spans->now, spans->now_ns);
	uint64_t before = mean_rate(traffic, row, spans->now, spans->before, spans->before_ns);

	if (now || before)
		told[MINUTE_GREW] = (struct change){ .now_bytes_per_s = now, .before_bytes_per_s = before };
	if (now && !is_gone) {
		struct change *grew = &told[MINUTE_GREW];

		*grew = self;
		grew->now_bytes_per_s = now;
		grew->before_bytes_per_s = before;
		grew->last = row->last;
	}
	return told[MINUTE_CAME].connections || told[MINUTE_WENT].connections || now || before;
}

static int add_row(struct build *build, const struct row *row, bool is_gone)
{
	struct change told[MINUTE_PARTS];

	if (!tell(build, row, is_gone, told))
		return 0;
	struct change *parts = changes_of(&build->processes, GROUPING_PROCESS, row);

	if (!parts)
		return -ENOMEM;
	for (int part = 0; part < MINUTE_PARTS; part++) {
		bool any =
		    told[part].connections || told[part].now_bytes_per_s || told[part].before_bytes_per_s;

		if (!any)
			continue;
		/* However many connections, it is one process. */
		told[part].processes = !parts[part].processes;
		change_add(&parts[part], &told[part]);
	}
	return 0;
}

static int add_rows(
    struct build *build, const struct list_settings *settings, const struct column_context *context)
{
	const struct rows *rows = &context->traffic->rows;
	const struct rows *gone = &context->traffic->gone[GROUPING_PROCESS].groups;
	struct column_context by_process = *context;
	int err = 0;

	by_process.grouping = GROUPING_PROCESS;

	for (size_t i = 0; i < rows->count && !err; i++)
		if (list_passes(settings, context, &rows->rows[i]))
			err = add_row(build, &rows->rows[i], false);
	for (size_t i = 0; i < gone->count && !err; i++)
		if (list_passes_gone(settings, &by_process, &gone->rows[i]) == ANSWER_YES)
			err = add_row(build, &gone->rows[i], true);
	return err;
}

static int add_programs(struct build *build)
{
	for (size_t i = 0; i < build->processes.groups.count; i++) {
		struct change *parts =
		    changes_of(&build->programs, GROUPING_PROGRAM, &build->processes.groups.rows[i]);

		if (!parts)
			return -ENOMEM;
		for (int part = 0; part < MINUTE_PARTS; part++)
			if (build->processes.parts[i][part].processes)
				change_add(&parts[part], &build->processes.parts[i][part]);
	}
	return 0;
}

/* ---- lines ---- */

struct candidate {
	uint64_t weight;
	const struct row *group;
	const struct change *change;
	enum grouping grouping;
};

static int compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	if (a->weight != b->weight)
		return COMPARE(b->weight, a->weight);
	if (a->change->connections != b->change->connections)
		return COMPARE(b->change->connections, a->change->connections);
	return session_compare_key(&a->group->session, &b->group->session);
}

/* 0: it is no line of the part. */
static uint64_t weigh(enum minute_part part, const struct spans *spans, const struct change *change)
{
	uint64_t before = change->before_bytes_per_s, now = change->now_bytes_per_s;

	if (part != MINUTE_GREW)
		return change->connections ? change->rx_bytes + change->tx_bytes + 1 : 0;
	return spans->before && now > before && now - before >= before / GROWTH_PARTS ? now - before : 0;
}

/* Whether a program stands for its processes in this part. */
static bool is_merged(const struct build *build, const struct row *process, enum minute_part part)
{
	struct session key = group_key(GROUPING_PROGRAM, process);
	size_t index = rows_find(&build->programs.groups, &key);

	return build->programs.parts[index][part].processes > MINUTE_PROCESSES_MAX;
}

static void add_line(
    struct minute_part_lines *lines, const struct build *build, const struct candidate *candidate)
{
	struct minute_line *line = &lines->lines[lines->count++];

	line->grouping = candidate->grouping;
	line->row = *candidate->group;
	line->change = *candidate->change;
	/* What is gone may have had others. */
	size_t index = line->change.connections == 1 ? rows_find(&build->traffic->rows, &line->change.example)
	                                             : ROW_NONE;

	if (index != ROW_NONE && line->grouping == GROUPING_PROCESS) {
		line->grouping = GROUPING_NONE;
		line->row = build->traffic->rows.rows[index];
	}
}

static void fill_part(struct minute_part_lines *lines, const struct build *build, enum minute_part part,
    struct candidate *candidates)
{
	const struct changes *all[] = { &build->processes, &build->programs };
	size_t count = 0;

	for (size_t of = 0; of < COUNT_OF(all); of++) {
		for (size_t i = 0; i < all[of]->groups.count; i++) {
			struct candidate *candidate = &candidates[count];

			candidate->grouping = of ? GROUPING_PROGRAM : GROUPING_PROCESS;
			candidate->group = &all[of]->groups.rows[i];
			candidate->change = &all[of]->parts[i][part];
			candidate->weight = weigh(part, &build->spans, candidate->change);
			/* A line is a program or a process of a program that is none. */
			count += candidate->weight && is_merged(build, candidate->group, part) == (of == 1);
		}
	}
	qsort(candidates, count, sizeof *candidates, compare_candidates);
	lines->line_total = count;
	for (size_t i = 0; i < count; i++) {
		lines->connections += candidates[i].change->connections;
		lines->rx_bytes += candidates[i].change->rx_bytes;
		lines->tx_bytes += candidates[i].change->tx_bytes;
		if (i < MINUTE_LINES_MAX)
			add_line(lines, build, &candidates[i]);
	}
}

static int fill(struct minute *minute, const struct build *build)
{
	size_t count = build->processes.groups.count + build->programs.groups.count;
	struct candidate *candidates = calloc(count + 1, sizeof *candidates);

	if (!candidates)
		return -ENOMEM;
	for (int part = 0; part < MINUTE_PARTS; part++)
		fill_part(&minute->parts[part], build, (enum minute_part)part, candidates);
	free(candidates);
	return 0;
}

int minute_build(
    struct minute *minute, const struct list_settings *settings, const struct column_context *context)
{
	const struct traffic *traffic = context->traffic;
	struct build build = { .traffic = traffic, .spans = choose_spans(traffic) };

	memset(minute, 0, sizeof *minute);
	build.from_ns = traffic->clock_ns > MINUTE_NS ? traffic->clock_ns - MINUTE_NS : 0;
	if (traffic->complete_ns > build.from_ns)
		build.from_ns = traffic->complete_ns;
	minute->known_ns = traffic->clock_ns - build.from_ns;
	minute->now_ns = build.spans.now_ns;
	minute->before_ns = build.spans.before_ns;
	rows_init(&build.processes.groups);
	rows_init(&build.programs.groups);
	int err = add_rows(&build, settings, context);

	err = err ?: add_programs(&build);
	err = err ?: fill(minute, &build);
	changes_fini(&build.programs);
	changes_fini(&build.processes);
	return err;
}
