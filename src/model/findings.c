/* SPDX-License-Identifier: Apache-2.0 */
/* What is found in the time that was added up: findings, the weightiest first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "model/diagnosis.h"
#include "model/pairs.h"

/* Below it, a part of a connection's time is not worth a sentence. */
#define PERCENT_LEAST 10
#define WAITED_LEAST_NS (20 * NS_PER_MS)
#define PERCENT_MOST 50 /* of what is no fault: only where it is most of what there is to say */
#define CHURN_LEAST_PER_S 20
#define RESETS_LEAST 3 /* a single one may be a client that was stopped */
#define RESETS_LEAST_PCT 5
#define END_KINDS (FINDING_KIND_COUNT - FINDING_REFUSED)
#define DROP_NS NS_PER_S /* TCP_TIMEOUT_INIT */

/* One kind of one socket. */
struct part {
	size_t index;
	uint8_t kind;
	bool serves;
	uint64_t waited_ns;
};

struct parts {
	const struct diagnosis *diagnosis;
	struct part *all;
	size_t count;
	size_t capacity;
};

static int add_part(struct parts *parts, size_t index, uint8_t kind, bool serves, uint64_t waited_ns)
{
	if (parts->count == parts->capacity) {
		size_t capacity = parts->capacity ? parts->capacity * 2 : 64;
		struct part *all = reallocarray(parts->all, capacity, sizeof *all);

		if (!all)
			return -ENOMEM;
		parts->all = all;
		parts->capacity = capacity;
	}
	parts->all[parts->count++] = (struct part){ index, kind, serves, waited_ns };
	return 0;
}

/* A port of a namespace on which somebody listens. */
static uint64_t listening(const struct session *session)
{
	return (uint64_t)session->netns << 16 | session->lport;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return COMPARE(left, right);
}

/* Sorted, for free(); NULL: no memory. */
static uint64_t *find_listeners(const struct rows *rows, size_t *count)
{
	uint64_t *ports = malloc((rows->count + 1) * sizeof *ports);

	*count = 0;
	if (!ports)
		return NULL;
	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].session.socket.state == SOCKET_LISTEN)
			ports[(*count)++] = listening(&rows->rows[i].session);
	qsort(ports, *count, sizeof *ports, compare_numbers);
	return ports;
}

static uint64_t waited_ns(const struct stay *stay, const struct session *session, int kind)
{
	uint64_t special = stay->waited_ns[kind];

	if (kind == FINDING_BACKLOG && session->socket.state == SOCKET_LISTEN)
		special += (uint32_t)(session->socket.drops - stay->first_drops) * DROP_NS;
	/* Who leaves a socket open does not read it either. */
	return kind == FINDING_READER && stay->waited_ns[FINDING_LEAK] > 0 ? 0 : special;
}

static bool is_worth(const struct diagnosis *diagnosis, const struct stay *stay, int kind, uint64_t waited)
{
	if (kind == FINDING_LEAK) /* and not about to be closed */
		return waited && waited * 2 >= diagnosis->looked_ns;
	unsigned least = finding_rows[kind].cause == CAUSE_NONE ? 0
	                 : finding_kind_is_fault(kind)          ? PERCENT_LEAST
	                                                        : PERCENT_MOST;

	return waited >= WAITED_LEAST_NS && waited * 100 >= stay->told_ns * least;
}

static int take_parts(struct parts *parts, const uint64_t *listeners, size_t listener_count)
{
	const struct diagnosis *diagnosis = parts->diagnosis;
	int err = 0;

	for (size_t i = 0; i < diagnosis->rows.count && !err; i++) {
		const struct session *session = &diagnosis->rows.rows[i].session;
		const struct stay *stay = &diagnosis->stays[i];
		uint64_t port = listening(session);
		bool serves = session->accepted == ANSWER_YES ||
		              (session->accepted == ANSWER_UNKNOWN &&
		                  bsearch(&port, listeners, listener_count, sizeof port, compare_numbers));
		/* A socket that is gone is not left open, and does not connect any more. */
		bool is_gone = stay->last_pass != diagnosis->passes;

		for (int kind = 0; kind < FINDING_KIND_COUNT && !err; kind++) {
			uint64_t waited = waited_ns(stay, session, kind);

			if (is_worth(diagnosis, stay, kind, waited) &&
			    !(is_gone && finding_rows[kind].cause == CAUSE_NONE))
				err = add_part(parts, i, (uint8_t)kind, serves, waited);
		}
	}
	return err;
}

/* By what belongs to one finding. */
static int compare_owners(const struct session *a, const struct session *b, bool serves)
{
	int order = COMPARE(a->pid, b->pid) ?: COMPARE(a->process_start_ms, b->process_start_ms)
	                                           ?: COMPARE(a->netns, b->netns);

	if (serves)
		return order ?: COMPARE(a->lport, b->lport);
	return order ?: COMPARE(a->rport, b->rport) ?: COMPARE(a->family, b->family)
	                                                   ?: memcmp(a->raddr, b->raddr, sizeof a->raddr);
}

static const struct session *session_of(const struct parts *parts, const struct part *part)
{
	return &parts->diagnosis->rows.rows[part->index].session;
}

static int compare_groups(const struct parts *parts, const struct part *a, const struct part *b)
{
	return COMPARE(a->kind, b->kind) ?: COMPARE(a->serves, b->serves)
	                                        ?: compare_owners(session_of(parts, a),
	                                               session_of(parts, b), a->serves);
}

/* Within a group by the remote, so that addresses can be counted. */
static int compare_parts(const void *a, const void *b, void *of)
{
	const struct parts *parts = of;
	const struct session *left = session_of(parts, a), *right = session_of(parts, b);

	return compare_groups(parts, a, b) ?: memcmp(left->raddr, right->raddr, sizeof left->raddr)
	                                          ?: session_compare_key(left, right);
}

static uint32_t greater(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void add_to_finding(struct finding *finding, const struct session *session, const struct stay *stay)
{
	const struct socket_summary *socket = &session->socket;

	finding->connections++;
	finding->unread_bytes += socket->unread_bytes;
	finding->unacked_bytes += (uint64_t)socket->unsent_bytes + socket->unacked_bytes;
	finding->sent_bytes += stay->sent_bytes;
	finding->retrans_bytes += stay->retrans_bytes;
	finding->rtt_us = greater(finding->rtt_us, session->rtt_us);
	if (socket->rtt_min_us && (!finding->rtt_min_us || socket->rtt_min_us < finding->rtt_min_us))
		finding->rtt_min_us = socket->rtt_min_us;
	finding->retries = greater(finding->retries, socket->retries);
	finding->idle_s = greater(finding->idle_s, socket->idle_s);
	if (socket->state != SOCKET_LISTEN)
		return;
	finding->backlog = greater(finding->backlog, stay->backlog);
	finding->backlog_max = greater(finding->backlog_max, socket->backlog_max);
	finding->drops += socket->drops - stay->first_drops;
}

/* What the other end of a connection within the host waited for most. */
static void tell_peer(struct finding *finding, const struct diagnosis *diagnosis, size_t index)
{
	const struct row *other = pairs_other(&diagnosis->rows, &diagnosis->rows.rows[index]);

	finding->peer = diagnosis->rows.rows[index].peer;
	if (!other)
		return;
	const struct stay *stay = &diagnosis->stays[other - diagnosis->rows.rows];
	uint64_t most = 0;

	finding->peer_unread_bytes = other->session.socket.unread_bytes;
	for (int kind = 0; kind < FINDING_KIND_COUNT; kind++) {
		if (finding_rows[kind].cause == CAUSE_NONE || stay->waited_ns[kind] <= most)
			continue;
		most = stay->waited_ns[kind];
		finding->peer_cause = finding_rows[kind].cause;
	}
	if (stay->told_ns)
		finding->peer_share_pct = (uint8_t)((most * 100 + stay->told_ns / 2) / stay->told_ns);
}

/* All parts from `first` on that are of one finding. Returns how many. */
static size_t take_finding(struct finding *finding, const struct parts *parts, size_t first)
{
	const struct part *head = &parts->all[first];
	uint64_t waited = 0, told = 0, most = 0;
	size_t i = first, longest = head->index;

	*finding = (struct finding){ .kind = head->kind, .serves = head->serves };
	for (; i < parts->count && compare_groups(parts, head, &parts->all[i]) == 0; i++) {
		const struct part *part = &parts->all[i];
		const struct session *session = session_of(parts, part);
		const struct stay *stay = &parts->diagnosis->stays[part->index];

		if (part->waited_ns > most || i == first) {
			finding->session = *session;
			longest = part->index;
			most = part->waited_ns;
		}
		if (i == first ||
		    memcmp(session->raddr, session_of(parts, part - 1)->raddr, sizeof session->raddr) != 0)
			finding->remotes++;
		waited += part->waited_ns;
		told += stay->told_ns;
		add_to_finding(finding, session, stay);
	}
	tell_peer(finding, parts->diagnosis, longest);
	finding->waited_ms = waited / NS_PER_MS;
	finding->share_pct = waited < told ? (uint8_t)((waited * 100 + told / 2) / told) : 100;
	return i - first;
}

static struct finding finding_of(
    const struct end_counts *counts, uint8_t kind, uint32_t failed, uint32_t closed_first)
{
	return (struct finding){
		.session = counts->session,
		.kind = kind,
		.serves = counts->session.accepted == ANSWER_YES,
		.share_pct = (uint8_t)(((uint64_t)failed * 100 + counts->ended / 2) / counts->ended),
		.connections = failed,
		.remotes = counts->session.accepted == ANSWER_YES ? 0 : 1,
		.ended = counts->ended,
		.failed = failed,
		.closed_first = closed_first,
	};
}

/* Fills at most END_KINDS for each of the ends' rows; returns how many. */
static size_t find_in_ends(const struct diagnosis *diagnosis, struct finding *findings)
{
	size_t count = 0;

	for (size_t i = 0; i < diagnosis->ends.rows.count; i++) {
		const struct end_counts *counts = &diagnosis->ends.counts[i];

		if (counts->refused)
			findings[count++] = finding_of(counts, FINDING_REFUSED, counts->refused, 0);
		if (counts->resets >= RESETS_LEAST &&
		    counts->resets * 100ull >= counts->ended * (uint64_t)RESETS_LEAST_PCT)
			findings[count++] =
			    finding_of(counts, FINDING_RESETS, counts->resets, counts->resets_here);
		if (counts->shorts * NS_PER_S >= CHURN_LEAST_PER_S * diagnosis->looked_ns)
			findings[count++] =
			    finding_of(counts, FINDING_CHURN, counts->shorts, counts->shorts_closed_here);
	}
	return count;
}

/* What failed counts as a drop does. */
static double weight_of(const struct finding *finding)
{
	return ((double)finding->waited_ms + (double)finding->failed * (DROP_NS / NS_PER_MS)) *
	       finding_rows[finding->kind].weight;
}

static int compare_findings(const void *a, const void *b)
{
	const struct finding *left = a, *right = b;
	double left_weight = weight_of(left), right_weight = weight_of(right);

	return COMPARE(right_weight, left_weight)
	           ?: COMPARE(right->unread_bytes + right->unacked_bytes, left->unread_bytes + left->unacked_bytes)
	           ?: COMPARE(left->kind, right->kind)
	           ?: session_compare_key(&left->session, &right->session);
}

/* The weightiest `max` of all that the sorted parts make. */
static int choose(struct finding *findings, size_t max, const struct parts *parts)
{
	struct finding *all =
	    malloc((parts->count + parts->diagnosis->ends.rows.count * END_KINDS + 1) * sizeof *all);
	size_t count = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < parts->count;)
		i += take_finding(&all[count++], parts, i);
	count += find_in_ends(parts->diagnosis, &all[count]);
	qsort(all, count, sizeof *all, compare_findings);
	count = count < max ? count : max;
	memcpy(findings, all, count * sizeof *all);
	free(all);
	return (int)count;
}

int diagnosis_find(struct diagnosis *diagnosis, struct finding *findings, size_t max)
{
	struct parts parts = { .diagnosis = diagnosis };
	size_t listener_count;
	int result = pairs_join(&diagnosis->rows, 0, 0, 0); /* rows here have no times */
	uint64_t *listeners = find_listeners(&diagnosis->rows, &listener_count);

	result = result ?: listeners ? take_parts(&parts, listeners, listener_count) : -ENOMEM;
	if (!result && parts.count)
		qsort_r(parts.all, parts.count, sizeof *parts.all, compare_parts, &parts);
	result = result ?: choose(findings, max, &parts);
	free(listeners);
	free(parts.all);
	return result;
}
