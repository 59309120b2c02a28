/* SPDX-License-Identifier: Apache-2.0 */
#include "model/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "model/cause.h"
#include "model/socket.h"

#define IN(state) (1U << (state))

/* FIN takes a sequence number on either side: the own one when it is queued, the remote's when it comes. */
#define FIN_SENT (IN(SOCKET_FIN_WAIT1) | IN(SOCKET_FIN_WAIT2) | IN(SOCKET_CLOSING) | IN(SOCKET_LAST_ACK))
#define FIN_CAME (IN(SOCKET_CLOSE_WAIT) | IN(SOCKET_LAST_ACK) | IN(SOCKET_CLOSING))

/* Of one that is closed it is not known how many FINs its numbers hold. */
#define CONNECTIONS (IN(SOCKET_SYN_SENT) | IN(SOCKET_SYN_RECV) | IN(SOCKET_ESTABLISHED) | FIN_SENT | FIN_CAME)

void audit_fini(struct audit *audit)
{
	free(audit->sockets);
	free(audit->next);
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

void audit_count(struct audit *audit, uint64_t cookie, uint64_t tx_bytes, uint64_t rx_bytes)
{
	struct audit_socket *socket = find(audit, cookie);

	if (!socket)
		return;
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
	       : facts->bits & SOCKET_ULP          ? AUDIT_LAYERED
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

static void set_base(struct audit_side *side, bool is_sure)
{
	side->has_base = true;
	side->is_sure = is_sure;
	side->base_bytes = side->moved_bytes;
	side->lag_bytes = side->dev_bytes = side->seen_bytes = side->off_bytes = 0;
}

/* How a side is seen at a pass. */
struct glimpse {
	uint64_t moved_bytes, counted_bytes;
	bool is_held;   /* a call holds the socket, or waits for room in it */
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
		set_base(side, !glimpse->may_sleep || (has_moved && !dev));
}

static void take_side(struct audit_side *side, const struct glimpse *glimpse)
{
	int64_t lag_before = side->lag_bytes;
	bool is_still = glimpse->moved_bytes == side->moved_bytes;

	side->lag_bytes +=
	    (int64_t)(glimpse->moved_bytes - side->moved_bytes) - (int64_t)glimpse->counted_bytes;
	side->moved_bytes = glimpse->moved_bytes;
	int64_t at_least = lag_before - (int64_t)glimpse->counted_bytes, at_most = side->lag_bytes;
	int64_t dev = at_least > 0 ? at_least : at_most < 0 ? at_most : 0;

	if (side->is_sure)
		judge(side, glimpse, dev);
	else if (is_still && !glimpse->is_held)
		settle(side, glimpse, dev);
}

/* ---- a pass ---- */

static struct audit_socket *add(struct audit *audit)
{
	if (audit->next_count == audit->next_capacity) {
		size_t capacity = audit->next_capacity ? audit->next_capacity * 2 : 64;
		struct audit_socket *next = reallocarray(audit->next, capacity, sizeof *next);

		if (!next)
			return NULL;
		audit->next = next;
		audit->next_capacity = capacity;
	}
	return &audit->next[audit->next_count++];
}

/* Of one that is seen for the first time, or after it connected anew: from birth on, if all since then has been told. */
static void begin(
    struct audit_socket *socket, const struct audit *audit, const struct audit_entry *entry, bool is_known)
{
	const struct socket_facts *facts = entry->facts;

	*socket = (struct audit_socket){ .cookie = facts->cookie, .key_hash = entry->key_hash };
	socket->is_new = !is_known && !facts->passed_ns && facts->born_ns &&
	                 facts->born_ns >= entry->since_ns && !(facts->audit & SOCKET_EARLY) &&
	                 !audit->has_gap;
	if (socket->is_new) {
		set_base(&socket->tx, true);
		set_base(&socket->rx, true);
	} else {
		socket->tx.moved_bytes = sent_bytes(facts) - 1; /* it has not been seen to stand still */
		socket->rx.moved_bytes = read_bytes(facts) - 1;
	}
}

int audit_take(struct audit *audit, const struct audit_entry *entry)
{
	const struct socket_facts *facts = entry->facts;

	if (!is_in(facts, CONNECTIONS))
		return 0;
	enum audit_exclusion exclusion = find_exclusion(entry);

	audit->excluded[exclusion == AUDIT_EXCLUSIONS ? AUDIT_UNKNOWN : exclusion]++;
	if (exclusion != AUDIT_EXCLUSIONS)
		return 0;
	struct audit_socket *before = find(audit, facts->cookie), *socket = add(audit);

	if (!socket)
		return -ENOMEM;
	if (before && facts->passed_ns && !audit->has_gap) {
		*socket = *before;
		socket->is_new = false;
		before->lives_on = true;
	} else {
		begin(socket, audit, entry, before != NULL);
	}
	struct glimpse tx = { .moved_bytes = sent_bytes(facts),
		.counted_bytes = entry->tx_bytes,
		.is_held = facts->audit & SOCKET_HELD,
		.may_miss = entry->may_miss };
	struct glimpse rx = tx;

	rx.moved_bytes = read_bytes(facts);
	rx.counted_bytes = entry->rx_bytes;
	rx.may_sleep = facts->audit & SOCKET_SLEEPER;
	take_side(&socket->tx, &tx);
	take_side(&socket->rx, &rx);
	return 0;
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

/*
 * What was counted for a key may be of a connection that had it until just before: then a newcomer's base is not its
 * birth. Takes in those that are gone on the way.
 */
static void part_with_gone(struct audit *audit)
{
	uint64_t *hashes = malloc((audit->count + 1) * sizeof *hashes);
	size_t count = 0;

	for (size_t i = 0; i < audit->count; i++) {
		const struct audit_socket *socket = &audit->sockets[i];

		if (socket->lives_on)
			continue;
		add_socket(&audit->gone, socket);
		if (hashes)
			hashes[count++] = socket->key_hash;
	}
	if (count)
		qsort(hashes, count, sizeof *hashes, compare_hashes);
	for (size_t i = 0; i < audit->next_count; i++) {
		struct audit_socket *socket = &audit->next[i];

		if (!socket->is_new || (hashes && (!count || !bsearch(&socket->key_hash, hashes, count,
		                                                 sizeof *hashes, compare_hashes))))
			continue;
		socket->tx.has_base = socket->tx.is_sure = false;
		socket->rx.has_base = socket->rx.is_sure = false;
	}
	free(hashes);
}

static bool is_pending(const struct audit_side *side)
{
	return side->dev_bytes != side->off_bytes;
}

void audit_end(struct audit *audit)
{
	struct audit_result *result = &audit->result;

	part_with_gone(audit);
	free(audit->sockets);
	audit->sockets = audit->next;
	audit->count = audit->next_count;
	audit->next = NULL;
	audit->next_count = audit->next_capacity = 0;
	audit->has_gap = false;
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
