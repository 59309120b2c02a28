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

/* ---- a direction ---- */

static uint64_t size_of(int64_t bytes)
{
	return bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes;
}

/* What both have: 0 when they differ in sign. */
static int64_t common_part(int64_t a, int64_t b)
{
	if ((a < 0) != (b < 0))
		return 0;
	return size_of(a) < size_of(b) ? a : b;
}

static void set_base(struct audit_side *side, bool is_sure, uint64_t missed_runs_before)
{
	side->has_base = true;
	side->is_sure = is_sure;
	side->base_bytes = side->moved_bytes;
	side->lag_bytes = side->dev_bytes = side->seen_bytes = side->off_bytes = 0;
	side->healed_bytes = 0;
	side->settled_bytes = 0;
	side->missed_runs_before = missed_runs_before;
}

/* How a side is seen at a pass. */
struct glimpse {
	uint64_t moved_bytes, counted_bytes;
	uint64_t missed_runs, missed_runs_before; /* the audit's */
	bool is_shared;                           /* several processes have moved bytes of it */
	bool is_held;                             /* a call holds the socket, or waits for room in it */
	bool may_sleep; /* a call may wait for more to come, and have taken a part already */
	bool may_miss;  /* calls that the filters do not let pass may have moved some */
};

/*
 * A call that waits has moved what is counted when it returns: nothing is known of more that was moved until then. What is
 * less cannot be explained.
 */
static void judge(struct audit_side *side, const struct glimpse *glimpse, int64_t dev)
{
	int64_t off = common_part(dev, side->off_bytes);

	if (dev <= 0 || !(glimpse->is_held || glimpse->may_sleep || glimpse->may_miss)) {
		int64_t found = common_part(dev, side->seen_bytes);

		side->seen_bytes = dev;
		off = size_of(found) > size_of(off) ? found : off;
	}
	side->off_bytes = off;
	side->dev_bytes = dev;
}

/*
 * It stands still: a base. A call that waits may have taken a part already, which makes it an unsure one, until more was
 * moved and what was counted agrees.
 */
static void settle(struct audit_side *side, const struct glimpse *glimpse, int64_t dev)
{
	bool has_moved = side->has_base && side->moved_bytes != side->base_bytes;

	if (!side->has_base || !glimpse->may_sleep || has_moved)
		set_base(side, !glimpse->may_sleep || (has_moved && !dev), glimpse->missed_runs_before);
}

/*
 * Gives what is missing for certain to who has moved all the rest, where the kernel says that it skipped runs; but not what
 * was missing before. One that was only late is counted twice then, which is certain at once: it is taken back.
 */
static int64_t heal(struct audit_side *side, const struct glimpse *glimpse)
{
	uint64_t late_bytes = size_of(side->dev_bytes < 0 ? side->dev_bytes : 0);
	int64_t bytes = 0;

	late_bytes = late_bytes < side->healed_bytes ? late_bytes : side->healed_bytes;
	late_bytes = late_bytes < glimpse->counted_bytes ? late_bytes : glimpse->counted_bytes;
	if (side->off_bytes > 0 && glimpse->missed_runs == side->missed_runs_before)
		side->settled_bytes = side->off_bytes;
	if (glimpse->is_shared)
		return 0;
	if (late_bytes)
		bytes = -(int64_t)late_bytes;
	else if (side->off_bytes > side->settled_bytes && glimpse->missed_runs > side->missed_runs_before)
		bytes = side->off_bytes - side->settled_bytes;
	if (!bytes)
		return 0;
	side->healed_bytes += (uint64_t)bytes;
	side->lag_bytes -= bytes;
	side->dev_bytes -= bytes;
	side->seen_bytes = side->dev_bytes;
	side->off_bytes = bytes > 0 ? side->settled_bytes : 0;
	return bytes;
}

static int64_t take_side(struct audit_side *side, const struct glimpse *glimpse)
{
	int64_t lag_before = side->lag_bytes;
	bool is_still = glimpse->moved_bytes == side->moved_bytes;

	side->lag_bytes +=
	    (int64_t)(glimpse->moved_bytes - side->moved_bytes) - (int64_t)glimpse->counted_bytes;
	side->moved_bytes = glimpse->moved_bytes;
	int64_t at_least = lag_before - (int64_t)glimpse->counted_bytes, at_most = side->lag_bytes;
	int64_t dev = at_least > 0 ? at_least : at_most < 0 ? at_most : 0;

	if (side->is_sure) {
		judge(side, glimpse, dev);
		return heal(side, glimpse);
	}
	if (is_still && !glimpse->is_held)
		settle(side, glimpse, dev);
	return 0;
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
		set_base(&socket->tx, true, audit->missed_runs_before);
		set_base(&socket->rx, true, audit->missed_runs_before);
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
		before->lives_on = true;
	} else {
		begin(socket, audit, entry, before != NULL);
	}
	note_process(socket, entry->pid);
	socket->is_shared |= entry->is_shared;
	struct glimpse tx = { .moved_bytes = sent_bytes(facts),
		.counted_bytes = entry->tx_bytes,
		.missed_runs = audit->missed_runs,
		.missed_runs_before = audit->missed_runs_before,
		.is_shared = socket->is_shared,
		.is_held = facts->audit & SOCKET_HELD,
		.may_miss = facts->audit & SOCKET_BY_TASK };
	struct glimpse rx = tx;

	rx.moved_bytes = read_bytes(facts);
	rx.counted_bytes = entry->rx_bytes;
	rx.may_sleep = facts->audit & SOCKET_SLEEPER;
	healed->tx_bytes = take_side(&socket->tx, &tx);
	healed->rx_bytes = take_side(&socket->rx, &rx);
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

static void end_side(struct audit_side *side, uint64_t moved_bytes, uint64_t counted_bytes)
{
	side->lag_bytes += (int64_t)(moved_bytes - side->moved_bytes) - (int64_t)counted_bytes;
	side->moved_bytes = moved_bytes;
}

int audit_take_end(struct audit *audit, const struct audit_end_entry *entry)
{
	const unsigned left_out = SOCKET_LAYERED | SOCKET_KERNEL_USER | SOCKET_REPAIRED | SOCKET_URGENT;
	struct audit_socket *before = find(audit, entry->cookie);
	struct audit_ended ended = { .key_hash = entry->key_hash, .bits = entry->bits };
	bool syn_is_out = entry->has_syn;

	if (audit->has_gap || (entry->bits & left_out))
		return 0;
	if (before && !before->has_ended) {
		before->has_ended = true;
		ended.tx = before->tx;
		ended.rx = before->rx;
		syn_is_out = before->is_connected;
	} else if (entry->born_ns && entry->born_ns >= entry->since_ns && !(entry->bits & SOCKET_EARLY)) {
		set_base(&ended.tx, true, audit->missed_runs_before);
		set_base(&ended.rx, true, audit->missed_runs_before);
	} else {
		return 0;
	}
	struct audit_ended *added = add_ended(audit);

	if (!added)
		return -ENOMEM;
	end_side(&ended.tx, entry->tx_bytes + entry->has_syn - syn_is_out, entry->tx_counted_bytes);
	end_side(&ended.rx, entry->rx_bytes, entry->rx_counted_bytes);
	*added = ended;
	return 0;
}

void audit_forget_ended(struct audit *audit)
{
	audit->ended = array_reuse(audit->ended, audit->ended_count, &audit->ended_capacity, CAPACITY_KEPT);
	audit->ended_count = 0;
}

/* ---- its verdict ---- */

static void add_side(struct audit_result *sum, const struct audit_side *side)
{
	if (!side->is_sure)
		return;
	sum->bytes += side->moved_bytes - side->base_bytes;
	sum->unexplained_bytes += size_of(side->off_bytes);
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

void audit_judge_ended(
    struct audit *audit, struct audit_ended *ended, uint64_t tx_bytes, uint64_t rx_bytes, bool is_shared)
{
	struct audit_socket verdict = { .tx = ended->tx, .rx = ended->rx };
	bool may_miss = ended->bits & SOCKET_BY_TASK;

	if (is_shared || audit->has_gap)
		return;
	end_side(&verdict.tx, verdict.tx.moved_bytes, tx_bytes);
	end_side(&verdict.rx, verdict.rx.moved_bytes, rx_bytes);
	verdict.tx.off_bytes = verdict.tx.is_sure ? off_at_last(&verdict.tx, may_miss, false) : 0;
	verdict.rx.off_bytes =
	    verdict.rx.is_sure ? off_at_last(&verdict.rx, may_miss, ended->bits & SOCKET_UNREAD) : 0;
	add_socket(&audit->gone, &verdict);
}

/* Those that are gone are added up, and their keys noted. */
static void part_with_gone(struct audit *audit)
{
	for (size_t i = 0; i < audit->count; i++) {
		const struct audit_socket *socket = &audit->sockets[i];

		if (socket->lives_on)
			continue;
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
		if (!socket->tx.is_sure || !socket->rx.is_sure)
			continue;
		result->sockets++;
		result->pending += is_pending(&socket->tx) || is_pending(&socket->rx);
	}
	result->excluded[AUDIT_UNKNOWN] -= result->sockets;
}
