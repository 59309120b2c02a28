/* SPDX-License-Identifier: Apache-2.0 */
#include "model/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/util.h"
#include "model/cause.h"
#include "model/socket.h"

#define IN(state) (1U << (state))

/* FIN takes a sequence number on either side: the own one when it is queued, the remote's when it comes. */
#define FIN_SENT (IN(SOCKET_FIN_WAIT1) | IN(SOCKET_FIN_WAIT2) | IN(SOCKET_CLOSING) | IN(SOCKET_LAST_ACK))
#define FIN_CAME (IN(SOCKET_CLOSE_WAIT) | IN(SOCKET_LAST_ACK) | IN(SOCKET_CLOSING))

/* Of one that is closed it is not known how many FINs its numbers hold. */
#define CONNECTIONS (IN(SOCKET_SYN_SENT) | IN(SOCKET_SYN_RECV) | IN(SOCKET_ESTABLISHED) | FIN_SENT | FIN_CAME)

#define CAPACITY_MIN 64
#define CAPACITY_KEPT 1024 /* so many places are not worth to be given back */

void audit_fini(struct audit *audit)
{
	free(audit->sockets);
	free(audit->next);
	audit_keep_ended(audit, 0);
	free(audit->ended);
	free(audit->ended_keys);
	*audit = (struct audit){ 0 };
}

void audit_forget(struct audit *audit)
{
	audit->has_gap = true;
}

static int compare_cookies(const void *a, const void *b)
{
	const struct audit_socket *left = a, *right = b;

	return COMPARE(left->cookie, right->cookie);
}

static int compare_hashes(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return COMPARE(*left, *right);
}

static struct audit_socket *find(const struct audit *audit, uint64_t cookie)
{
	const struct audit_socket wanted = { .cookie = cookie };

	return audit->count ? bsearch(&wanted, audit->sockets, audit->count, sizeof wanted, compare_cookies)
	                    : NULL;
}

void audit_note_missed(struct audit *audit, uint64_t runs)
{
	audit->missed_runs += runs;
}

static void note_process(struct audit_socket *socket, uint32_t pid)
{
	if (!pid)
		return;
	socket->is_shared |= socket->pid && socket->pid != pid;
	socket->pid = pid;
}

void audit_count(struct audit *audit, uint64_t cookie, uint32_t pid, uint64_t tx_bytes, uint64_t rx_bytes)
{
	struct audit_socket *socket = find(audit, cookie);

	if (!socket)
		return;
	note_process(socket, pid);
	socket->tx.lag_bytes -= (int64_t)tx_bytes;
	socket->rx.lag_bytes -= (int64_t)rx_bytes;
}

/* ---- what a socket's numbers tell ---- */

static bool is_in(const struct socket_facts *facts, unsigned states)
{
	return (states & IN(facts->state)) != 0;
}

/* bytes_acked moves with snd_una, so that it has the SYN of who connected. */
static uint64_t sent_bytes(const struct socket_facts *facts)
{
	return facts->now.bytes_acked + facts->unacked_bytes + facts->unsent_bytes - is_in(facts, FIN_SENT) -
	       ((facts->audit & SOCKET_CONNECTED) != 0);
}

static uint64_t read_bytes(const struct socket_facts *facts)
{
	return facts->now.bytes_received - facts->now.unread_bytes - is_in(facts, FIN_CAME);
}

/* AUDIT_EXCLUSIONS: it is not left out. */
static enum audit_exclusion find_exclusion(const struct audit_entry *entry)
{
	const struct socket_facts *facts = entry->facts;

	return !entry->passes                      ? AUDIT_FILTERED
	       : facts->audit & SOCKET_LAYERED     ? AUDIT_LAYERED
	       : facts->audit & SOCKET_KERNEL_USER ? AUDIT_KERNEL
	       : facts->audit & SOCKET_REPAIRED    ? AUDIT_REPAIRED
	       : facts->audit & SOCKET_URGENT      ? AUDIT_URGENT
	                                           : AUDIT_EXCLUSIONS;
}

/* ---- a pass ---- */

static struct audit_socket *add(struct audit *audit)
{
	struct audit_socket *next =
	    array_grow(audit->next, audit->next_count, &audit->next_capacity, CAPACITY_MIN, sizeof *next);

	if (!next)
		return NULL;
	audit->next = next;
	return &audit->next[audit->next_count++];
}

/* Of one that is seen for the first time, or after it connected anew: from birth on, if all since then has been told. */
static void begin(
    struct audit_socket *socket, const struct audit *audit, const struct audit_entry *entry, bool is_known)
{
	const struct socket_facts *facts = entry->facts;

	*socket = (struct audit_socket){ .cookie = facts->cookie,
		.key_hash = entry->key_hash,
		.is_connected = facts->audit & SOCKET_CONNECTED };
	bool is_new = !is_known && entry->knows_ends && !facts->passed_ns && facts->born_ns &&
	              facts->born_ns >= entry->since_ns && !(facts->audit & SOCKET_EARLY) && !audit->has_gap;
	if (is_new) {
		audit_side_begin(&socket->tx, true, audit->missed_runs_before);
		audit_side_begin(&socket->rx, true, audit->missed_runs_before);
	} else {
		socket->tx.moved_bytes = sent_bytes(facts) - 1; /* it has not been seen to stand still */
		socket->rx.moved_bytes = read_bytes(facts) - 1;
	}
}

int audit_take(struct audit *audit, const struct audit_entry *entry, struct audit_healed *healed)
{
	const struct socket_facts *facts = entry->facts;

	*healed = (struct audit_healed){ 0 };
	if (!is_in(facts, CONNECTIONS))
		return 0;
	enum audit_exclusion exclusion = find_exclusion(entry);

	audit->excluded[exclusion == AUDIT_EXCLUSIONS ? AUDIT_UNKNOWN : exclusion]++;
	if (exclusion != AUDIT_EXCLUSIONS)
		return 0;
	struct audit_socket *before = find(audit, facts->cookie), *socket = add(audit);

	if (!socket)
		return -ENOMEM;
	if (before && !before->has_ended && facts->passed_ns && !audit->has_gap) {
		*socket = *before;
		socket->awaits_end = socket->is_gone = false;
		before->lives_on = true;
	} else {
		begin(socket, audit, entry, before != NULL);
		if (before)
			before->is_gone = true;
	}
	note_process(socket, entry->pid);
	socket->is_shared |= entry->is_shared;
	struct audit_glimpse tx = { .moved_bytes = sent_bytes(facts),
		.counted_bytes = entry->tx_bytes,
		.missed_runs = audit->missed_runs,
		.missed_runs_before = audit->missed_runs_before,
		.now_ns = facts->told_ns,
		.is_shared = socket->is_shared,
		.is_held = facts->audit & SOCKET_HELD,
		.may_miss = facts->audit & SOCKET_BY_TASK };
	struct audit_glimpse rx = tx;

	rx.moved_bytes = read_bytes(facts);
	rx.counted_bytes = entry->rx_bytes;
	rx.may_sleep = facts->audit & SOCKET_SLEEPER;
	healed->tx_bytes = audit_side_take(&socket->tx, &tx);
	healed->rx_bytes = audit_side_take(&socket->rx, &rx);
	audit->gone.healed_bytes += (uint64_t)(healed->tx_bytes + healed->rx_bytes);
	return 0;
}

/* ---- an end ---- */

int audit_note_end(struct audit *audit, uint64_t key_hash)
{
	uint64_t *keys = array_grow(audit->ended_keys, audit->ended_key_count, &audit->ended_key_capacity,
	    CAPACITY_MIN, sizeof *keys);

	if (!keys)
		return -ENOMEM;
	audit->ended_keys = keys;
	keys[audit->ended_key_count++] = key_hash;
	return 0;
}

static struct audit_ended *add_ended(struct audit *audit)
{
	struct audit_ended *ended =
	    array_grow(audit->ended, audit->ended_count, &audit->ended_capacity, CAPACITY_MIN, sizeof *ended);

	if (!ended)
		return NULL;
	audit->ended = ended;
	return &audit->ended[audit->ended_count++];
}

static int64_t take_back(struct audit_side *side, uint64_t counted_bytes, uint64_t now_ns)
{
	uint64_t over_bytes = side->lag_bytes < 0 ? -(uint64_t)side->lag_bytes : 0;

	return -audit_side_take_back(side, over_bytes, counted_bytes, now_ns);
}

int audit_take_end(struct audit *audit, const struct audit_end_entry *entry, struct audit_ended **added,
    struct audit_healed *healed)
{
	const unsigned left_out = SOCKET_LAYERED | SOCKET_KERNEL_USER | SOCKET_REPAIRED | SOCKET_URGENT;
	struct audit_socket *before = find(audit, entry->cookie), user = { 0 };
	struct audit_ended ended = {
		.key_hash = entry->key_hash, .bits = entry->bits, .taken_ns = entry->now_ns
	};
	bool syn_is_out = entry->has_syn;

	*added = NULL;
	*healed = (struct audit_healed){ 0 };
	if (audit->has_gap || (entry->bits & left_out))
		return 0;
	if (before && before->key_hash != entry->key_hash)
		before = NULL; /* it has connected again since */
	if (before && !before->has_ended) {
		before->has_ended = true;
		user = *before;
		syn_is_out = before->is_connected;
	} else if (entry->born_ns && entry->born_ns >= entry->since_ns && !(entry->bits & SOCKET_EARLY)) {
		audit_side_begin(&user.tx, true, audit->missed_runs_before);
		audit_side_begin(&user.rx, true, audit->missed_runs_before);
	} else {
		return 0;
	}
	note_process(&user, entry->pid);
	ended.tx = user.tx;
	ended.rx = user.rx;
	ended.pid = user.pid;
	ended.is_shared = user.is_shared || entry->is_shared;
	audit_side_end(&ended.tx, entry->tx_bytes + entry->has_syn - syn_is_out, entry->tx_counted_bytes);
	audit_side_end(&ended.rx, entry->rx_bytes, entry->rx_counted_bytes);
	*added = add_ended(audit);
	if (!*added)
		return -ENOMEM;
	if (!ended.is_shared) {
		healed->tx_bytes = take_back(&ended.tx, entry->tx_counted_bytes, entry->now_ns);
		healed->rx_bytes = take_back(&ended.rx, entry->rx_counted_bytes, entry->now_ns);
		audit->gone.healed_bytes += (uint64_t)(healed->tx_bytes + healed->rx_bytes);
	}
	**added = ended;
	return 0;
}

void audit_keep_ended(struct audit *audit, size_t count)
{
	for (size_t i = count; i < audit->ended_count; i++)
		free(audit->ended[i].row);
	if (!count)
		audit->ended =
		    array_reuse(audit->ended, audit->ended_count, &audit->ended_capacity, CAPACITY_KEPT);
	audit->ended_count = count;
}

/* ---- its verdict ---- */

static void add_side(struct audit_result *sum, const struct audit_side *side)
{
	if (!side->is_sure)
		return;
	sum->bytes += side->moved_bytes - side->base_bytes;
	sum->unexplained_bytes += (uint64_t)llabs(side->off_bytes);
}

static void add_socket(struct audit_result *sum, const struct audit_socket *socket)
{
	add_side(sum, &socket->tx);
	add_side(sum, &socket->rx);
	sum->deviating += socket->tx.off_bytes || socket->rx.off_bytes;
}

static int64_t off_at_last(const struct audit_side *side, bool may_be_less, bool may_be_more)
{
	return (side->lag_bytes > 0 && may_be_less) || (side->lag_bytes < 0 && may_be_more) ? 0
	                                                                                    : side->lag_bytes;
}

void audit_await_end(
    struct audit_socket *socket, uint32_t pid, bool is_shared, uint64_t tx_bytes, uint64_t rx_bytes)
{
	note_process(socket, pid);
	socket->is_shared |= is_shared;
	socket->tx.lag_bytes -= (int64_t)tx_bytes;
	socket->rx.lag_bytes -= (int64_t)rx_bytes;
	socket->awaits_end = true;
}

bool audit_is_awaited(const struct audit *audit, uint64_t cookie)
{
	const struct audit_socket *socket = find(audit, cookie);

	return socket && socket->is_gone;
}

bool audit_is_short(const struct audit *audit, const struct audit_ended *ended)
{
	return ended->pid && !ended->is_shared && !(ended->bits & SOCKET_BY_TASK) &&
	       (audit_side_missing(&ended->tx, audit->missed_runs) ||
	           audit_side_missing(&ended->rx, audit->missed_runs));
}

/* Then a call that has not returned may tell the rest. */
static bool lacks_bytes(const struct audit_ended *ended)
{
	return (ended->tx.is_sure && ended->tx.lag_bytes > 0) ||
	       (ended->rx.is_sure && ended->rx.lag_bytes > 0);
}

static int64_t heal_ended(const struct audit *audit, struct audit_side *side)
{
	int64_t bytes = audit_side_missing(side, audit->missed_runs);

	side->lag_bytes -= bytes;
	return bytes;
}

bool audit_judge_ended(struct audit *audit, struct audit_ended *ended, const struct audit_late *late,
    struct audit_healed *healed)
{
	struct audit_socket verdict = { 0 };
	bool may_miss = ended->bits & SOCKET_BY_TASK, may_read = ended->bits & SOCKET_UNREAD;

	*healed = (struct audit_healed){ 0 };
	ended->is_doubtful |= late->is_doubtful;
	audit_side_end(&ended->tx, ended->tx.moved_bytes, late->tx_bytes);
	audit_side_end(&ended->rx, ended->rx.moved_bytes, late->rx_bytes);
	if (ended->is_doubtful || audit->has_gap)
		return true;
	bool heals = ended->row && audit_is_short(audit, ended);
	bool is_final = (ended->bits & SOCKET_CLOSED) || late->now_ns >= ended->taken_ns + AUDIT_LATE_NS;

	if ((lacks_bytes(ended) && !is_final) || (heals && !late->has_pass))
		return false;
	if (!late->has_pass)
		return true;
	if (heals) {
		healed->tx_bytes = heal_ended(audit, &ended->tx);
		healed->rx_bytes = heal_ended(audit, &ended->rx);
		audit->gone.healed_bytes += (uint64_t)(healed->tx_bytes + healed->rx_bytes);
	}
	verdict.tx = ended->tx;
	verdict.rx = ended->rx;
	verdict.tx.off_bytes = verdict.tx.is_sure ? off_at_last(&verdict.tx, may_miss, false) : 0;
	verdict.rx.off_bytes = verdict.rx.is_sure ? off_at_last(&verdict.rx, may_miss, may_read) : 0;
	add_socket(&audit->gone, &verdict);
	return true;
}

/* Those that are gone are added up, and their keys noted. */
static void part_with_gone(struct audit *audit)
{
	for (size_t i = 0; i < audit->count; i++) {
		const struct audit_socket *socket = &audit->sockets[i];

		if (socket->lives_on)
			continue;
		struct audit_socket *awaiting =
		    socket->awaits_end && !socket->is_gone && !socket->has_ended ? add(audit) : NULL;

		if (awaiting) {
			*awaiting = *socket;
			awaiting->is_gone = true;
			continue;
		}
		if (!socket->has_ended)
			add_socket(&audit->gone, socket);
		if (audit_note_end(audit, socket->key_hash) < 0)
			audit->has_gap = true; /* the next pass begins anew */
	}
}

/*
 * What was counted for a key may be of a connection that had it until just before: then it is not known what is of the one
 * that has it now.
 */
static void forget_doubtful(struct audit *audit)
{
	if (audit->ended_key_count)
		qsort(audit->ended_keys, audit->ended_key_count, sizeof *audit->ended_keys, compare_hashes);
	for (size_t i = 0; i < audit->next_count && audit->ended_key_count; i++) {
		struct audit_socket *socket = &audit->next[i];

		if (!bsearch(&socket->key_hash, audit->ended_keys, audit->ended_key_count,
		        sizeof *audit->ended_keys, compare_hashes))
			continue;
		socket->tx.has_base = socket->tx.is_sure = false;
		socket->rx.has_base = socket->rx.is_sure = false;
	}
	audit->ended_keys =
	    array_reuse(audit->ended_keys, audit->ended_key_count, &audit->ended_key_capacity, CAPACITY_KEPT);
	audit->ended_key_count = 0;
}

static bool is_pending(const struct audit_side *side)
{
	return side->dev_bytes != side->off_bytes;
}

void audit_end(struct audit *audit)
{
	struct audit_result *result = &audit->result;

	audit->has_gap = false;
	audit->missed_runs_before = audit->missed_runs;
	part_with_gone(audit);
	forget_doubtful(audit);
	free(audit->sockets);
	audit->sockets = audit->next;
	audit->count = audit->next_count;
	audit->next = NULL;
	audit->next_count = audit->next_capacity = 0;
	*result = audit->gone;
	memcpy(result->excluded, audit->excluded, sizeof result->excluded);
	memset(audit->excluded, 0, sizeof audit->excluded);
	if (audit->count)
		qsort(audit->sockets, audit->count, sizeof *audit->sockets, compare_cookies);
	for (size_t i = 0; i < audit->count; i++) {
		struct audit_socket *socket = &audit->sockets[i];

		socket->lives_on = false;
		add_socket(result, socket);
		if (!socket->tx.is_sure || !socket->rx.is_sure || socket->is_gone)
			continue;
		result->sockets++;
		result->pending += is_pending(&socket->tx) || is_pending(&socket->rx);
	}
	result->excluded[AUDIT_UNKNOWN] -= result->sockets;
}
