/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the screen's work costs without a terminal: taking in an interval, painting a frame, and each kind
 * of key, with N sessions.
 *     bench_view [N [WIDTH HEIGHT]]
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "model/snapshot.h"
#include "names/names.h"
#include "output/renderer.h"
#include "screen/frame.h"
#include "screen/keys.h"
#include "screen/screen_options.h"
#include "screen/ui.h"

#define INTERVALS 5

/* Primes: a step through the sessions that comes by each of them once. */
static const size_t SHUFFLE[] = { 7919, 15485863 };

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* CPU time, which other processes do not change. */
static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void put_nothing(void *to, unsigned y, const struct line *line)
{
	(void)y;
	*(size_t *)to += line->bytes;
}

static int fill(struct snapshot *snapshot, size_t count, unsigned interval)
{
	snapshot_reset(snapshot);
	snapshot->time.tv_sec = 1795344137 + interval;
	snapshot->interval_ns = 1000000000;
	for (size_t n = 0; n < count; n++) {
		struct session *session = snapshot_add(snapshot);
		/* Another order in each interval, as the kernel's tables give them. */
		size_t i = (n * SHUFFLE[interval % 2] + interval) % count;

		if (!session)
			return -1;
		session->family = i % 10 ? 4 : 6;
		memcpy(
		    session->laddr, (uint8_t[4]){ 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i }, 4);
		memcpy(session->raddr, (uint8_t[4]){ 172, 16, (uint8_t)(i * 7), (uint8_t)(i * 13) }, 4);
		session->lport = 443;
		session->rport = (uint16_t)(1024 + i * 31 % 60000);
		session->pid = (uint32_t)(1000 + i % 500);
		session->netns = 4026531840u;
		session->uid = (uint32_t)(i % 20);
		session->rx_bytes = (uint64_t)rand() % (1u << 20);
		session->tx_bytes = (uint64_t)rand() % (1u << 18);
		snprintf(session->comm, sizeof session->comm, "worker-%u", (unsigned)(i % 50));
	}
	snapshot_total(snapshot);
	return 0;
}

struct step {
	const char *name;
	int code;
};

static const struct step steps[] = {
	{ "Down", KEY_CODE_DOWN },
	{ "PgDn", KEY_CODE_PAGE_DOWN },
	{ "End", KEY_CODE_END },
	{ "Home", KEY_CODE_HOME },
	{ "I (reverse)", 'I' },
	{ "> (sort by name)", '>' },
	{ "R (sort by RX)", 'R' },
	{ "c (amount)", 'c' },
	{ "m (units)", 'm' },
	{ "n (port names)", 'n' },
	{ "4 (IPv4)", '4' },
	{ "4 (both)", '4' },
	{ "g (processes)", 'g' },
	{ "g (hosts)", 'g' },
	{ "g (containers)", 'g' },
	{ "g (users)", 'g' },
	{ "g (connections)", 'g' },
	{ "\\ (filter)", '\\' },
	{ "filter: 1", '1' },
	{ "filter: 17", '7' },
	{ "filter: 172", '2' },
	{ "filter: Backspace", KEY_CODE_BACKSPACE },
	{ "Escape", KEY_CODE_ESCAPE },
	{ "/ (search)", '/' },
	{ "search: 9", '9' },
	{ "search: 99", '9' },
	{ "search: 99x (none)", 'x' },
	{ "Enter", KEY_CODE_ENTER },
	{ "Z (freeze)", 'Z' },
	{ "Z (go on)", 'Z' },
	{ "Enter (details)", KEY_CODE_ENTER },
};

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	unsigned width = argc > 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 200;
	unsigned height = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 60;
	struct renderer_request request = { 0 };
	struct screen_options options;
	struct run run = { .interval_ns = 1000000000,
		.method = PROBE_TRACEPOINT,
		.names = names_open(NULL, NULL),
		.screen = &options };
	struct ui *ui = calloc(1, sizeof *ui);
	struct snapshot snapshot;
	size_t bytes = 0;
	struct line_sink sink = { put_nothing, &bytes };
	double worst = 0, worst_cpu = 0;

	setlocale(LC_CTYPE, "C.UTF-8");
	snapshot_init(&snapshot);
	screen_options_init(&options);
	if (!ui || ui_init(ui, &run, true) < 0)
		return 1;
	for (unsigned i = 0; i < INTERVALS; i++) {
		if (fill(&snapshot, count, i) < 0)
			return 1;
		double start = now_ms(), start_cpu = cpu_ms();

		if (ui_begin_interval(ui, &snapshot) < 0 ||
		    traffic_merge(&ui->traffic, &snapshot, view_kept(&ui->view)) < 0)
			return 1;
		double merged = now_ms(), merged_cpu = cpu_ms();

		frame_draw(ui, width, height, &sink);
		printf("interval %u: take in %.1f ms (CPU %.1f), paint %.1f ms (CPU %.1f)\n", i + 1,
		    merged - start, merged_cpu - start_cpu, now_ms() - merged, cpu_ms() - merged_cpu);
	}
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		double start = now_ms(), start_cpu = cpu_ms();

		frame_key(ui, steps[i].code, &request);
		frame_draw(ui, width, height, &sink);
		double took = now_ms() - start, took_cpu = cpu_ms() - start_cpu;

		printf("%-20s %7.2f ms (CPU %.2f)\n", steps[i].name, took, took_cpu);
		worst = took > worst ? took : worst;
		worst_cpu = took_cpu > worst_cpu ? took_cpu : worst_cpu;
	}
	printf(
	    "%zu sessions, %ux%u: slowest key %.1f ms (CPU %.1f)\n", count, width, height, worst, worst_cpu);
	ui_fini(ui);
	names_close(run.names);
	free(ui);
	snapshot_fini(&snapshot);
	return bytes == 0;
}
