/* SPDX-License-Identifier: Apache-2.0 */
/* Facts of one socket, and passes that have it alone. */
#ifndef TCPTOP_AUDIT_FIXTURE_H
#define TCPTOP_AUDIT_FIXTURE_H

#include "model/audit.h"
#include "model/cause.h"
#include "model/socket.h"

#define SINCE_NS 3

/* An established socket that has sent and read so much, older than the audit. */
static inline struct socket_facts facts(uint64_t acked, uint64_t received)
{
	return (struct socket_facts){
		.state = SOCKET_ESTABLISHED,
		.cookie = 7,
		.passed_ns = 1,
		.now = { .bytes_acked = acked, .bytes_received = received },
	};
}

/* The same, born while it audits, and never seen before. */
static inline struct socket_facts newborn(uint64_t acked, uint64_t received)
{
	struct socket_facts born = facts(acked, received);

	born.born_ns = 5;
	born.passed_ns = 0;
	return born;
}

static inline struct audit_entry entry(const struct socket_facts *found, uint64_t tx_bytes, uint64_t rx_bytes)
{
	return (struct audit_entry){ .facts = found,
		.key_hash = found->cookie * 11,
		.tx_bytes = tx_bytes,
		.rx_bytes = rx_bytes,
		.pid = tx_bytes || rx_bytes ? 4711 : 0,
		.since_ns = SINCE_NS,
		.passes = true,
		.knows_ends = true };
}

static inline void take(
    struct audit *audit, const struct socket_facts *found, uint64_t tx_bytes, uint64_t rx_bytes)
{
	struct audit_entry one = entry(found, tx_bytes, rx_bytes);
	struct audit_healed healed;

	assert_int_equal(audit_take(audit, &one, &healed), 0);
	assert_int_equal(healed.tx_bytes, 0);
	assert_int_equal(healed.rx_bytes, 0);
}

/* One pass that has this socket alone. */
static inline struct audit_result pass(
    struct audit *audit, struct socket_facts *found, uint64_t tx_bytes, uint64_t rx_bytes)
{
	take(audit, found, tx_bytes, rx_bytes);
	found->passed_ns = 1;
	audit_end(audit);
	return audit->result;
}

/* So many passes in which nothing moves. */
static inline struct audit_result rest(struct audit *audit, struct socket_facts *found, int passes)
{
	struct audit_result result = { 0 };

	for (int i = 0; i < passes; i++)
		result = pass(audit, found, 0, 0);
	return result;
}

#endif
