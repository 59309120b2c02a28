/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV as RFC 4180 has it, for spreadsheets: a line for each session of an interval, and one for what a full table could not
 * list. Names are made harmless: a control or an invalid byte is spelled out, so that a line is a line, and what a
 * spreadsheet would take for a formula is text.
 */
#include "output/renderer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/address.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/format.h"
#include "model/snapshot.h"
#include "output/fields.h"
#include "output/losses.h"
#include "output/owners.h"
#include "output/stamp.h"

struct csv {
	FILE *stream;
	const struct run *run;
	struct owners owners;
};

/* Of a cgroup: what stands after the session's fields; cgroup_id does already. */
static bool is_of_cgroup(const struct field *field)
{
	return field->type == FIELD_TEXT;
}

/* What begins so is a formula to one program or another. An apostrophe before it says that it is text; one more of an apostrophe's own. */
static bool needs_apostrophe(const char *text)
{
	static const char *const formulas[] = { "=", "+", "-", "@", "\t", "\r", "'", "\uFF1D", "\uFF0B",
		"\uFF0D", "\uFF20" };

	for (size_t i = 0; i < sizeof formulas / sizeof formulas[0]; i++)
		if (strncmp(text, formulas[i], strlen(formulas[i])) == 0)
			return true;
	return false;
}

/* Errors stay with the stream. */
static void put_text(FILE *stream, const char *text, size_t length)
{
	char plain[4 * CGROUP_TOLD_TEXT_MAX + 1];

	escape_plain(plain, sizeof plain, text, length);
	bool is_quoted = plain[strcspn(plain, ",\"\r\n ")] != '\0';

	if (is_quoted)
		putc('"', stream);
	if (needs_apostrophe(plain))
		putc('\'', stream);
	for (const char *at = plain; *at; at++) {
		/* What many spreadsheets take for the end of a cell. */
		if (*at == ';') {
			fputs("\\x3b", stream);
			continue;
		}
		if (*at == '"')
			putc('"', stream);
		putc(*at, stream);
	}
	if (is_quoted)
		putc('"', stream);
}

static void put_field(FILE *stream, const struct field *field, const void *record)
{
	const char *value = (const char *)record + field->offset;
	char text[ADDRESS_SIZE + FORMAT_DECIMAL_SIZE];
	size_t length;

	if (!field_is_known(field, record))
		return;
	if (field->type == FIELD_NAME) {
		put_text(stream, value, strnlen(value, FIELD_NAME_SIZE - 1));
		return;
	}
	if (field->type == FIELD_TEXT) {
		const char *of_text = *(const char *const *)(const void *)value;

		put_text(stream, of_text, strnlen(of_text, CGROUP_TOLD_TEXT_MAX));
		return;
	}
	const char *word = field_word(field, record);

	if (word) {
		fputs(word, stream);
		return;
	}
	length = field->type == FIELD_ADDRESS
	             ? address_format(text, ((const struct session *)record)->family, (const uint8_t *)value)
	             : format_decimal(text, field_number(field, record));
	fwrite(text, 1, length, stream);
}

/* A file that is appended to has its header: csv_continues. */
static bool has_lines(const struct run *run)
{
	struct stat status;

	return fstat(run->output_fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
}

/* Errors stay with the stream. */
static void put_header(FILE *stream)
{
	fputs("type,time,interval_s", stream);
	for (size_t i = 0; i < session_fields.count; i++)
		fprintf(stream, ",%s", session_fields.rows[i].key);
	for (size_t i = 0; i < cgroup_fields.count; i++)
		if (is_of_cgroup(&cgroup_fields.rows[i]))
			fprintf(stream, ",%s", cgroup_fields.rows[i].key);
	fputs("\r\n", stream);
}

/* Lines of other columns would be read as these. */
static bool csv_continues(const char *head, size_t length)
{
	char header[OUTPUT_HEAD_SIZE];
	FILE *stream = fmemopen(header, sizeof header, "w");

	if (!stream)
		return false;
	put_header(stream);
	long size = ftell(stream);

	fclose(stream);
	return size > 0 && length >= (size_t)size && memcmp(head, header, (size_t)size) == 0;
}

static int csv_begin(void *state, struct error *error)
{
	const struct csv *csv = state;

	if (has_lines(csv->run))
		return 0;
	errno = 0;
	put_header(csv->stream);
	return fflush(csv->stream) != 0 || ferror(csv->stream) ? error_set_output(error) : 0;
}

static void put_session(struct csv *csv, const struct session *session, int64_t seen_s, const char *stamp)
{
	struct cgroup_description description;
	bool is_known = session->cgroup_id && owners_find(&csv->owners, session, seen_s, &description);
	bool is_written = true;

	fprintf(csv->stream, "session,%s", stamp);
	for (size_t i = 0; i < session_fields.count; i++) {
		const struct field *field = &session_fields.rows[i];

		if (field->presence != FIELD_JOINED)
			is_written = field_is_known(field, session);
		putc(',', csv->stream);
		if (is_written)
			put_field(csv->stream, field, session);
	}
	for (size_t i = 0; i < cgroup_fields.count; i++) {
		if (!is_of_cgroup(&cgroup_fields.rows[i]))
			continue;
		putc(',', csv->stream);
		if (is_known)
			put_field(csv->stream, &cgroup_fields.rows[i], &description.facts);
	}
	fputs("\r\n", csv->stream);
}

/* So that the sum of a column is all there was. */
static void put_other(FILE *stream, const struct session_other *other, const char *stamp)
{
	struct session sums = { .rx_bytes = other->rx_bytes, .tx_bytes = other->tx_bytes };

	if (!other->rx_bytes && !other->tx_bytes)
		return;
	fprintf(stream, "other,%s", stamp);
	for (size_t i = 0; i < session_fields.count; i++) {
		const struct field *field = &session_fields.rows[i];

		putc(',', stream);
		if (field->offset == offsetof(struct session, rx_bytes) ||
		    field->offset == offsetof(struct session, tx_bytes))
			put_field(stream, field, &sums);
	}
	for (size_t i = 0; i < cgroup_fields.count; i++)
		if (is_of_cgroup(&cgroup_fields.rows[i]))
			putc(',', stream);
	fputs("\r\n", stream);
}

static int csv_show(void *state, const struct snapshot *snapshot, struct error *error)
{
	struct csv *csv = state;
	char stamp[STAMP_UTC_SIZE + STAMP_SECONDS_SIZE], seconds[STAMP_SECONDS_SIZE];

	if (snapshot->is_end)
		return 0;
	struct session_rank *ranks = snapshot_rank(snapshot);

	if (!ranks || owners_begin(&csv->owners, snapshot) < 0) {
		free(ranks);
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory: %zu connections to sort",
		    snapshot->session_count);
	}
	stamp_utc(stamp, STAMP_UTC_SIZE, &snapshot->time);
	stamp_seconds(seconds, sizeof seconds, snapshot->interval_ns);
	snprintf(stamp + strlen(stamp), sizeof stamp - strlen(stamp), ",%s", seconds);
	errno = 0;
	for (size_t i = 0; i < snapshot->session_count && !ferror(csv->stream); i++)
		put_session(csv, ranks[i].session, snapshot->time.tv_sec, stamp);
	put_other(csv->stream, &snapshot->other, stamp);
	free(ranks);
	int err = ferror(csv->stream) || fflush(csv->stream) != 0 ? error_set_output(error) : 0;

	losses_print(stderr, snapshot);
	return err;
}

static void csv_close(void *state)
{
	free(state);
}

static int csv_open(void **state, const struct run *run, FILE *stream, struct error *error)
{
	struct csv *csv = calloc(1, sizeof *csv);

	*state = NULL;
	if (!csv)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	owners_init(&csv->owners, run);
	csv->stream = stream;
	csv->run = run;
	/* Each interval is flushed as a whole. */
	setvbuf(stream, NULL, _IOFBF, BUFSIZ);
	int err = csv_begin(csv, error);

	if (err)
		csv_close(csv);
	else
		*state = csv;
	return err;
}

const struct renderer renderer_csv = {
	.name = "csv",
	.shown_bytes = SNAPSHOT_RANK_BYTES,
	.shows_accepted = true,
	.shows_names = true,
	.open = csv_open,
	.begin = csv_begin,
	.continues = csv_continues,
	.show = csv_show,
	.close = csv_close,
};
