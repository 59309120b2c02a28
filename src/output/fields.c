/* SPDX-License-Identifier: Apache-2.0 */
#include "output/fields.h"

#include <string.h>

#include "base/util.h"

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
	{ "tcp_tx_bytes", FIELD_U64, FIELD_JOINED, offsetof(struct link, tcp_tx_bytes), LINK_TCP_UNKNOWN },
};

static const struct field interval_rows[] = {
	{ "unplaced_rx_bytes", FIELD_U64, FIELD_KNOWN, offsetof(struct snapshot, links.unplaced_rx_bytes), 0 },
	{ "unplaced_tx_bytes", FIELD_U64, FIELD_KNOWN, offsetof(struct snapshot, links.unplaced_tx_bytes), 0 },
	{ "missed_runs", FIELD_U64, FIELD_ALWAYS, offsetof(struct snapshot, missed_runs), 0 },
	{ "ends_lost", FIELD_U64, FIELD_KNOWN, offsetof(struct snapshot, endings_lost), 0 },
};
/* clang-format on */

const struct field_table session_fields = { session_rows, COUNT_OF(session_rows) };
const struct field_table ending_fields = { ending_rows, COUNT_OF(ending_rows) };
const struct field_table other_fields = { other_rows, COUNT_OF(other_rows) };
const struct field_table link_fields = { link_rows, COUNT_OF(link_rows) };
const struct field_table interval_fields = { interval_rows, COUNT_OF(interval_rows) };

uint64_t field_max(const struct field *field)
{
	switch (field->type) {
	case FIELD_BOOL:
	case FIELD_ANSWER:
		return 1;
	case FIELD_FAMILY:
		return 6;
	case FIELD_U16:
		return UINT16_MAX;
	case FIELD_U32:
		return UINT32_MAX;
	case FIELD_U64:
		return INT64_MAX;
	case FIELD_ADDRESS:
	case FIELD_NAME:
		break;
	}
	return 0;
}

bool field_is_known(const struct field *field, const void *record)
{
	if (field->presence != FIELD_KNOWN)
		return true;
	if (field->type == FIELD_NAME)
		return *((const char *)record + field->offset) != '\0';
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
	case FIELD_NAME:
		break;
	}
	return 0;
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
	case FIELD_NAME:
		break;
	}
}
