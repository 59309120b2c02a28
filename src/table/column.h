/* SPDX-License-Identifier: Apache-2.0 */
/* The columns: one table that options, header, menus, sorting and cells read. */
#ifndef TCPTOP_COLUMN_H
#define TCPTOP_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/format.h"
#include "model/grouping.h"
#include "table/line.h"

struct error;
struct traffic;
struct names;
struct row;

/* What the bytes of RX and TX are shown as. */
enum amount {
	AMOUNT_RATE,     /* per second of the interval's true length */
	AMOUNT_INTERVAL, /* in the latest interval */
	AMOUNT_TOTAL,    /* since the start or reset */
	AMOUNT_COUNT,
};

enum column_need {
	COLUMN_NEEDS_NOTHING = 0,
	COLUMN_NEEDS_SOCKET =
	    1 << 0, /* read from the socket at every event, so compiled in on request only */
};

/* What a cell depends on besides its row. */
struct column_context {
	const struct traffic *traffic;
	struct names *names; /* NULL: numbers */
	enum amount amount;
	enum unit unit;
	enum grouping grouping;
	bool all;                    /* connections that have been idle for long are listed, too, */
	bool open;                   /* as are all open sockets */
	const struct column *sorted; /* shown, chosen or not, as the order is by it; NULL: none */
	bool port_names;
	bool host_names;
	uint8_t address_columns; /* of the longest address that was on the screen so far; 0: the usual */
	bool utf8;
};

#define CELL_SIZE 1024

struct cell {
	char text[CELL_SIZE];
	unsigned width;   /* in: the columns available */
	unsigned columns; /* out: at most width */
	enum style style; /* out */
};

struct column {
	const char *id;          /* for --columns and --sort */
	const char *title;       /* NULL: made of `direction` and amount */
	const char *direction;   /* "RX", "TX", "RX+TX" or NULL */
	const char *description; /* for the menu and the help */
	uint8_t width_min;
	uint8_t width_pref;
	uint8_t width_max;
	uint8_t priority;   /* 0 is dropped last when there is no room */
	bool right;         /* aligned */
	bool descending;    /* the initial direction of sorting by it */
	bool is_amount;     /* bytes in the chosen unit */
	bool by_average;    /* the order is by a moving average, unless totals are shown */
	bool is_address;    /* only IPv6 and host names need its largest width */
	bool with_all;      /* shown when all connections are listed, chosen or not, */
	bool with_open;     /* and when all open sockets are, */
	bool fits_open;     /* or, when they are, where there is room */
	bool essential;     /* shrinks others below their preferred width rather than be dropped */
	uint16_t groupings; /* 1 << enum grouping: where it means something */
	uint16_t
	    identifies; /* 1 << enum grouping: where it tells which group a row is, so it is never dropped */
	uint16_t leads; /* 1 << enum grouping: where it stands first, chosen or not */
	uint8_t needs;  /* enum column_need */
	uint64_t (*rank)(const struct column_context *context, const struct row *row);
	/* Orders rows of equal rank; NULL: the rank decides alone. */
	int (*compare)(const struct column_context *context, const struct row *a, const struct row *b);
	void (*format)(const struct column_context *context, const struct row *row, struct cell *cell);
};

extern const struct column column_table[];
extern const size_t column_count;

#define COLUMNS_MAX 32

/* The columns shown, in order: indices into column_table. */
struct column_list {
	uint8_t indices[COLUMNS_MAX];
	uint8_t count;
};

struct column_sort {
	const struct column *column;
	bool descending;
};

/* The columns and the order that are shown by default. */
void column_list_default(struct column_list *list);
struct column_sort column_sort_default(void);

/* "rx,tx,name" for --columns. 0, or -EINVAL with *error (usage) naming the wrong word and all ids. */
int column_parse_list(struct column_list *list, const char *text, struct error *error);

/* "rx", "rx:asc", "name:desc" for --sort. 0, or -EINVAL with *error (usage) as column_parse_list. */
int column_parse_sort(struct column_sort *sort, const char *text, struct error *error);

/* All ids in the table's order; cut at size. Returns the length as snprintf does. */
size_t column_ids(char *buffer, size_t size, const char *separator);

const struct column *column_find(const char *id);
bool column_list_has(const struct column_list *list, const struct column *column);

/* The needs of all columns in the list (enum column_need), for the program text. */
unsigned column_list_needs(const struct column_list *list);

/* The title for this context. Returns buffer. */
const char *column_title(
    const struct column *column, const struct column_context *context, char *buffer, size_t size);

/* Fills a cell with untrusted text, cut to its width; with a number, in units where it would not fit. */
void column_cell_text(const struct column_context *context, const char *text, struct cell *cell);
void column_cell_number(uint64_t number, struct cell *cell);

/* From this width on LAST says in a word that a connection is closed. */
enum { COLUMN_LAST_WORDED = 15 };

/* The width of the longer of a row's addresses. */
unsigned column_address_columns(const struct column_context *context, const struct row *row);

#endif
