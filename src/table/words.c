/* SPDX-License-Identifier: Apache-2.0 */
#include "table/words.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "model/cause.h"
#include "names/cgroup_name.h"

static const struct field {
	const char *name;
	unsigned looks;
	const char *value; /* what it takes */
} fields[] = {
	{ "pid", LOOK_PID, "pid" }, { "port", LOOK_PORT, "port" }, { "listen", LOOK_LISTEN, "port" },
	{ "host", LOOK_HOST, "host" }, { "user", LOOK_USER, "user" }, { "comm", LOOK_COMM, "comm" },
	{ "container", LOOK_CONTAINER, "container" }, { "cgroup", LOOK_CGROUP, "cgroup" },
	{ "command", LOOK_COMMAND, "command" }, { "state", LOOK_STATE, "state" },
	{ "why", LOOK_WHY, "cause" }, { "", LOOK_PORT, "port" }, /* ":443" */
};

static const struct field *find_field(const char *name, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (strlen(fields[i].name) == length && memcmp(fields[i].name, name, length) == 0)
			return &fields[i];
	return NULL;
}

/* Only letters before the colon are meant for a field; but "fd00:" and "docker:" are what rows have. */
static bool names_field(const char *text, size_t length)
{
	bool is_group = length <= 4 && strspn(text, "abcdef") >= length;

	return strspn(text, "abcdefghijklmnopqrstuvwxyz") == length && !is_group &&
	       !cgroup_name_is_kind(text, length);
}

/* A part of one of the names, of which there are so many. */
static bool is_named(const struct pattern *pattern, const char *(*name)(uint8_t), uint8_t count)
{
	for (uint8_t i = 0; i < count; i++)
		if (name(i) && pattern_in(pattern, name(i), true))
			return true;
	return false;
}

/* What must be a number, an address or a known name, and is not one. */
static bool is_wrong(const struct match_word *word)
{
	const struct pattern *pattern = &word->pattern;

	if (!word->is_field)
		return false;
	switch (word->looks) {
	case LOOK_PID:
		return !pattern->is_number;
	case LOOK_PORT:
	case LOOK_LISTEN:
		/* lists and ranges of numbers are no names, either */
		return !pattern->text[strspn(pattern->text, "0123456789,-")] &&
		       (!pattern->is_number || pattern->number > UINT16_MAX);
	case LOOK_STATE:
		return !is_named(pattern, socket_state_name, SOCKET_STATE_COUNT);
	case LOOK_WHY:
		return !is_named(pattern, cause_name, CAUSE_COUNT);
	case LOOK_HOST:
		return strpbrk(pattern->text, "/[,") && !pattern->networks[0].family;
	default:
		return false;
	}
}

/* Fills in what the text, without "!", stands for. */
static enum match_fault read_word(struct match_word *word, const char *text)
{
	size_t length = strcspn(text, ":");
	const struct field *field = NULL;

	word->looks = LOOK_ANYWHERE;
	if (!*text)
		return MATCH_NO_VALUE;
	if (strcmp(text, "local") == 0)
		word->looks = LOOK_LOCAL;
	if (text[length] && strncmp(text, "::", 2) != 0)
		field = find_field(text, length);
	if (field) {
		word->is_field = true;
		word->looks = field->looks;
		text += length + 1;
	}
	if (!*text)
		return MATCH_NO_VALUE;
	pattern_set(&word->pattern, text, word->looks == LOOK_HOST);
	if (word->is_field && word->looks != LOOK_HOST && word->looks != LOOK_USER)
		word->pattern.whole = false;
	if (is_wrong(word))
		return MATCH_WRONG_VALUE;
	return !field && text[length] && names_field(text, length) ? MATCH_NO_SUCH_FIELD : MATCH_FINE;
}

static void note_fault(struct match *match, enum match_fault fault, const char *word)
{
	if (match->fault || !fault)
		return;
	match->fault = fault;
	match->faulty_word = word;
}

void match_set(struct match *match, const char *text)
{
	char *saved = NULL;

	match->fault = MATCH_FINE;
	match->word_count = 0;
	match->of_sockets = false;
	if ((size_t)snprintf(match->text, sizeof match->text, "%s", text) >= sizeof match->text)
		note_fault(match, MATCH_TOO_MUCH, "");
	for (char *c = match->text; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c;
	for (char *part = strtok_r(match->text, " ", &saved); part; part = strtok_r(NULL, " ", &saved)) {
		struct match_word word = { .absent = false };

		for (; *part == '!'; part++)
			word.absent = !word.absent;
		if (match->word_count == MATCH_WORDS_MAX) {
			note_fault(match, MATCH_TOO_MUCH, part);
			break;
		}
		enum match_fault fault = read_word(&word, part);

		note_fault(match, fault, part);
		if (fault == MATCH_NO_VALUE || fault == MATCH_WRONG_VALUE)
			continue;
		match->words[match->word_count++] = word;
		match->of_sockets |= (word.looks & (LOOK_STATE | LOOK_WHY)) != 0;
	}
}

/* A longer text is in fewer rows; a longer number, address, port or field is another one. */
static bool word_narrows(const struct match_word *before, const struct match_word *after)
{
	const struct pattern *from = &before->pattern, *to = &after->pattern;

	if (before->looks != after->looks || before->absent != after->absent ||
	    before->is_field != after->is_field || from->length > to->length ||
	    memcmp(from->text, to->text, from->length) != 0)
		return false;
	if (from->length == to->length)
		return true;
	bool is_port = before->is_field && before->looks & (LOOK_PORT | LOOK_LISTEN);

	return !before->absent && !is_port && !from->whole && !to->whole && !from->is_number &&
	       !to->is_number;
}

bool match_narrows(const struct match *from, const struct match *to)
{
	size_t count = from->word_count;

	if (!count || count > to->word_count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!word_narrows(&from->words[i], &to->words[i]))
			return false;
	return true;
}

bool match_needs_accepted(const struct match *match)
{
	for (size_t i = 0; i < match->word_count; i++)
		if (match->words[i].looks == LOOK_LISTEN)
			return true;
	return false;
}

bool match_needs_host_names(const struct match *match)
{
	for (size_t i = 0; i < match->word_count; i++)
		if (match->words[i].looks == LOOK_HOST && !match->words[i].pattern.networks[0].family)
			return true;
	return false;
}

size_t match_fields(char *buffer, size_t size, const char *separator)
{
	size_t length = 0;

	for (size_t i = 0; *fields[i].name; i++) {
		size_t used = length < size ? length : size;

		length +=
		    (size_t)snprintf(buffer + used, size - used, "%s%s", i ? separator : "", fields[i].name);
	}
	return length;
}

const char *match_say_fault(const struct match *match, char *buffer, size_t size)
{
	const char *word = match->faulty_word;
	int length = match->fault ? (int)strcspn(word, ":") : 0;

	switch (match->fault) {
	case MATCH_FINE:
		break;
	case MATCH_NO_VALUE:
		snprintf(buffer, size, "what follows '%s'?", *word ? word : "!");
		return buffer;
	case MATCH_WRONG_VALUE:
		snprintf(buffer, size, "'%s' is no %s", word + length + 1,
		    find_field(word, (size_t)length)->value);
		return buffer;
	case MATCH_TOO_MUCH:
		snprintf(buffer, size, "at most %d words and %d bytes", MATCH_WORDS_MAX, MATCH_TEXT_MAX);
		return buffer;
	case MATCH_NO_SUCH_FIELD:
		snprintf(buffer, size, "no field '%.*s'", length, word);
		return buffer;
	}
	return NULL;
}
