/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --diagnose: what keeps connections waiting, in sentences, the weightiest first, as text or JSON Lines. It looks at sockets for
 * the time that was asked for, in parts: what happened in each is added up. Of a recording its intervals are the parts.
 */
#include "output/renderer.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/format.h"
#include "base/util.h"
#include "model/diagnosis.h"
#include "output/fields.h"
#include "output/found.h"
#include "output/json.h"
#include "output/stamp.h"

#define FINDINGS_MAX 10
#define PART_NS (NS_PER_S / 2)
#define LINE_SIZE 512
#define NUMBERS_SIZE 160
#define STAMP_SIZE 160
#define WHO_SIZE 320
#define COMM_SIZE 96

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

/* ---- sentences ---- */

enum number {
	NUMBER_UNACKED = 1 << 0,
	NUMBER_UNREAD = 1 << 1,
	NUMBER_RESENT = 1 << 2,
	NUMBER_RTT = 1 << 3,
	NUMBER_RETRIES = 1 << 4,
	NUMBER_BACKLOG = 1 << 5,
	NUMBER_IDLE = 1 << 6,
	NUMBER_FAILED = 1 << 7,
	NUMBER_RATE = 1 << 8,
};

/* meaning NULL: that of the cause. limit: "this cannot tell ...". */
static const struct {
	uint8_t cause;
	unsigned numbers;
	const char *meaning;
	const char *limit;
} says[FINDING_KIND_COUNT] = {
	[FINDING_LOSS] = { CAUSE_LOSS, NUMBER_RESENT | NUMBER_UNACKED | NUMBER_RTT, NULL,
	    "where it is lost, or whether on the way there or back" },
	[FINDING_QUEUE] = { CAUSE_QUEUE, NUMBER_UNACKED | NUMBER_RTT, NULL,
	    "the link from pacing, queues and a lack of processor time of either host" },
	[FINDING_PEER] = { CAUSE_PEER, NUMBER_UNACKED | NUMBER_RTT, NULL, "why the remote does not read" },
	[FINDING_BUFFER] = { CAUSE_BUFFER, NUMBER_UNACKED | NUMBER_RTT, NULL,
	    "how much more the network would take" },
	[FINDING_READER] = { CAUSE_READER, NUMBER_UNREAD, NULL,
	    "whether the process is busy, blocked, or has forgotten the connection" },
	[FINDING_APP] = { CAUSE_APP, NUMBER_RTT, NULL, "what the process does instead" },
	[FINDING_REMOTE] = { CAUSE_REMOTE, NUMBER_RTT, NULL, "the remote's process from the path" },
	[FINDING_UNANSWERED] = { CAUSE_NONE, NUMBER_RETRIES, "it tries to connect, and nothing answers",
	    "a full backlog there from a firewall or a host that is gone" },
	[FINDING_BACKLOG] = { CAUSE_NONE, NUMBER_BACKLOG,
	    "connections wait to be accepted, and further ones are turned away: the process accepts too "
	    "slowly",
	    "whom it has turned away" },
	[FINDING_LEAK] = { CAUSE_NONE, NUMBER_UNREAD | NUMBER_IDLE,
	    "the remote has closed, and the process does not (CLOSE_WAIT)", "whether it ever will" },
	[FINDING_REFUSED] = { CAUSE_NONE, NUMBER_FAILED, "nothing listens there, or a firewall says so",
	    "which of the two it is" },
	[FINDING_RESETS] = { CAUSE_NONE, NUMBER_FAILED,
	    "connections are reset: closed with bytes unread, or without waiting for what is under way",
	    "whether it is on purpose: --connections has the kernel's reason" },
	[FINDING_CHURN] = { CAUSE_NONE, NUMBER_RATE,
	    "it connects anew again and again: each time that takes a round trip, and whoever closes first "
	    "has "
	    "the port in TIME_WAIT for a minute",
	    "whether they could be kept open" },
};

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* The remote, or what it serves and to how many. */
static void describe_other_end(const struct finding *finding, char *buffer, size_t size)
{
	const struct session *session = &finding->session;
	char address[ADDRESS_PORT_SIZE];

	if (finding->kind == FINDING_BACKLOG) {
		address_format_port(
		    address, session->family, session->laddr, session_zone(session), session->lport);
		snprintf(buffer, size, "listening on %s", address);
		return;
	}
	if (!finding->serves) {
		address_format_port(
		    address, session->family, session->raddr, session_zone(session), session->rport);
		snprintf(buffer, size, "to %s, %u connection%s", address, finding->connections,
		    plural(finding->connections));
		return;
	}
	size_t length = address_format(address, session->family, session->raddr);

	address_format_zone(address + length, session->family, session->raddr, session_zone(session));
	int used = snprintf(buffer, size, "port %u, %u connection%s", session->lport, finding->connections,
	    plural(finding->connections));

	if (!finding->remotes)
		return;
	snprintf(buffer + used, size - (size_t)used, " from %s", address);
	if (finding->remotes > 1)
		snprintf(buffer + strlen(buffer), size - strlen(buffer), " and %u other%s",
		    finding->remotes - 1, plural(finding->remotes - 1));
}

static void describe(
    const struct diagnose *diagnose, const struct finding *finding, char *buffer, size_t size)
{
	const struct session *session = &finding->session;
	char comm[COMM_SIZE], other_end[WHO_SIZE];

	escape_text(comm, sizeof comm, session->comm, strlen(session->comm), COMM_SIZE - 1,
	    diagnose->utf8 && !diagnose->as_json);
	describe_other_end(finding, other_end, sizeof other_end);
	if (session->pid)
		snprintf(buffer, size, "%s (PID %u) %s", comm, session->pid, other_end);
	else
		snprintf(buffer, size, "no process, %s", other_end);
}

static void add_text(char buffer[NUMBERS_SIZE], const char *text)
{
	size_t used = strlen(buffer);

	snprintf(buffer + used, NUMBERS_SIZE - used, "%s%s", used ? ", " : "", text);
}

static void add_bytes(char buffer[NUMBERS_SIZE], uint64_t bytes, const char *what)
{
	char amount[32], text[64];

	format_bytes(amount, sizeof amount, bytes, UNIT_HUMAN);
	snprintf(text, sizeof text, "%s %s", amount, what);
	add_text(buffer, text);
}

static void add_counts(
    const struct finding *finding, uint64_t looked_ns, unsigned numbers, char buffer[NUMBERS_SIZE])
{
	char text[96], span[32];

	if (numbers & NUMBER_RETRIES) {
		snprintf(
		    text, sizeof text, "asked again %u time%s", finding->retries, plural(finding->retries));
		add_text(buffer, text);
	}
	if (numbers & NUMBER_BACKLOG) {
		snprintf(text, sizeof text, "%u wait, limit %u, %u dropped", finding->backlog,
		    finding->backlog_max, finding->drops);
		add_text(buffer, text);
	}
	if (numbers & NUMBER_FAILED) {
		snprintf(text, sizeof text, "%u of %u that ended", finding->failed, finding->ended);
		add_text(buffer, text);
	}
	if (finding->kind == FINDING_RESETS) {
		snprintf(text, sizeof text, "%u by this side", finding->closed_first);
		add_text(buffer, text);
	}
	if (numbers & NUMBER_RATE) {
		snprintf(text, sizeof text, "%.0f a second, %u%% closed first by this side",
		    (double)finding->failed * NS_PER_S / (double)looked_ns,
		    (unsigned)(finding->closed_first * 100ull / finding->failed));
		add_text(buffer, text);
	}
	if ((numbers & NUMBER_IDLE) && finding->idle_s) {
		format_span(span, sizeof span, (uint64_t)finding->idle_s * 1000);
		snprintf(text, sizeof text, "the longest idle for %s", span);
		add_text(buffer, text);
	}
}

static void describe_numbers(const struct finding *finding, uint64_t looked_ns, char buffer[NUMBERS_SIZE])
{
	unsigned numbers = says[finding->kind].numbers;
	char text[96];

	*buffer = '\0';
	if ((numbers & NUMBER_RESENT) && finding->sent_bytes) {
		snprintf(text, sizeof text, "%.2f%% sent again",
		    (double)finding->retrans_bytes * 100 / (double)finding->sent_bytes);
		add_text(buffer, text);
	}
	if ((numbers & NUMBER_UNACKED) && finding->unacked_bytes)
		add_bytes(buffer, finding->unacked_bytes, "not acknowledged");
	if ((numbers & NUMBER_UNREAD) && finding->unread_bytes)
		add_bytes(buffer, finding->unread_bytes, "unread");
	add_counts(finding, looked_ns, numbers, buffer);
	if ((numbers & NUMBER_RTT) && finding->rtt_us) {
		snprintf(text, sizeof text, "RTT %.3g ms, shortest %.3g", finding->rtt_us / 1000.0,
		    finding->rtt_min_us / 1000.0);
		add_text(buffer, text);
	}
}

/* "; at its other end python3 (PID 812): it does not read what has arrived (reader 99%), 3.2MB unread" */
static void add_peer(
    const struct diagnose *diagnose, const struct finding *finding, char *buffer, size_t size)
{
	const char *proof = cause_proof(says[finding->kind].cause, finding->peer_cause);
	char comm[COMM_SIZE], unread[32];
	size_t used = strlen(buffer);

	if (!finding->peer.known || !finding->peer.pid)
		return;
	escape_text(comm, sizeof comm, finding->peer.comm, strlen(finding->peer.comm), COMM_SIZE - 1,
	    diagnose->utf8 && !diagnose->as_json);
	used += (size_t)snprintf(buffer + used, size - used, "; its other end on this host is %s (PID %u)",
	    comm, finding->peer.pid);
	if (!proof || used >= size)
		return;
	used += (size_t)snprintf(buffer + used, size - used, ": %s (%s %u%%)", proof,
	    cause_name(finding->peer_cause), finding->peer_share_pct);
	if (finding->peer_cause != CAUSE_READER || used >= size)
		return;
	format_bytes(unread, sizeof unread, finding->peer_unread_bytes, UNIT_HUMAN);
	snprintf(buffer + used, size - used, ", %s unread", unread);
}

struct sentence {
	char headline[WHO_SIZE]; /* "java (PID 2211) to 10.0.3.7:9092, 14 connections: peer 91%" */
	char evidence
	    [LINE_SIZE]; /* "the remote's receive window is full: it reads too slowly; 3.64MB not acknowledged" */
};

static void compose(const struct diagnose *diagnose, const struct finding *finding, struct sentence *sentence)
{
	uint8_t cause = says[finding->kind].cause;
	char numbers[NUMBERS_SIZE];

	describe(diagnose, finding, sentence->headline, sizeof sentence->headline);
	size_t used = strlen(sentence->headline);
	char *end = sentence->headline + used;

	if (cause != CAUSE_NONE)
		snprintf(end, WHO_SIZE - used, ": %s %u%%", cause_name(cause), finding->share_pct);
	else
		snprintf(end, WHO_SIZE - used, ": %s", finding_name(finding->kind));
	describe_numbers(finding, diagnose->diagnosis.looked_ns, numbers);
	snprintf(sentence->evidence, sizeof sentence->evidence, "%s%s%s",
	    says[finding->kind].meaning ?: cause_meaning(cause), *numbers ? "; " : "", numbers);
	add_peer(diagnose, finding, sentence->evidence, sizeof sentence->evidence);
}

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
	    plural(diagnosis->rows.count), seconds);
	if (diagnosis->missing)
		fprintf(diagnose->stream, ", no room for %u more", diagnosis->missing);
	fprintf(diagnose->stream, "\n");
}

static void print_text(struct diagnose *diagnose, const struct finding *findings, int count)
{
	struct sentence sentence;

	if (diagnose->told)
		fputc('\n', diagnose->stream);
	print_summary(diagnose, findings, count);
	for (int i = 0; i < count; i++) {
		compose(diagnose, &findings[i], &sentence);
		fprintf(diagnose->stream, "%2d. %s\n    %c%s.\n    This cannot tell %s.\n", i + 1,
		    sentence.headline, toupper((unsigned char)*sentence.evidence), sentence.evidence + 1,
		    says[findings[i].kind].limit);
	}
}

/* ---- as JSON ---- */

static int print_json(const struct diagnose *diagnose, const struct finding *findings, int count)
{
	const struct diagnosis *diagnosis = &diagnose->diagnosis;
	char time[STAMP_UTC_SIZE], seconds[STAMP_SECONDS_SIZE], stamp[STAMP_SIZE],
	    text[WHO_SIZE + LINE_SIZE + 2];
	struct sentence sentence;

	stamp_utc(time, sizeof time, &diagnose->time);
	stamp_seconds(seconds, sizeof seconds, diagnosis->looked_ns);
	for (int i = 0; i < count; i++) {
		const struct told told = { findings[i], finding_name(findings[i].kind), text,
			says[findings[i].kind].limit };

		compose(diagnose, &findings[i], &sentence);
		snprintf(text, sizeof text, "%s: %s", sentence.headline, sentence.evidence);
		snprintf(
		    stamp, sizeof stamp, "\"time\":\"%s\",\"looked_s\":%s,\"rank\":%d", time, seconds, i + 1);
		if (json_print_object(diagnose->stream, "finding", &told_fields, &told, stamp) != 0)
			return -1;
	}
	return fprintf(diagnose->stream,
	           "{\"type\":\"diagnosis\",\"time\":\"%s\",\"looked_s\":%s,\"findings\":%d,\"sockets\":%zu,"
	           "\"sockets_not_told\":%u}\n",
	           time, seconds, count, diagnosis->rows.count, diagnosis->missing) < 0
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
