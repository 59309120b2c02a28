/* SPDX-License-Identifier: Apache-2.0 */
#include "output/losses.h"

#include <inttypes.h>

#include "model/snapshot.h"

void losses_print(FILE *stream, const struct snapshot *snapshot)
{
	const struct session_other *other = &snapshot->other;

	if (other->calls || other->rx_bytes || other->tx_bytes)
		fprintf(stream,
		    "tcptop: table full: other connections, not listed, received %" PRIu64
		    " and sent %" PRIu64 " bytes in %" PRIu64 " calls; raise --max-sessions\n",
		    (uint64_t)other->rx_bytes, (uint64_t)other->tx_bytes, (uint64_t)other->calls);
	if (snapshot->missed_runs)
		fprintf(stream,
		    "tcptop: the kernel skipped %" PRIu64
		    " probe runs in this interval: their bytes are missing\n",
		    snapshot->missed_runs);
}
