/* SPDX-License-Identifier: Apache-2.0 */
#include "output/sentence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/escape.h"
#include "base/format.h"
#include "base/util.h"

#define NUMBERS_SIZE 160
#define READING_SIZE 80
#define WHO_SIZE SENTENCE_HEADLINE_SIZE
#define COMM_SIZE 96

enum number {
	NUMBER_UNACKED = 1 << 0,
	NUMBER_UNREAD = 1 << 1,
	NUMBER_RESENT = 1 << 2,
	NUMBER_RTT = 1 << 3,
	NUMBER_RETRIES = 1 << 4,
	NUMBER_IDLE = 1 << 5,
	NUMBER_FAILED = 1 << 6,
	NUMBER_RATE = 1 << 7,
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
	[FINDING_BACKLOG] = { CAUSE_NONE, 0, NULL, "whom it has turned away" },
	[FINDING_LEAK] = { CAUSE_NONE, NUMBER_UNREAD | NUMBER_IDLE,
	    "the remote has closed, and the process does not (CLOSE_WAIT)", "whether it ever will" },
	[FINDING_REFUSED] = { CAUSE_NONE, NUMBER_FAILED, "nothing listens there, or a firewall says so",
	    "which of the two it is" },
	[FINDING_RESETS] = { CAUSE_NONE, NUMBER_FAILED,
	    "connections are reset: closed with bytes unread, or without waiting for what is under way",
	    "whether it is on purpose: -o json --connections has the kernel's reason" },
	[FINDING_CHURN] = { CAUSE_NONE, NUMBER_RATE,
	    "it connects anew again and again: each time that takes a round trip, and whoever closes first "
	    "has "
	    "the port in TIME_WAIT for a minute",
	    "whether they could be kept open" },
};

const char *sentence_plural(uint64_t count)
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
		    sentence_plural(finding->connections));
		return;
	}
	size_t length = address_format(address, session->family, session->raddr);

	address_format_zone(address + length, session->family, session->raddr, session_zone(session));
	int used = snprintf(buffer, size, "port %u, %u connection%s", session->lport, finding->connections,
	    sentence_plural(finding->connections));

	if (!finding->remotes)
		return;
	snprintf(buffer + used, size - (size_t)used, " from %s", address);
	if (finding->remotes > 1)
		snprintf(buffer + strlen(buffer), size - strlen(buffer), " and %u other%s",
		    finding->remotes - 1, sentence_plural(finding->remotes - 1));
}

static void describe(
    const struct sentence_style *style, const struct finding *finding, char *buffer, size_t size)
{
	const struct session *session = &finding->session;
	char comm[COMM_SIZE], other_end[WHO_SIZE];

	escape_text(comm, sizeof comm, session->comm, strlen(session->comm), COMM_SIZE - 1, style->utf8);
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
		int used = snprintf(text, sizeof text, "asked again %u time%s", finding->retries,
		    sentence_plural(finding->retries));

		if (finding->session.socket.age_ms) {
			format_span(span, sizeof span, finding->session.socket.age_ms);
			snprintf(text + used, sizeof text - (size_t)used, " in %s", span);
		}
		add_text(buffer, text);
	}
	if (numbers & NUMBER_FAILED) {
		snprintf(text, sizeof text, "%u of %u that ended, %.3g a second", finding->failed,
		    finding->ended, (double)finding->failed * NS_PER_S / (double)looked_ns);
		add_text(buffer, text);
	}
	if (finding->kind == FINDING_RESETS) {
		snprintf(text, sizeof text, "%u by this side", finding->closed_first);
		add_text(buffer, text);
	}
	if (numbers & NUMBER_RATE) {
		snprintf(text, sizeof text, "%.0f a second, %u%% closed first by this side",
		    (double)finding->shorts * NS_PER_S / (double)looked_ns,
		    (unsigned)(finding->closed_first * 100ull / finding->shorts));
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

/* "it reads slower than data arrives (10.0KB/s)", of what has read something. Returns whether it has. */
static bool describe_reading(uint64_t bytes, uint64_t looked_ns, char *buffer, size_t size)
{
	char rate[32];

	if (!bytes || !looked_ns)
		return false;
	format_bytes(rate, sizeof rate, (uint64_t)((double)bytes * NS_PER_S / (double)looked_ns), UNIT_HUMAN);
	snprintf(buffer, size, "it reads slower than data arrives (%s/s)", rate);
	return true;
}

/* "; the connect of curl (PID 812) and 2 others of this host is not answered for that: asked again 3 times" */
static void add_turned_away(const struct finding *finding, const char *comm, char *buffer, size_t size)
{
	char others[48] = "";

	if (finding->waiters > 1)
		snprintf(others, sizeof others, " and %u other%s of this host", finding->waiters - 1,
		    sentence_plural(finding->waiters - 1));
	snprintf(buffer, size,
	    "; the connect of %s (PID %u)%s is not answered for that: asked again %u time%s", comm,
	    finding->peer.pid, others, finding->peer_retries, sentence_plural(finding->peer_retries));
}

/* "; its other end on this host is python3 (PID 812): it does not read what has arrived (reader 99%), 3.2MB unread" */
static void add_peer(
    const struct sentence_style *style, const struct finding *finding, char *buffer, size_t size)
{
	const char *proof = cause_proof(says[finding->kind].cause, finding->peer_cause);
	char comm[COMM_SIZE], amount[32], reading[READING_SIZE];
	size_t used = strlen(buffer);

	if (!finding->peer.known || !finding->peer.pid)
		return;
	escape_text(
	    comm, sizeof comm, finding->peer.comm, strlen(finding->peer.comm), COMM_SIZE - 1, style->utf8);
	if (finding->kind == FINDING_BACKLOG) {
		add_turned_away(finding, comm, buffer + used, size - used);
		return;
	}
	used += (size_t)snprintf(buffer + used, size - used, "; its other end on this host is %s (PID %u)",
	    comm, finding->peer.pid);
	if (!proof || used >= size)
		return;
	if (finding->peer_cause == CAUSE_READER &&
	    describe_reading(finding->peer_read_bytes, style->looked_ns, reading, sizeof reading))
		proof = reading;
	used += (size_t)snprintf(buffer + used, size - used, ": %s (%s %u%%)", proof,
	    cause_name(finding->peer_cause), finding->peer_share_pct);
	if (used >= size)
		return;
	bool reads = finding->peer_cause == CAUSE_READER;

	if (!reads && (finding->kind != FINDING_READER || !finding->peer_unacked_bytes))
		return;
	format_bytes(amount, sizeof amount, reads ? finding->peer_unread_bytes : finding->peer_unacked_bytes,
	    UNIT_HUMAN);
	snprintf(buffer + used, size - used, ", %s %s", amount, reads ? "unread" : "not acknowledged");
}

/* A queue holds one more than its limit. */
static void describe_queue(const struct finding *finding, char *buffer, size_t size)
{
	bool is_full = finding->backlog > finding->backlog_max;

	if (is_full && !finding->drops)
		snprintf(buffer, size,
		    "its queue is full (%u of %u): further ones will be turned away, as the process accepts "
		    "too slowly",
		    finding->backlog, finding->backlog_max);
	else if (is_full)
		snprintf(buffer, size,
		    "its queue is full (%u of %u), and %u %s turned away: the process accepts too slowly",
		    finding->backlog, finding->backlog_max, finding->drops,
		    finding->drops == 1 ? "was" : "were");
	else
		snprintf(buffer, size,
		    "%u %s turned away: its queue was full between two looks, which saw %u of %u",
		    finding->drops, finding->drops == 1 ? "was" : "were", finding->backlog,
		    finding->backlog_max);
}

/* What is said of some by their numbers. */
static bool has_own_meaning(
    const struct finding *finding, const struct sentence_style *style, char *buffer, size_t size)
{
	if (finding->kind == FINDING_READER)
		return describe_reading(finding->read_bytes, style->looked_ns, buffer, size);
	if (finding->kind != FINDING_BACKLOG)
		return false;
	describe_queue(finding, buffer, size);
	return true;
}

void sentence_compose(
    struct sentence *sentence, const struct finding *finding, const struct sentence_style *style)
{
	uint8_t cause = says[finding->kind].cause;
	char numbers[NUMBERS_SIZE], own[NUMBERS_SIZE];
	const char *meaning = says[finding->kind].meaning ?: cause_meaning(cause);

	describe(style, finding, sentence->headline, sizeof sentence->headline);
	size_t used = strlen(sentence->headline);
	char *end = sentence->headline + used;

	if (cause != CAUSE_NONE)
		snprintf(end, sizeof sentence->headline - used, ": %s %u%%", cause_name(cause),
		    finding->share_pct);
	else
		snprintf(end, sizeof sentence->headline - used, ": %s", finding_name(finding->kind));
	describe_numbers(finding, style->looked_ns, numbers);
	if (has_own_meaning(finding, style, own, sizeof own))
		meaning = own;
	snprintf(
	    sentence->evidence, sizeof sentence->evidence, "%s%s%s", meaning, *numbers ? "; " : "", numbers);
	add_peer(style, finding, sentence->evidence, sizeof sentence->evidence);
}

const char *sentence_limit(const struct finding *finding)
{
	return finding->kind == FINDING_BACKLOG && finding->waiters ? "whom else it has turned away"
	                                                            : says[finding->kind].limit;
}
