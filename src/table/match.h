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
	bool letters;  /* it has what no number or address has: those need not be looked at */
	bool caseless; /* has no letter at all */
	int port;      /* ":443": this very port, else -1 */
};

struct match {
	char text[MATCH_TEXT_MAX + 1];
	struct match_word words[MATCH_WORDS_MAX];
	size_t word_count; /* 0: every row matches */
};

/* Whatever matches `to` matched `from`: one was typed on. */
bool match_narrows(const struct match *from, const struct match *to);

/* Takes the words apart. What is beyond MATCH_WORDS_MAX words or MATCH_TEXT_MAX bytes is left out. */
void match_set(struct match *match, const char *text);

/*
 * Every word, in any case, is part of the row's name, PID, user, container or "address:port" of either
 * end; ":443" is a port and "!word" must not be there. host_names: names of remote hosts count too.
 */
bool match_row(const struct match *match, const struct row *row, struct names *names, bool host_names);

#endif
