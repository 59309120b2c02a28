/* SPDX-License-Identifier: Apache-2.0 */
#include "model/cause.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "model/socket.h"

#define BOOT_S 300 /* INITIAL_JIFFIES */
#define CONGESTION_RECOVERY 3

unsigned cause_find_hz(uint64_t jiffies, uint64_t time_ns)
{
	static const unsigned usual[] = { 100, 250, 300, 1000 };
	unsigned found = 0;

	for (size_t i = 0; i < COUNT_OF(usual); i++) {
		uint64_t start = (UINT64_C(1) << 32) - (uint64_t)BOOT_S * usual[i];
		uint64_t counted_ms = (jiffies - start) * 1000 / usual[i], ms = time_ns / 1000000;
		uint64_t off_ms = counted_ms > ms ? counted_ms - ms : ms - counted_ms;

		if (jiffies < start || off_ms > 2000 + ms / 1000)
			continue;
		if (found)
			return 0; /* five minutes after the start all of them say the same */
		found = usual[i];
	}
	return found;
}

/* A clock that was read while it was being set may seem to have gone back. */
static double elapsed(uint32_t now, uint32_t before)
{
	int32_t jiffies = (int32_t)(now - before);

	return jiffies > 0 ? jiffies : 0;
}

static void name_greatest(struct socket_summary *summary)
{
	summary->cause = CAUSE_APP;
	for (int i = CAUSE_APP + 1; i < CAUSE_COUNT; i++)
		if (summary->shares[i] > summary->shares[summary->cause])
			summary->cause = (uint8_t)i;
}

/* The greatest remainders are rounded up, so that all shares make 100. */
static void share_out(struct socket_summary *summary, const double *parts, double whole)
{
	double rest[CAUSE_COUNT] = { 0 };
	int left = 100;

	for (int i = CAUSE_APP; i < CAUSE_COUNT; i++) {
		double share = parts[i] * 100 / whole;

		summary->shares[i] = (uint8_t)share;
		rest[i] = share - summary->shares[i];
		left -= summary->shares[i];
	}
	for (; left > 0; left--) {
		int most = CAUSE_APP;

		for (int i = CAUSE_APP + 1; i < CAUSE_COUNT; i++)
			if (rest[i] > rest[most])
				most = i;
		summary->shares[most]++;
		rest[most] = -1;
	}
	name_greatest(summary);
}

void cause_prove_reader(struct socket_summary *summary, uint8_t percent)
{
	static const uint8_t seemed[] = { CAUSE_REMOTE, CAUSE_IDLE, CAUSE_APP };

	for (size_t i = 0; i < COUNT_OF(seemed) && summary->shares[CAUSE_READER] < percent; i++) {
		uint8_t lacks = percent - summary->shares[CAUSE_READER], has = summary->shares[seemed[i]];
		uint8_t taken = has < lacks ? has : lacks;

		summary->shares[seemed[i]] -= taken;
		summary->shares[CAUSE_READER] += taken;
	}
	name_greatest(summary);
}

/*
 * The part of the time that nothing was waiting to be sent or acknowledged. Unread bytes tell of a slow reader when they are
 * many beside those that it reads: what is unread at a glance at a fast one is read in a moment.
 */
static void share_rest(
    double *parts, double rest, const struct socket_facts *facts, uint64_t rx_bytes, uint64_t tx_bytes)
{
	const struct socket_counts *now = &facts->now, *before = &facts->before;
	uint32_t unread = now->unread_bytes < before->unread_bytes ? now->unread_bytes : before->unread_bytes;
	uint32_t read = now->read_seq - before->read_seq;
	double reader = !unread ? 0 : read <= unread ? 1 : (double)unread / read;

	parts[CAUSE_READER] = rest * reader;
	rest -= parts[CAUSE_READER];
	if (!rx_bytes && !tx_bytes)
		parts[CAUSE_IDLE] = rest;
	else
		parts[rx_bytes > tx_bytes ? CAUSE_REMOTE : CAUSE_APP] = rest;
}

static bool has_before(const struct socket_facts *facts, const struct socket_clock *clock)
{
	return facts->passed_ns && facts->passed_ns >= clock->since_ns;
}

/*
 * The kernel's clock of a full send buffer starts only with a segment that is sent while a writer already waits (tcp_cwnd_validate):
 * where one call's data fills a small buffer it never does. So how it is found counts, too: the buffer as full as keeps a
 * writer waiting (sk_stream_min_wspace), all in it sent, and room in the congestion window. What is not limited by
 * SO_SNDBUF or tcp_wmem grows to twice that window before.
 */
static bool buffer_is_limit(const struct socket_facts *facts)
{
	return facts->send_queued_bytes >= facts->send_buffer_bytes / 3 * 2 && facts->send_buffer_bytes &&
	       !facts->unsent_bytes && facts->flight_segments &&
	       facts->flight_segments < facts->window_segments;
}

/* A connection's interval, in jiffies. Without a pass before there is none. */
static void find_cause(struct socket_summary *summary, const struct socket_facts *facts,
    const struct socket_clock *clock, uint64_t rx_bytes, uint64_t tx_bytes)
{
	const struct socket_counts *now = &facts->now, *before = &facts->before;
	double parts[CAUSE_COUNT] = { 0 };

	summary->cause = CAUSE_NONE;
	if (!clock->hz || !has_before(facts, clock) || facts->told_ns <= facts->passed_ns ||
	    facts->state == SOCKET_LISTEN)
		return;
	double whole = (double)(facts->told_ns - facts->passed_ns) * clock->hz / NS_PER_S;
	double peer = elapsed(now->peer_jiffies, before->peer_jiffies);
	double buffer = elapsed(now->buffer_jiffies, before->buffer_jiffies);
	double network = elapsed(now->busy_jiffies, before->busy_jiffies) - peer - buffer;
	bool lossy = now->retransmits != before->retransmits || facts->congestion >= CONGESTION_RECOVERY ||
	             facts->retries;

	if (network < 0)
		network = 0;
	/* The clocks tick in jiffies: they may tell one more than went by. */
	double busy = peer + buffer + network, scale = busy > whole ? whole / busy : 1;

	if (facts->state == SOCKET_SYN_SENT) {
		network = whole - peer - buffer;
		scale = 1;
		busy = whole;
		lossy = facts->retries || now->retransmits;
	}
	parts[CAUSE_PEER] = peer * scale;
	parts[CAUSE_BUFFER] = buffer * scale;
	parts[lossy ? CAUSE_LOSS : buffer_is_limit(facts) ? CAUSE_BUFFER : CAUSE_QUEUE] += network * scale;
	if (busy < whole)
		share_rest(parts, whole - busy, facts, rx_bytes, tx_bytes);
	share_out(summary, parts, whole);
}

void cause_add(struct cause_sum *sum, const struct socket_summary *summary)
{
	for (int i = CAUSE_APP; i < CAUSE_COUNT; i++)
		sum->shares[i] += summary->shares[i];
}

void cause_take(struct socket_summary *summary, const struct cause_sum *sum)
{
	double parts[CAUSE_COUNT] = { 0 }, whole = 0;

	for (int i = CAUSE_APP; i < CAUSE_IDLE; i++)
		whole += parts[i] = sum->shares[i];
	if (whole == 0)
		whole = parts[CAUSE_IDLE] = sum->shares[CAUSE_IDLE];
	if (whole > 0)
		share_out(summary, parts, whole);
}

static uint32_t at_least_1(uint64_t ms)
{
	return ms < 1 ? 1 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

/* A clock that was read before the socket's last packet is behind it, by the time of a pass; what is longer ago counts on to 2^32. */
static uint32_t since_ms(const struct socket_clock *clock, uint32_t jiffies)
{
	uint32_t ago = (uint32_t)clock->jiffies - jiffies;

	if (!clock->hz)
		return 0;
	return at_least_1(ago > UINT32_MAX - 60 * clock->hz ? 0 : (uint64_t)ago * 1000 / clock->hz);
}

static uint32_t sooner_s(uint32_t rx_ms, uint32_t tx_ms)
{
	return (!tx_ms || (rx_ms && rx_ms < tx_ms) ? rx_ms : tx_ms) / 1000;
}

void cause_join_listener(struct socket_summary *sum, const struct socket_summary *listener)
{
	if (sum->state != SOCKET_LISTEN || listener->state != SOCKET_LISTEN || sum->joined == UINT16_MAX)
		return;
	sum->joined_full =
	    (uint16_t)((sum->joined ? sum->joined_full : socket_is_full(sum)) + socket_is_full(listener));
	sum->joined++;
	sum->backlog += listener->backlog;
	sum->backlog_max += listener->backlog_max;
	sum->drops += listener->drops;
}

void cause_summarise(struct socket_summary *summary, const struct socket_facts *facts,
    const struct socket_clock *clock, uint64_t rx_bytes, uint64_t tx_bytes)
{
	bool listens = facts->state == SOCKET_LISTEN;
	uint32_t rx_idle_ms = facts->now.bytes_received ? since_ms(clock, facts->received_jiffies) : 0;
	uint32_t tx_idle_ms = facts->now.bytes_sent ? since_ms(clock, facts->sent_jiffies) : 0;

	*summary = (struct socket_summary){
		.retrans_bytes = facts->now.bytes_retrans - facts->before.bytes_retrans,
		.sent_bytes = facts->now.bytes_sent - facts->before.bytes_sent,
		.unread_bytes = listens ? 0 : facts->now.unread_bytes,
		.unsent_bytes = listens ? 0 : facts->unsent_bytes,
		.unacked_bytes = listens ? 0 : facts->unacked_bytes,
		.backlog = listens ? facts->backlog : 0,
		.backlog_max = listens ? facts->backlog_max : 0,
		.drops = listens ? facts->drops : 0,
		.rtt_min_us = listens || facts->rtt_min_us == UINT32_MAX ? 0 : facts->rtt_min_us,
		.rtt_received_us = listens ? 0 : facts->rtt_received_us,
		.rx_idle_ms = rx_idle_ms,
		.tx_idle_ms = tx_idle_ms,
		.idle_s = sooner_s(rx_idle_ms, tx_idle_ms),
		.age_ms = facts->born_ns && facts->told_ns > facts->born_ns
		              ? at_least_1((facts->told_ns - facts->born_ns) / 1000000)
		              : 0,
		.state = facts->state,
		.retries = facts->retries > facts->probes ? facts->retries : facts->probes,
	};
	if (!has_before(facts, clock)) /* what was sent in its life is not of this interval */
		summary->retrans_bytes = summary->sent_bytes = 0;
	find_cause(summary, facts, clock, rx_bytes, tx_bytes);
}

const char *cause_name(uint8_t cause)
{
	static const char *const names[CAUSE_COUNT] = {
		[CAUSE_APP] = "app",
		[CAUSE_PEER] = "peer",
		[CAUSE_BUFFER] = "buffer",
		[CAUSE_LOSS] = "loss",
		[CAUSE_QUEUE] = "queue",
		[CAUSE_READER] = "reader",
		[CAUSE_REMOTE] = "remote",
		[CAUSE_IDLE] = "idle",
	};

	return cause < CAUSE_COUNT ? names[cause] : NULL;
}

const char *cause_meaning(uint8_t cause)
{
	static const char *const meanings[CAUSE_COUNT] = {
		[CAUSE_APP] = "nothing keeps it from sending: the process here has nothing to send",
		[CAUSE_PEER] = "the remote's receive window is full: it reads too slowly",
		[CAUSE_BUFFER] =
		    "the send buffer here is full and all in it is sent: a larger one would send more",
		[CAUSE_LOSS] = "on the network or in a queue of this host, and some was lost and sent again",
		[CAUSE_QUEUE] =
		    "on the network or in a queue of this host: sent, and waiting to be acknowledged",
		[CAUSE_READER] = "the process here does not read what has arrived",
		[CAUSE_REMOTE] = "all that arrived is read: the remote, or the path from it, sends no more",
		[CAUSE_IDLE] = "nothing is moved, and nothing waits",
	};

	return cause < CAUSE_COUNT ? meanings[cause] : NULL;
}

/* To add what proves something, add its row. */
const char *cause_proof(uint8_t here, uint8_t there)
{
	static const struct {
		uint8_t here, there;
		const char *proof;
	} proofs[] = {
		{ CAUSE_PEER, CAUSE_READER, "it does not read what has arrived" },
		{ CAUSE_READER, CAUSE_PEER, "it waits for this side to read" },
		{ CAUSE_READER, CAUSE_BUFFER, "it waits for this side to read" },
		{ CAUSE_REMOTE, CAUSE_APP, "it has nothing to send" },
		{ CAUSE_REMOTE, CAUSE_REMOTE, "it waits for this side, too: nobody sends" },
		{ CAUSE_REMOTE, CAUSE_BUFFER, "its send buffer is full" },
		{ CAUSE_REMOTE, CAUSE_LOSS, "what it sent is lost, and sent again" },
		{ CAUSE_REMOTE, CAUSE_QUEUE, "what it sent is under way" },
		{ CAUSE_APP, CAUSE_REMOTE, "it has read everything, and waits for more" },
		{ CAUSE_BUFFER, CAUSE_REMOTE, "it has read everything: it is not what is slow" },
		{ CAUSE_LOSS, CAUSE_REMOTE, "it has read everything: it is not what is slow" },
		{ CAUSE_QUEUE, CAUSE_REMOTE, "it has read everything: it is not what is slow" },
	};

	for (size_t i = 0; i < sizeof proofs / sizeof proofs[0]; i++)
		if (proofs[i].here == here && proofs[i].there == there)
			return proofs[i].proof;
	return NULL;
}

const char *socket_state_name(uint8_t state)
{
	static const char *const names[SOCKET_STATE_COUNT] = {
		[SOCKET_ESTABLISHED] = "ESTABLISHED",
		[SOCKET_SYN_SENT] = "SYN_SENT",
		[SOCKET_SYN_RECV] = "SYN_RECV",
		[SOCKET_FIN_WAIT1] = "FIN_WAIT1",
		[SOCKET_FIN_WAIT2] = "FIN_WAIT2",
		[SOCKET_TIME_WAIT] = "TIME_WAIT",
		[SOCKET_CLOSE] = "CLOSE",
		[SOCKET_CLOSE_WAIT] = "CLOSE_WAIT",
		[SOCKET_LAST_ACK] = "LAST_ACK",
		[SOCKET_LISTEN] = "LISTEN",
		[SOCKET_CLOSING] = "CLOSING",
	};

	return state < SOCKET_STATE_COUNT ? names[state] : NULL;
}
