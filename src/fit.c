/* SPDX-License-Identifier: Apache-2.0 */
#include "fit.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hierarchy.h"
#include "model/snapshot.h"
#include "options.h"

/* Kernel memory of a session in both generations of its family's tables, taken at once (6.1, 6.18). */
enum { SESSION4_BYTES = 288, SESSION6_BYTES = 336, MAX_SESSIONS_LEAST = 1024, MAX_SOCKETS_LIMIT = 1 << 20 };

/* What it takes with few connections. */
#define OWN_BYTES (UINT64_C(12) << 20)

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

/* Of a cgroup of the v2 hierarchy; UINT64_MAX: it has no limit. What the kernel can drop of it at once is available. */
static uint64_t cgroup_available_bytes(const char *path)
{
	char file[PATH_MAX];

	snprintf(file, sizeof file, "%s/memory.max", path);
	uint64_t limit = read_number(file, "%" SCNu64);

	snprintf(file, sizeof file, "%s/memory.current", path);
	uint64_t used = read_number(file, "%" SCNu64);

	snprintf(file, sizeof file, "%s/memory.stat", path);
	uint64_t droppable = read_number(file, "inactive_file %" SCNu64);

	used -= droppable < used ? droppable : used;
	if (!limit)
		return UINT64_MAX; /* "max", or none is told */
	return used < limit ? limit - used : 1;
}

/* The least of the host's and of those of this process's cgroup and all above it. 0: not known. */
static uint64_t read_available_bytes(void)
{
	uint64_t least = read_number("/proc/meminfo", "MemAvailable: %" SCNu64 " kB") * 1024;
	struct hierarchy hierarchy;
	char path[PATH_MAX], own[PATH_MAX / 2] = "";
	FILE *stream = fopen("/proc/self/cgroup", "re");

	while (stream && fgets(path, sizeof path, stream))
		if (sscanf(path, "0::%2047[^\n]", own) == 1)
			break;
	if (stream)
		fclose(stream);
	hierarchy_find(&hierarchy, "");
	/* One above this process's root of cgroups cannot be read. */
	if (!*hierarchy.path || !*own || strstr(own, "/.."))
		return least;
	snprintf(path, sizeof path, "%s%s", hierarchy.path, own);
	for (size_t length = strlen(path); length >= strlen(hierarchy.path); path[length] = '\0') {
		uint64_t bytes = cgroup_available_bytes(path);

		least = bytes < least ? bytes : least;
		while (length && path[--length] != '/') {
		}
	}
	return least;
}

static uint64_t table_bytes(uint32_t max_sessions, int family)
{
	return max_sessions *
	       ((family == 6 ? UINT64_C(0) : SESSION4_BYTES) + (family == 4 ? UINT64_C(0) : SESSION6_BYTES));
}

uint64_t fit_own_bytes(uint32_t max_sessions, int family, size_t shown_bytes)
{
	return OWN_BYTES + (uint64_t)max_sessions * (family ? 1 : 2) * (sizeof(struct session) + shown_bytes);
}

void fit_tell_own(uint32_t max_sessions, int family, size_t shown_bytes, bool verbose)
{
	uint64_t own_bytes = fit_own_bytes(max_sessions, family, shown_bytes);
	uint64_t needed_bytes = table_bytes(max_sessions, family) + own_bytes;
	uint64_t available_bytes = read_available_bytes();

	if (verbose)
		fprintf(stderr,
		    "tcptop: when all places of the tables are in use, up to %.1f MB of memory beside them\n",
		    own_bytes / 1e6);
	if (max_sessions != MAX_SESSIONS_DEFAULT && available_bytes && needed_bytes > available_bytes)
		fprintf(stderr,
		    "tcptop: --max-sessions %" PRIu32 " may take up to %.1f MB, %.1f of them when so many "
		    "connections are there; %.1f MB are available\n",
		    max_sessions, needed_bytes / 1e6, own_bytes / 1e6, available_bytes / 1e6);
}

int fit_maps(uint32_t *max_sessions, int family, struct error *error)
{
	uint64_t session_bytes = table_bytes(1, family);
	uint64_t needed_bytes = table_bytes(*max_sessions, family);
	uint64_t available_bytes = read_available_bytes();
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
