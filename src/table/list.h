/* SPDX-License-Identifier: Apache-2.0 */
/* The rows or groups that pass the filters, each with its rank, not yet in order. */
#ifndef TCPTOP_LIST_H
#define TCPTOP_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/rows.h"
#include "table/column.h"
#include "table/match.h"

struct view_item;

/* What is listed. */
struct list_settings {
	enum grouping grouping;
	bool opened; /* the connections of one group are listed, that of opened_key */
	struct session opened_key;
	uint32_t opened_container;  /* its number, as in struct row, */
	struct peer opened_peer;    /* and whose the other end of all is */
	const struct session *kept; /* a connection that is listed however long it is idle; NULL: none */
	uint8_t family;             /* 0, 4 or 6 */
	bool one_user;
	uint32_t uid;
	struct match words;
	uint32_t epoch; /* changes with the words and with the names that they may match; never 0 */
	bool narrows;   /* rows that failed in the epoch before fail in this one */
};

struct list {
	struct view_item *items;
	size_t count;
	size_t capacity;
	size_t unfiltered; /* connections that would be listed, or be in the groups, without filters */
	struct rows groups;
	struct tallies tallies;   /* of the groups, by their indices, and of the sum */
	struct cause_sum *causes; /* of the groups, by their indices */
	size_t cause_count;
	bool
	    untold; /* of what is gone some may pass, which is left out, as it was added up with what may not */
	bool summed;    /* something is in the sum */
	struct row sum; /* of all that is listed, if that is not all there is: list_is_narrowed */
};

void list_init(struct list *list);
void list_fini(struct list *list);

/*
 * Lists the context's traffic anew, in groups when the context has a grouping, with the ranks of the column.
 * Connections are listed while they are recent, or all of them if the context says so; groups always, as a
 * group's sums are those of all its connections, also of those whose rows are gone. Of the latter a filter lets
 * pass what is known to pass, by what all that were added up had in common. Fills in what rows cache: the cgroup's name and whether the words matched. 0 or -ENOMEM.
 */
int list_build(struct list *list, const struct list_settings *settings, const struct column_context *context,
    const struct column *column);

/* Whether a row passes the settings' filters; the row's cgroup is to have its name by list_build. */
bool list_passes(const struct list_settings *settings, const struct column_context *context, struct row *row);

/* The same of a connection that has ended, whose words about its socket are ignored. Nothing is cached. */
bool list_passes_ended(
    const struct list_settings *settings, const struct column_context *context, const struct row *row);

/* The same of what is gone, by the context's grouping; ANSWER_UNKNOWN: not of all that was added up in it. */
enum answer list_passes_gone(
    const struct list_settings *settings, const struct column_context *context, const struct row *row);

/* Whether the settings list only a part: a filter, one user, one family, or one group's connections. */
bool list_is_narrowed(const struct list_settings *settings);

/* Orders by the places that list_hold noted. */
extern const struct column list_held_column;

/*
 * Notes the place of each item, all of which are in order, in its row, and in those of a group's connections, by
 * which the group has it when it is built anew. Rows that are not listed have none.
 */
void list_hold(struct list *list, const struct column_context *context);

/*
 * Takes a group of the context's grouping, given by its key, apart by another grouping: what of it is each part's, of
 * the connections that are kept. Adds the parts to rows, which is the caller's and empty; *kept is their sum. 0 or
 * -ENOMEM.
 */
int list_take_apart(struct rows *rows, struct row *kept, const struct list_settings *settings,
    const struct column_context *context, const struct session *group, enum grouping by);

/* The rows that the items' indices are of: the traffic's, or the groups. */
const struct rows *list_rows(const struct list *list, const struct column_context *context);

/* How many groups are listed: of services, what was not accepted by one is an item of the list, but no service. */
size_t list_group_count(const struct list *list, const struct column_context *context);

#endif
