/* SPDX-License-Identifier: Apache-2.0 */
#include "output/recording.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <jansson.h>

#include "base/error.h"
#include "base/util.h"
#include "model/snapshot.h"
#include "output/fields.h"
#include "output/json_text.h"
#include "output/origin.h"

#define LINE_MAX_BYTES (1 << 20)
#define INTERVAL_MAX_S 1e6
#define ID_MAX 63
#define LINKS_MAX 65536
#define CGROUPS_MAX 65536

/* Where an interval begins. */
struct mark {
	off_t at;
	unsigned long line_number; /* of the line before */
};

struct recording {
	FILE *file;
	char *path;
	char *line;
	unsigned long line_number;
	bool can_seek;
	struct mark *marks; /* of the intervals read so far */
	size_t mark_count;
	size_t mark_capacity;
	size_t position;       /* the number of the interval being read, from 0 on */
	struct snapshot ahead; /* the interval being read */
	bool has_ahead;        /* it is complete */
	int failure;           /* returned from then on */
	struct error failure_error;
	size_t sessions_max;
	enum probe_method method; /* of the interval handed out last, and of `ahead` */
	enum probe_method ahead_method;
	char ids[RECORDING_IDS_MAX][ID_MAX + 1];
	const char *not_counted[RECORDING_IDS_MAX];
	size_t not_counted_count;
	struct origin origin; /* of the first start line; owned */
	bool has_origin;
};

static int bad_line(const struct recording *recording, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int bad_line(const struct recording *recording, struct error *error, const char *format, ...)
{
	char what[128];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	return error_set(error, EXIT_CODE_RUNTIME, -EINVAL,
	    "%.200s, line %lu: %s; --replay takes what -o json wrote", recording->path,
	    recording->line_number, what);
}

/* ---- objects ---- */

static int take_fields(struct recording *recording, const struct field_table *fields, json_t *object,
    void *record, struct error *error)
{
	for (size_t i = 0; i < fields->count; i++) {
		const char *wrong = field_read(&fields->rows[i], object, record);

		if (wrong)
			return bad_line(recording, error, "%s%s", fields->rows[i].key, wrong);
	}
	return 0;
}

/* What session and interval objects have in common. */
static int take_stamp(struct recording *recording, const json_t *object, struct error *error)
{
	struct snapshot *ahead = &recording->ahead;
	const json_t *length = json_object_get(object, "interval_s");
	double interval_s = json_number_value(length);

	/* The last one of a run may be so short that its six decimals are zero: its bytes count all the same. */
	if (!json_is_number(length) || !(interval_s >= 0 && interval_s <= INTERVAL_MAX_S) ||
	    field_read_time(object, &ahead->time) < 0)
		return bad_line(recording, error, "time or interval_s is missing or wrong");
	ahead->interval_ns = (uint64_t)(interval_s * 1e9 + 0.5);
	return 0;
}

static int take_session(struct recording *recording, json_t *object, struct error *error)
{
	if (recording->ahead.session_count == recording->sessions_max)
		return bad_line(recording, error,
		    "over %zu connections without the line that ends an interval", recording->sessions_max);
	struct session *session = snapshot_add(&recording->ahead);

	if (!session)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	int err = take_stamp(recording, object, error);

	return err ?: take_fields(recording, &session_fields, object, session, error);
}

static int take_link(struct recording *recording, json_t *object, struct error *error)
{
	if (recording->ahead.links.count == LINKS_MAX)
		return bad_line(
		    recording, error, "over %d links without the line that ends an interval", LINKS_MAX);
	struct link *link = links_add(&recording->ahead.links);

	if (!link)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	return take_fields(recording, &link_fields, object, link, error);
}

static int take_ending(struct recording *recording, json_t *object, struct error *error)
{
	if (recording->ahead.ending_count == recording->sessions_max)
		return bad_line(recording, error,
		    "over %zu connections that end without the line that ends an interval",
		    recording->sessions_max);
	struct ending *ending = snapshot_add_ending(&recording->ahead);

	if (!ending)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	int err = take_stamp(recording, object, error);

	return err ?: take_fields(recording, &ending_fields, object, ending, error);
}

static int take_connection(struct recording *recording, json_t *object, struct error *error)
{
	if (recording->ahead.connection_count == recording->sessions_max)
		return bad_line(recording, error,
		    "over %zu lives of connections without the line that ends an interval",
		    recording->sessions_max);
	struct connection *connection = snapshot_add_connection(&recording->ahead);

	if (!connection)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	int err = take_stamp(recording, object, error);

	return err ?: take_fields(recording, &connection_fields, object, connection, error);
}

static int take_cgroup(struct recording *recording, json_t *object, struct error *error)
{
	struct cgroup_told facts = { 0 };
	struct cgroup_list *list = &recording->ahead.told;

	if (list->count == CGROUPS_MAX)
		return bad_line(
		    recording, error, "over %d cgroups without the line that ends an interval", CGROUPS_MAX);
	if (list->bytes > CGROUP_LIST_BYTES_MAX)
		return bad_line(recording, error,
		    "over %u MB of cgroups without the line that ends an interval",
		    CGROUP_LIST_BYTES_MAX >> 20);
	int err = take_fields(recording, &cgroup_fields, object, &facts, error);

	if (!err && cgroup_list_add(list, &facts) < 0)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	return err;
}

/* Of recordings in a row the first one counts. */
static int take_start(struct recording *recording, json_t *object, struct error *error)
{
	struct origin origin = { 0 };
	struct timespec time;

	if (recording->has_origin)
		return 0;
	int err = take_fields(recording, &origin_fields, object, &origin, error);

	if (err)
		return err;
	if (json_object_get(object, "time")) {
		if (field_read_time(object, &time) < 0 || time.tv_sec < 0)
			return bad_line(recording, error, "time is wrong");
		origin.start_ns = (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
	}
	char *filters;

	err = json_text_items(&filters, json_object_get(object, "filters"));
	origin.filters = filters;
	err = err ?: origin_copy(&recording->origin, &origin);
	free(filters);
	recording->has_origin = !err;
	return err ? error_set(error, EXIT_CODE_RUNTIME, err, "out of memory") : 0;
}

static void take_facts(struct recording *recording, const json_t *object)
{
	const json_t *ids = json_object_get(object, "not_counted");
	const char *probe = json_string_value(json_object_get(object, "probe"));
	size_t count = json_array_size(ids);

	recording->ahead_method = PROBE_AUTO;
	for (size_t i = 0; probe && i < method_count; i++)
		if (strcmp(probe, methods[i]->name) == 0)
			recording->ahead_method = methods[i]->id;
	recording->not_counted_count = 0;
	for (size_t i = 0; i < count && recording->not_counted_count < RECORDING_IDS_MAX; i++) {
		const char *id = json_string_value(json_array_get(ids, i));
		size_t at = recording->not_counted_count;

		if (!id)
			continue;
		snprintf(recording->ids[at], sizeof recording->ids[at], "%s", id);
		recording->not_counted[at] = recording->ids[at];
		recording->not_counted_count++;
	}
}

static int take_interval(struct recording *recording, json_t *object, struct error *error)
{
	struct snapshot *ahead = &recording->ahead;
	int err = take_stamp(recording, object, error)
	              ?: take_fields(recording, &other_fields, object, &ahead->other, error)
	              ?: take_fields(recording, &interval_fields, object, ahead, error);

	if (err)
		return err;
	take_facts(recording, object);
	recording->has_ahead = true;
	return 0;
}

/* The last line has no newline: the recording program was killed while writing it. */
static bool is_cut_off(const struct recording *recording, size_t length)
{
	return feof(recording->file) && recording->line[length - 1] != '\n';
}

/* One line: 0, or -errno with *error. Skips objects of other types and empty lines. */
static int take_line(struct recording *recording, size_t length, struct error *error)
{
	int err = 0;

	if (strspn(recording->line, " \t\r\n") == length)
		return 0;
	json_t *object = json_text_read(recording->line, length, &err);

	if (err == -ENOMEM)
		return error_set(error, EXIT_CODE_RUNTIME, err, "no memory to read a recording");
	if (err && is_cut_off(recording, length))
		return 0;
	err = 0;
	const char *type = json_string_value(json_object_get(object, "type"));

	if (!type)
		err = bad_line(recording, error, "not an object with a type");
	else if (strcmp(type, "session") == 0)
		err = take_session(recording, object, error);
	else if (strcmp(type, "link") == 0)
		err = take_link(recording, object, error);
	else if (strcmp(type, "closed") == 0)
		err = take_ending(recording, object, error);
	else if (strcmp(type, "connection") == 0)
		err = take_connection(recording, object, error);
	else if (strcmp(type, "cgroup") == 0)
		err = take_cgroup(recording, object, error);
	else if (strcmp(type, "start") == 0)
		err = take_start(recording, object, error);
	else if (strcmp(type, "interval") == 0)
		err = take_interval(recording, object, error);
	json_decref(object);
	return err;
}

/* A byte, or EOF. The pipe that a recording comes from may be one that others have made non-blocking. */
static int read_byte(const struct recording *recording)
{
	int byte = getc_unlocked(recording->file);

	while (byte == EOF && ferror(recording->file) && (errno == EINTR || errno == EAGAIN)) {
		struct pollfd input = { .fd = fileno(recording->file), .events = POLLIN };

		if (errno == EAGAIN)
			poll(&input, 1, -1);
		clearerr(recording->file);
		byte = getc_unlocked(recording->file);
	}
	return byte;
}

/*
 * getline with a limit, for /dev/zero is one endless line. Returns the length, LINE_MAX_BYTES + 1 for longer lines,
 * 0 at the end, or -errno.
 */
static ssize_t read_line(struct recording *recording)
{
	ssize_t length = 0;
	int byte = 0;

	if (!recording->line) {
		recording->line = malloc(LINE_MAX_BYTES + 2);
		if (!recording->line)
			return -ENOMEM;
	}
	while (byte != '\n' && length <= LINE_MAX_BYTES && (byte = read_byte(recording)) != EOF)
		recording->line[length++] = (char)byte;
	recording->line[length] = '\0';
	if (byte == EOF && ferror(recording->file))
		return errno ? -errno : -EIO;
	return length;
}

/* Notes where the interval to be read begins. Without the memory for it, it cannot be sought. */
static void mark(struct recording *recording)
{
	if (!recording->can_seek || recording->position != recording->mark_count)
		return;
	if (recording->mark_count == recording->mark_capacity) {
		size_t capacity = recording->mark_capacity ? recording->mark_capacity * 2 : 64;
		struct mark *marks = reallocarray(recording->marks, capacity, sizeof *marks);

		if (!marks)
			return;
		recording->marks = marks;
		recording->mark_capacity = capacity;
	}
	recording->marks[recording->mark_count++] =
	    (struct mark){ ftello(recording->file), recording->line_number };
}

/* How much of the file has been read; it may be growing. */
static uint8_t read_percent(const struct recording *recording)
{
	struct stat file;
	off_t at = recording->can_seek ? ftello(recording->file) : -1;

	if (at < 0 || fstat(fileno(recording->file), &file) < 0 || file.st_size <= 0)
		return 0;
	double percent = 100.0 * (double)at / (double)file.st_size;

	return percent < 1 ? 1 : percent < 100 ? (uint8_t)percent : 100;
}

/* Reads up to the end of the next interval. If the recording is cut off, its last interval has the sessions read. */
static int read_ahead(struct recording *recording, struct error *error)
{
	ssize_t length;

	snapshot_reset(&recording->ahead);
	recording->has_ahead = false;
	mark(recording);
	while (!recording->has_ahead) {
		length = read_line(recording);
		if (length < 0)
			return error_set(error, EXIT_CODE_RUNTIME, (int)length, "%.200s cannot be read: %s",
			    recording->path, strerror((int)-length));
		if (length == 0)
			break;
		recording->line_number++;
		if (length > LINE_MAX_BYTES)
			return bad_line(recording, error, "longer than 1 MiB");
		int err = take_line(recording, (size_t)length, error);

		if (err < 0)
			return err;
	}
	if (!recording->has_ahead && recording->ahead.session_count)
		recording->has_ahead = true;
	snapshot_total(&recording->ahead);
	recording->ahead.read_pct = read_percent(recording);
	recording->position += recording->has_ahead;
	return 0;
}

int recording_open_stream(struct recording **result, FILE *stream, const char *path, struct error *error)
{
	int err = stream ? -ENOMEM : -errno;
	struct recording *recording = calloc(1, sizeof *recording);

	*result = NULL;
	if (!recording) {
		if (stream && stream != stdin)
			fclose(stream);
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	}
	json_text_prepare();
	snapshot_init(&recording->ahead);
	recording->sessions_max = RECORDING_SESSIONS_MAX;
	recording->path = strdup(path);
	recording->file = stream;
	if (!recording->path || !recording->file) {
		error_set(error, EXIT_CODE_RUNTIME, err, "%.200s cannot be opened: %s", path, strerror(-err));
		recording_close(recording);
		return err;
	}
	recording->can_seek = fseeko(stream, 0, SEEK_CUR) == 0;
	*result = recording;
	return 0;
}

int recording_open(struct recording **result, const char *path, struct error *error)
{
	return recording_open_stream(result, strcmp(path, "-") == 0 ? stdin : fopen(path, "re"), path, error);
}

int recording_start(struct recording *recording, struct error *error)
{
	int err = read_ahead(recording, error);

	if (err == 0 && !recording->has_ahead)
		err = error_set(error, EXIT_CODE_RUNTIME, -EINVAL,
		    "%.200s has no interval in it; --replay takes what -o json wrote", recording->path);
	recording->method = recording->ahead_method;
	return err;
}

void recording_close(struct recording *recording)
{
	if (!recording)
		return;
	if (recording->file && recording->file != stdin)
		fclose(recording->file);
	snapshot_fini(&recording->ahead);
	origin_fini(&recording->origin);
	free(recording->path);
	free(recording->line);
	free(recording->marks);
	free(recording);
}

int recording_next(struct recording *recording, struct snapshot *snapshot, struct error *error)
{
	/* Into the caller's memory, so that there is one snapshot, not two. */
	if (!recording->has_ahead && !recording->failure) {
		snapshot_fini(&recording->ahead);
		recording->ahead = *snapshot;
		snapshot_init(snapshot);
		recording->failure = read_ahead(recording, &recording->failure_error);
		if (!recording->has_ahead)
			snapshot_fini(&recording->ahead); /* somebody may look at the end for long */
	}
	if (recording->failure)
		*error = recording->failure_error;
	if (recording->failure || !recording->has_ahead)
		return recording->failure;
	recording->has_ahead = false;
	recording->method = recording->ahead_method;
	snapshot_fini(snapshot);
	*snapshot = recording->ahead;
	snapshot_init(&recording->ahead);
	return 1;
}

bool recording_can_seek(const struct recording *recording)
{
	return recording->can_seek;
}

int recording_seek(struct recording *recording, size_t position)
{
	if (position == recording->position && !recording->has_ahead)
		return 0;
	if (!recording->can_seek || position >= recording->mark_count)
		return -ESPIPE;
	if (fseeko(recording->file, recording->marks[position].at, SEEK_SET) != 0)
		return -errno;
	clearerr(recording->file);
	recording->line_number = recording->marks[position].line_number;
	recording->position = position;
	recording->has_ahead = false;
	recording->failure = 0;
	return 0;
}

enum probe_method recording_method(const struct recording *recording)
{
	return recording->method;
}

const char *const *recording_not_counted(const struct recording *recording, size_t *count)
{
	*count = recording->not_counted_count;
	return recording->not_counted;
}

const struct origin *recording_origin(const struct recording *recording)
{
	return recording->has_origin ? &recording->origin : NULL;
}
