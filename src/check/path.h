/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data paths: each moves an exactly known, odd (prime) number of bytes over loopback, sender and receiver in
 * separate processes. Truth is what their calls returned.
 */
#ifndef TCPTOP_CHECK_PATH_H
#define TCPTOP_CHECK_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct side;

enum {
	PATH_SESSIONS_MAX = 64, /* of one run */
	PATH_REASON_MAX = 200,
	PATH_COMM_LENGTH = 16,
	PATH_EXCUSES_MAX = 2,
};

enum path_flag {
	PATH_MPTCP = 1 << 0,            /* bytes of the MPTCP connection */
	PATH_IPV6 = 1 << 1,             /* ::1 */
	PATH_MAPPED = 1 << 2,           /* ::ffff:127.0.0.1 on both sides: a session of family 4 */
	PATH_LATE = 1 << 3,             /* connects when data may move: no session exists before */
	PATH_BLOCKED_SENDER = 1 << 4,   /* asleep in its first call before data may move */
	PATH_BLOCKED_RECEIVER = 1 << 5, /* the same on the other side */
	PATH_UNDELIVERED = 1 << 6,      /* fewer bytes are received than were sent */
	PATH_NONBLOCKING = 1 << 7,      /* the sender's first socket */
	PATH_SENT_WHOLE = 1 << 8,       /* a sending call that takes less than it is given is a failure */
	PATH_LOCKS_MEMORY = 1 << 9,     /* zero-copy sends pin pages, which count against RLIMIT_MEMLOCK */
	PATH_FILE = 1 << 10,            /* each side has a file of `bytes` zeroes */
};

enum side_role {
	SIDE_SENDER,
	SIDE_RECEIVER,
	SIDE_SENDER_OTHER,   /* another process that sends: forked, or handed the socket */
	SIDE_RECEIVER_OTHER, /* another process that receives: forked, or the sink behind a proxy */
};

const char *side_role_name(unsigned role);

/*
 * One process's bytes on one connection. Addresses and ports are those of the connected socket, in the form of
 * struct session. A PID as this process's own PID namespace numbers it.
 */
struct truth {
	uint8_t role;   /* enum side_role */
	uint8_t family; /* 4 or 6; an IPv4-mapped connection is 4 */
	uint8_t laddr[16], raddr[16];
	uint16_t lport, rport;
	uint32_t netns;   /* inode number, 0 when /proc does not tell */
	uint32_t ifindex; /* the link of link-local addresses, else 0 */
	pid_t pid;
	bool first;                       /* of its process */
	uint64_t tx_bytes, rx_bytes;      /* sums of what the calls returned; peeks left out */
	char comm[PATH_COMM_LENGTH];      /* the process's name when its connection came to be */
	char comm_last[PATH_COMM_LENGTH]; /* and when it was done */
};

/*
 * A call that moves up to size bytes between the socket and the buffer: its return value, -1 with errno. What it
 * returns is truth.
 */
typedef ssize_t operation(struct side *side, int fd, void *buffer, size_t size);

/* Defines an operation that is one expression of its arguments; OPERATION one for this file alone. */
#define OPERATION(name, expression) static PUBLIC_OPERATION(name, expression)
#define PUBLIC_OPERATION(name, expression)                                 \
	ssize_t name(struct side *side, int fd, void *buffer, size_t size) \
	{                                                                  \
		(void)side, (void)buffer, (void)size;                      \
		return expression;                                         \
	}

/* What the loop of one direction repeats. */
struct path_loop {
	operation *call; /* NULL: send(2) or recv(2) */
	uint32_t chunk;  /* bytes to ask for at a time; 0: SIDE_CHUNK */
	unsigned pause_us;
};

struct path_option {
	int level, option;
	const void *value;
	socklen_t size;
	const char *name; /* NULL: no option */
};

#define OPTION(level, option, type, ...)                                           \
	{                                                                          \
		level, option, &(const type){ __VA_ARGS__ }, sizeof(type), #option \
	}

/* What a socket of the path's kind, or its options, may be refused for. */
struct path_need {
	const char *lacking; /* the reason begins so; NULL: nothing is tried */
	int err;             /* in whose place the reason ends with `cause` */
	const char *cause;
};

struct path {
	const char *id; /* stable: appears in JSON */
	const char *title;
	uint64_t bytes;       /* what is sent in one direction of one connection; an odd prime */
	unsigned flags;       /* enum path_flag */
	uint32_t pairs;       /* of processes, a sender and a receiver; 0 means 1 */
	uint32_t connections; /* of each pair, made before data may move; 0 means 1 */
	const char *comm[2];  /* of its processes, by role; NULL: "dp-sender" and "dp-receiver" */
	const char *excused[PATH_EXCUSES_MAX]; /* ids of not_counted that excuse too low a count */
	struct path_need need;
	/*
	 * In the parent of all sides, before their sockets: makes or tries what else the path needs, and writes the
	 * reason why this host does not have it. May be NULL.
	 */
	void (*prepare)(const struct path *path, char *reason, size_t size);
	int (*start)(struct side *side);   /* on each side, once connected. May be NULL */
	int (*send)(struct side *side);    /* NULL: path->bytes on the first socket, then a shutdown */
	int (*receive)(struct side *side); /* NULL: all from the first socket */
	struct path_loop write, read;      /* the two loops of each side */
	struct path_option options[2][2];  /* of the first socket, by role: set before `start` */
	const char *must_meet[2][2];       /* by role: what it means when side->met[] is 0 at the end */
	unsigned ring_setup;               /* io_uring: flags of its set-up, operations and their flags */
	uint8_t ring_write, ring_read, ring_flags;
	uint64_t threads, argument; /* from the command line, of those in moves.c */
};

/* The paths in a fixed order; NULL past the last, or when there is none of that name. */
const struct path *path_at(size_t index);
const struct path *path_find(const char *id);

/* The paths of each source file, up to one without an id. */
extern const struct path paths_plain[], paths_splice[], paths_zerocopy[], paths_uring[], paths_protocol[],
    paths_process[], paths_state[], paths_links[];

#endif
