/* SPDX-License-Identifier: Apache-2.0 */
#include "table/amount.h"

#include <stdio.h>

#include "base/format.h"
#include "base/util.h"
#include "model/traffic.h"

/* Rates from here on are bold: about what saturates a 10 Mbit/s line. */
#define BUSY_BYTES_PER_S (1024 * 1024)

/* Averages are ranked in this part of a byte/s, so that slow rows have an order, too. */
#define RANKS_PER_BYTE_PER_S 1024

static uint64_t rx_bytes(const struct column_context *context, const struct row *row)
{
	return context->amount == AMOUNT_TOTAL ? row->rx_total_bytes : row->session.rx_bytes;
}

static uint64_t tx_bytes(const struct column_context *context, const struct row *row)
{
	return context->amount == AMOUNT_TOTAL ? row->tx_total_bytes : row->session.tx_bytes;
}

static uint64_t rank_average(
    const struct column_context *context, const struct row *row, bool rx, bool tx, enum average_span span)
{
	const struct average_clock *clock = &context->traffic->average_clock;
	float average = (rx ? averages_rx(&row->averages, clock, span) : 0) +
	                (tx ? averages_tx(&row->averages, clock, span) : 0);

	return whole_number(average * RANKS_PER_BYTE_PER_S);
}

uint64_t amount_rank_rx(const struct column_context *context, const struct row *row)
{
	return context->amount == AMOUNT_TOTAL ? rx_bytes(context, row)
	                                       : rank_average(context, row, true, false, AVERAGE_ORDER);
}

uint64_t amount_rank_tx(const struct column_context *context, const struct row *row)
{
	return context->amount == AMOUNT_TOTAL ? tx_bytes(context, row)
	                                       : rank_average(context, row, false, true, AVERAGE_ORDER);
}

uint64_t amount_rank_rate(const struct column_context *context, const struct row *row)
{
	return context->amount == AMOUNT_TOTAL ? rx_bytes(context, row) + tx_bytes(context, row)
	                                       : rank_average(context, row, true, true, AVERAGE_ORDER);
}

uint64_t amount_rank_2s(const struct column_context *context, const struct row *row)
{
	return rank_average(context, row, true, true, AVERAGE_2S);
}

uint64_t amount_rank_10s(const struct column_context *context, const struct row *row)
{
	return rank_average(context, row, true, true, AVERAGE_10S);
}

uint64_t amount_rank_40s(const struct column_context *context, const struct row *row)
{
	return rank_average(context, row, true, true, AVERAGE_40S);
}

uint64_t amount_rank_total(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->rx_total_bytes + row->tx_total_bytes;
}

static void cell_amount(const struct column_context *context, uint64_t bytes, struct cell *cell)
{
	uint64_t interval_ns = context->traffic->interval_ns;

	if (!bytes)
		cell->style = STYLE_DIM;
	else if (context->amount != AMOUNT_TOTAL && rate_per_s(bytes, interval_ns) >= BUSY_BYTES_PER_S)
		cell->style = STYLE_STRONG;
	if (context->amount == AMOUNT_RATE)
		bytes = rate_per_s(bytes, interval_ns);
	cell->columns = format_amount(cell->text, sizeof cell->text, bytes, context->unit, cell->width);
}

void amount_cell_rx(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell_amount(context, rx_bytes(context, row), cell);
}

void amount_cell_tx(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell_amount(context, tx_bytes(context, row), cell);
}

void amount_cell_rate(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell_amount(context, rx_bytes(context, row) + tx_bytes(context, row), cell);
}

/* From the rank, so that rows of one figure are not in another order than they seem. */
static void cell_average(const struct column_context *context, uint64_t rank, struct cell *cell)
{
	uint64_t bytes_per_s = rank / RANKS_PER_BYTE_PER_S;
	char amount[32];

	if (!bytes_per_s)
		cell->style = STYLE_DIM;
	unsigned room = cell->width > 2 ? cell->width - 2 : 0;

	format_amount(amount, sizeof amount, bytes_per_s, context->unit, room);
	cell->columns = (unsigned)snprintf(cell->text, sizeof cell->text, "%s/s", amount);
}

void amount_cell_2s(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell_average(context, amount_rank_2s(context, row), cell);
}

void amount_cell_10s(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell_average(context, amount_rank_10s(context, row), cell);
}

void amount_cell_40s(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell_average(context, amount_rank_40s(context, row), cell);
}

void amount_cell_total(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell->columns = format_amount(
	    cell->text, sizeof cell->text, amount_rank_total(context, row), context->unit, cell->width);
}

/* Equal rates sort by total, so that idle rows keep their order. */
int amount_compare_rate(const struct column_context *context, const struct row *a, const struct row *b)
{
	uint64_t left = amount_rank_total(context, a), right = amount_rank_total(context, b);

	return COMPARE(left, right);
}
