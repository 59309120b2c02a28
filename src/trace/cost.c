/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/cost.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "loader/tracing.h"

static uint64_t process_cpu_ns(void)
{
	return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* On all processors. */
static uint64_t read_runs(const struct cost_meter *meter, uint32_t kind)
{
	uint64_t runs = 0;

	if (bpf_map_lookup_elem(meter->tracing->maps[MAP_RUNS], &kind, meter->counts) != 0)
		return meter->runs[kind];
	for (uint32_t i = 0; i < meter->tracing->cpu_count; i++)
		runs += meter->counts[i];
	return runs;
}

int cost_init(struct cost_meter *meter, const struct tracing *tracing)
{
	*meter = (struct cost_meter){ .tracing = tracing, .cpu_ns = process_cpu_ns() };
	meter->counts = calloc(tracing->cpu_count ? tracing->cpu_count : 1, sizeof *meter->counts);
	if (!meter->counts)
		return -ENOMEM;
	return 0;
}

void cost_fini(struct cost_meter *meter)
{
	free(meter->counts);
	meter->counts = NULL;
}

void cost_read(struct cost_meter *meter, struct own_cost *cost)
{
	const struct run_prices *prices = &meter->tracing->prices;
	uint64_t cpu_ns = process_cpu_ns(), grown[RUN_KINDS] = { 0 };

	for (uint32_t kind = 0; kind < RUN_KINDS && meter->tracing->cpu_count; kind++) {
		uint64_t runs = read_runs(meter, kind);

		grown[kind] = runs - meter->runs[kind];
		meter->runs[kind] = runs;
	}
	cost->runs = grown[RUN_BEGINS];
	cost->programs_ns = grown[RUN_BEGINS] * prices->begins_ns + grown[RUN_COUNTS] * prices->counts_ns +
	                    grown[RUN_FOLLOWS] * prices->follows_ns;
	cost->total_ns = cost->programs_ns + cpu_ns - meter->cpu_ns;
	meter->cpu_ns = cpu_ns;
}
