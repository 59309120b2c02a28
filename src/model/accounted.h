/* SPDX-License-Identifier: Apache-2.0 */
/* What an audit has found. Plain data, for whoever shows it. */
#ifndef TCPTOP_ACCOUNTED_H
#define TCPTOP_ACCOUNTED_H

#include <stdint.h>

/* Why a connection is left out. */
enum audit_exclusion {
	AUDIT_FILTERED, /* the filters do not let its owner pass */
	AUDIT_LAYERED,  /* kernel TLS or MPTCP: other bytes in the stream than calls move */
	AUDIT_KERNEL,   /* something in the kernel reads or writes it, too: a sockmap, NFS, NVMe */
	AUDIT_REPAIRED, /* its numbers were set (TCP_REPAIR) */
	AUDIT_URGENT,   /* urgent data has come: a byte beside the stream */
	AUDIT_UNKNOWN, /* older than the audit, and it has not stood still since, or its ports were another's just before */
	AUDIT_EXCLUSIONS
};

/* All zero: nothing was audited. */
struct audit_result {
	uint32_t sockets; /* connections that are audited, at the latest pass */
	uint32_t pending; /* of these, on which a call may have moved what it has not told yet */
	uint32_t excluded[AUDIT_EXCLUSIONS]; /* connections that are not, by the reason */
	uint32_t deviating;                  /* of which the two differ, since the start */
	uint64_t bytes;                      /* that the audited ones moved, both ways, since the start */
	uint64_t unexplained_bytes;          /* by which the two differ, since the start */
	uint64_t
	    healed_bytes; /* that runs which the kernel skipped had not counted, and the numbers gave back */
};

/* "100.000%", and never when a byte is off. Of what was accounted for. */
#define ACCOUNTED_TEXT_SIZE 16
const char *accounted_share(char text[ACCOUNTED_TEXT_SIZE], const struct audit_result *result);

#endif
