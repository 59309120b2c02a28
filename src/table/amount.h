/* SPDX-License-Identifier: Apache-2.0 */
/* How much: the columns of bytes and rates. What column_table points to; see struct column. */
#ifndef TCPTOP_AMOUNT_H
#define TCPTOP_AMOUNT_H

#include <stdint.h>

#include "table/column.h"

/*
 * Rates are ordered by their moving averages over some 10 s, as those of one interval would shuffle the list each
 * time; totals are by themselves.
 */
uint64_t amount_rank_rx(const struct column_context *context, const struct row *row);
uint64_t amount_rank_tx(const struct column_context *context, const struct row *row);
uint64_t amount_rank_rate(const struct column_context *context, const struct row *row);
uint64_t amount_rank_2s(const struct column_context *context, const struct row *row);
uint64_t amount_rank_10s(const struct column_context *context, const struct row *row);
uint64_t amount_rank_40s(const struct column_context *context, const struct row *row);
uint64_t amount_rank_total(const struct column_context *context, const struct row *row);

/* Equal rates sort by total, so that idle rows keep their order. */
int amount_compare_rate(const struct column_context *context, const struct row *a, const struct row *b);

/* The latest interval's, exact; and the averages. */
void amount_cell_rx(const struct column_context *context, const struct row *row, struct cell *cell);
void amount_cell_tx(const struct column_context *context, const struct row *row, struct cell *cell);
void amount_cell_rate(const struct column_context *context, const struct row *row, struct cell *cell);
void amount_cell_2s(const struct column_context *context, const struct row *row, struct cell *cell);
void amount_cell_10s(const struct column_context *context, const struct row *row, struct cell *cell);
void amount_cell_40s(const struct column_context *context, const struct row *row, struct cell *cell);
void amount_cell_total(const struct column_context *context, const struct row *row, struct cell *cell);

#endif
