/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Lines: one object for each session and interval, then one for the interval. Fields are only added. */
#include "output/renderer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/address.h"
#include "base/error.h"
#include "base/escape.h"
#include "model/snapshot.h"

#define NAME_SIZE (6 * SESSION_COMM_LENGTH + 1)
#define ID_SIZE 256
#define STAMP_SIZE 128

struct json {
	FILE *stream;
	const struct run *run;
};

/* Seconds to the microsecond, of its six decimals at least four. */
static void format_seconds(char *buffer, size_t size, uint64_t interval_ns)
{
	uint64_t interval_us = (interval_ns + 500) / 1000;
	int length =
	    snprintf(buffer, size, "%" PRIu64 ".%06" PRIu64, interval_us / 1000000, interval_us % 1000000);

	for (int spare = 2; spare > 0 && buffer[length - 1] == '0'; spare--)
		buffer[--length] = '\0';
}

/* The fields that all of an interval's objects share. */
static void format_stamp(char *buffer, size_t size, const struct snapshot *snapshot)
{
	char date[48], seconds[32];
	struct tm utc;

	gmtime_r(&snapshot->time.tv_sec, &utc);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
	format_seconds(seconds, sizeof seconds, snapshot->interval_ns);
	snprintf(buffer, size, "\"time\":\"%s.%03ldZ\",\"interval_s\":%s", date,
	    snapshot->time.tv_nsec / 1000000, seconds);
}

/* comm, and comm_hex beside it where the bytes are no UTF-8: its bytes, two hex digits each. */
static int print_name(FILE *stream, const char *comm)
{
	size_t length = strlen(comm);
	char name[NAME_SIZE];
	bool valid;

	escape_json(name, sizeof name, comm, length, &valid);
	if (fprintf(stream, "\"comm\":\"%s\"", name) < 0)
		return -1;
	if (valid)
		return 0;
	if (fputs(",\"comm_hex\":\"", stream) < 0)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (fprintf(stream, "%02x", (unsigned char)comm[i]) < 0)
			return -1;
	}
	return putc('"', stream) < 0 ? -1 : 0;
}

static int print_session(FILE *stream, const struct session *session, const char *stamp)
{
	char laddr[ADDRESS_SIZE], raddr[ADDRESS_SIZE];

	address_format(laddr, session->family, session->laddr);
	address_format(raddr, session->family, session->raddr);
	if (fprintf(stream, "{\"type\":\"session\",%s,\"pid\":%" PRIu32 ",", stamp, session->pid) < 0 ||
	    print_name(stream, session->comm) != 0)
		return -1;
	if (fprintf(stream,
	        ",\"family\":%u,\"laddr\":\"%s\",\"lport\":%u,\"raddr\":\"%s\",\"rport\":%u,\"netns\":"
	        "%" PRIu32 ",\"rx_bytes\":%" PRIu64 ",\"tx_bytes\":%" PRIu64,
	        session->family, laddr, session->lport, raddr, session->rport, session->netns,
	        session->rx_bytes, session->tx_bytes) < 0)
		return -1;
	if (session->uid != UINT32_MAX && fprintf(stream, ",\"uid\":%" PRIu32, session->uid) < 0)
		return -1;
	if (session->cgroup_id != 0 && fprintf(stream, ",\"cgroup_id\":%" PRIu64, session->cgroup_id) < 0)
		return -1;
	if (session->mntns != 0 && fprintf(stream, ",\"mntns\":%" PRIu32, session->mntns) < 0)
		return -1;
	if (session->rtt_us != 0 && fprintf(stream, ",\"rtt_us\":%" PRIu32 ",\"retransmits\":%" PRIu32,
	                                session->rtt_us, session->retransmits) < 0)
		return -1;
	return fputs("}\n", stream) < 0 ? -1 : 0;
}

static int print_total(const struct json *json, const struct snapshot *snapshot, const char *stamp)
{
	const struct session_other *other = &snapshot->other;

	if (fprintf(json->stream,
	        "{\"type\":\"interval\",%s,\"sessions\":%zu,\"rx_bytes\":%" PRIu64 ",\"tx_bytes\":%" PRIu64
	        ",\"other_calls\":%" PRIu64 ",\"other_rx_bytes\":%" PRIu64 ",\"other_tx_bytes\":%" PRIu64
	        ",\"probe\":\"%s\",\"not_counted\":[",
	        stamp, snapshot->session_count, snapshot->rx_bytes, snapshot->tx_bytes,
	        (uint64_t)other->calls, (uint64_t)other->rx_bytes, (uint64_t)other->tx_bytes,
	        probe_method_name(json->run->method)) < 0)
		return -1;
	for (size_t i = 0; i < json->run->not_counted_count; i++) {
		const char *id = json->run->not_counted[i];
		char escaped[ID_SIZE];

		escape_json(escaped, sizeof escaped, id, strlen(id), NULL);
		if (fprintf(json->stream, "%s\"%s\"", i ? "," : "", escaped) < 0)
			return -1;
	}
	return fprintf(json->stream, "],\"missed_runs\":%" PRIu64 "}\n", snapshot->missed_runs) < 0 ? -1 : 0;
}

static int print_interval(
    const struct json *json, const struct snapshot *snapshot, const struct session_rank *ranks)
{
	char stamp[STAMP_SIZE];

	format_stamp(stamp, sizeof stamp, snapshot);
	for (size_t i = 0; i < snapshot->session_count; i++) {
		if (print_session(json->stream, ranks[i].session, stamp) != 0)
			return -1;
	}
	if (print_total(json, snapshot, stamp) != 0)
		return -1;
	return fflush(json->stream) == 0 ? 0 : -1;
}

static int json_open(void **state, const struct run *run, FILE *stream, struct error *error)
{
	struct json *json = calloc(1, sizeof *json);

	*state = json;
	if (!json)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	json->stream = stream;
	json->run = run;
	/* Each interval is flushed as a whole: a terminal's line buffering would cost a write for each row. */
	setvbuf(stream, NULL, _IOFBF, BUFSIZ);
	return 0;
}

static int json_show(void *state, const struct snapshot *snapshot, struct error *error)
{
	if (!snapshot->interval_ns)
		return 0; /* the end of a recording */
	struct session_rank *ranks = snapshot_rank(snapshot);
	int err = 0;

	if (!ranks)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory: %zu sessions to sort",
		    snapshot->session_count);
	errno = 0;
	if (print_interval(state, snapshot, ranks) != 0)
		err = error_set_output(error);
	free(ranks);
	return err;
}

static void json_close(void *state)
{
	free(state);
}

const struct renderer renderer_json = {
	.name = "json",
	.open = json_open,
	.show = json_show,
	.close = json_close,
};
