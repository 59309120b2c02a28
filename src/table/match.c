/* SPDX-License-Identifier: Apache-2.0 */
#include "table/match.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/format.h"
#include "model/rows.h"
#include "names/names.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static int parse_port(const char *text)
{
	char *end;
	long port;

	if (text[0] != ':' || !isdigit((unsigned char)text[1]))
		return -1;
	port = strtol(text + 1, &end, 10);
	return *end || port > 65535 ? -1 : (int)port;
}

void match_set(struct match *match, const char *text)
{
	char *saved = NULL;

	snprintf(match->text, sizeof match->text, "%s", text);
	for (char *c = match->text; *c; c++)
		*c = lower(*c);
	match->word_count = 0;
	for (char *part = strtok_r(match->text, " ", &saved); part; part = strtok_r(NULL, " ", &saved)) {
		bool absent = part[0] == '!';

		part += absent;
		if (!*part)
			continue; /* the user is still typing what follows "!" */
		if (match->word_count == MATCH_WORDS_MAX)
			break;
		match->words[match->word_count++] = (struct match_word){
			.text = part,
			.length = strlen(part),
			.absent = absent,
			.caseless = !part[strcspn(part, "abcdefghijklmnopqrstuvwxyz")],
			.letters = part[strspn(part, "0123456789abcdef.:")] != '\0',
			.port = parse_port(part),
		};
	}
}

bool match_narrows(const struct match *from, const struct match *to)
{
	size_t count = from->word_count;

	if (!count || count > to->word_count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct match_word *before = &from->words[i], *after = &to->words[i];

		if (before->absent != after->absent || before->length > after->length ||
		    memcmp(before->text, after->text, before->length) != 0)
			return false;
		/* A longer word matches fewer rows, but a longer port is another port, and "!" inverts it. */
		if (before->length < after->length && (before->absent || before->port >= 0))
			return false;
	}
	return true;
}

static bool contains(const char *text, const struct match_word *word)
{
	char first = word->text[0];

	if (word->caseless)
		return strstr(text, word->text) != NULL;
	for (; *text; text++) {
		size_t i = 1;

		if (lower(*text) != first)
			continue;
		while (i < word->length && lower(text[i]) == word->text[i])
			i++;
		if (i == word->length)
			return true;
	}
	return false;
}

/*
 * A row's searchable text, made once for all words and only when one needs it: first the texts, then numbers
 * and addresses.
 */
#define NUMBERS_MAX (2 * ADDRESS_PORT_SIZE + 24) /* a PID, two addresses with ports, what separates them */

struct haystack {
	const struct row *row;
	struct names *names;
	bool host_names;
	bool has_texts;
	bool has_numbers;
	char text[512 + NUMBERS_MAX];
	size_t length;
};

/* Without snprintf: a filter looks at every row at every key. */
static void add_number(struct haystack *hay, unsigned number)
{
	hay->length += format_decimal(hay->text + hay->length, number);
}

static void add_address(struct haystack *hay, const struct session *session, const uint8_t *address)
{
	hay->length += address_format(hay->text + hay->length, session->family, address);
	hay->length +=
	    address_format_zone(hay->text + hay->length, session->family, address, session_zone(session));
}

static void add_text(struct haystack *hay, const char *text)
{
	size_t room = sizeof hay->text - NUMBERS_MAX - hay->length - 2;
	size_t length = strnlen(text, room);

	hay->text[hay->length++] = '\n';
	memcpy(hay->text + hay->length, text, length);
	hay->length += length;
}

/* The parts are separated by newlines, which no word has, so that a match cannot span two of them. */
static void add_texts(struct haystack *hay)
{
	const struct session *session = &hay->row->session;
	const char *host = NULL;
	char user[40];

	hay->has_texts = true;
	if (session->uid != UINT32_MAX)
		add_text(hay, names_user(hay->names, session->uid, user, sizeof user));
	if (hay->row->container)
		add_text(hay, names_container_text(hay->names, hay->row->container));
	if (hay->host_names && session->family)
		host = names_host_known(hay->names, session->family, session->raddr);
	if (host)
		add_text(hay, host);
	hay->text[hay->length] = '\0';
}

static void add_numbers(struct haystack *hay)
{
	const struct session *session = &hay->row->session;
	bool ports = session->lport || session->rport; /* else it is a group's row */
	bool host = session->family && memcmp(session->raddr, (uint8_t[16]){ 0 }, 16) != 0;

	hay->has_numbers = true;
	hay->text[hay->length++] = '\n';
	add_number(hay, session->pid);
	hay->text[hay->length++] = '\n';
	if (ports) {
		add_address(hay, session, session->laddr);
		hay->text[hay->length++] = ':';
		add_number(hay, session->lport);
		hay->text[hay->length++] = '\n';
	}
	if (ports || host)
		add_address(hay, session, session->raddr);
	if (ports) {
		hay->text[hay->length++] = ':';
		add_number(hay, session->rport);
	}
	hay->text[hay->length] = '\0';
}

static bool has_word(struct haystack *hay, const struct match_word *word)
{
	const struct session *session = &hay->row->session;

	if (word->port >= 0)
		return session->lport == word->port || session->rport == word->port;
	if (contains(session->comm, word))
		return true;
	if (!hay->has_texts)
		add_texts(hay);
	if ((!word->letters || session->ifindex) && !hay->has_numbers)
		add_numbers(hay);
	return contains(hay->text, word);
}

bool match_row(const struct match *match, const struct row *row, struct names *names, bool host_names)
{
	/* The text is written before it is read, and clearing it would cost more than matching. */
	struct haystack hay;

	hay.row = row;
	hay.names = names;
	hay.host_names = host_names;
	hay.has_texts = hay.has_numbers = false;
	hay.length = 0;
	for (size_t i = 0; i < match->word_count; i++)
		if (has_word(&hay, &match->words[i]) == match->words[i].absent)
			return false;
	return true;
}
