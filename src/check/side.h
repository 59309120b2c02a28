/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One side of a connection, a process: its sockets, the truth about them, and what connects it to the other side
 * outside of TCP. Functions of type int return 0 or -errno and have then noted the failing call (side_fail).
 * Nothing is closed or freed that does not matter to the path: the process ends when its bytes are moved.
 */
#ifndef TCPTOP_CHECK_SIDE_H
#define TCPTOP_CHECK_SIDE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "check/path.h"

enum {
	SIDE_SOCKETS_MORE = 8, /* than the path's connections */
	SIDE_TEXT_MAX = 200,
	SIDE_CHUNK = 64 * 1024,
	SIDE_BUFFER_BYTES = 16 << 20,
};

#define SIDE_ALL UINT64_MAX /* until the stream's end */

/* What all processes of a run write to: a shared mapping, of a memfd so that it can be found again after an exec. */
struct shared {
	unsigned capacity;
	atomic_uint session_count, ready_count;
	atomic_bool connected, failed;
	_Atomic int64_t go_ms; /* since when data may move, 0: not yet */
	int err;               /* with `failed`: of the first failure */
	char text[2 * SIDE_TEXT_MAX];
	struct truth sessions[];
};

/* NULL with errno. fd: its memfd. */
struct shared *shared_open(unsigned capacity, int *fd);
/* The same one from its descriptor; NULL: it is not of that capacity. */
struct shared *shared_map(unsigned capacity, int fd);
void shared_close(struct shared *shared, int fd);
/* Notes the failure, unless one is noted already; returns err, which is a negative errno. */
int shared_fail(struct shared *shared, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct ring;

struct side_socket {
	int fd; /* -1 once closed: the truth about it stays */
	struct truth *truth;
};

struct side {
	const struct path *path;
	uint8_t role; /* enum side_role */
	struct shared *shared;
	int shared_fd;
	struct side_socket *sockets;
	size_t socket_count, socket_max;
	struct sockaddr_storage server;
	socklen_t server_length;
	int listen_fd; /* the receiver's */
	int peer_fd;   /* a byte stream to the other side that is not TCP */
	/*
	 * SIDE_BUFFER_BYTES each: `sent` is zero pages that are never written, so that reading them costs no memory;
	 * what is received lands in `received` and is not looked at.
	 */
	void *sent, *received;
	int pipe_fds[2];   /* for splice */
	int null_fd;       /* /dev/null: where what was spliced out of a socket ends */
	int file_fd;       /* of PATH_FILE */
	struct ring *ring; /* of the paths in uring.c */
	void *map;         /* of the socket, in zerocopy.c */
	unsigned turn;     /* for operations that take turns */
	uint64_t met[2];   /* for what an operation must have met: partial sends, say */
};

/* Fills sockets, buffers, pipe and file of a side, of which the rest is known. */
int side_equip(struct side *side);

/* shared_fail with "role: what: strerror". */
int side_fail(struct side *side, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with the present errno. */
int side_fail_errno(struct side *side, const char *what);

/* The next socket: connected, accepted, or taken over with its addresses read. */
int side_connect(struct side *side);
int side_accept(struct side *side);
int side_adopt(struct side *side, int fd);
int side_socket_open(const struct path *path);
/* A listening socket on the path's loopback address, and where it listens. The descriptor or -errno. */
int side_listen(const struct path *path, struct sockaddr_storage *address, socklen_t *length);

/* Sets the path's options of a role. NULL, or the name of the one that is refused, with errno. */
const char *path_options_set(const struct path *path, unsigned role, int fd);
int side_options(struct side *side, int fd);

/* The two loops, over the path's operations. Receiving fewer bytes than asked for fails, unless it is SIDE_ALL. */
typedef int side_loop(struct side *side, struct side_socket *socket, uint64_t bytes);
side_loop side_send, side_receive;
int side_shutdown(struct side *side, struct side_socket *socket);
void side_close(struct side_socket *socket);

/* What a path does that names nothing else: see struct path. With PATH_LATE, the receiver accepts each connection. */
int side_send_plain(struct side *side);
int side_receive_plain(struct side *side);
/* Runs the path's own functions or these. */
int side_move(struct side *side);

/* Each signal lets the other side's next wait return; a side that died fails it with EPIPE. */
int side_signal(struct side *side);
int side_wait(struct side *side);

void side_wait_go(struct side *side); /* counts as ready, and waits until data may move */
int64_t side_now_ms(void);            /* monotonic */

/*
 * Another process of this side that has the same sockets, its truth at zero. *pid is 0 in it; it ends by
 * side_exit. Its parent waits for it with side_join. *pid is 0 before, or the PID that it is to have: this takes
 * CAP_CHECKPOINT_RESTORE or root.
 */
int side_fork(struct side *side, uint8_t role, const char *comm, pid_t *pid);
int side_join(struct side *side, pid_t pid);
/* Name, death with the parent (whose PID is given), ordinary signals: the start of every process that moves bytes. */
void side_process_init(const char *comm, pid_t parent);
void side_comm(char comm[PATH_COMM_LENGTH]);
_Noreturn void side_exit(struct side *side, int result);

/* Operations of pipes: whole pages out of one into the socket, and all into one and out again. */
operation pipe_send_pages, pipe_receive;
/* Moves so many bytes from a pipe to a descriptor. 0, or -1 with errno. */
int pipe_flush(int from_fd, int to_fd, size_t bytes, unsigned flags);
/* sendfile(2) of the side's file */
operation pipe_sendfile;

/*
 * The socket's loop by so many threads of that name (NULL: the process's): each a share of the bytes, or
 * (SIDE_ALL) until the call returns 0.
 */
int side_threads(struct side *side, struct side_socket *socket, const char *comm, size_t count,
    uint64_t bytes, side_loop *move);

/* The second half of the path "exec", in its new program: numbers is the argument of that command. */
_Noreturn void exec_main(const char *numbers);

#endif
