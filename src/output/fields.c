/* SPDX-License-Identifier: Apache-2.0 */
#include "output/fields.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "model/how.h"
#include "output/origin.h"

#define SHARE_FIELD(name, which)                                                                         \
	{                                                                                                \
		name "_pct", FIELD_U8, FIELD_KNOWN, offsetof(struct session, socket.shares) + (which), 0 \
	}

#define EXCLUDED_FIELD(name, which)                                                           \
	{                                                                                     \
		"not_audited_" name, FIELD_U32, FIELD_KNOWN,                                  \
		    offsetof(struct snapshot, audit.excluded) + (which) * sizeof(uint32_t), 0 \
	}

/* clang-format off */
static const struct field session_rows[] = {
	{ "pid", FIELD_U32, FIELD_REQUIRED, offsetof(struct session, pid), 0 },
	{ "comm", FIELD_NAME, FIELD_REQUIRED, offsetof(struct session, comm), 0 },
	{ "family", FIELD_FAMILY, FIELD_REQUIRED, offsetof(struct session, family), 0 },
	{ "laddr", FIELD_ADDRESS, FIELD_REQUIRED, offsetof(struct session, laddr), 0 },
	{ "lport", FIELD_U16, FIELD_REQUIRED, offsetof(struct session, lport), 0 },
	{ "raddr", FIELD_ADDRESS, FIELD_REQUIRED, offsetof(struct session, raddr), 0 },
	{ "rport", FIELD_U16, FIELD_REQUIRED, offsetof(struct session, rport), 0 },
	{ "netns", FIELD_U32, FIELD_ALWAYS, offsetof(struct session, netns), 0 },
	{ "ifindex", FIELD_U32, FIELD_KNOWN, offsetof(struct session, ifindex), 0 },
	{ "ifname", FIELD_NAME, FIELD_KNOWN, offsetof(struct session, ifname), 0 },
	{ "rx_bytes", FIELD_U64, FIELD_REQUIRED, offsetof(struct session, rx_bytes), 0 },
	{ "tx_bytes", FIELD_U64, FIELD_REQUIRED, offsetof(struct session, tx_bytes), 0 },
	{ "uid", FIELD_U32, FIELD_KNOWN, offsetof(struct session, uid), UINT32_MAX },
	{ "cgroup_id", FIELD_U64, FIELD_KNOWN, offsetof(struct session, cgroup_id), 0 },
	{ "mntns", FIELD_U32, FIELD_KNOWN, offsetof(struct session, mntns), 0 },
	{ "process_start_ms", FIELD_U32, FIELD_KNOWN, offsetof(struct session, process_start_ms), 0 },
	{ "is_closed", FIELD_BOOL, FIELD_KNOWN, offsetof(struct session, is_closed), 0 },
	{ "accepted", FIELD_ANSWER, FIELD_KNOWN, offsetof(struct session, accepted), FIELD_ANSWER_UNKNOWN },
	{ "rtt_us", FIELD_U32, FIELD_KNOWN, offsetof(struct session, rtt_us), 0 },
	{ "retransmits", FIELD_U32, FIELD_JOINED, offsetof(struct session, retransmits), 0 },
	{ "state", FIELD_STATE, FIELD_KNOWN, offsetof(struct session, socket.state), STATE_UNKNOWN },
	{ "idle_s", FIELD_U32, FIELD_JOINED, offsetof(struct session, socket.idle_s), 0 },
	{ "unread_bytes", FIELD_U32, FIELD_JOINED, offsetof(struct session, socket.unread_bytes), 0 },
	{ "unsent_bytes", FIELD_U32, FIELD_JOINED, offsetof(struct session, socket.unsent_bytes), 0 },
	{ "unacked_bytes", FIELD_U32, FIELD_JOINED, offsetof(struct session, socket.unacked_bytes), 0 },
	{ "retries", FIELD_U8, FIELD_JOINED, offsetof(struct session, socket.retries), 0 },
	{ "sent_bytes", FIELD_U64, FIELD_JOINED, offsetof(struct session, socket.sent_bytes), 0 },
	{ "retrans_bytes", FIELD_U64, FIELD_JOINED, offsetof(struct session, socket.retrans_bytes), 0 },
	{ "backlog_max", FIELD_U32, FIELD_KNOWN, offsetof(struct session, socket.backlog_max), 0 },
	{ "backlog", FIELD_U32, FIELD_JOINED, offsetof(struct session, socket.backlog), 0 },
	{ "drops", FIELD_U32, FIELD_JOINED, offsetof(struct session, socket.drops), 0 },
	{ "rtt_min_us", FIELD_U32, FIELD_KNOWN, offsetof(struct session, socket.rtt_min_us), 0 },
	{ "rtt_received_us", FIELD_U32, FIELD_KNOWN, offsetof(struct session, socket.rtt_received_us), 0 },
	{ "rx_idle_ms", FIELD_U32, FIELD_KNOWN, offsetof(struct session, socket.rx_idle_ms), 0 },
	{ "tx_idle_ms", FIELD_U32, FIELD_KNOWN, offsetof(struct session, socket.tx_idle_ms), 0 },
	{ "age_ms", FIELD_U32, FIELD_KNOWN, offsetof(struct session, socket.age_ms), 0 },
	{ "why", FIELD_CAUSE, FIELD_KNOWN, offsetof(struct session, socket.cause), CAUSE_NONE },
	SHARE_FIELD("app", CAUSE_APP), SHARE_FIELD("peer", CAUSE_PEER), SHARE_FIELD("buffer", CAUSE_BUFFER),
	SHARE_FIELD("loss", CAUSE_LOSS), SHARE_FIELD("queue", CAUSE_QUEUE), SHARE_FIELD("reader", CAUSE_READER),
	SHARE_FIELD("remote", CAUSE_REMOTE), SHARE_FIELD("idle", CAUSE_IDLE),
};

static const struct field ending_rows[] = {
	{ "ago_us", FIELD_U64, FIELD_REQUIRED, offsetof(struct ending, ago_us), 0 },
	{ "family", FIELD_FAMILY, FIELD_REQUIRED, offsetof(struct ending, connection.family), 0 },
	{ "laddr", FIELD_ADDRESS, FIELD_REQUIRED, offsetof(struct ending, connection.laddr), 0 },
	{ "lport", FIELD_U16, FIELD_REQUIRED, offsetof(struct ending, connection.lport), 0 },
	{ "raddr", FIELD_ADDRESS, FIELD_REQUIRED, offsetof(struct ending, connection.raddr), 0 },
	{ "rport", FIELD_U16, FIELD_REQUIRED, offsetof(struct ending, connection.rport), 0 },
	{ "netns", FIELD_U32, FIELD_ALWAYS, offsetof(struct ending, connection.netns), 0 },
	{ "ifindex", FIELD_U32, FIELD_KNOWN, offsetof(struct ending, connection.ifindex), 0 },
	{ "ifname", FIELD_NAME, FIELD_KNOWN, offsetof(struct ending, connection.ifname), 0 },
};

/* Its address fields find the family in a struct session at the record's place. */
_Static_assert(offsetof(struct ending, connection) == 0, "an ending begins with its connection");

static const struct field connection_rows[] = {
	{ "ago_us", FIELD_U64, FIELD_REQUIRED, offsetof(struct connection, ago_us), 0 },
	{ "pid", FIELD_U32, FIELD_KNOWN, offsetof(struct connection, session.pid), 0 },
	{ "comm", FIELD_NAME, FIELD_KNOWN, offsetof(struct connection, session.comm), 0 },
	{ "family", FIELD_FAMILY, FIELD_REQUIRED, offsetof(struct connection, session.family), 0 },
	{ "laddr", FIELD_ADDRESS, FIELD_REQUIRED, offsetof(struct connection, session.laddr), 0 },
	{ "lport", FIELD_U16, FIELD_REQUIRED, offsetof(struct connection, session.lport), 0 },
	{ "raddr", FIELD_ADDRESS, FIELD_REQUIRED, offsetof(struct connection, session.raddr), 0 },
	{ "rport", FIELD_U16, FIELD_REQUIRED, offsetof(struct connection, session.rport), 0 },
	{ "netns", FIELD_U32, FIELD_ALWAYS, offsetof(struct connection, session.netns), 0 },
	{ "ifindex", FIELD_U32, FIELD_KNOWN, offsetof(struct connection, session.ifindex), 0 },
	{ "ifname", FIELD_NAME, FIELD_KNOWN, offsetof(struct connection, session.ifname), 0 },
	{ "accepted", FIELD_ANSWER, FIELD_KNOWN, offsetof(struct connection, session.accepted),
	  FIELD_ANSWER_UNKNOWN },
	{ "end", FIELD_END, FIELD_KNOWN, offsetof(struct connection, end), END_UNKNOWN },
	{ "reason", FIELD_REASON, FIELD_KNOWN, offsetof(struct connection, reason), 0 },
	{ "error", FIELD_U32, FIELD_KNOWN, offsetof(struct connection, error), 0 },
	{ "connect_us", FIELD_U64, FIELD_KNOWN, offsetof(struct connection, connect_us), CONNECTION_UNKNOWN },
	{ "accept_us", FIELD_U64, FIELD_KNOWN, offsetof(struct connection, accept_us), CONNECTION_UNKNOWN },
	{ "syn_retries", FIELD_U32, FIELD_KNOWN, offsetof(struct connection, syn_retries), 0 },
	{ "lived_us", FIELD_U64, FIELD_KNOWN, offsetof(struct connection, lived_us), CONNECTION_UNKNOWN },
	{ "rx_bytes", FIELD_U64, FIELD_REQUIRED, offsetof(struct connection, session.rx_bytes), 0 },
	{ "tx_bytes", FIELD_U64, FIELD_REQUIRED, offsetof(struct connection, session.tx_bytes), 0 },
	{ "rtt_us", FIELD_U32, FIELD_KNOWN, offsetof(struct connection, session.rtt_us), 0 },
	{ "retransmits", FIELD_U32, FIELD_KNOWN, offsetof(struct connection, session.retransmits), 0 },
	{ "owner_by", FIELD_OWNER, FIELD_KNOWN, offsetof(struct connection, owner_known), LIFE_OWNER_UNKNOWN },
	{ "uid", FIELD_U32, FIELD_KNOWN, offsetof(struct connection, session.uid), UINT32_MAX },
	{ "cgroup_id", FIELD_U64, FIELD_KNOWN, offsetof(struct connection, session.cgroup_id), 0 },
	{ "mntns", FIELD_U32, FIELD_KNOWN, offsetof(struct connection, session.mntns), 0 },
	{ "process_start_ms", FIELD_U32, FIELD_KNOWN, offsetof(struct connection, session.process_start_ms), 0 },
};

_Static_assert(offsetof(struct connection, session) == 0, "a connection begins with its session, as an ending");

static const struct field other_rows[] = {
	{ "other_calls", FIELD_U64, FIELD_ALWAYS, offsetof(struct session_other, calls), 0 },
	{ "other_rx_bytes", FIELD_U64, FIELD_ALWAYS, offsetof(struct session_other, rx_bytes), 0 },
	{ "other_tx_bytes", FIELD_U64, FIELD_ALWAYS, offsetof(struct session_other, tx_bytes), 0 },
};

#define COUNT_OFFSET(which) (offsetof(struct link, counts) + (which) * sizeof(uint64_t))
static const struct field link_rows[] = {
	{ "ifindex", FIELD_U32, FIELD_REQUIRED, offsetof(struct link, ifindex), 0 },
	{ "ifname", FIELD_NAME, FIELD_REQUIRED, offsetof(struct link, name), 0 },
	{ "speed_mbit", FIELD_U32, FIELD_KNOWN, offsetof(struct link, speed_mbit), 0 },
	{ "span_ns", FIELD_U64, FIELD_REQUIRED, offsetof(struct link, span_ns), 0 },
	{ "rx_bytes", FIELD_U64, FIELD_REQUIRED, COUNT_OFFSET(LINK_RX_BYTES), 0 },
	{ "tx_bytes", FIELD_U64, FIELD_REQUIRED, COUNT_OFFSET(LINK_TX_BYTES), 0 },
	{ "rx_packets", FIELD_U64, FIELD_ALWAYS, COUNT_OFFSET(LINK_RX_PACKETS), 0 },
	{ "tx_packets", FIELD_U64, FIELD_ALWAYS, COUNT_OFFSET(LINK_TX_PACKETS), 0 },
	{ "rx_drops", FIELD_U64, FIELD_ALWAYS, COUNT_OFFSET(LINK_RX_DROPS), 0 },
	{ "tx_drops", FIELD_U64, FIELD_ALWAYS, COUNT_OFFSET(LINK_TX_DROPS), 0 },
	{ "rx_errors", FIELD_U64, FIELD_ALWAYS, COUNT_OFFSET(LINK_RX_ERRORS), 0 },
	{ "tx_errors", FIELD_U64, FIELD_ALWAYS, COUNT_OFFSET(LINK_TX_ERRORS), 0 },
	{ "tcp_rx_bytes", FIELD_U64, FIELD_KNOWN, offsetof(struct link, tcp_rx_bytes), LINK_TCP_UNKNOWN },
	{ "tcp_tx_bytes", FIELD_U64, FIELD_JOINED, offsetof(struct link, tcp_tx_bytes), 0 },
};

#define TEXT_OFFSET(which) (offsetof(struct cgroup_told, texts) + (which) * sizeof(const char *))
static const struct field cgroup_rows[] = {
	{ "cgroup_id", FIELD_U64, FIELD_REQUIRED, offsetof(struct cgroup_told, id), 0 },
	{ "pid", FIELD_U32, FIELD_KNOWN, offsetof(struct cgroup_told, pid), 0 },
	{ "path", FIELD_TEXT, FIELD_KNOWN, TEXT_OFFSET(CGROUP_PATH), 0 },
	{ "name", FIELD_TEXT, FIELD_KNOWN, TEXT_OFFSET(CGROUP_NAME), 0 },
	{ "container", FIELD_TEXT, FIELD_KNOWN, TEXT_OFFSET(CGROUP_CONTAINER), 0 },
	{ "container_id", FIELD_TEXT, FIELD_KNOWN, TEXT_OFFSET(CGROUP_CONTAINER_ID), 0 },
	{ "pod", FIELD_TEXT, FIELD_KNOWN, TEXT_OFFSET(CGROUP_POD), 0 },
	{ "namespace", FIELD_TEXT, FIELD_KNOWN, TEXT_OFFSET(CGROUP_NAMESPACE), 0 },
	{ "unit", FIELD_TEXT, FIELD_KNOWN, TEXT_OFFSET(CGROUP_UNIT), 0 },
};

static const struct field origin_rows[] = {
	{ "tcptop", FIELD_TEXT, FIELD_KNOWN, offsetof(struct origin, version), 0 },
	{ "host", FIELD_TEXT, FIELD_KNOWN, offsetof(struct origin, host), 0 },
	{ "boot_id", FIELD_TEXT, FIELD_KNOWN, offsetof(struct origin, boot_id), 0 },
	{ "kernel", FIELD_TEXT, FIELD_KNOWN, offsetof(struct origin, kernel), 0 },
	{ "monotonic_ms", FIELD_U64, FIELD_KNOWN, offsetof(struct origin, monotonic_ms), 0 },
};

static const struct field interval_rows[] = {
	{ "unplaced_rx_bytes", FIELD_U64, FIELD_KNOWN, offsetof(struct snapshot, links.unplaced_rx_bytes), 0 },
	{ "unplaced_tx_bytes", FIELD_U64, FIELD_KNOWN, offsetof(struct snapshot, links.unplaced_tx_bytes), 0 },
	{ "missed_runs", FIELD_U64, FIELD_ALWAYS, offsetof(struct snapshot, missed_runs), 0 },
	{ "cost_ns", FIELD_U64, FIELD_KNOWN, offsetof(struct snapshot, cost.total_ns), 0 },
	{ "cost_programs_ns", FIELD_U64, FIELD_JOINED, offsetof(struct snapshot, cost.programs_ns), 0 },
	{ "program_runs", FIELD_U64, FIELD_JOINED, offsetof(struct snapshot, cost.runs), 0 },
	{ "ends_lost", FIELD_U64, FIELD_KNOWN, offsetof(struct snapshot, endings_lost), 0 },
	{ "connections_lost", FIELD_U64, FIELD_KNOWN, offsetof(struct snapshot, connections_lost), 0 },
	{ "connections_noted", FIELD_BOOL, FIELD_KNOWN, offsetof(struct snapshot, notes_connections), 0 },
	{ "connections_error", FIELD_U32, FIELD_KNOWN, offsetof(struct snapshot, connections_error), 0 },
	{ "sockets_followed", FIELD_BOOL, FIELD_KNOWN, offsetof(struct snapshot, sockets.follows), 0 },
	{ "audited", FIELD_U32, FIELD_JOINED, offsetof(struct snapshot, audit.sockets), 0 },
	{ "audited_bytes", FIELD_U64, FIELD_JOINED, offsetof(struct snapshot, audit.bytes), 0 },
	{ "deviating", FIELD_U32, FIELD_JOINED, offsetof(struct snapshot, audit.deviating), 0 },
	{ "unexplained_bytes", FIELD_U64, FIELD_JOINED, offsetof(struct snapshot, audit.unexplained_bytes), 0 },
	{ "audit_pending", FIELD_U32, FIELD_JOINED, offsetof(struct snapshot, audit.pending), 0 },
	EXCLUDED_FIELD("filtered", AUDIT_FILTERED), EXCLUDED_FIELD("layered", AUDIT_LAYERED),
	EXCLUDED_FIELD("kernel", AUDIT_KERNEL), EXCLUDED_FIELD("repaired", AUDIT_REPAIRED),
	EXCLUDED_FIELD("urgent", AUDIT_URGENT), EXCLUDED_FIELD("unknown", AUDIT_UNKNOWN),
	{ "healed_bytes", FIELD_U64, FIELD_KNOWN, offsetof(struct snapshot, audit.healed_bytes), 0 },
	{ "sockets_cpu_ns", FIELD_U64, FIELD_KNOWN, offsetof(struct snapshot, sockets.cpu_ns), 0 },
	{ "sockets", FIELD_U32, FIELD_JOINED, offsetof(struct snapshot, sockets.count), 0 },
	{ "sockets_passed_ns", FIELD_U64, FIELD_JOINED, offsetof(struct snapshot, sockets.passed_ns), 0 },
	{ "sockets_not_told", FIELD_U32, FIELD_KNOWN, offsetof(struct snapshot, sockets.beyond), 0 },
	{ "sockets_not_followed", FIELD_U64, FIELD_KNOWN, offsetof(struct snapshot, sockets.unstored), 0 },
};
/* clang-format on */

const struct field_table session_fields = { session_rows, COUNT_OF(session_rows) };
const struct field_table ending_fields = { ending_rows, COUNT_OF(ending_rows) };
const struct field_table connection_fields = { connection_rows, COUNT_OF(connection_rows) };
const struct field_table other_fields = { other_rows, COUNT_OF(other_rows) };
const struct field_table link_fields = { link_rows, COUNT_OF(link_rows) };
const struct field_table cgroup_fields = { cgroup_rows, COUNT_OF(cgroup_rows) };
const struct field_table origin_fields = { origin_rows, COUNT_OF(origin_rows) };
const struct field_table interval_fields = { interval_rows, COUNT_OF(interval_rows) };

uint64_t field_max(const struct field *field)
{
	switch (field->type) {
	case FIELD_BOOL:
	case FIELD_ANSWER:
		return 1;
	case FIELD_FAMILY:
		return 6;
	case FIELD_STATE:
		return SOCKET_STATE_COUNT - 1;
	case FIELD_CAUSE:
		return CAUSE_COUNT - 1;
	case FIELD_END:
		return END_COUNT - 1;
	case FIELD_OWNER:
		return LIFE_OWNER_TRAFFIC;
	case FIELD_U8:
		return UINT8_MAX;
	case FIELD_U16:
		return UINT16_MAX;
	case FIELD_U32:
		return UINT32_MAX;
	case FIELD_U64:
		return INT64_MAX;
	case FIELD_ADDRESS:
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_REASON:
		break;
	}
	return 0;
}

bool field_is_known(const struct field *field, const void *record)
{
	if (field->presence != FIELD_KNOWN)
		return true;
	const char *at = (const char *)record + field->offset;

	if (field->type == FIELD_NAME || field->type == FIELD_REASON)
		return *at != '\0';
	if (field->type == FIELD_TEXT)
		return *(const char *const *)(const void *)at != NULL;
	return field_number(field, record) != field->absent;
}

uint64_t field_number(const struct field *field, const void *record)
{
	const void *at = (const char *)record + field->offset;

	switch (field->type) {
	case FIELD_BOOL:
		return *(const bool *)at;
	case FIELD_ANSWER:
		return (uint64_t) * (const uint8_t *)at - ANSWER_NO;
	case FIELD_FAMILY:
	case FIELD_STATE:
	case FIELD_CAUSE:
	case FIELD_END:
	case FIELD_OWNER:
	case FIELD_U8:
		return *(const uint8_t *)at;
	case FIELD_U16:
		return *(const uint16_t *)at;
	case FIELD_U32:
		return *(const uint32_t *)at;
	case FIELD_U64: {
		uint64_t number;

		memcpy(&number, at, sizeof number); /* the kernel's __u64 is another type */
		return number;
	}
	case FIELD_ADDRESS:
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_REASON:
		break;
	}
	return 0;
}

/* Of the types that are written as words. NULL: it is none, or there is no such number. */
static const char *word_of(enum field_type type, uint8_t number)
{
	switch (type) {
	case FIELD_STATE:
		return socket_state_name(number);
	case FIELD_CAUSE:
		return cause_name(number);
	case FIELD_END:
		return connection_end_name(number);
	case FIELD_OWNER:
		return life_owner_name(number);
	default:
		return NULL;
	}
}

static bool is_word(const struct field *field)
{
	return field->type == FIELD_STATE || field->type == FIELD_CAUSE || field->type == FIELD_END ||
	       field->type == FIELD_OWNER;
}

const char *field_word(const struct field *field, const void *record)
{
	if (!is_word(field))
		return NULL;
	return word_of(field->type, (uint8_t)field_number(field, record));
}

void field_set_number(const struct field *field, void *record, uint64_t number)
{
	void *at = (char *)record + field->offset;

	switch (field->type) {
	case FIELD_BOOL:
		*(bool *)at = number;
		break;
	case FIELD_ANSWER:
		*(uint8_t *)at = (uint8_t)(number + ANSWER_NO);
		break;
	case FIELD_FAMILY:
	case FIELD_STATE:
	case FIELD_CAUSE:
	case FIELD_END:
	case FIELD_OWNER:
	case FIELD_U8:
		*(uint8_t *)at = (uint8_t)number;
		break;
	case FIELD_U16:
		*(uint16_t *)at = (uint16_t)number;
		break;
	case FIELD_U32:
		*(uint32_t *)at = (uint32_t)number;
		break;
	case FIELD_U64:
		memcpy(at, &number, sizeof number);
		break;
	case FIELD_ADDRESS:
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_REASON:
		break;
	}
}

/* ---- reading ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The bytes from their hex digits, at most so many, and a NUL. */
static bool read_hex(const char *hex, char *name, size_t max)
{
	size_t length = 0;

	for (; hex[2 * length] && length < max; length++) {
		int high = hex_digit(hex[2 * length]);
		int low = high < 0 ? -1 : hex_digit(hex[2 * length + 1]);

		if (low < 0)
			return false;
		name[length] = (char)(high << 4 | low);
	}
	name[length] = '\0';
	return true;
}

/* NAME_hex has the exact bytes where NAME could not hold them. */
static const char *read_name(const struct field *field, const json_t *object, char *name)
{
	char hex_key[FIELD_KEY_MAX + sizeof "_hex"];

	snprintf(hex_key, sizeof hex_key, "%s_hex", field->key);
	const char *hex = json_string_value(json_object_get(object, hex_key));
	const char *text = json_string_value(json_object_get(object, field->key));

	if (hex)
		return read_hex(hex, name, field_name_size(field) - 1)
		           ? NULL
		           : "_hex has a byte that is not two hex digits";
	if (!text && field->presence == FIELD_KNOWN && !json_object_get(object, field->key))
		text = "";
	if (!text)
		return " is missing or no text";
	snprintf(name, field_name_size(field), "%s", text);
	return NULL;
}

static const char *read_address(const json_t *value, struct session *session, uint8_t *address)
{
	const char *text = json_string_value(value);

	return text && inet_pton(session->family == 4 ? AF_INET : AF_INET6, text, address) == 1
	           ? NULL
	           : " is no address of its family";
}

static const char *read_word(const struct field *field, const json_t *value, void *record)
{
	const char *text = json_string_value(value);

	for (uint8_t i = 1; text && i <= field_max(field); i++)
		if (strcmp(text, word_of(field->type, i)) == 0) {
			field_set_number(field, record, i);
			return NULL;
		}
	return " is no word that is known";
}

static const char *read_number(const struct field *field, const json_t *value, void *record)
{
	json_int_t number = json_integer_value(value);
	bool is_right = json_is_integer(value) && number >= 0 && (uint64_t)number <= field_max(field);

	if (field->type == FIELD_FAMILY && !(is_right && (number == 4 || number == 6)))
		return " is neither 4 nor 6";
	if (!is_right)
		return " is no whole number, or out of range";
	field_set_number(field, record, (uint64_t)number);
	return NULL;
}

/* A text within the object, borrowed; the bytes of NAME_hex, up to a NUL, take the place of one that could not hold them. */
static const char *read_text(const struct field *field, json_t *object, const char **text)
{
	char hex_key[FIELD_KEY_MAX + sizeof "_hex"], decoded[CGROUP_TOLD_TEXT_MAX + 1];

	snprintf(hex_key, sizeof hex_key, "%s_hex", field->key);
	const char *hex = json_string_value(json_object_get(object, hex_key));

	if (hex && !read_hex(hex, decoded, CGROUP_TOLD_TEXT_MAX))
		return "_hex has a byte that is not two hex digits";
	if (hex && json_object_set_new(object, field->key, json_string_nocheck(decoded)) < 0)
		return ": no memory for it";
	const json_t *value = json_object_get(object, field->key);

	*text = json_string_value(value);
	return value && !*text ? " is no text" : NULL;
}

const char *field_read(const struct field *field, json_t *object, void *record)
{
	void *at = (char *)record + field->offset;

	if (field->type == FIELD_NAME || field->type == FIELD_REASON)
		return read_name(field, object, at);
	if (field->type == FIELD_TEXT)
		return read_text(field, object, at);
	const json_t *value = json_object_get(object, field->key);

	if (!value && field->presence == FIELD_REQUIRED)
		return " is missing";
	if (field->type == FIELD_ADDRESS)
		return read_address(value, record, at);
	if (value && is_word(field))
		return read_word(field, value, record);
	if (value)
		return read_number(field, value, record);
	field_set_number(field, record, field->absent);
	return NULL;
}

/* To the digit: a floating point number would lose the last one, and depends on the locale. */
int field_read_time(const json_t *object, struct timespec *time)
{
	const char *text = json_string_value(json_object_get(object, "time"));
	struct tm tm = { 0 };
	int length = 0;
	long unit_ns = NS_PER_S / 10;

	if (!text ||
	    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
	        &tm.tm_min, &tm.tm_sec, &length) != 6 ||
	    tm.tm_sec < 0 || tm.tm_sec > 60)
		return -1;
	text += length;
	time->tv_nsec = 0;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, unit_ns /= 10)
			time->tv_nsec += (*text - '0') * unit_ns;
	if (strcmp(text, "Z") != 0)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	time->tv_sec = timegm(&tm);
	return 0;
}
