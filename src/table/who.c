/* SPDX-License-Identifier: Apache-2.0 */
#include "table/who.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "model/group.h"
#include "names/names.h"

#define COMMAND_COMPARED 256 /* bytes: enough to order by */

/* The first bytes of a text as a number that sorts like the text, ignoring case. */
static uint64_t text_rank(const char *text)
{
	uint64_t rank = 0;

	for (int i = 0; i < 8; i++) {
		unsigned char c = (unsigned char)*text;

		rank = rank << 8 | (c >= 'A' && c <= 'Z' ? (unsigned char)(c + 'a' - 'A') : c);
		text += c != '\0';
	}
	return rank;
}

uint64_t who_rank_pid(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->session.pid;
}

void who_cell_pid(const struct column_context *context, const struct row *row, struct cell *cell)
{
	if (row->session.pid)
		column_cell_number(row->session.pid, cell);
	else
		column_cell_text(context, "-", cell);
}

/*
 * "3 processes", where a group has several of what it has to have one of to be told by it; "2+" when more may have been
 * among what is not kept. NULL: it has one, or none is known. Returns buffer.
 */
#define SEVERAL_SIZE 32

static const char *several(const struct row *row, enum tally tally, char buffer[SEVERAL_SIZE])
{
	static const enum grouping kinds[TALLY_COUNT] = {
		[TALLY_PROCESSES] = GROUPING_PROCESS,
		[TALLY_CONTAINERS] = GROUPING_CONTAINER,
		[TALLY_USERS] = GROUPING_USER,
	};
	unsigned bit = 1u << tally, count = row->counts[tally];

	if (count < 2 && !(row->several & bit))
		return NULL;
	snprintf(buffer, SEVERAL_SIZE, "%u%s %s", count < 2 ? 2 : count, row->uncounted & bit ? "+" : "",
	    grouping_name(kinds[tally], true));
	return buffer;
}

/* What the NAME column says; a group of processes of one name says that name. */
static const char *name_of(
    const struct column_context *context, const struct row *row, char buffer[SEVERAL_SIZE])
{
	const char *text =
	    context->grouping == GROUPING_PROGRAM ? NULL : several(row, TALLY_PROCESSES, buffer);

	if (text)
		return text;
	/* a socket that waits to be accepted, or that its process has closed */
	return row->session.comm[0] || row->member_pid ? row->session.comm : "no process";
}

uint64_t who_rank_name(const struct column_context *context, const struct row *row)
{
	char text[SEVERAL_SIZE];

	return text_rank(name_of(context, row, text));
}

int who_compare_name(const struct column_context *context, const struct row *a, const struct row *b)
{
	char left[SEVERAL_SIZE], right[SEVERAL_SIZE];
	int order = strcasecmp(name_of(context, a, left), name_of(context, b, right));

	return order ? order : COMPARE(a->session.pid, b->session.pid);
}

/* "nginx (812)": the name is cut rather than the PID. */
static void cell_process(
    const struct column_context *context, const char *comm, uint32_t pid, struct cell *cell)
{
	char text[16];
	unsigned end = (unsigned)snprintf(text, sizeof text, " (%u)", pid);
	unsigned room = cell->width > end ? cell->width - end : 1;

	cell->columns = end + line_fit(cell->text, sizeof cell->text - sizeof text, comm, strlen(comm), room,
	                          context->utf8);
	strcat(cell->text, text);
}

void who_cell_name(const struct column_context *context, const struct row *row, struct cell *cell)
{
	char text[SEVERAL_SIZE];

	if (context->grouping == GROUPING_PAIR && row->session.pid)
		cell_process(context, row->session.comm, row->session.pid, cell);
	else
		column_cell_text(context, name_of(context, row, text), cell);
}

enum { USER_SIZE = 40 }; /* at least SEVERAL_SIZE */

static const char *user_of(
    const struct column_context *context, const struct row *row, char buffer[USER_SIZE])
{
	const char *text = several(row, TALLY_USERS, buffer);

	return text ? text : names_user(context->names, row->session.uid, buffer, USER_SIZE);
}

uint64_t who_rank_user(const struct column_context *context, const struct row *row)
{
	char user[USER_SIZE];

	return text_rank(user_of(context, row, user));
}

int who_compare_user(const struct column_context *context, const struct row *a, const struct row *b)
{
	char left[USER_SIZE], right[USER_SIZE];

	return strcasecmp(user_of(context, a, left), user_of(context, b, right));
}

void who_cell_user(const struct column_context *context, const struct row *row, struct cell *cell)
{
	char user[USER_SIZE];

	column_cell_text(context, user_of(context, row, user), cell);
}

static const char *container_of(
    const struct column_context *context, const struct row *row, char buffer[SEVERAL_SIZE])
{
	const char *text = several(row, TALLY_CONTAINERS, buffer);

	return text ? text : names_container_text(context->names, row->container);
}

uint64_t who_rank_container(const struct column_context *context, const struct row *row)
{
	char text[SEVERAL_SIZE];

	return text_rank(container_of(context, row, text));
}

int who_compare_container(const struct column_context *context, const struct row *a, const struct row *b)
{
	char left[SEVERAL_SIZE], right[SEVERAL_SIZE];

	return strcasecmp(container_of(context, a, left), container_of(context, b, right));
}

void who_cell_container(const struct column_context *context, const struct row *row, struct cell *cell)
{
	char text[SEVERAL_SIZE];

	column_cell_text(context, container_of(context, row, text), cell);
}

const char *who_service(const struct column_context *context, const struct session *session, char *buffer)
{
	const char *name = NULL;

	if (session->accepted != ANSWER_YES)
		return strcpy(buffer, session->accepted == ANSWER_NO ? "outgoing" : "not known");
	if (context->port_names)
		name = names_port(context->names, session->lport);
	if (name)
		snprintf(buffer, WHO_SERVICE_SIZE, ":%s", name);
	else
		snprintf(buffer, WHO_SERVICE_SIZE, ":%u", session->lport);
	return buffer;
}

/* By number; those without one come after them. */
uint64_t who_rank_service(const struct column_context *context, const struct row *row)
{
	const struct session *session = &row->session;

	(void)context;
	return session->accepted == ANSWER_YES ? session->lport : UINT16_MAX + 2ull - session->accepted;
}

void who_cell_service(const struct column_context *context, const struct row *row, struct cell *cell)
{
	char text[WHO_SERVICE_SIZE];

	if (row->session.accepted != ANSWER_YES)
		cell->style = STYLE_DIM;
	column_cell_text(context, who_service(context, &row->session, text), cell);
}

/* Processes by name, then what is on other hosts. */
uint64_t who_rank_peer(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->peer.known ? text_rank(row->peer.comm) : UINT64_MAX;
}

int who_compare_peer(const struct column_context *context, const struct row *a, const struct row *b)
{
	int order = strcasecmp(a->peer.comm, b->peer.comm);

	(void)context;
	return order ? order : COMPARE(a->peer.pid, b->peer.pid);
}

void who_cell_peer(const struct column_context *context, const struct row *row, struct cell *cell)
{
	const struct peer *peer = &row->peer;

	if (peer->known && peer->pid)
		cell_process(context, peer->comm, peer->pid, cell);
	else
		column_cell_text(context, peer->known ? "no process" : "-", cell);
}

static const char *command_of(const struct column_context *context, const struct row *row)
{
	return row->session.pid ? names_command_known(context->names, row->session.pid, row_process_s(row))
	                        : "";
}

uint64_t who_rank_command(const struct column_context *context, const struct row *row)
{
	return text_rank(command_of(context, row));
}

int who_compare_command(const struct column_context *context, const struct row *a, const struct row *b)
{
	char left[COMMAND_COMPARED];

	snprintf(left, sizeof left, "%s", command_of(context, a));
	return strncasecmp(left, command_of(context, b), sizeof left - 1);
}

void who_cell_command(const struct column_context *context, const struct row *row, struct cell *cell)
{
	const char *command = command_of(context, row);

	if (!*command)
		cell->style = STYLE_DIM;
	column_cell_text(context, *command ? command : "-", cell);
}

uint64_t who_rank_processes(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->counts[TALLY_PROCESSES];
}

void who_cell_processes(const struct column_context *context, const struct row *row, struct cell *cell)
{
	char text[SEVERAL_SIZE];

	(void)context;
	snprintf(text, sizeof text, "%u%s", row->counts[TALLY_PROCESSES],
	    row->uncounted & 1 << TALLY_PROCESSES ? "+" : "");
	column_cell_text(context, text, cell);
}
