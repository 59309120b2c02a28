/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --diagnose: what keeps connections waiting, in sentences, the weightiest first, as text or JSON Lines. It looks at sockets for
 * the time that was asked for, in parts: what happened in each is added up. Of a recording its intervals are the parts.
 */
#include "output/renderer.h"

#include <ctype.h>
#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/util.h"
#include "model/diagnosis.h"
#include "output/fields.h"
#include "output/found.h"
#include "output/json.h"
#include "output/sentence.h"
#include "output/stamp.h"

#define FINDINGS_MAX 10
#define PART_NS (NS_PER_S / 2)
#define STAMP_SIZE 160
#define LIMIT_SIZE 160
#define INDENT 4
#define COLUMNS_USUAL 80
#define COLUMNS_LEAST 20

struct diagnose {
	FILE *stream;
	const struct run *run;
	bool as_json;
	bool utf8;
	bool paced; /* the tracer was told how long a part is */
	bool done;
	uint64_t told;        /* diagnoses */
	struct timespec time; /* the end of what was added last */
	struct diagnosis diagnosis;
};

/* ---- as text ---- */

static void print_summary(const struct diagnose *diagnose, const struct finding *findings, int count)
{
	const struct diagnosis *diagnosis = &diagnose->diagnosis;
	char seconds[STAMP_SECONDS_SIZE];
	int faults = 0;

	for (int i = 0; i < count; i++)
		faults += finding_is_fault(&findings[i]);
	snprintf(seconds, sizeof seconds, "%.1f", (double)diagnosis->looked_ns / NS_PER_S);
	if (!faults)
		fprintf(diagnose->stream, "nothing waits: ");
	fprintf(diagnose->stream, "%zu socket%s looked at for %s s", diagnosis->rows.count,
	    sentence_plural(diagnosis->rows.count), seconds);
	if (diagnosis->missing)
		fprintf(diagnose->stream, ", no room for %u more", diagnosis->missing);
	fprintf(diagnose->stream, "\n");
}

/* Of the terminal that it is written to; 0: it is none, and lines are whole. */
static unsigned find_columns(int fd)
{
	struct winsize size;

	if (!isatty(fd))
		return 0;
	return ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col < COLUMNS_LEAST ? COLUMNS_USUAL : size.ws_col;
}

static unsigned columns_of(const char *text, size_t length)
{
	unsigned columns = 0;

	for (size_t i = 0; i < length; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80; /* UTF-8 */
	return columns;
}

/*
 * What is behind an indent: as it is where lines are whole, as a name may have several blanks; else, where it is too long, by
 * words in several lines that are indented alike.
 */
static void put_wrapped(FILE *stream, unsigned columns, const char *text, const char *stop)
{
	unsigned used = INDENT;

	if (!columns) {
		fprintf(stream, "%s%s\n", text, stop);
		return;
	}
	for (const char *word = text, *next; *word; word = next) {
		size_t length = strcspn(word, " ");
		unsigned width = columns_of(word, length);

		next = word + length + strspn(word + length, " ");
		if (!*next)
			width += (unsigned)strlen(stop);
		if (word != text && used + 1 + width > columns) {
			fprintf(stream, "\n%*s", INDENT, "");
			used = INDENT;
		} else if (word != text) {
			fputc(' ', stream);
			used++;
		}
		fwrite(word, 1, length, stream);
		used += width;
	}
	fprintf(stream, "%s\n", stop);
}

static void print_text(struct diagnose *diagnose, const struct finding *findings, int count)
{
	const struct sentence_style style = { diagnose->diagnosis.looked_ns, diagnose->utf8 };
	unsigned columns = find_columns(diagnose->run->output_fd);
	struct sentence sentence;
	char limit[LIMIT_SIZE];

	if (diagnose->told)
		fputc('\n', diagnose->stream);
	print_summary(diagnose, findings, count);
	for (int i = 0; i < count; i++) {
		sentence_compose(&sentence, &findings[i], &style);
		*sentence.evidence = (char)toupper((unsigned char)*sentence.evidence);
		fprintf(diagnose->stream, "%2d. ", i + 1);
		put_wrapped(diagnose->stream, columns, sentence.headline, "");
		fprintf(diagnose->stream, "%*s", INDENT, "");
		put_wrapped(diagnose->stream, columns, sentence.evidence, ".");
		snprintf(limit, sizeof limit, "This cannot tell %s", sentence_limit(&findings[i]));
		fprintf(diagnose->stream, "%*s", INDENT, "");
		put_wrapped(diagnose->stream, columns, limit, ".");
	}
	if (diagnose->diagnosis.left_out)
		fprintf(diagnose->stream, "%u more\n", diagnose->diagnosis.left_out);
}

/* ---- as JSON ---- */

static int print_json(const struct diagnose *diagnose, const struct finding *findings, int count)
{
	const struct diagnosis *diagnosis = &diagnose->diagnosis;
	const struct sentence_style style = { diagnosis->looked_ns, false };
	char time[STAMP_UTC_SIZE], seconds[STAMP_SECONDS_SIZE], stamp[STAMP_SIZE],
	    text[SENTENCE_HEADLINE_SIZE + SENTENCE_EVIDENCE_SIZE + 2];
	char limit[LIMIT_SIZE], left_out[48] = "";
	struct sentence sentence;

	stamp_utc(time, sizeof time, &diagnose->time);
	stamp_seconds(seconds, sizeof seconds, diagnosis->looked_ns);
	for (int i = 0; i < count; i++) {
		const struct told told = { findings[i], finding_name(findings[i].kind), text, limit };

		sentence_compose(&sentence, &findings[i], &style);
		snprintf(limit, sizeof limit, "This cannot tell %s.", sentence_limit(&findings[i]));
		snprintf(text, sizeof text, "%s: %s", sentence.headline, sentence.evidence);
		snprintf(
		    stamp, sizeof stamp, "\"time\":\"%s\",\"looked_s\":%s,\"rank\":%d", time, seconds, i + 1);
		if (json_print_object(diagnose->stream, "finding", &told_fields, &told, stamp) != 0)
			return -1;
	}
	if (diagnosis->left_out)
		snprintf(left_out, sizeof left_out, "\"findings_left_out\":%u,", diagnosis->left_out);
	return fprintf(diagnose->stream,
	           "{\"type\":\"diagnosis\",\"time\":\"%s\",\"looked_s\":%s,\"findings\":%d,%s\"sockets\":%"
	           "zu,"
	           "\"sockets_not_told\":%u}\n",
	           time, seconds, count, left_out, diagnosis->rows.count, diagnosis->missing) < 0
	           ? -1
	           : 0;
}

/* ---- the renderer ---- */

static int out_of_memory(struct error *error)
{
	return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory: sockets to diagnose");
}

/* The time is over: says what was found, and begins anew. */
static int conclude(struct diagnose *diagnose, const struct snapshot *snapshot, struct error *error)
{
	struct finding findings[FINDINGS_MAX];
	int count = diagnosis_find(&diagnose->diagnosis, findings, COUNT_OF(findings)), err = 0;

	if (count < 0)
		return out_of_memory(error);
	errno = 0;
	if (diagnose->as_json)
		err = print_json(diagnose, findings, count);
	else
		print_text(diagnose, findings, count);
	if (err || fflush(diagnose->stream) != 0 || ferror(diagnose->stream))
		return error_set_output(error);
	diagnose->told++;
	diagnosis_fini(&diagnose->diagnosis);
	diagnosis_init(&diagnose->diagnosis);
	return diagnosis_begin(&diagnose->diagnosis, snapshot) < 0 ? out_of_memory(error) : 0;
}

/* A recording is over: what is left of it is told of, unless it was told of nothing at all. */
static int end_recording(struct diagnose *diagnose, const struct snapshot *snapshot, struct error *error)
{
	const struct diagnosis *diagnosis = &diagnose->diagnosis;

	if (diagnose->run->live)
		return 0;
	if (diagnosis->passes)
		return conclude(diagnose, snapshot, error);
	if (diagnose->told)
		return 0;
	if (diagnosis->has_begun)
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ENODATA,
		    "the recording tells of sockets once, and --diagnose needs the time between two looks");
	return error_set(error, EXIT_CODE_UNSUPPORTED, -ENODATA,
	    "the recording tells nothing of sockets, which --diagnose looks at\nrecord with: tcptop -o json "
	    "-a");
}

static int diagnose_show(void *state, const struct snapshot *snapshot, struct error *error)
{
	struct diagnose *diagnose = state;
	const struct diagnosis *diagnosis = &diagnose->diagnosis;

	if (diagnose->done)
		return 0;
	if (snapshot->is_end)
		return end_recording(diagnose, snapshot, error);
	if (snapshot->sockets.err)
		return error_set(error, EXIT_CODE_UNSUPPORTED, snapshot->sockets.err,
		    "this kernel does not let sockets be looked at: %s\nwithout --diagnose, what moves is "
		    "shown",
		    strerror(-snapshot->sockets.err));
	if (diagnosis_add(&diagnose->diagnosis, snapshot) < 0)
		return out_of_memory(error);
	diagnose->time = snapshot->time;
	/* A part may end a little early. */
	bool is_over = diagnosis->passes && diagnosis->looked_ns + PART_NS / 20 >= diagnose->run->interval_ns;

	if (!is_over && !(snapshot->last && diagnosis->passes))
		return 0;
	int err = conclude(diagnose, snapshot, error);

	diagnose->done = diagnose->run->diagnoses && diagnose->told >= diagnose->run->diagnoses;
	return err;
}

static unsigned diagnose_tick(void *state, struct renderer_request *request)
{
	struct diagnose *diagnose = state;

	if (diagnose->done)
		return REACTION_QUIT;
	if (diagnose->paced || !diagnose->diagnosis.rows.count)
		return REACTION_NONE;
	diagnose->paced = true;
	request->interval_ns = diagnose->run->interval_ns < PART_NS ? diagnose->run->interval_ns : PART_NS;
	return REACTION_INTERVAL;
}

static void diagnose_close(void *state)
{
	struct diagnose *diagnose = state;

	if (!diagnose)
		return;
	diagnosis_fini(&diagnose->diagnosis);
	free(diagnose);
}

static int open_as(void **state, const struct run *run, FILE *stream, bool as_json, struct error *error)
{
	*state = NULL;
	if (run->live && !run->can_tell_sockets)
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTSUP,
		    "--diagnose needs a kernel with BTF and iterators of BPF (5.19 or later), and a typed "
		    "probe "
		    "method\nwithout it, what moves is shown");
	struct diagnose *diagnose = calloc(1, sizeof *diagnose);

	if (!diagnose)
		return out_of_memory(error);
	diagnose->stream = stream;
	diagnose->run = run;
	diagnose->as_json = as_json;
	diagnose->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	diagnosis_init(&diagnose->diagnosis);
	*state = diagnose;
	return 0;
}

static int diagnose_open(void **state, const struct run *run, FILE *stream, struct error *error)
{
	return open_as(state, run, stream, false, error);
}

static int diagnose_open_json(void **state, const struct run *run, FILE *stream, struct error *error)
{
	return open_as(state, run, stream, true, error);
}

const struct renderer renderer_diagnose = {
	.name = "text",
	.shows_accepted = true,
	.open = diagnose_open,
	.show = diagnose_show,
	.tick = diagnose_tick,
	.close = diagnose_close,
};

const struct renderer renderer_diagnose_json = {
	.name = "json",
	.shows_accepted = true,
	.open = diagnose_open_json,
	.show = diagnose_show,
	.tick = diagnose_tick,
	.close = diagnose_close,
};
