/* SPDX-License-Identifier: Apache-2.0 */
/* The classic text of bcc's tcptop, byte for byte: scripts read it. Losses go to stderr. */
#include "output/renderer.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/address.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/format.h"
#include "base/util.h"
#include "model/snapshot.h"
#include "output/losses.h"

#define COMM_COLUMNS 12
#define COMM_SIZE 64 /* 12 columns: escapes are as long as wide, characters at most as long as the name */
#define ROW_SIZE (COMM_SIZE + COMM_COLUMNS + 2 * ADDRESS_PORT_SIZE + 3 * FORMAT_DECIMAL_SIZE + 8)
#define LOADAVG_SIZE 128

struct text {
	FILE *stream;
	bool live; /* a recording does not have the load averages of its time */
	bool summary;
	bool utf8;
	uint64_t interval_ns; /* as asked for */
};

static const struct table {
	uint8_t family;
	const char *separator; /* in front of the header */
	const char *laddr_title;
	const char *raddr_title;
	int address_width;
} tables[] = {
	{ 4, "", "LADDR", "RADDR", 21 },
	{ 6, "\n", "LADDR6", "RADDR6", 32 },
};

/* Decimal seconds without trailing zeros: 1, 0.5. */
static void format_seconds(char *buffer, size_t size, uint64_t interval_ns)
{
	int length = snprintf(
	    buffer, size, "%" PRIu64 ".%09" PRIu64, interval_ns / 1000000000, interval_ns % 1000000000);

	while (buffer[length - 1] == '0')
		length--;
	if (buffer[length - 1] == '.')
		length--;
	buffer[length] = '\0';
}

static void read_loadavg(char *buffer, size_t size)
{
	FILE *file = fopen("/proc/loadavg", "re");

	if (!file || !fgets(buffer, size, file))
		snprintf(buffer, size, "?");
	buffer[strcspn(buffer, "\n")] = '\0';
	if (file)
		fclose(file);
}

/* Rows are built without printf, which would take most of the time of 100,000 of them. Each returns the end. */
static char *put_left(char *at, const char *bytes, size_t length, size_t columns, size_t width)
{
	memcpy(at, bytes, length);
	at += length;
	for (; columns < width; columns++)
		*at++ = ' ';
	return at;
}

static char *put_number(char *at, uint64_t number, size_t width, bool left)
{
	char digits[FORMAT_DECIMAL_SIZE];
	size_t length = format_decimal(digits, number);

	if (!left)
		at = put_left(at, "", 0, length, width);
	return put_left(at, digits, length, length, left ? width : 0);
}

static char *put_address(
    char *at, const struct session *session, const uint8_t *address, uint16_t port, size_t width)
{
	size_t length = address_format_port(at, session->family, address, session_zone(session), port);

	return put_left(at + length, "", 0, length, width);
}

static char *put_comm(char *at, const struct text *text, const char *comm)
{
	size_t columns = escape_text(at, COMM_SIZE, comm, strlen(comm), COMM_COLUMNS, text->utf8);

	return put_left(at + strlen(at), "", 0, columns, COMM_COLUMNS);
}

static int print_row(const struct text *text, const struct session *session, size_t address_width)
{
	char row[ROW_SIZE];
	char *at = put_number(row, session->pid, 6, true);

	*at++ = ' ';
	at = put_comm(at, text, session->comm);
	*at++ = ' ';
	at = put_address(at, session, session->laddr, session->lport, address_width);
	*at++ = ' ';
	at = put_address(at, session, session->raddr, session->rport, address_width);
	*at++ = ' ';
	at = put_number(at, session->rx_bytes / 1024, 6, false);
	*at++ = ' ';
	at = put_number(at, session->tx_bytes / 1024, 6, false);
	*at++ = '\n';
	return fwrite(row, 1, at - row, text->stream) == (size_t)(at - row) ? 0 : -1;
}

static int print_table(
    const struct text *text, const struct table *table, const struct session_rank *ranks, size_t count)
{
	bool titled = false;

	for (size_t i = 0; i < count; i++) {
		if (ranks[i].session->family != table->family)
			continue;
		if (!titled && fprintf(text->stream, "%s%-6s %-12s %-*s %-*s %6s %6s\n", table->separator,
		                   "PID", "COMM", table->address_width, table->laddr_title,
		                   table->address_width, table->raddr_title, "RX_KB", "TX_KB") < 0)
			return -1;
		titled = true;
		if (print_row(text, ranks[i].session, table->address_width) < 0)
			return -1;
	}
	return 0;
}

static int print_summary(const struct text *text, const struct tm *local_time, const char *loadavg)
{
	if (putc('\n', text->stream) == EOF)
		return -1;
	if (!text->summary)
		return 0;
	return fprintf(text->stream, "%02d:%02d:%02d%s%s\n\n", local_time->tm_hour, local_time->tm_min,
	           local_time->tm_sec, *loadavg ? " loadavg: " : "", loadavg) < 0
	           ? -1
	           : 0;
}

/* Prints the whole interval, sorted. local_time and loadavg go into the summary line. */
static int print_interval(const struct text *text, const struct snapshot *snapshot,
    const struct tm *local_time, const char *loadavg, struct error *error)
{
	struct session_rank *ranks = snapshot_rank(snapshot);
	int err = 0;

	if (!ranks)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory: %zu connections to sort",
		    snapshot->session_count);
	errno = 0;
	if (print_summary(text, local_time, loadavg) != 0)
		err = error_set_output(error);
	for (size_t i = 0; !err && i < COUNT_OF(tables); i++) {
		if (print_table(text, &tables[i], ranks, snapshot->session_count) != 0)
			err = error_set_output(error);
	}
	if (!err && fflush(text->stream) != 0)
		err = error_set_output(error);
	free(ranks);
	return err;
}

static int text_begin(void *state, struct error *error)
{
	const struct text *text = state;
	char seconds[32];

	format_seconds(seconds, sizeof seconds, text->interval_ns);
	errno = 0;
	return fprintf(text->stream, "Tracing... Output every %s secs. Hit Ctrl-C to end\n", seconds) < 0 ||
	               fflush(text->stream) != 0
	           ? error_set_output(error)
	           : 0;
}

static int text_open(void **state, const struct run *run, FILE *stream, struct error *error)
{
	struct text *text = calloc(1, sizeof *text);

	*state = NULL;
	if (!text)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	text->stream = stream;
	text->summary = !run->no_summary;
	text->live = run->live;
	text->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	/* Each interval is flushed as a whole: a terminal's line buffering would cost a write for each row. */
	setvbuf(stream, NULL, _IOFBF, BUFSIZ);
	text->interval_ns = run->interval_ns;
	int err = text_begin(text, error);

	if (err)
		free(text);
	else
		*state = text;
	return err;
}

static int text_show(void *state, const struct snapshot *snapshot, struct error *error)
{
	const struct text *text = state;
	char loadavg[LOADAVG_SIZE] = "";
	struct tm local_time;
	int err;

	if (snapshot->is_end)
		return 0;
	localtime_r(&snapshot->time.tv_sec, &local_time);
	if (text->summary && text->live)
		read_loadavg(loadavg, sizeof loadavg);
	err = print_interval(text, snapshot, &local_time, loadavg, error);
	losses_print(stderr, snapshot);
	return err;
}

static void text_close(void *state)
{
	free(state);
}

const struct renderer renderer_text = {
	.name = "text",
	.shown_bytes = SNAPSHOT_RANK_BYTES,
	.open = text_open,
	.begin = text_begin,
	.show = text_show,
	.close = text_close,
};
