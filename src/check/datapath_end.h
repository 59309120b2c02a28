/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a mover process stands on: its sockets, the truth about them, and what connects it to the other side
 * outside TCP. Functions of type int return 0 or -errno and have then noted the failing call in the end
 * (end_fail).
 */
#ifndef TCPTOP_DATAPATH_END_H
#define TCPTOP_DATAPATH_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "check/datapath.h"

enum { END_SOCKETS_MAX = 8, END_TEXT_LENGTH = 200, END_CHUNK = 64 * 1024 };

struct datapath_socket {
	int fd;                        /* -1 once closed: the truth about it stays */
	struct datapath_session truth; /* tx_bytes and rx_bytes grow by what the calls return */
};

struct datapath_end {
	const struct datapath *path;
	uint8_t side; /* enum datapath_side */
	struct datapath_socket sockets[END_SOCKETS_MAX];
	size_t socket_count;
	struct sockaddr_storage server;
	socklen_t server_length;
	int listen_fd; /* receiver only, else -1 */
	int peer_fd;   /* a byte stream to the other side that is not TCP */
	int report_fd; /* reports, each in one atomic write */
	void *buffer;  /* end_buffer's, for the life of the process */
	char text[END_TEXT_LENGTH];
};

enum datapath_report_kind { REPORT_READY, REPORT_SESSION, REPORT_FAILED };

struct datapath_report {
	int kind; /* enum datapath_report_kind */
	int err;  /* REPORT_FAILED: -errno */
	uint8_t side;
	struct datapath_session session; /* REPORT_SESSION */
	char text[END_TEXT_LENGTH];      /* REPORT_FAILED */
};

/* Notes "what: strerror" unless a cause is noted already; returns err, which is a negative errno. */
int end_fail(struct datapath_end *end, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with the present errno. */
int end_fail_errno(struct datapath_end *end, const char *what);

/* The next socket of the end: connected, accepted, or taken over with its addresses read. */
int end_connect(struct datapath_end *end);
int end_accept(struct datapath_end *end);
int end_adopt(struct datapath_end *end, int fd);
int end_socket_open(const struct datapath *path);
/* A listening socket on the path's loopback address, and where it listens. The descriptor or -errno. */
int end_listen(const struct datapath *path, int backlog, struct sockaddr_storage *address, socklen_t *length);
/* Fills the truth's addresses, ports and namespace from a connected socket. */
int end_identify(struct datapath_session *truth, int fd);

/* Blocking, in calls of at most chunk bytes; receiving goes on until the stream's end. */
int end_send_all(struct datapath_end *end, struct datapath_socket *socket, uint64_t bytes, size_t chunk);
int end_receive_all(struct datapath_end *end, struct datapath_socket *socket, size_t chunk, int flags);
int end_receive_exactly(
    struct datapath_end *end, struct datapath_socket *socket, uint64_t bytes, size_t chunk);
int end_shutdown(struct datapath_end *end, struct datapath_socket *socket);
void end_close(struct datapath_socket *socket);

/* Whole sides: path->bytes on the first socket in calls of END_CHUNK; sending ends in a shutdown. */
int end_send_plain(struct datapath_end *end);

/* The same in calls of piece_bytes, with a pause after each. */
int end_send_pieces(struct datapath_end *end, size_t piece_bytes, unsigned pause_us);
int end_send_once(
    struct datapath_end *end); /* all in one call, which sleeps until the receiver has made room */
int end_receive_plain(struct datapath_end *end);

/* Each signal lets the other side's next wait return; a side that died fails it with EPIPE. */
int end_signal(struct datapath_end *end);
int end_wait(struct datapath_end *end);

/*
 * Zero pages for up to END_BUFFER_BYTES that are never written: reading them costs no memory. NULL: no
 * memory.
 */
enum { END_BUFFER_BYTES = 16 << 20 };
void *end_buffer(struct datapath_end *end);
int end_memfd(struct datapath_end *end, uint64_t bytes); /* the descriptor of a file of that size */
void end_sleep_us(unsigned us);
int64_t end_now_ms(void); /* monotonic */
int end_nonblocking(struct datapath_end *end, int fd, bool on);

/*
 * Another process of this side that has the same sockets, its truth at zero. *pid is 0 in it; it ends by
 * end_exit. Its parent waits for it with end_join.
 */
int end_fork(struct datapath_end *end, uint8_t side, const char *comm, pid_t *pid);
/* What end_fork does in the new process, for one that was made otherwise. */
void end_become(struct datapath_end *end, uint8_t side, const char *comm, pid_t parent);
int end_join(struct datapath_end *end, pid_t pid);
/* Name, death with the parent (whose PID is given), ordinary signals: the start of every mover process. */
void end_process_init(const char *comm, pid_t parent);
void end_comm(char comm[DATAPATH_COMM_LENGTH]);

void end_report_ready(const struct datapath_end *end);
/*
 * Reports the truth of every socket, or the failure, and ends the process without running what its parent
 * registered.
 */
_Noreturn void end_exit(struct datapath_end *end, int result);

/*
 * Zero-copy sends pin pages, which count against RLIMIT_MEMLOCK but for root. 0, or -ENOBUFS with reason
 * where that is too low for them.
 */
int end_probe_locked_memory(char *reason, size_t size);

#endif
