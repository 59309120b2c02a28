/* SPDX-License-Identifier: Apache-2.0 */
#include "output/served.h"

#include "base/util.h"
#include "model/services.h"

/* clang-format off */
static const struct field service_rows[] = {
	{ "pid", FIELD_U32, FIELD_KNOWN, offsetof(struct service, session.pid), 0 },
	{ "comm", FIELD_NAME, FIELD_KNOWN, offsetof(struct service, session.comm), 0 },
	{ "family", FIELD_FAMILY, FIELD_REQUIRED, offsetof(struct service, session.family), 0 },
	{ "laddr", FIELD_ADDRESS, FIELD_REQUIRED, offsetof(struct service, session.laddr), 0 },
	{ "lport", FIELD_U16, FIELD_REQUIRED, offsetof(struct service, session.lport), 0 },
	{ "netns", FIELD_U32, FIELD_ALWAYS, offsetof(struct service, session.netns), 0 },
	{ "listeners", FIELD_U32, FIELD_REQUIRED, offsetof(struct service, listeners), 0 },
	{ "new", FIELD_U32, FIELD_REQUIRED, offsetof(struct service, fresh), 0 },
	{ "open", FIELD_U32, FIELD_REQUIRED, offsetof(struct service, open), 0 },
	{ "backlog", FIELD_U32, FIELD_REQUIRED, offsetof(struct service, backlog), 0 },
	{ "backlog_max", FIELD_U32, FIELD_REQUIRED, offsetof(struct service, backlog_max), 0 },
	{ "drops", FIELD_U32, FIELD_REQUIRED, offsetof(struct service, drops), 0 },
	{ "ended", FIELD_U32, FIELD_REQUIRED, offsetof(struct service, ends.ended), 0 },
	{ "resets", FIELD_U32, FIELD_REQUIRED, offsetof(struct service, ends.resets), 0 },
	{ "timed_out", FIELD_U32, FIELD_REQUIRED, offsetof(struct service, ends.timed_out), 0 },
	{ "uid", FIELD_U32, FIELD_KNOWN, offsetof(struct service, session.uid), UINT32_MAX },
	{ "cgroup_id", FIELD_U64, FIELD_KNOWN, offsetof(struct service, session.cgroup_id), 0 },
};
/* clang-format on */

/* Its address field finds the family in a struct session at the record's place. */
_Static_assert(offsetof(struct service, session) == 0, "a service begins with a listener's session");

const struct field_table service_fields = { service_rows, COUNT_OF(service_rows) };
