/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/cost.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "loader/tracing.h"

/* A child that ends while it is waited for has no clock any more. */
static void add_clock(struct cost_meter *meter, pid_t pid)
{
	struct cost_clock *clock = &meter->clocks[meter->clock_count];

	if (clock_getcpuclockid(pid, &clock->clock) != 0)
		return;
	clock->cpu_ns = clock_read_ns(clock->clock);
	meter->clock_count++;
}

int cost_init(
    struct cost_meter *meter, const struct tracing *tracing, const pid_t children[COST_CHILDREN_MAX])
{
	*meter = (struct cost_meter){ .tracing = tracing };
	memcpy(meter->runs, tracing->runs_before, sizeof meter->runs);
	add_clock(meter, 0); /* this process */
	for (size_t i = 0; i < COST_CHILDREN_MAX; i++)
		if (children[i] > 0)
			add_clock(meter, children[i]);
	meter->counts = calloc(tracing->cpu_count + 1, sizeof *meter->counts);
	meter->began = calloc(tracing->cpu_count + 1, sizeof *meter->began);
	if (!meter->counts || !meter->began)
		return -ENOMEM;
	uint64_t runs;

	tracing_read_runs(tracing, RUN_BEGINS, meter->began, &runs); /* else gaps count from no run on */
	return 0;
}

void cost_fini(struct cost_meter *meter)
{
	free(meter->counts);
	free(meter->began);
	meter->counts = meter->began = NULL;
}

/* Of all of them since the last call. One that has ended has used nothing more. */
static uint64_t read_clocks(struct cost_meter *meter)
{
	uint64_t grown_ns = 0;

	for (size_t i = 0; i < meter->clock_count; i++) {
		struct cost_clock *clock = &meter->clocks[i];
		uint64_t cpu_ns = clock_read_ns(clock->clock);

		if (cpu_ns <= clock->cpu_ns)
			continue;
		grown_ns += cpu_ns - clock->cpu_ns;
		clock->cpu_ns = cpu_ns;
	}
	return grown_ns;
}

/* Between two runs on one processor, as the average run has it: where one has nearly all of them, its gap counts. */
static double note_gap(struct cost_meter *meter, uint64_t span_ns)
{
	double runs = 0, squares = 0;

	for (uint32_t i = 0; i < meter->tracing->cpu_count; i++) {
		double grown = (double)(meter->counts[i] - meter->began[i]);

		meter->began[i] = meter->counts[i];
		runs += grown;
		squares += grown * grown;
	}
	return squares > 0 ? (double)span_ns * runs / squares : 0;
}

void cost_read(struct cost_meter *meter, uint64_t span_ns, struct own_cost *cost)
{
	uint64_t grown[RUN_KINDS] = { 0 };
	double gap_ns = 0;

	for (int kind = 0; kind < RUN_KINDS; kind++) {
		uint64_t runs;

		if (tracing_read_runs(meter->tracing, (enum program_run)kind, meter->counts, &runs) != 0)
			continue;
		grown[kind] = runs - meter->runs[kind];
		meter->runs[kind] = runs;
		if (kind == RUN_BEGINS)
			gap_ns = note_gap(meter, span_ns);
	}
	cost->runs = grown[RUN_BEGINS];
	cost->programs_ns = tracing_runs_ns(&meter->tracing->prices, grown, gap_ns);
	cost->total_ns = cost->programs_ns + read_clocks(meter);
}
