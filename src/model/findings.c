/* SPDX-License-Identifier: Apache-2.0 */
/* What is found in the time that was added up: findings, the weightiest first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/util.h"
#include "model/diagnosis.h"
#include "model/local.h"
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

/* Connections whose wait one kind of a row of this host explains. */
struct waiters {
	uint8_t kind;
	uint64_t waited_ns;
	uint64_t longest_ns;
	uint32_t longest; /* index of the row of that which waited longest */
	uint32_t count;
};

struct parts {
	const struct diagnosis *diagnosis;
	struct local local;
	uint32_t *others;        /* beside rows: index of the other end + 1 */
	struct waiters *waiters; /* beside rows */
	struct part *all;
	size_t count;
	size_t capacity;
};

static int add_part(struct parts *parts, size_t index, uint8_t kind, bool serves, uint64_t waited_ns)
{
	struct part *all = array_grow(parts->all, parts->count, &parts->capacity, 64, sizeof *all);

	if (!all)
		return -ENOMEM;
	parts->all = all;
	parts->all[parts->count++] = (struct part){ index, kind, serves, waited_ns };
	return 0;
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

static bool is_found(const struct diagnosis *diagnosis, size_t index, int kind)
{
	const struct stay *stay = &diagnosis->stays[index];

	/* A socket that is gone is not left open, and does not connect any more. */
	if (stay->last_pass != diagnosis->passes && finding_rows[kind].cause == CAUSE_NONE)
		return false;
	return is_worth(diagnosis, stay, kind, waited_ns(stay, &diagnosis->rows.rows[index].session, kind));
}

/* What explains that one waits for another socket of this host. To add it, add its row. */
static const struct {
	uint8_t kind, there;
} explained[] = {
	{ FINDING_PEER, FINDING_READER },
	{ FINDING_PEER, FINDING_LEAK },
	{ FINDING_REMOTE, FINDING_APP },
	{ FINDING_REMOTE, FINDING_BUFFER },
	{ FINDING_REMOTE, FINDING_LOSS },
	{ FINDING_REMOTE, FINDING_QUEUE },
	{ FINDING_UNANSWERED, FINDING_BACKLOG },
};

/* What waits for another socket of this host is told of with that, which is the cause. false: of itself. */
static bool add_waiter(struct parts *parts, size_t index, int kind, uint64_t waited)
{
	const struct rows *rows = &parts->diagnosis->rows;
	size_t cause = parts->others[index];

	if (kind == FINDING_UNANSWERED) {
		const struct row *listener = local_listener(&parts->local, &rows->rows[index].session);

		cause = listener ? (size_t)(listener - rows->rows) + 1 : 0;
	}
	for (size_t i = 0; cause && i < COUNT_OF(explained); i++) {
		struct waiters *waiters = &parts->waiters[cause - 1];

		if (explained[i].kind != kind || (waiters->count && waiters->kind != explained[i].there) ||
		    !is_found(parts->diagnosis, cause - 1, explained[i].there))
			continue;
		waiters->kind = explained[i].there;
		waiters->waited_ns += waited;
		if (!waiters->count++ || waited > waiters->longest_ns) {
			waiters->longest_ns = waited;
			waiters->longest = (uint32_t)index;
		}
		return true;
	}
	return false;
}

static int take_parts(struct parts *parts)
{
	const struct diagnosis *diagnosis = parts->diagnosis;
	int err = 0;

	for (size_t i = 0; i < diagnosis->rows.count && !err; i++) {
		const struct session *session = &diagnosis->rows.rows[i].session;
		bool serves = session->accepted == ANSWER_YES ||
		              (session->accepted == ANSWER_UNKNOWN && local_serves(&parts->local, session));

		for (int kind = 0; kind < FINDING_KIND_COUNT && !err; kind++) {
			uint64_t waited = waited_ns(&diagnosis->stays[i], session, kind);

			if (is_found(diagnosis, i, kind) && !add_waiter(parts, i, kind, waited))
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
	finding->read_bytes += stay->read_bytes;
	finding->sent_bytes += stay->sent_bytes;
	finding->retrans_bytes += stay->retrans_bytes;
	finding->rtt_us = greater(finding->rtt_us, session->rtt_us);
	if (socket->rtt_min_us && (!finding->rtt_min_us || socket->rtt_min_us < finding->rtt_min_us))
		finding->rtt_min_us = socket->rtt_min_us;
	finding->retries = greater(finding->retries, socket->retries);
	finding->idle_s = greater(finding->idle_s, socket->idle_s);
	if (socket->state != SOCKET_LISTEN)
		return;
	if (backlog_is_fuller(stay->backlog, stay->backlog_max, finding->backlog, finding->backlog_max)) {
		finding->backlog = stay->backlog;
		finding->backlog_max = stay->backlog_max;
	}
	finding->drops += socket->drops - stay->first_drops;
}

/* What the other end of a connection within the host waited for most. */
static void tell_peer(struct finding *finding, const struct diagnosis *diagnosis, size_t index)
{
	const struct stay *stay = &diagnosis->stays[index];
	const struct session *session = &diagnosis->rows.rows[index].session;
	uint64_t most = 0;

	finding->peer_read_bytes = stay->read_bytes;
	finding->peer_unread_bytes = session->socket.unread_bytes;
	finding->peer_unacked_bytes = (uint64_t)session->socket.unsent_bytes + session->socket.unacked_bytes;
	finding->peer_retries = session->socket.retries;
	for (int kind = 0; kind < FINDING_KIND_COUNT; kind++) {
		if (finding_rows[kind].cause == CAUSE_NONE || stay->waited_ns[kind] <= most)
			continue;
		most = stay->waited_ns[kind];
		finding->peer_cause = finding_rows[kind].cause;
	}
	if (stay->told_ns)
		finding->peer_share_pct = (uint8_t)((most * 100 + stay->told_ns / 2) / stay->told_ns);
}

/* The other end that waits for this one longest or, where none does, that of the connection that waited longest. */
static void find_peer(
    struct finding *finding, const struct parts *parts, const struct waiters *waiters, size_t longest)
{
	const struct row *rows = parts->diagnosis->rows.rows;
	uint32_t other = waiters->count ? waiters->longest + 1 : parts->others[longest];

	finding->waiters = waiters->count;
	finding->peer = rows[longest].peer;
	if (waiters->count) {
		const struct session *session = &rows[waiters->longest].session;

		finding->peer = (struct peer){ .known = true, .pid = session->pid };
		memcpy(finding->peer.comm, session->comm, sizeof finding->peer.comm);
	}
	if (other)
		tell_peer(finding, parts->diagnosis, other - 1);
}

static void add_waiters(struct waiters *sum, const struct waiters *waiters)
{
	if (waiters->count && (!sum->count || waiters->longest_ns > sum->longest_ns)) {
		sum->longest_ns = waiters->longest_ns;
		sum->longest = waiters->longest;
	}
	sum->count += waiters->count;
	sum->waited_ns += waiters->waited_ns;
}

/* All parts from `first` on that are of one finding. Returns how many. */
static size_t take_finding(struct finding *finding, const struct parts *parts, size_t first)
{
	const struct part *head = &parts->all[first];
	uint64_t waited = 0, told = 0, most = 0;
	struct waiters waiters = { 0 };
	size_t i = first, longest = head->index;

	*finding = (struct finding){
		.kind = head->kind,
		.serves = head->serves,
		.accepted = head->serves ? ANSWER_YES : session_of(parts, head)->accepted,
	};
	if (head->kind == FINDING_UNANSWERED)
		finding->accepted = ANSWER_NO;
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
		if (parts->waiters[part->index].kind == head->kind)
			add_waiters(&waiters, &parts->waiters[part->index]);
	}
	finding->waiters_ms = waiters.waited_ns / NS_PER_MS;
	find_peer(finding, parts, &waiters, longest);
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
		.failed = kind == FINDING_CHURN ? 0 : failed,
		.shorts = kind == FINDING_CHURN ? failed : 0,
		.accepted = kind == FINDING_REFUSED ? ANSWER_NO : counts->session.accepted,
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
	return ((double)finding->waited_ms +
	           (double)(finding->failed + finding->shorts) * (DROP_NS / NS_PER_MS)) *
	       finding_rows[finding->kind].weight;
}

static int compare_findings(const void *a, const void *b)
{
	const struct finding *left = a, *right = b;
	double left_weight = weight_of(left), right_weight = weight_of(right);

	return COMPARE(right_weight, left_weight)
	           ?: COMPARE(left->kind, right->kind)
	           ?: session_compare_key(&left->session, &right->session);
}

/* The weightiest `max` of all that the sorted parts make. */
static int choose(
    struct diagnosis *diagnosis, struct finding *findings, size_t max, const struct parts *parts)
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
	diagnosis->left_out = (uint32_t)(count > max ? count - max : 0);
	count = count < max ? count : max;
	memcpy(findings, all, count * sizeof *all);
	free(all);
	return (int)count;
}

static int find_parts(struct parts *parts)
{
	const struct rows *rows = &parts->diagnosis->rows;

	parts->others = pairs_others(rows);
	parts->waiters = calloc(rows->count + 1, sizeof *parts->waiters);
	if (local_find(&parts->local, rows) < 0 || !parts->others || !parts->waiters)
		return -ENOMEM;
	int err = take_parts(parts);

	if (!err && parts->count)
		qsort_r(parts->all, parts->count, sizeof *parts->all, compare_parts, parts);
	return err;
}

int diagnosis_find(struct diagnosis *diagnosis, struct finding *findings, size_t max)
{
	struct parts parts = { .diagnosis = diagnosis };
	int result = pairs_join(&diagnosis->rows, 0, 0, 0); /* rows here have no times */

	result = result ?: find_parts(&parts) ?: choose(diagnosis, findings, max, &parts);
	local_fini(&parts.local);
	free(parts.others);
	free(parts.waiters);
	free(parts.all);
	return result;
}
