/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a filter or a search, read: what each stands for, and where it is looked for. */
#ifndef TCPTOP_WORDS_H
#define TCPTOP_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table/pattern.h"

#define MATCH_TEXT_MAX 255
#define MATCH_WORDS_MAX 16

/* Where a word is looked for. */
enum look {
	LOOK_PID = 1 << 0,
	LOOK_PORT = 1 << 1,
	LOOK_HOST = 1 << 2, /* either end */
	LOOK_USER = 1 << 3,
	LOOK_COMM = 1 << 4,
	LOOK_CONTAINER = 1 << 5, /* its short name, and the path, where its id and its pod's UID stand */
	LOOK_CGROUP = 1 << 6,    /* the path */
	LOOK_COMMAND = 1 << 7,
	LOOK_LOCAL = 1 << 8, /* "local": both ends are on this host */
	LOOK_ANYWHERE = LOOK_LOCAL - 1,
	LOOK_LISTEN = 1 << 9, /* the port of the listener that accepted it */
	LOOK_STATE = 1 << 10, /* of its socket, */
	LOOK_WHY = 1 << 11,   /* and what it waits for most */
};

struct match_word {
	unsigned looks; /* enum look */
	bool absent;    /* "!word": the row must not have it */
	bool is_field;  /* "port:443" */
	struct pattern pattern;
};

/* What is wrong with a word. */
enum match_fault {
	MATCH_FINE,
	MATCH_NO_SUCH_FIELD, /* "prot:443", which is looked for as it stands */
	MATCH_NO_VALUE,      /* "port:" or "!", which is ignored: more may be typed */
	MATCH_WRONG_VALUE,   /* "port:70000", which is ignored, too */
	MATCH_TOO_MUCH,      /* more words or bytes than there is room for: the rest is ignored */
};

struct match {
	char text[MATCH_TEXT_MAX + 1]; /* lower case (ASCII) */
	struct match_word words[MATCH_WORDS_MAX];
	size_t word_count;       /* 0: every row matches */
	bool of_sockets;         /* a word is of what a pass over sockets tells, and another one tells anew */
	enum match_fault fault;  /* of the first word that has one */
	const char *faulty_word; /* without "!" */
};

/* True if `to` extends `from`, so that rows which failed `from` need no second look. */
bool match_narrows(const struct match *from, const struct match *to);

/* Splits the text into words. What a word with a fault does: enum match_fault. The match cannot be copied. */
void match_set(struct match *match, const char *text);

enum { MATCH_SAID_SIZE = MATCH_TEXT_MAX + 40 };

/* Says what is wrong, in one clause, written into buffer, which is returned; NULL: nothing is. Untrusted. */
const char *match_say_fault(const struct match *match, char *buffer, size_t size);

/* The names of the fields; cut at size. Returns the length as snprintf does. */
size_t match_fields(char *buffer, size_t size, const char *separator);

/* True when a word is a field that asks who listened: "listen:443". */
bool match_needs_accepted(const struct match *match);

/* True when a word can be found in names of hosts alone: "host:example.com". */
bool match_needs_host_names(const struct match *match);

#endif
