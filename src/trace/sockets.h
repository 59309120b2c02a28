/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All TCP sockets of the host, in every network namespace: a pass over them at the end of an interval, once somebody
 * has asked. What is loaded at the start is attached then, which needs no privilege (5.19).
 */
#ifndef TCPTOP_SOCKETS_H
#define TCPTOP_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/audit.h"
#include "model/cause.h"
#include "model/socket.h"
#include "trace/counted.h"
#include "trace/told.h"

struct session;
struct snapshot;
struct tracing;

/* Who used a socket last, as what moves bytes is known to the byte: of those with another owner. */
struct socket_user {
	uint64_t cookie;
	struct socket_owner owner;
};

struct sockets {
	const struct tracing *tracing;     /* borrowed */
	int program_fds[3];                /* by enum socket_program: borrowed */
	int link_fds[3];                   /* -1: not attached */
	volatile struct socket_pass *pass; /* mapped; NULL: not yet */
	const struct socket_facts *facts;  /* mapped, of capacity */
	size_t capacity;
	uint64_t within_ns; /* as in struct tracer_wants */
	unsigned hz;
	uint64_t started_ns;       /* since when they are followed */
	uint64_t passed_ns;        /* the latest pass */
	uint64_t rested_ns;        /* no pass before */
	uint64_t walked_ns;        /* no walk before */
	struct socket_user *users; /* of the latest pass, by cookie */
	size_t user_count;
	struct told told;
	struct earlier earlier;
	struct audit audit;
};

/* Can sockets be told of, by this plan? */
bool sockets_possible(const struct tracing *tracing);

/* within_ns: as pass_within_ns of struct tracer_wants. */
void sockets_init(struct sockets *sockets, const struct tracing *tracing, uint64_t within_ns);
void sockets_fini(struct sockets *sockets);

/* Attaches what follows sockets, and finds those that are there. 0 or -errno. */
int sockets_start(struct sockets *sockets);

/* Detaches it: nothing more is paid. */
void sockets_stop(struct sockets *sockets);

/*
 * A pass, unless the one before was so dear that it is not due yet: the snapshot's sessions get what there is to tell
 * of their sockets, and those sockets that moved nothing get a session each. Its audit has taken in what there is of them,
 * but for what has ended; snapshot->sockets.cpu_ns tells whether there was a pass. 0 or -errno.
 */
int sockets_tell(struct sockets *sockets, struct snapshot *snapshot);

#endif
