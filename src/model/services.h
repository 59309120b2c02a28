/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is served: by listening port how many connections are new, open, wait to be accepted, were dropped, have ended and how.
 * Pure: snapshots in, services out.
 */
#ifndef TCPTOP_SERVICES_H
#define TCPTOP_SERVICES_H

#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

/* Of connections that have ended. */
struct service_ends {
	uint32_t ended;
	uint32_t resets;    /* of them, by this side or the remote, */
	uint32_t timed_out; /* and without an answer */
};

/* A port of a network namespace, and all that listen on it. Counts are of the time since the pass over sockets before. */
struct service {
	struct session session; /* of one listener: its process, addresses and port */
	uint32_t listeners;
	uint32_t open;        /* connections that a process has now */
	uint32_t backlog;     /* and that wait to be accepted, */
	uint32_t backlog_max; /* of which there may be so many */
	uint32_t fresh;       /* that were established */
	uint32_t drops;       /* that were turned away */
	struct service_ends ends;
	struct service_ends all;   /* since services are told, */
	uint32_t all_drops;        /* and of these */
	uint32_t drops_told;       /* by listeners, since they began */
	int64_t ahead;             /* so many were seen to go before they are told to have ended */
	struct service_ends later; /* since the latest pass */
};

/* As of the latest pass over sockets. */
struct services {
	struct service *items; /* by namespace and port; NULL: there was no pass yet */
	size_t count;
	uint64_t span_ns; /* the time since the pass before; 0: none, and what is new is not known */
};

/* Zeroes *services, which the caller owns; services_fini frees what it has allocated. */
void services_init(struct services *services);
void services_fini(struct services *services);

/*
 * Adds an interval. It has to tell of all sockets and of the lives of connections, else all is forgotten. Returns 1: there was a
 * pass, and services are told anew; 0: not in this interval; -ENOMEM.
 */
int services_add(struct services *services, const struct snapshot *snapshot);

/* New connections in a second. */
double service_fresh_per_s(const struct services *services, const struct service *service);

#endif
