/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a filter or a search, and whether a row has them all. */
#ifndef TCPTOP_MATCH_H
#define TCPTOP_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MATCH_TEXT_MAX 127
#define MATCH_WORDS_MAX 16

struct names;
struct row;

struct match_word {
	const char *text; /* lower case (ASCII) */
	size_t length;
	bool absent;   /* "!word": the row must not have it */
	bool letters;  /* no number or address can hold it, as one of its characters occurs in none */
	bool caseless; /* has no letter */
	int port;      /* of ":443", which matches this port only; else -1 */
};

struct match {
	char text[MATCH_TEXT_MAX + 1];
	struct match_word words[MATCH_WORDS_MAX];
	size_t word_count; /* 0: every row matches */
};

/* True if `to` extends `from`, so that rows which failed `from` need no second look. */
bool match_narrows(const struct match *from, const struct match *to);

/* Splits the text into words. Ignores what exceeds MATCH_WORDS_MAX words or MATCH_TEXT_MAX bytes. */
void match_set(struct match *match, const char *text);

/*
 * True when the row has every word, in upper or lower case, in its name, PID, user, container or the
 * "address:port" of either end, and none of the "!word"s. ":443" is a port. host_names: the name of the remote
 * host is searched, too. names may be NULL.
 */
bool match_row(const struct match *match, const struct row *row, struct names *names, bool host_names);

#endif
