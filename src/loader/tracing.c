/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/tracing.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

/*
 * All that was fitted, by the method: what a call's programs take in the midst of other work, what counting takes beside that,
 * looking a session up in the tables, and following a socket, in hundredths of what a call takes that is made over and over and counts nothing; that call's
 * price where it could not be measured; and by how many hundredths runs are dearer that come rarely, as other work has taken
 * the caches: by half of it at the gap between two. docs/performance.md has the measurements.
 */
static const struct {
	enum probe_method method;
	bool direct; /* as in struct plan */
	uint32_t loop_ns, begins_percent, counts_percent, lookups_percent, follows_percent;
	uint32_t rare_percent, rare_gap_ns;
} method_prices[] = {
	{ PROBE_TRACEPOINT, true, 70, 140, 33, 95, 108, 55, 250000 },
	{ PROBE_TRACEPOINT, false, 230, 160, 40, 60, 0, 55, 250000 },
	{ PROBE_FENTRY, true, 70, 140, 12, 52, 0, 55, 250000 },
	{ PROBE_KPROBE, false, 450, 115, 5, 15, 0, 55, 250000 },
};

void tracing_init(struct tracing *tracing)
{
	memset(tracing, 0, sizeof *tracing);
	memset(tracing->maps, -1, sizeof tracing->maps);
	memset(tracing->programs, -1, sizeof tracing->programs);
	memset(tracing->links, -1, sizeof tracing->links);
}

int tracing_program(const struct tracing *tracing, enum hook_duty duty, enum kernel_symbol symbol)
{
	for (size_t i = 0; i < tracing->plan.hook_count; i++)
		if (tracing->plan.hooks[i].duty == duty && tracing->plan.hooks[i].symbol == symbol)
			return tracing->programs[i];
	return -1;
}

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

void tracing_detach(struct tracing *tracing)
{
	close_all(tracing->links, HOOKS_MAX);
}

void tracing_close(struct tracing *tracing)
{
	tracing_detach(tracing);
	close_all(tracing->programs, HOOKS_MAX);
	close_all(tracing->maps, MAP_COUNT);
}

void tracing_set_prices(struct tracing *tracing, uint32_t loop_ns)
{
	for (size_t i = 0; i < COUNT_OF(method_prices); i++) {
		uint32_t ns = loop_ns ? loop_ns : method_prices[i].loop_ns;

		if (method_prices[i].method == tracing->plan.method &&
		    method_prices[i].direct == tracing->plan.direct)
			tracing->prices = (struct run_prices){
				.begins_ns = ns * method_prices[i].begins_percent / 100,
				.counts_ns = ns * method_prices[i].counts_percent / 100,
				.lookups_ns = ns * method_prices[i].lookups_percent / 100,
				.follows_ns = ns * method_prices[i].follows_percent / 100,
				.rare_percent = method_prices[i].rare_percent,
				.rare_gap_ns = method_prices[i].rare_gap_ns,
			};
	}
}

uint64_t tracing_runs_ns(const struct run_prices *prices, const uint64_t runs[RUN_KINDS], double gap_ns)
{
	double warm_ns =
	    (double)runs[RUN_BEGINS] * prices->begins_ns + (double)runs[RUN_COUNTS] * prices->counts_ns +
	    (double)runs[RUN_LOOKUPS] * prices->lookups_ns + (double)runs[RUN_FOLLOWS] * prices->follows_ns;
	double rare = gap_ns > 0 ? gap_ns / (gap_ns + prices->rare_gap_ns) : 0;

	return (uint64_t)(warm_ns * (1 + rare * prices->rare_percent / 100));
}

int tracing_read_runs(const struct tracing *tracing, enum program_run kind, uint64_t *counts, uint64_t *sum)
{
	uint32_t key = kind;

	if (!tracing->cpu_count || bpf_map_lookup_elem(tracing->maps[MAP_RUNS], &key, counts) != 0)
		return -ENOENT;
	*sum = 0;
	for (uint32_t i = 0; i < tracing->cpu_count; i++)
		*sum += counts[i];
	return 0;
}
