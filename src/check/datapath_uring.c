/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io_uring: in the submitting thread, in a worker (IOSQE_ASYNC), in the kernel's polling thread (SQPOLL),
 * and splice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check/datapath_groups.h"
#include "check/datapath_pipe.h"
#include "check/datapath_ring.h"

static int probe_ring(unsigned setup_flags, uint8_t opcode, const char *what, char *reason, size_t size)
{
	struct ring ring;
	int err = ring_open(&ring, setup_flags);

	if (err == -ENOSYS)
		snprintf(reason, size, "this kernel has no io_uring (Linux 5.6)");
	else if (err == -EPERM)
		snprintf(reason, size,
		    "io_uring is disabled (sysctl kernel.io_uring_disabled) or not permitted here");
	else if (err)
		snprintf(reason, size, "io_uring cannot be set up: %s", strerror(-err));
	if (err)
		return err;
	err = ring_supports(&ring, opcode);
	if (err)
		snprintf(reason, size, "this kernel's io_uring has no %s", what);
	ring_close(&ring);
	return err;
}

static int uring_probe(char *reason, size_t size)
{
	return probe_ring(0, IORING_OP_SEND, "send", reason, size);
}

static int sqpoll_probe(char *reason, size_t size)
{
	return probe_ring(IORING_SETUP_SQPOLL, IORING_OP_SEND, "send", reason, size);
}

static int sendzc_probe(char *reason, size_t size)
{
	int err = end_probe_locked_memory(reason, size);

	return err ? err : probe_ring(0, IORING_OP_SEND_ZC, "zero-copy send (Linux 6.0)", reason, size);
}

static int splice_probe(char *reason, size_t size)
{
	return probe_ring(0, IORING_OP_SPLICE, "splice (Linux 5.7)", reason, size);
}

static int requests_send(struct datapath_end *end, unsigned setup_flags, uint8_t opcode, uint8_t sqe_flags)
{
	struct datapath_socket *socket = &end->sockets[0];
	const char *buffer = end_buffer(end);
	uint64_t left = end->path->bytes;
	struct ring ring;
	int sent = 0, err;

	if (!buffer)
		return -ENOMEM;
	err = ring_open(&ring, setup_flags);
	if (err)
		return end_fail(end, err, "io_uring_setup");
	while (left && sent >= 0) {
		struct io_uring_sqe request = {
			.opcode = opcode,
			.flags = sqe_flags,
			.fd = socket->fd,
			.addr = (uintptr_t)buffer,
			.len = left < END_CHUNK ? (uint32_t)left : END_CHUNK,
		};

		sent = ring_execute(&ring, &request);
		if (sent > 0) {
			socket->truth.tx_bytes += (uint64_t)sent;
			left -= (uint64_t)sent;
		}
	}
	ring_close(&ring);
	return sent < 0 ? end_fail(end, sent, "io_uring send") : end_shutdown(end, socket);
}

static int requests_receive(struct datapath_end *end, unsigned setup_flags, uint8_t opcode, uint8_t sqe_flags)
{
	struct datapath_socket *socket = &end->sockets[0];
	char *buffer = malloc(END_CHUNK);
	struct ring ring;
	int received, err;

	if (!buffer)
		return end_fail(end, -ENOMEM, "malloc");
	err = ring_open(&ring, setup_flags);
	if (err) {
		free(buffer);
		return end_fail(end, err, "io_uring_setup");
	}
	do {
		struct io_uring_sqe request = {
			.opcode = opcode,
			.flags = sqe_flags,
			.fd = socket->fd,
			.addr = (uintptr_t)buffer,
			.len = END_CHUNK,
		};

		received = ring_execute(&ring, &request);
		if (received > 0)
			socket->truth.rx_bytes += (uint64_t)received;
	} while (received > 0);
	ring_close(&ring);
	free(buffer);
	return received < 0 ? end_fail(end, received, "io_uring receive") : 0;
}

static int inline_send(struct datapath_end *end)
{
	return requests_send(end, 0, IORING_OP_SEND, 0);
}

static int inline_receive(struct datapath_end *end)
{
	return requests_receive(end, 0, IORING_OP_RECV, 0);
}

static int rw_send(struct datapath_end *end)
{
	return requests_send(end, 0, IORING_OP_WRITE, 0);
}

static int rw_receive(struct datapath_end *end)
{
	return requests_receive(end, 0, IORING_OP_READ, 0);
}

static int worker_send(struct datapath_end *end)
{
	return requests_send(end, 0, IORING_OP_SEND, IOSQE_ASYNC);
}

static int worker_receive(struct datapath_end *end)
{
	return requests_receive(end, 0, IORING_OP_RECV, IOSQE_ASYNC);
}

static int sqpoll_send(struct datapath_end *end)
{
	return requests_send(end, IORING_SETUP_SQPOLL, IORING_OP_SEND, 0);
}

static int sqpoll_receive(struct datapath_end *end)
{
	return requests_receive(end, IORING_SETUP_SQPOLL, IORING_OP_RECV, 0);
}

static int sendzc_send(struct datapath_end *end)
{
	return requests_send(end, 0, IORING_OP_SEND_ZC, 0);
}

static int ring_splice(struct ring *ring, int from_fd, int to_fd, uint32_t bytes)
{
	struct io_uring_sqe request = {
		.opcode = IORING_OP_SPLICE,
		.fd = to_fd,
		.len = bytes,
		.off = UINT64_MAX, /* no offset: neither end is a file */
		.splice_off_in = UINT64_MAX,
		.splice_fd_in = from_fd,
	};

	return ring_execute(ring, &request);
}

static int splice_receive(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	struct datapath_pipe pipe;
	struct ring ring;
	int moved, err = pipe_open(end, &pipe);

	if (err)
		return err;
	err = ring_open(&ring, 0);
	if (err) {
		pipe_close(&pipe);
		return end_fail(end, err, "io_uring_setup");
	}
	while ((moved = ring_splice(&ring, socket->fd, pipe.fds[1], END_CHUNK)) > 0) {
		socket->truth.rx_bytes += (uint64_t)moved;
		for (int left = moved, emptied; left > 0; left -= emptied) {
			emptied = ring_splice(&ring, pipe.fds[0], pipe.null_fd, (uint32_t)left);
			if (emptied <= 0) {
				err =
				    end_fail(end, emptied ? emptied : -EIO, "io_uring splice into /dev/null");
				goto out;
			}
		}
	}
	if (moved < 0)
		err = end_fail(end, moved, "io_uring splice out of a socket");
out:
	ring_close(&ring);
	pipe_close(&pipe);
	return err;
}

/* One after the other is waited for: each is received when a receive waits for it. */
static int spaced_send(struct datapath_end *end)
{
	return end_send_pieces(end, 2003, 2000);
}

/*
 * A receive that waits is completed as task work, when its thread's next system call ends: of all calls these
 * two, whose bytes the tracepoint method takes from the socket's position.
 */
static void call_getsockopt(int socket_fd, const struct datapath_pipe *pipe)
{
	socklen_t length = sizeof(int);
	int value;

	(void)pipe;
	getsockopt(socket_fd, SOL_SOCKET, SO_ERROR, &value, &length);
}

static void call_splice(int socket_fd, const struct datapath_pipe *pipe)
{
	(void)socket_fd;
	if (splice(pipe->fds[0], NULL, pipe->null_fd, NULL, 1, SPLICE_F_NONBLOCK) >= 0) {
		/* the pipe is empty: EAGAIN */
	}
}

static int receive_beside(struct datapath_end *end, void (*call)(int, const struct datapath_pipe *))
{
	struct datapath_socket *socket = &end->sockets[0];
	char *buffer = malloc(END_CHUNK);
	struct datapath_pipe pipe;
	struct ring ring;
	int received, err;

	if (!buffer)
		return end_fail(end, -ENOMEM, "malloc");
	err = pipe_open(end, &pipe);
	if (err)
		goto no_pipe;
	/* Without an interrupt that would complete the receive between two calls (Linux 5.19). */
	err = ring_open(&ring, IORING_SETUP_COOP_TASKRUN);
	if (err == -EINVAL)
		err = ring_open(&ring, 0);
	if (err) {
		end_fail(end, err, "io_uring_setup");
		goto no_ring;
	}
	do {
		struct io_uring_sqe request = { .opcode = IORING_OP_RECV,
			.fd = socket->fd,
			.addr = (uintptr_t)buffer,
			.len = END_CHUNK };

		received = ring_start(&ring, &request);
		while (received == 0 && !ring_is_done(&ring))
			call(socket->fd, &pipe);
		if (received == 0)
			received = ring_finish(&ring);
		if (received > 0)
			socket->truth.rx_bytes += (uint64_t)received;
	} while (received > 0);
	err = received < 0 ? end_fail(end, received, "io_uring receive") : 0;
	ring_close(&ring);
no_ring:
	pipe_close(&pipe);
no_pipe:
	free(buffer);
	return err;
}

static int getsockopt_receive(struct datapath_end *end)
{
	return receive_beside(end, call_getsockopt);
}

static int beside_splice_receive(struct datapath_end *end)
{
	return receive_beside(end, call_splice);
}

static const struct datapath paths[] = {
	{ .id = "uring_inline",
	    .title = "io_uring send and recv, inline",
	    .bytes = 4000133,
	    .flags = DATAPATH_URING,
	    .probe = uring_probe,
	    .send = inline_send,
	    .receive = inline_receive },
	{ .id = "uring_rw",
	    .title = "io_uring write and read",
	    .bytes = 4000153,
	    .flags = DATAPATH_URING,
	    .probe = uring_probe,
	    .send = rw_send,
	    .receive = rw_receive },
	{ .id = "uring_worker",
	    .title = "io_uring send and recv in a worker",
	    .bytes = 4000159,
	    .flags = DATAPATH_URING,
	    .probe = uring_probe,
	    .send = worker_send,
	    .receive = worker_receive },
	{ .id = "uring_sqpoll",
	    .title = "io_uring send and recv by SQPOLL",
	    .bytes = 4000169,
	    .flags = DATAPATH_URING,
	    .probe = sqpoll_probe,
	    .send = sqpoll_send,
	    .receive = sqpoll_receive },
	{ .id = "uring_send_zc",
	    .title = "io_uring zero-copy send",
	    .bytes = 4000189,
	    .flags = DATAPATH_URING,
	    .probe = sendzc_probe,
	    .send = sendzc_send,
	    .receive = inline_receive },
	{ .id = "uring_getsockopt",
	    .title = "io_uring recv completed at the end of getsockopt",
	    .bytes = 200003,
	    .flags = DATAPATH_URING,
	    .probe = uring_probe,
	    .send = spaced_send,
	    .receive = getsockopt_receive },
	{ .id = "uring_beside_splice",
	    .title = "io_uring recv completed at the end of splice",
	    .bytes = 200009,
	    .flags = DATAPATH_URING,
	    .probe = uring_probe,
	    .send = spaced_send,
	    .receive = beside_splice_receive },
	{ .id = "uring_splice",
	    .title = "io_uring splice out of a socket",
	    .bytes = 2000081,
	    .flags = DATAPATH_URING | DATAPATH_RX_SPLICE,
	    .probe = splice_probe,
	    .send = end_send_plain,
	    .receive = splice_receive },
};

const struct datapath_group datapath_uring = { paths, sizeof paths / sizeof *paths };
