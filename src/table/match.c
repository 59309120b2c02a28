/* SPDX-License-Identifier: Apache-2.0 */
#include "table/match.h"

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/format.h"
#include "base/util.h"
#include "model/cause.h"
#include "model/rows.h"
#include "model/tally.h"
#include "names/names.h"
#include "table/column.h"

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
	struct subject subject = { row, context, !row->is_group, false };

	subject.remote =
	    session->family && (subject.ports || memcmp(session->raddr, (uint8_t[16]){ 0 }, 16) != 0);
	return subject;
}

/* Both ends have one address, or that of the loopback interface. */
static bool is_local(const struct subject *subject)
{
	const struct session *session = &subject->row->session;

	if (!subject->remote)
		return false;
	if (subject->ports &&
	    !session->rport) /* a listener: others reach it unless it is bound to loopback */
		return address_is_loopback(session->family, session->laddr);
	return address_is_loopback(session->family, session->raddr) ||
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

	for (size_t i = 0; i < COUNT_OF(ports); i++) {
		const char *name = NULL;

		if (!ports[i])
			continue; /* of a group */
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

/* The port that a listener accepted it on. */
static bool has_listener(const struct subject *subject, const struct match_word *word)
{
	const struct session *session = &subject->row->session;

	return session->accepted == ANSWER_YES && is_port(subject, word->pattern.text, session->lport, true);
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
	return subject->row->session.pid && pattern_in(&word->pattern,
	                                        names_command_known(subject->context->names,
	                                            subject->row->session.pid, row_process_s(subject->row)),
	                                        false);
}

static bool is_in(const struct match_word *word, const char *name)
{
	return name && pattern_in(&word->pattern, name, true);
}

/* As the columns of a connection have it; a group has no state. */
static bool has_standing(const struct subject *subject, const struct match_word *word)
{
	const struct socket_summary *socket = &subject->row->session.socket;

	if (word->looks & LOOK_WHY)
		return is_in(word, cause_name(socket->cause));
	return subject->ports && is_in(word, socket_state_name(socket->state));
}

/* From what costs nothing to what may have to be read. */
static bool has_word(const struct subject *subject, const struct match_word *word)
{
	const struct row *row = subject->row;
	const struct pattern *pattern = &word->pattern;
	const struct names *names = subject->context->names;

	if (word->looks & LOOK_LOCAL)
		return is_local(subject);
	if (word->looks & LOOK_LISTEN)
		return has_listener(subject, word);
	if (word->looks & (LOOK_STATE | LOOK_WHY))
		return has_standing(subject, word);
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
	    (pattern_in(pattern, names_container_text(names, row->container), false) ||
	        pattern_in(pattern, names_container_name(names, row->container), false)))
		return true;
	if (word->looks & (LOOK_CONTAINER | LOOK_CGROUP) && row->container &&
	    pattern_in(pattern, names_container_path(names, row->container), true))
		return true;
	return word->looks & LOOK_COMMAND && in_command(subject, word);
}

/* ignored: looks whose words say nothing. */
static bool has_words(
    const struct match *match, unsigned ignored, const struct row *row, const struct column_context *context)
{
	struct subject subject = subject_of(row, context);

	for (size_t i = 0; i < match->word_count; i++)
		if (!(match->words[i].looks & ignored) &&
		    has_word(&subject, &match->words[i]) == match->words[i].absent)
			return false;
	return true;
}

bool match_row(const struct match *match, const struct row *row, const struct column_context *context)
{
	return has_words(match, 0, row, context);
}

bool match_ended(const struct match *match, const struct row *row, const struct column_context *context)
{
	return has_words(match, LOOK_STATE | LOOK_WHY, row, context);
}

/* Where a word can be looked for in what is gone so that what is not found there is in none of it. */
static unsigned known_looks(const struct row *row)
{
	unsigned looks = LOOK_STATE | LOOK_WHY;

	if (row->session.accepted != ANSWER_UNKNOWN)
		looks |= LOOK_LISTEN;
	if (row->session.pid)
		looks |= LOOK_PID;
	if (!(row->several & SEVERAL_NAMES))
		looks |= LOOK_COMM;
	if (row->session.uid != UINT32_MAX)
		looks |= LOOK_USER;
	if (row->container)
		looks |= LOOK_CONTAINER | LOOK_CGROUP;
	return looks;
}

enum answer match_gone(const struct match *match, const struct row *row, const struct column_context *context)
{
	struct subject subject = subject_of(row, context);
	unsigned known = known_looks(row);
	enum answer answer = ANSWER_YES;

	for (size_t i = 0; i < match->word_count; i++) {
		struct match_word word = match->words[i];

		/* no socket of it is there, and the name of one of several is not that of all */
		word.looks &= ~(unsigned)(LOOK_STATE | LOOK_WHY);
		if (!(known & LOOK_COMM))
			word.looks &= ~(unsigned)LOOK_COMM;
		if (has_word(&subject, &word)) {
			if (word.absent)
				return ANSWER_NO;
		} else if (match->words[i].looks & ~known) {
			answer = ANSWER_UNKNOWN;
		} else if (!word.absent) {
			return ANSWER_NO;
		}
	}
	return answer;
}
