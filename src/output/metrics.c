/* SPDX-License-Identifier: Apache-2.0 */
#include "output/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/util.h"
#include "model/snapshot.h"
#include "output/origin.h"
#include "output/renderer.h"

/* A value: each byte of a text escaped to at most four, each of those with a backslash before it. */
#define VALUE_SIZE (8 * CGROUP_NAME_SIZE)
#define LABELS_MAX 8
#define LABELS_SIZE (LABELS_MAX * (VALUE_SIZE + 32))

/*
 * Names as OpenTelemetry's attributes become in Prometheus; `pod`, `namespace` and `container` would collide with those that a
 * scrape adds. What is not known is left out.
 */
static const struct label {
	const char *name;
	enum cgroup_text text;
	enum { ALWAYS, IN_POD, NOT_IN_POD } when;
} labels[] = {
	{ "container_id", CGROUP_CONTAINER_ID, ALWAYS },
	{ "container_name", CGROUP_CONTAINER, NOT_IN_POD },
	{ "k8s_namespace_name", CGROUP_NAMESPACE, ALWAYS },
	{ "k8s_pod_name", CGROUP_POD, ALWAYS },
	{ "k8s_container_name", CGROUP_CONTAINER, IN_POD },
	{ "systemd_unit", CGROUP_UNIT, ALWAYS },
};

_Static_assert(COUNT_OF(labels) + 1 <= LABELS_MAX, "all labels have room");

void metrics_open(struct metrics *metrics, const struct run *run)
{
	*metrics = (struct metrics){ .run = run };
	series_init(&metrics->series, run->series_places, run->series_threshold_bytes);
	owners_init(&metrics->owners, run);
}

void metrics_close(struct metrics *metrics)
{
	series_fini(&metrics->series);
}

/* ---- labels ---- */

/* NAME="VALUE", and a comma before it, if it is not the first. Returns the end. */
static char *put_label(char *at, const char *begin, const char *name, const char *text)
{
	char plain[4 * CGROUP_NAME_SIZE];

	escape_plain(plain, sizeof plain, text, strnlen(text, CGROUP_NAME_SIZE - 1));
	at += sprintf(at, "%s%s=\"", at == begin ? "" : ",", name);
	for (const char *from = plain; *from; from++) {
		if (*from == '\\' || *from == '"')
			*at++ = '\\';
		*at++ = *from;
	}
	*at++ = '"';
	*at = '\0';
	return at;
}

/* The key of the session's series. */
static void format_labels(
    char buffer[LABELS_SIZE], struct metrics *metrics, const struct session *session, int64_t seen_s)
{
	struct cgroup_description description;
	char *at = buffer;

	buffer[0] = '\0';
	if (session->comm[0])
		at = put_label(at, buffer, "comm", session->comm);
	if (!session->cgroup_id || !owners_find(&metrics->owners, session, seen_s, &description))
		return;
	bool in_pod = description.facts.texts[CGROUP_POD] != NULL;

	for (size_t i = 0; i < COUNT_OF(labels); i++) {
		const char *text = description.facts.texts[labels[i].text];

		if (text && *text && (labels[i].when == ALWAYS || (labels[i].when == IN_POD) == in_pod))
			at = put_label(at, buffer, labels[i].name, text);
	}
}

int metrics_take(struct metrics *metrics, const struct snapshot *snapshot)
{
	char key[LABELS_SIZE];

	if (owners_begin(&metrics->owners, snapshot) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *session = &snapshot->sessions[i];

		format_labels(key, metrics, session, snapshot->time.tv_sec);
		if (series_add(&metrics->series, key, session->rx_bytes, session->tx_bytes) < 0)
			return -ENOMEM;
	}
	metrics->table_full_rx_bytes += snapshot->other.rx_bytes;
	metrics->table_full_tx_bytes += snapshot->other.tx_bytes;
	metrics->missed_runs += snapshot->missed_runs;
	return series_end_interval(&metrics->series);
}

/* ---- families ---- */

static void print_series(const struct metrics *metrics, FILE *stream, const char *sample, bool rx)
{
	for (size_t i = 0; i < metrics->series.admitted.count; i++) {
		const struct one_series *series = metrics->series.admitted.items[i];
		const char *open = *series->labels ? "{" : "", *close = *series->labels ? "}" : "";

		fprintf(stream, "%s%s%s%s %" PRIu64 "\n", sample, open, series->labels, close,
		    rx ? series->rx_bytes : series->tx_bytes);
	}
}

static void print_receive(const struct metrics *metrics, FILE *stream, const char *sample)
{
	print_series(metrics, stream, sample, true);
}

static void print_transmit(const struct metrics *metrics, FILE *stream, const char *sample)
{
	print_series(metrics, stream, sample, false);
}

static void print_other(FILE *stream, const char *sample, uint64_t folded_bytes, uint64_t table_full_bytes)
{
	fprintf(stream, "%s{reason=\"no_series\"} %" PRIu64 "\n", sample, folded_bytes);
	fprintf(stream, "%s{reason=\"table_full\"} %" PRIu64 "\n", sample, table_full_bytes);
}

static void print_other_receive(const struct metrics *metrics, FILE *stream, const char *sample)
{
	print_other(stream, sample, metrics->series.folded_rx_bytes, metrics->table_full_rx_bytes);
}

static void print_other_transmit(const struct metrics *metrics, FILE *stream, const char *sample)
{
	print_other(stream, sample, metrics->series.folded_tx_bytes, metrics->table_full_tx_bytes);
}

static void print_folded(const struct metrics *metrics, FILE *stream, const char *sample)
{
	fprintf(stream, "%s %zu\n", sample, metrics->series.folded);
}

static void print_missed_runs(const struct metrics *metrics, FILE *stream, const char *sample)
{
	fprintf(stream, "%s %" PRIu64 "\n", sample, metrics->missed_runs);
}

static void print_not_counted(const struct metrics *metrics, FILE *stream, const char *sample)
{
	for (size_t i = 0; i < metrics->run->not_counted_count; i++) {
		char label[VALUE_SIZE + 32];

		put_label(label, label, "path", metrics->run->not_counted[i]);
		fprintf(stream, "%s{%s} 1\n", sample, label);
	}
}

static void print_start_time(const struct metrics *metrics, FILE *stream, const char *sample)
{
	const struct origin *origin = metrics->run->origin;

	if (origin && origin->start_ns)
		fprintf(stream, "%s %" PRIu64 ".%03" PRIu64 "\n", sample, origin->start_ns / NS_PER_S,
		    origin->start_ns % NS_PER_S / NS_PER_MS);
}

static void print_build(const struct metrics *metrics, FILE *stream, const char *sample)
{
	const struct origin *origin = metrics->run->origin;
	char label[2 * (VALUE_SIZE + 32)] = "", *at = label;

	if (origin && origin->version)
		at = put_label(at, label, "version", origin->version);
	put_label(at, label, "probe", probe_method_name(metrics->run->method));
	fprintf(stream, "%s{%s} 1\n", sample, label);
}

/* What a kind is called, and the end of its samples' names. */
static const struct kind {
	const char *openmetrics, *text, *suffix;
} counter = { "counter", "counter", "_total" }, gauge = { "gauge", "gauge", "" },
  info = { "info", "gauge", "_info" };

static const struct family {
	const char *name, *unit;
	const struct kind *kind;
	const char *help;
	void (*print)(const struct metrics *metrics, FILE *stream, const char *sample);
} families[] = {
	{ "tcptop_receive_bytes", "bytes", &counter, "TCP payload received, by who received it.",
	    print_receive },
	{ "tcptop_transmit_bytes", "bytes", &counter, "TCP payload sent, by who sent it.", print_transmit },
	{ "tcptop_other_receive_bytes", "bytes", &counter,
	    "TCP payload received without a series of its own: it never moves to one.", print_other_receive },
	{ "tcptop_other_transmit_bytes", "bytes", &counter,
	    "TCP payload sent without a series of its own: it never moves to one.", print_other_transmit },
	{ "tcptop_folded_series", NULL, &gauge, "Sets of labels of the latest interval that have no series.",
	    print_folded },
	{ "tcptop_missed_runs", NULL, &counter,
	    "Runs of the program that the kernel skipped: their bytes are missing.", print_missed_runs },
	{ "tcptop_path_not_counted", NULL, &gauge, "What the probe method cannot see on this kernel.",
	    print_not_counted },
	{ "tcptop_start_time_seconds", "seconds", &gauge, "When counting began, in seconds since 1970.",
	    print_start_time },
	{ "tcptop_build", NULL, &info, "Version and probe method.", print_build },
};

void metrics_print(const struct metrics *metrics, FILE *stream, enum metrics_head head)
{
	bool is_open = head == METRICS_OPENMETRICS;

	for (size_t i = 0; i < COUNT_OF(families); i++) {
		const struct family *family = &families[i];
		char sample[64];

		snprintf(sample, sizeof sample, "%s%s", family->name, family->kind->suffix);
		const char *name = is_open ? family->name : sample;

		fprintf(
		    stream, "# TYPE %s %s\n", name, is_open ? family->kind->openmetrics : family->kind->text);
		if (is_open && family->unit)
			fprintf(stream, "# UNIT %s %s\n", name, family->unit);
		fprintf(stream, "# HELP %s %s\n", name, family->help);
		family->print(metrics, stream, sample);
	}
	if (is_open)
		fputs("# EOF\n", stream);
}

/* ---- -o openmetrics: all of them at the end of each interval ---- */

struct openmetrics {
	struct metrics metrics;
	FILE *stream;
};

static int out_of_memory(struct error *error)
{
	return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
}

static void openmetrics_close(void *state)
{
	struct openmetrics *openmetrics = state;

	if (openmetrics)
		metrics_close(&openmetrics->metrics);
	free(openmetrics);
}

static int openmetrics_open(void **state, const struct run *run, FILE *stream, struct error *error)
{
	struct openmetrics *openmetrics = calloc(1, sizeof *openmetrics);

	*state = NULL;
	if (!openmetrics)
		return out_of_memory(error);
	metrics_open(&openmetrics->metrics, run);
	openmetrics->stream = stream;
	setvbuf(stream, NULL, _IOFBF, BUFSIZ);
	*state = openmetrics;
	return 0;
}

static int openmetrics_show(void *state, const struct snapshot *snapshot, struct error *error)
{
	struct openmetrics *openmetrics = state;

	if (snapshot->is_end)
		return 0;
	if (metrics_take(&openmetrics->metrics, snapshot) < 0)
		return out_of_memory(error);
	errno = 0;
	metrics_print(&openmetrics->metrics, openmetrics->stream, METRICS_OPENMETRICS);
	return ferror(openmetrics->stream) || fflush(openmetrics->stream) != 0 ? error_set_output(error) : 0;
}

const struct renderer renderer_openmetrics = {
	.name = "openmetrics",
	.shows_names = true,
	.open = openmetrics_open,
	.show = openmetrics_show,
	.close = openmetrics_close,
};
