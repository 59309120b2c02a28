/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Movers: each moves an exactly known, odd (prime) number of bytes through one TCP data path on loopback,
 * sender and receiver in separate processes. Truth is what their calls returned: see struct
 * datapath_session.
 */
#ifndef TCPTOP_DATAPATH_H
#define TCPTOP_DATAPATH_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;
struct datapath_end;

enum {
	DATAPATH_SESSIONS_MAX = 20, /* of one run */
	DATAPATH_REASON_MAX = 200,
	DATAPATH_COMM_LENGTH = 16,
	DATAPATH_TIMEOUT_MS = 20000,
};

enum datapath_flag {
	DATAPATH_RX_SPLICE = 1 << 0,        /* received by splice */
	DATAPATH_RX_ZEROCOPY = 1 << 1,      /* received by TCP_ZEROCOPY_RECEIVE */
	DATAPATH_URING = 1 << 2,            /* by io_uring */
	DATAPATH_TLS = 1 << 3,              /* kernel TLS: plaintext bytes */
	DATAPATH_MPTCP = 1 << 4,            /* bytes of the MPTCP connection */
	DATAPATH_IPV6 = 1 << 5,             /* ::1 */
	DATAPATH_MAPPED = 1 << 6,           /* ::ffff:127.0.0.1 at both ends: a session of family 4 */
	DATAPATH_LATE = 1 << 7,             /* connects after the hook: no session exists when it is called */
	DATAPATH_BLOCKED_SENDER = 1 << 8,   /* asleep in its first call when the hook is called */
	DATAPATH_BLOCKED_RECEIVER = 1 << 9, /* likewise */
	DATAPATH_UNDELIVERED = 1 << 10,     /* fewer bytes are received than were sent */
	DATAPATH_NETNS = 1 << 11,           /* may run in a network namespace of its own */
};

enum datapath_side {
	DATAPATH_SENDER,
	DATAPATH_RECEIVER,
	DATAPATH_SENDER_OTHER,   /* another process that sends: forked, or handed the socket */
	DATAPATH_RECEIVER_OTHER, /* another process that receives: likewise, or the sink behind a proxy */
};

/*
 * One process's bytes on one connection. Addresses and ports are those of the connected socket, in the form
 * of struct session: IPv4 in the first four bytes, ports in host order. A PID as this process's own PID
 * namespace numbers it.
 */
struct datapath_session {
	uint8_t side;   /* enum datapath_side */
	uint8_t family; /* 4 or 6; an IPv4-mapped connection is 4 */
	uint8_t laddr[16], raddr[16];
	uint16_t lport, rport;
	uint32_t netns; /* inode number, 0 when /proc does not tell */
	pid_t pid;
	uint64_t tx_bytes, rx_bytes;          /* sums of what the calls returned; peeks left out */
	char comm[DATAPATH_COMM_LENGTH];      /* the process's name when its connection came to be */
	char comm_last[DATAPATH_COMM_LENGTH]; /* and when it was done */
};

struct datapath_result {
	size_t session_count;
	struct datapath_session sessions[DATAPATH_SESSIONS_MAX]; /* by side, then by PID and ports */
};

struct datapath {
	const char *id; /* stable: appears in JSON */
	const char *title;
	uint64_t bytes;      /* what is sent in one direction of one connection; an odd prime */
	unsigned flags;      /* enum datapath_flag */
	uint8_t connections; /* made before the hook; 0 means 1 */
	int (*probe)(char *reason, size_t size);
	int (*prepare)(char *reason, size_t size); /* in the movers' own parent process, before any socket */
	int (*send)(struct datapath_end *end);
	int (*receive)(struct datapath_end *end);
};

struct datapath_limits {
	unsigned timeout_ms; /* for connecting and for moving, not for the hook; 0: DATAPATH_TIMEOUT_MS */
	/*
	 * Called in the caller's process when the sockets exist and no data has moved (but see the flags),
	 * with who will move it. What it returns other than 0 ends the run, and datapath_run returns it: it
	 * has filled the caller's error. May be NULL.
	 */
	int (*connected)(void *argument, const struct datapath_result *result);
	void *argument;
};

/* The paths in a fixed order; NULL past the last, or when there is none of that name. */
const struct datapath *datapath_at(size_t index);
const struct datapath *datapath_find(const char *id);

/*
 * 0: can run here. -errno: reason says what is missing. Ask before privilege is dropped: asking for kernel
 * TLS makes the kernel load its module, which needs CAP_NET_ADMIN.
 */
int datapath_probe(const struct datapath *path, char *reason, size_t size);

/* What datapath_run returns when the host refuses what the path needs. No call that moves bytes fails so. */
#define DATAPATH_REFUSED (-ENOPKG)

/*
 * Moves the bytes and fills *result. All processes are reaped when it returns; on timeout they are killed
 * by PID. They die with the calling thread (PR_SET_PDEATHSIG). 0; DATAPATH_REFUSED with *error saying what
 * the path lacks, as datapath_probe does: whoever asked that may have been another user; or -errno with *error
 * filled: which side failed in which call.
 */
int datapath_run(const struct datapath *path, const struct datapath_limits *limits,
    struct datapath_result *result, struct error *error);

const char *datapath_side_name(unsigned side);

/*
 * The first statement of main() in every program that runs the "exec" path, which executes /proc/self/exe
 * again: -1 when argv is the user's own, else the exit status to end with at once.
 */
int datapath_exec_main(int argc, char **argv);

#endif
