/* SPDX-License-Identifier: Apache-2.0 */
/* One interval's sessions and totals: what the tracer hands to the renderers. Plain data. */
#ifndef TCPTOP_SNAPSHOT_H
#define TCPTOP_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/address.h"
#include "model/accounted.h"
#include "model/cause.h"
#include "model/cgroup_told.h"
#include "model/cost.h"
#include "model/link.h"
#include "model/session.h"
#include "model/socket.h"

/* Names that the kernel keeps with their NUL: of tasks (TASK_COMM_LEN) and of interfaces (IFNAMSIZ). */
enum { SESSION_NAME_SIZE = SESSION_COMM_LENGTH + 1 };

_Static_assert(
    (int)SESSION_NAME_SIZE == (int)LINK_NAME_SIZE, "names of interfaces are read and written alike");

struct session {
	uint8_t family;     /* 4 or 6; an IPv4-mapped connection is 4 */
	uint8_t laddr[16];  /* network order; IPv4 in the first four bytes, the rest zero */
	uint8_t raddr[16];  /* as laddr */
	uint16_t lport;     /* host order */
	uint16_t rport;     /* host order */
	uint32_t pid;       /* thread group id in the initial PID namespace */
	uint32_t netns;     /* inode number of the network namespace */
	uint32_t mntns;     /* inode number of the mount namespace, 0 when not known */
	uint32_t uid;       /* in the initial user namespace; UINT32_MAX when not known */
	uint64_t cgroup_id; /* in the v2 hierarchy, 0 when not known */
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	uint32_t rtt_us;      /* smoothed, 0 when not known */
	uint32_t retransmits; /* segments of the connection since its birth, when rtt_us is known */
	uint32_t
	    ifindex; /* the link of link-local addresses (fe80::/10), part of the key; 0: none, or unknown */
	uint32_t
	    process_start_ms; /* CLOCK_MONOTONIC, the lower 32 bits: tells processes of one PID apart; 0: not known */
	uint32_t
	    life; /* part of the key; 0, but of a row that ended before its addresses and ports were used again */
	bool is_closed;               /* the connection had ended when this was first moved in the interval */
	uint8_t accepted;             /* enum answer: by a listener on lport; no: this side connected */
	char comm[SESSION_NAME_SIZE]; /* any bytes, NUL-terminated */
	char ifname[SESSION_NAME_SIZE]; /* the link's name, any bytes, NUL-terminated; "" when not known */
	struct socket_summary socket;   /* where sockets are told of; else zero */
};

/* What the kernel counted and described. */
static inline void session_take_value(struct session *session, const struct session_value *value)
{
	session->rx_bytes = value->rx_bytes;
	session->tx_bytes = value->tx_bytes;
	session->cgroup_id = value->cgroup_id;
	session->uid = value->uid;
	session->mntns = value->mntns;
	session->process_start_ms = value->process_start_ms;
	session->is_closed = value->is_closed;
	session->accepted = (uint8_t)value->accepted;
	memcpy(session->comm, value->comm, sizeof value->comm);
	session->comm[SESSION_COMM_LENGTH] = '\0';
}

/* What identifies it, without a PID; all else becomes zero. */
void session_take_socket_key(struct session *session, const struct socket_key *key);

/* Who has its socket. */
void session_take_owner(struct session *session, const struct socket_owner *owner);

/* The link of its addresses; the name is borrowed from the session. */
static inline struct zone session_zone(const struct session *session)
{
	return (struct zone){ session->ifindex, session->ifname };
}

/* A connection that has ended. Whose rows it has, and whether it has any, is not known. */
struct ending {
	struct session connection; /* its key alone, without a PID, and the link's name */
	uint64_t ago_us;           /* before the end of the interval */
};

/* RESET_REASON_SIZE of the floor above is as long. */
enum { CONNECTION_REASON_SIZE = 32 };

#define CONNECTION_UNKNOWN UINT64_MAX

/* A connection that has ended, or could not be established: model/connection.h. */
struct connection {
	struct session session; /* its key, owner, and what it moved in its whole life */
	uint64_t ago_us;        /* when it ended, before the end of the interval */
	uint64_t lived_us; /* from its first SYN, or its acceptance, on; CONNECTION_UNKNOWN: it is older */
	uint64_t
	    connect_us; /* until the remote's SYN-ACK; CONNECTION_UNKNOWN: accepted, older, or never established */
	uint64_t
	    accept_us; /* until its process first moved bytes of it; CONNECTION_UNKNOWN: not accepted, or not known */
	uint32_t syn_retries;
	uint32_t error;      /* errno of the socket; 0: none */
	uint8_t end;         /* enum connection_end */
	uint8_t owner_known; /* enum life_owner */
	uint16_t audit;      /* enum socket_audit_bit; this and what follows is of this host alone, live */
	uint64_t cookie;     /* of its socket */
	uint64_t began_ns;   /* CLOCK_MONOTONIC; 0: before it was noted */
	char reason
	    [CONNECTION_REASON_SIZE]; /* of a reset that was sent, as the kernel calls it; "": none is known */
};

/* A cgroup of the v2 hierarchy that was made while the sessions were counted, and may be gone again. */
struct made_cgroup {
	uint64_t id;
	struct cgroup_path path;
};

/* What the pass over sockets tells of itself. */
struct socket_census {
	bool follows;    /* they are told of, if not in each interval; then the rest may be of a pass: */
	uint32_t count;  /* sockets that it told of */
	uint32_t beyond; /* and for how many there was no room */
	uint64_t
	    unstored; /* sockets that could not be followed, as their option memory is full: since the start */
	uint64_t cpu_ns;    /* what it took; 0: there was none in this interval */
	uint64_t passed_ns; /* the time since the one before; 0: the first */
	int err;            /* -errno: they cannot be told of */
};

struct snapshot {
	struct timespec time; /* wall clock (UTC) at the end of the interval */
	uint64_t interval_ns; /* measured on the monotonic clock */
	struct session *sessions;
	size_t session_count;
	size_t session_capacity;
	uint64_t rx_bytes; /* of all sessions and "other sessions" */
	uint64_t tx_bytes;
	struct session_other other; /* this interval's "other sessions": what a full table could not list */
	struct links links;         /* without those that have been read for the first time only */
	struct socket_census sockets;
	struct audit_result audit; /* where sockets are told of: what was counted, held against them */
	struct own_cost cost;
	uint64_t missed_runs;   /* probe runs that the kernel skipped in this interval */
	struct ending *endings; /* connections that ended in this interval and did not begin anew */
	size_t ending_count;
	size_t ending_capacity;
	uint64_t endings_lost;          /* and how many found no place */
	struct connection *connections; /* that ended in this interval, where they are noted */
	size_t connection_count;
	size_t connection_capacity;
	uint64_t connections_lost;   /* and how many found no place */
	uint32_t connections_error;  /* errno: they cannot be noted */
	bool notes_connections;      /* those that end are told of */
	struct made_cgroup *cgroups; /* that were made in this interval */
	size_t cgroup_count;
	size_t cgroup_capacity;
	struct cgroup_list told; /* what a recording says of cgroups, from this interval on */
	uint8_t read_pct;        /* of a recording's bytes those that were read, at least 1; 0: not known */
	bool last;               /* nothing follows: tracing has ended */
	bool is_end;             /* no interval, but the news that a recording is over */
};

/* Zeroes *snapshot, which the caller owns; snapshot_fini frees what snapshot_add allocated. */
void snapshot_init(struct snapshot *snapshot);
void snapshot_fini(struct snapshot *snapshot);

/* Empties it for the next interval. Frees a large array of which less than an eighth was used. */
void snapshot_reset(struct snapshot *snapshot);

/* Empties it and frees all large arrays: there is time until the next interval. */
void snapshot_release(struct snapshot *snapshot);

/*
 * Empties it, and takes all that is not sessions from another one: its time, losses, ends, links, cgroups that were made,
 * whether it is the last, but for what is said of cgroups. 0 or -ENOMEM.
 */
int snapshot_reset_as(struct snapshot *snapshot, const struct snapshot *from);

/* Appends a zeroed session and returns it, borrowed until the next call; NULL when out of memory. */
struct session *snapshot_add(struct snapshot *snapshot);

/* The same for a connection that ended. */
struct ending *snapshot_add_ending(struct snapshot *snapshot);

/* The same for one whose life was noted. */
struct connection *snapshot_add_connection(struct snapshot *snapshot);

/* The same for a cgroup that was made. */
struct made_cgroup *snapshot_add_cgroup(struct snapshot *snapshot);

/* Adds to a session, and to the totals, what was not counted of it; below zero, takes back what was counted twice. */
void snapshot_correct(struct snapshot *snapshot, size_t session, int64_t tx_bytes, int64_t rx_bytes);

/* Fills rx_bytes and tx_bytes from the sessions and other. */
void snapshot_total(struct snapshot *snapshot);

/* Which sessions of a recording to keep: no filter in the kernel has chosen them. */
struct session_filter {
	int family;           /* 0 both, 4 or 6 */
	const uint32_t *pids; /* sorted, unique; borrowed */
	size_t pid_count;     /* 0: every process */
};

/*
 * Keeps only the sessions that pass, and recomputes the totals. "Other sessions" stay, as it is not known whose
 * bytes they are.
 */
void snapshot_filter(struct snapshot *snapshot, const struct session_filter *filter);

/* Of what identifies a session, and a row: family, addresses, ports, PID, namespace, link, life. */
uint64_t session_hash(const struct session *key);

/* A total order on what identifies a session (family, addresses, ports, PID, namespace, link): the tie-break. */
int session_compare_key(const struct session *a, const struct session *b);

/* The same without the PID and the life: on what identifies a connection. */
int session_compare_connection(const struct session *a, const struct session *b);

/* ---- of the two ends of a connection within the host, each of which is a session ---- */

/* Of a connection's addresses and ports: the same for both ends. */
uint32_t session_hash_connection(const struct session *session);

/* Whether both have the same addresses and ports. */
bool session_is_same_end(const struct session *a, const struct session *b);

/* Whether its other end may be in another namespace: a loopback interface, and an address's way to itself, never leave theirs. */
bool session_may_cross(const struct session *session);

/* Whether the addresses and ports of one are those of the other, mirrored, and the way from one to the other may exist. */
bool session_may_be_other_end(const struct session *a, const struct session *b);

/* 2: the same network namespace and link, 1: the same namespace, 0: two. */
enum { SESSION_APART, SESSION_SAME_NETNS, SESSION_SAME_PLACE };
int session_nearness(const struct session *a, const struct session *b);

/* ---- in order ---- */

/* The total is part of the array that is sorted: most comparisons need not read the session. */
struct session_rank {
	uint64_t total_bytes;
	const struct session *session;
};

#define SNAPSHOT_RANK_BYTES \
	(2 * sizeof(struct session_rank)) /* for each session: sorting takes as much again */

/*
 * The sessions by total bytes, the most first. An array of session_count for free(), pointing into the
 * snapshot; NULL: out of memory.
 */
struct session_rank *snapshot_rank(const struct snapshot *snapshot);

#endif
