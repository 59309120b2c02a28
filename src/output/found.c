/* SPDX-License-Identifier: Apache-2.0 */
#include "output/found.h"

#include "base/util.h"

_Static_assert(offsetof(struct told, finding.session) == 0, "addresses find their family");

#define MEMBER(member) offsetof(struct told, member)
/* clang-format off */
static const struct field told_rows[] = {
	{ "kind", FIELD_TEXT, FIELD_REQUIRED, MEMBER(kind), 0 },
	{ "pid", FIELD_U32, FIELD_REQUIRED, MEMBER(finding.session.pid), 0 },
	{ "comm", FIELD_NAME, FIELD_REQUIRED, MEMBER(finding.session.comm), 0 },
	{ "uid", FIELD_U32, FIELD_KNOWN, MEMBER(finding.session.uid), UINT32_MAX },
	{ "cgroup_id", FIELD_U64, FIELD_KNOWN, MEMBER(finding.session.cgroup_id), 0 },
	{ "netns", FIELD_U32, FIELD_REQUIRED, MEMBER(finding.session.netns), 0 },
	{ "serves", FIELD_ANSWER, FIELD_KNOWN, MEMBER(finding.accepted), FIELD_ANSWER_UNKNOWN },
	{ "family", FIELD_FAMILY, FIELD_REQUIRED, MEMBER(finding.session.family), 0 },
	{ "laddr", FIELD_ADDRESS, FIELD_REQUIRED, MEMBER(finding.session.laddr), 0 },
	{ "lport", FIELD_U16, FIELD_REQUIRED, MEMBER(finding.session.lport), 0 },
	{ "raddr", FIELD_ADDRESS, FIELD_REQUIRED, MEMBER(finding.session.raddr), 0 },
	{ "rport", FIELD_U16, FIELD_REQUIRED, MEMBER(finding.session.rport), 0 },
	{ "connections", FIELD_U32, FIELD_REQUIRED, MEMBER(finding.connections), 0 },
	{ "remotes", FIELD_U32, FIELD_REQUIRED, MEMBER(finding.remotes), 0 },
	{ "share_pct", FIELD_U8, FIELD_REQUIRED, MEMBER(finding.share_pct), 0 },
	{ "waited_ms", FIELD_U64, FIELD_REQUIRED, MEMBER(finding.waited_ms), 0 },
	{ "unread_bytes", FIELD_U64, FIELD_REQUIRED, MEMBER(finding.unread_bytes), 0 },
	{ "unacked_bytes", FIELD_U64, FIELD_REQUIRED, MEMBER(finding.unacked_bytes), 0 },
	{ "sent_bytes", FIELD_U64, FIELD_REQUIRED, MEMBER(finding.sent_bytes), 0 },
	{ "retrans_bytes", FIELD_U64, FIELD_REQUIRED, MEMBER(finding.retrans_bytes), 0 },
	{ "retries", FIELD_U32, FIELD_REQUIRED, MEMBER(finding.retries), 0 },
	{ "idle_s", FIELD_U32, FIELD_REQUIRED, MEMBER(finding.idle_s), 0 },
	{ "rtt_us", FIELD_U32, FIELD_KNOWN, MEMBER(finding.rtt_us), 0 },
	{ "rtt_min_us", FIELD_U32, FIELD_KNOWN, MEMBER(finding.rtt_min_us), 0 },
	{ "backlog_max", FIELD_U32, FIELD_KNOWN, MEMBER(finding.backlog_max), 0 },
	{ "backlog", FIELD_U32, FIELD_JOINED, MEMBER(finding.backlog), 0 },
	{ "drops", FIELD_U32, FIELD_JOINED, MEMBER(finding.drops), 0 },
	{ "ended", FIELD_U32, FIELD_KNOWN, MEMBER(finding.ended), 0 },
	{ "failed", FIELD_U32, FIELD_JOINED, MEMBER(finding.failed), 0 },
	{ "closed_first", FIELD_U32, FIELD_JOINED, MEMBER(finding.closed_first), 0 },
	{ "short", FIELD_U32, FIELD_KNOWN, MEMBER(finding.shorts), 0 },
	{ "peer_pid", FIELD_U32, FIELD_KNOWN, MEMBER(finding.peer.pid), 0 },
	{ "peer_comm", FIELD_NAME, FIELD_JOINED, MEMBER(finding.peer.comm), 0 },
	{ "text", FIELD_TEXT, FIELD_REQUIRED, MEMBER(text), 0 },
	{ "limit", FIELD_TEXT, FIELD_REQUIRED, MEMBER(limit), 0 },
};
/* clang-format on */
const struct field_table told_fields = { told_rows, COUNT_OF(told_rows) };
