/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/tracing.h"

#include <string.h>
#include <unistd.h>

#include "base/util.h"

/*
 * By the method: what a call's programs take in the midst of other work, what counting takes beside that, and following a socket,
 * in hundredths of what a call takes that is made over and over and counts nothing; and such a call's price where it could
 * not be measured. docs/performance.md has the measurements.
 */
static const struct {
	enum probe_method method;
	uint32_t loop_ns, begins_percent, counts_percent, follows_percent;
} prices[] = {
	{ PROBE_TRACEPOINT, 70, 160, 115, 230 },
	{ PROBE_FENTRY, 70, 160, 115, 0 },
	{ PROBE_KPROBE, 700, 120, 15, 0 },
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
	for (size_t i = 0; i < COUNT_OF(prices); i++) {
		uint32_t ns = loop_ns ? loop_ns : prices[i].loop_ns;

		if (prices[i].method == tracing->plan.method)
			tracing->prices = (struct run_prices){ ns * prices[i].begins_percent / 100,
				ns * prices[i].counts_percent / 100, ns * prices[i].follows_percent / 100 };
	}
}
