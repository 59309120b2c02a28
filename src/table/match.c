/* SPDX-License-Identifier: Apache-2.0 */
#include "table/match.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "model/rows.h"
#include "names/cgroup_name.h"
#include "names/names.h"
#include "table/column.h"

#define PORT_SIZE 32

/* ---- words ---- */

static const struct field {
	const char *name;
	unsigned looks;
} fields[] = {
	{ "pid", LOOK_PID }, { "port", LOOK_PORT }, { "host", LOOK_HOST }, { "user", LOOK_USER },
	{ "comm", LOOK_COMM }, { "container", LOOK_CONTAINER }, { "cgroup", LOOK_CGROUP },
	{ "command", LOOK_COMMAND }, { "", LOOK_PORT }, /* ":443" */
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

/* What must be a number, or an address, and is not one. */
static bool is_wrong(const struct match_word *word)
{
	const struct pattern *pattern = &word->pattern;

	if (!word->is_field)
		return false;
	switch (word->looks) {
	case LOOK_PID:
		return !pattern->is_number;
	case LOOK_PORT:
		return !pattern->text[strspn(pattern->text, "0123456789")] &&
		       (!pattern->is_number || pattern->number > UINT16_MAX);
	case LOOK_HOST:
		return strpbrk(pattern->text, "/[") && !pattern->networks[0].family;
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
	if ((size_t)snprintf(match->text, sizeof match->text, "%s", text) >= sizeof match->text)
		note_fault(match, MATCH_TOO_MUCH, "");
	for (char *c = match->text; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c;
	for (char *part = strtok_r(match->text, " ", &saved); part; part = strtok_r(NULL, " ", &saved)) {
		struct match_word word = { .absent = part[0] == '!' };

		part += word.absent;
		if (match->word_count == MATCH_WORDS_MAX) {
			note_fault(match, MATCH_TOO_MUCH, part);
			break;
		}
		enum match_fault fault = read_word(&word, part);

		note_fault(match, fault, part);
		if (fault != MATCH_NO_VALUE && fault != MATCH_WRONG_VALUE)
			match->words[match->word_count++] = word;
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
	return !before->absent && !(before->is_field && before->looks == LOOK_PORT) && !from->whole &&
	       !to->whole && !from->is_number && !to->is_number;
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
		snprintf(buffer, size, "'%s' is no %.*s", word + length + 1, length ? length : 4,
		    length ? word : "port");
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

/* ---- rows ---- */

/* A row as it is looked at. */
struct subject {
	const struct row *row;
	const struct column_context *context;
	bool ports;  /* else it is a group's row, and its local address is none */
	bool remote; /* the remote address is one */
};

static struct subject subject_of(const struct row *row, const struct column_context *context)
{
	const struct session *session = &row->session;
	struct subject subject = { row, context, session->lport || session->rport, false };

	subject.remote =
	    session->family && (subject.ports || memcmp(session->raddr, (uint8_t[16]){ 0 }, 16) != 0);
	return subject;
}

static bool is_loopback(uint8_t family, const uint8_t *address)
{
	return family == 4 ? address[0] == 127
	                   : family == 6 && memcmp(address, (uint8_t[16]){ [15] = 1 }, 16) == 0;
}

/* Both ends have one address, or that of the loopback interface. */
static bool is_local(const struct subject *subject)
{
	const struct session *session = &subject->row->session;

	if (!subject->remote)
		return false;
	return is_loopback(session->family, session->raddr) ||
	       (subject->ports && memcmp(session->laddr, session->raddr, sizeof session->laddr) == 0);
}

/* The service of this name or number. always: also where the screen shows numbers. */
static bool is_port(const struct subject *subject, const char *text, uint16_t port, bool always)
{
	char digits[FORMAT_DECIMAL_SIZE];
	const char *name = NULL;

	digits[format_decimal(digits, port)] = '\0';
	if (strcmp(digits, text) == 0)
		return true;
	if (always || subject->context->port_names)
		name = names_port(subject->context->names, port);
	return name && pattern_is(text, name);
}

static bool is_end(
    const struct subject *subject, const struct pattern *pattern, const uint8_t *address, uint16_t port)
{
	const struct session *session = &subject->row->session;

	for (size_t i = 0; i < PATTERN_NETWORKS; i++) {
		const struct network *network = &pattern->networks[i];

		if (network->family &&
		    network_has(network, session->family, address, session_zone(session)) &&
		    (!network->port || (subject->ports && is_port(subject, network->port, port, true))))
			return true;
	}
	return false;
}

/* In "host:port" as it is shown with names, or in the link that follows an address: "%eth0". */
static bool in_end(
    const struct subject *subject, const struct match_word *word, const uint8_t *address, uint16_t port)
{
	const struct session *session = &subject->row->session;
	const struct column_context *context = subject->context;
	char zone[ADDRESS_ZONE_SIZE], text[CELL_SIZE], digits[FORMAT_DECIMAL_SIZE];
	const char *host = NULL, *service = NULL;

	if (address_format_zone(zone, session->family, address, session_zone(session)) &&
	    pattern_in(&word->pattern, zone, false))
		return true;
	if (context->host_names)
		host = names_host_known(context->names, session->family, address);
	if (!host)
		return false;
	if (!subject->ports)
		return pattern_in(&word->pattern, host, false);
	if (context->port_names)
		service = names_port(context->names, port);
	digits[format_decimal(digits, port)] = '\0';
	snprintf(text, sizeof text, "%s%s:%s", host, zone, service ? service : digits);
	return pattern_in(&word->pattern, text, false);
}

static bool has_host(const struct subject *subject, const struct match_word *word)
{
	const struct session *session = &subject->row->session;
	bool is_known = subject->context->host_names || session->ifindex;

	if (!subject->remote)
		return false;
	if (word->pattern.networks[0].family &&
	    (is_end(subject, &word->pattern, session->raddr, session->rport) ||
	        (subject->ports && is_end(subject, &word->pattern, session->laddr, session->lport))))
		return true;
	return is_known && (in_end(subject, word, session->raddr, session->rport) ||
	                       (subject->ports && in_end(subject, word, session->laddr, session->lport)));
}

/* A port by number or name: a whole one, but that a part of a name that is shown is a word like others. */
static bool has_port(const struct subject *subject, const struct match_word *word)
{
	const struct session *session = &subject->row->session;
	const uint16_t ports[] = { session->lport, session->rport };
	const struct pattern *pattern = &word->pattern;

	if (!subject->ports)
		return false;
	for (size_t i = 0; i < COUNT_OF(ports); i++) {
		const char *name = NULL;

		if (pattern->is_number && pattern->number == ports[i])
			return true;
		if (word->is_field && !pattern->is_number && is_port(subject, pattern->text, ports[i], true))
			return true;
		if (!word->is_field && subject->context->port_names)
			name = names_port(subject->context->names, ports[i]);
		if (name && pattern_in(pattern, name, false))
			return true;
	}
	return false;
}

static bool has_user(const struct subject *subject, const struct match_word *word)
{
	uint32_t uid = subject->row->session.uid;
	char user[CELL_SIZE];

	if (uid == UINT32_MAX)
		return false;
	if (word->pattern.is_number && word->is_field && word->pattern.number == uid)
		return true;
	return pattern_in(&word->pattern, names_user(subject->context->names, uid, user, sizeof user), false);
}

static bool in_command(const struct subject *subject, const struct match_word *word)
{
	const struct row *row = subject->row;
	int64_t seen_s = row->members ? row->first.wall_s : row->last.wall_s;

	return row->session.pid &&
	       pattern_in(&word->pattern,
	           names_command_known(subject->context->names, row->session.pid, seen_s), false);
}

/* From what costs nothing to what may have to be read. */
static bool has_word(const struct subject *subject, const struct match_word *word)
{
	const struct row *row = subject->row;
	const struct pattern *pattern = &word->pattern;
	const struct names *names = subject->context->names;

	if (word->looks & LOOK_LOCAL)
		return is_local(subject);
	if (word->looks & LOOK_PID && pattern->is_number && row->session.pid &&
	    pattern->number == row->session.pid)
		return true;
	if (word->looks & LOOK_COMM && pattern_in(pattern, row->session.comm, false))
		return true;
	if (word->looks & LOOK_PORT && has_port(subject, word))
		return true;
	if (word->looks & LOOK_HOST && has_host(subject, word))
		return true;
	if (word->looks & LOOK_USER && has_user(subject, word))
		return true;
	if (word->looks & LOOK_CONTAINER && row->container &&
	    pattern_in(pattern, names_container_text(names, row->container), false))
		return true;
	if (word->looks & (LOOK_CONTAINER | LOOK_CGROUP) && row->container &&
	    pattern_in(pattern, names_container_path(names, row->container), true))
		return true;
	return word->looks & LOOK_COMMAND && in_command(subject, word);
}

bool match_row(const struct match *match, const struct row *row, const struct column_context *context)
{
	struct subject subject = subject_of(row, context);

	for (size_t i = 0; i < match->word_count; i++)
		if (has_word(&subject, &match->words[i]) == match->words[i].absent)
			return false;
	return true;
}
