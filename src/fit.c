/* SPDX-License-Identifier: Apache-2.0 */
#include "fit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "options.h"

/* Kernel memory of a session in both generations of its family's tables, taken at once (6.1, 6.18). */
enum { SESSION4_BYTES = 288, SESSION6_BYTES = 336, MAX_SESSIONS_LEAST = 1024, MAX_SOCKETS_LIMIT = 1 << 20 };

/* The number in the first line of that form, 0 without one. */
static uint64_t read_number(const char *path, const char *form)
{
	uint64_t number = 0;
	char line[128];
	FILE *stream = fopen(path, "re");

	while (stream && fgets(line, sizeof line, stream))
		if (sscanf(line, form, &number) == 1)
			break;
	if (stream)
		fclose(stream);
	return number;
}

int fit_maps(uint32_t *max_sessions, int family, struct error *error)
{
	uint64_t session_bytes = (family == 6 ? 0 : SESSION4_BYTES) + (family == 4 ? 0 : SESSION6_BYTES);
	uint64_t needed_bytes = *max_sessions * session_bytes;
	uint64_t available_bytes = read_number("/proc/meminfo", "MemAvailable: %" SCNu64 " kB") * 1024;
	uint64_t fit = available_bytes / 2 / session_bytes;

	if (!available_bytes || *max_sessions <= fit)
		return 0;
	if (*max_sessions == MAX_SESSIONS_DEFAULT) {
		*max_sessions = fit < MAX_SESSIONS_LEAST ? MAX_SESSIONS_LEAST : fit;
		fprintf(stderr,
		    "tcptop: %.1f MB of memory are available: tables for %u connections, not %u\n",
		    available_bytes / 1e6, *max_sessions, MAX_SESSIONS_DEFAULT);
		return 0;
	}
	return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM,
	    "--max-sessions %u needs %.1f MB of kernel memory, over half of the %.1f MB that are available\n"
	    "--max-sessions %" PRIu64 " fits; the bytes of more connections are counted as a sum",
	    *max_sessions, needed_bytes / 1e6, available_bytes / 1e6, fit);
}

/* "alloc" counts those of all network namespaces. */
void fit_sockets(uint32_t *max_sockets)
{
	uint64_t allocated =
	    read_number("/proc/net/sockstat", "TCP: inuse %*u orphan %*u tw %*u alloc %" SCNu64);

	if (allocated > MAX_SOCKETS_LIMIT / 2)
		allocated = MAX_SOCKETS_LIMIT / 2;
	if (2 * allocated > *max_sockets)
		*max_sockets = (uint32_t)(2 * allocated);
}
