/* SPDX-License-Identifier: Apache-2.0 */
/* What changed in the last minute before the moment that is shown: who came, who went, whose rate grew. */
#ifndef TCPTOP_MINUTE_H
#define TCPTOP_MINUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/grouping.h"
#include "model/rows.h"

struct column_context;
struct list_settings;

#define MINUTE_LINES_MAX 32 /* of each part; the totals have what the others add up to */

/* More processes of one name than this are one line: workers, and what a script starts again and again. */
#define MINUTE_PROCESSES_MAX 3

enum minute_part {
	MINUTE_CAME, /* connections whose first traffic was seen in the minute */
	MINUTE_WENT, /* that ended in it, or moved something last and have been idle for 20 s */
	MINUTE_GREW, /* processes whose rate has grown by half or more */
	MINUTE_PARTS,
};

/* What connections of one part add up to. */
struct change {
	uint32_t connections;
	uint32_t processes;
	uint32_t open;     /* of the connections: neither closed nor, of those that came, idle */
	uint64_t rx_bytes; /* all that the connections have moved, not in MINUTE_GREW */
	uint64_t tx_bytes;
	uint64_t before_bytes_per_s; /* MINUTE_GREW alone: RX and TX together */
	uint64_t now_bytes_per_s;
	struct moment last;                      /* when the latest one came or went */
	struct session example;                  /* the latest one; */
	bool same_lport, same_raddr, same_rport; /* and what of it all have in common */
};

struct minute_line {
	enum grouping grouping; /* what it is: one connection (GROUPING_NONE), a process, a program */
	struct row row;         /* by whose key it is found; its sums are of the minute's connections alone */
	struct change change;
};

struct minute_part_lines {
	struct minute_line lines[MINUTE_LINES_MAX]; /* most bytes, or most grown, first */
	size_t count;
	size_t line_total;    /* how many there are, */
	uint32_t connections; /* and what all of them add up to */
	uint64_t rx_bytes;
	uint64_t tx_bytes;
};

struct minute {
	uint64_t known_ns;  /* how long ago what is known of comings and goings begins: a minute at most */
	uint64_t now_ns;    /* the time of the rates now, some 10 s, */
	uint64_t before_ns; /* and of those before; 0: nothing is known of it */
	struct minute_part_lines parts[MINUTE_PARTS];
};

/*
 * Fills *minute from the context's traffic, as far as it passes the settings' filters: list_build is to have been called with
 * both. On the clock of the intervals, live and in recordings. Takes a pass over all rows. 0 or -ENOMEM: then it is empty.
 */
int minute_build(
    struct minute *minute, const struct list_settings *settings, const struct column_context *context);

#endif
