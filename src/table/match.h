/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a row has the words of a filter or a search. They match what the screen shows, as it shows it. */
#ifndef TCPTOP_MATCH_H
#define TCPTOP_MATCH_H

#include <stdbool.h>

#include "model/session.h"
#include "table/words.h"

struct column_context;
struct row;

/*
 * True when the row has every word and none of the "!word"s. Service and host names are looked at where the context
 * shows them; the field "port" knows services always.
 */
bool match_row(const struct match *match, const struct row *row, const struct column_context *context);

/* The same of a connection that has ended: words of its socket, which is none any more, are ignored. */
bool match_ended(const struct match *match, const struct row *row, const struct column_context *context);

/*
 * The same of what is gone, many connections added up, of which little is known: ANSWER_YES or ANSWER_NO if it is so of all of
 * them, else ANSWER_UNKNOWN.
 */
enum answer match_gone(
    const struct match *match, const struct row *row, const struct column_context *context);

#endif
