/* SPDX-License-Identifier: Apache-2.0 */
/* sendfile, splice into and out of sockets, a proxy, and mixes with recv on one socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "check/side.h"

int pipe_flush(int from_fd, int to_fd, size_t bytes, unsigned flags)
{
	while (bytes) {
		ssize_t moved = splice(from_fd, NULL, to_fd, NULL, bytes, flags);

		if (moved <= 0)
			return -1;
		bytes -= (size_t)moved;
	}
	return 0;
}

/* On from the pipe goes what was put into it. */
static ssize_t pass(struct side *side, ssize_t filled, int to_fd, unsigned flags)
{
	return filled < 0 || pipe_flush(side->pipe_fds[0], to_fd, (size_t)filled, flags) ? -1 : filled;
}

static ssize_t fill(struct side *side, int from_fd, size_t size)
{
	return splice(from_fd, NULL, side->pipe_fds[1], NULL, size, 0);
}

PUBLIC_OPERATION(pipe_sendfile, sendfile(fd, side->file_fd, NULL, size))
OPERATION(call_splice_file, pass(side, fill(side, side->file_fd, size), fd, SPLICE_F_MORE))
PUBLIC_OPERATION(pipe_receive, pass(side, fill(side, fd, size), side->null_fd, 0))

/* A write of whole pages fills the pipe with new ones: order 0, in no mapping, fit to be mapped by the receiver. */
PUBLIC_OPERATION(pipe_send_pages, pass(side, write(side->pipe_fds[1], buffer, size), fd, 0))

/* The proxy's second connection: to a process that it starts, whose listener is the first connection's. */
static int proxy_start_sink(struct side *side, pid_t *pid)
{
	int err = side_fork(side, SIDE_RECEIVER_OTHER, "dp-sink", pid);

	if (err)
		return err;
	if (*pid == 0) {
		close(side->listen_fd);
		side_close(&side->sockets[0]);
		err = side_connect(side);
		side_exit(side, err ?: side_receive(side, &side->sockets[1], SIDE_ALL));
	}
	return side_accept(side);
}

static int proxy_forward(struct side *side)
{
	struct side_socket *in = &side->sockets[0], *out = &side->sockets[1];
	ssize_t received;

	while ((received = splice(in->fd, NULL, side->pipe_fds[1], NULL, SIDE_CHUNK, SPLICE_F_MOVE)) > 0) {
		in->truth->rx_bytes += (uint64_t)received;
		if (pipe_flush(side->pipe_fds[0], out->fd, (size_t)received, SPLICE_F_MOVE))
			return side_fail_errno(side, "splice into a socket");
		out->truth->tx_bytes += (uint64_t)received;
	}
	return received < 0 ? side_fail_errno(side, "splice out of a socket") : side_shutdown(side, out);
}

static int proxy_receive(struct side *side)
{
	pid_t sink = 0;

	return proxy_start_sink(side, &sink) ?: proxy_forward(side) ?: side_join(side, sink);
}

/* By turns recv, a peek before a read that discards, and splice. */
static ssize_t call_mixed(struct side *side, int fd, void *buffer, size_t size)
{
	switch (side->turn++ % 3) {
	case 0:
		return recv(fd, buffer, 10007, 0);
	case 1:
		if (recv(fd, buffer, 10007, MSG_PEEK) < 0)
			return -1;
		return recv(fd, NULL, 5003, MSG_TRUNC);
	default:
		return pipe_receive(side, fd, buffer, size);
	}
}

/*
 * From each of many connections, which are only followed from the first byte on, four threads take at once, by turns with
 * recv and splice.
 */
enum { SHARED_CONNECTIONS = 32, SHARED_THREADS = 4 };

static ssize_t call_shared(struct side *side, int fd, void *buffer, size_t size)
{
	static _Thread_local int pipe_fds[2];
	static _Thread_local unsigned turn;
	ssize_t moved;

	if (turn++ % 2)
		return recv(fd, buffer, size, 0);
	if (!pipe_fds[1] && pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -1;
	moved = splice(fd, NULL, pipe_fds[1], NULL, size, 0);
	return moved < 0 || pipe_flush(pipe_fds[0], side->null_fd, (size_t)moved, 0) ? -1 : moved;
}

static int shared_send(struct side *side)
{
	int err = 0;

	for (uint32_t i = 0; i < SHARED_CONNECTIONS && !err; i++)
		err = side_send(side, &side->sockets[i], side->path->bytes)
		          ?: side_shutdown(side, &side->sockets[i]);
	return err;
}

static int shared_receive(struct side *side)
{
	int err = 0;

	for (uint32_t i = 0; i < SHARED_CONNECTIONS && !err; i++)
		err = side_threads(side, &side->sockets[i], NULL, SHARED_THREADS, SIDE_ALL, side_receive);
	return err;
}

/*
 * The client's socket connects RECONNECTIONS times: each stream begins at other sequence numbers. It receives, the first
 * stream by recv, the others by splice.
 */
enum { RECONNECTIONS = 3 };

OPERATION(call_recv_first, side->turn ? pipe_receive(side, fd, buffer, size) : recv(fd, buffer, size, 0))

static int reconnect(struct side *side, int fd)
{
	static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	side->turn++;
	if (connect(fd, &nowhere, sizeof nowhere) < 0)
		return side_fail_errno(side, "connect(AF_UNSPEC)");
	if (connect(fd, (struct sockaddr *)&side->server, side->server_length) < 0)
		return side_fail_errno(side, "connect again");
	return side_adopt(side, fd);
}

static int reconnect_client(struct side *side)
{
	int err = 0;

	for (int i = 0; i < RECONNECTIONS && !err; i++) {
		err = i ? reconnect(side, side->sockets[0].fd) : 0;
		err = err ?: side_receive(side, &side->sockets[i], side->path->bytes) ?: side_signal(side);
	}
	return err;
}

static int reconnect_server(struct side *side)
{
	int err = 0;

	for (int i = 0; i < RECONNECTIONS && !err; i++) {
		err = i ? side_accept(side) : 0;
		err = err ?: side_send(side, &side->sockets[i], side->path->bytes) ?: side_wait(side);
		side_close(&side->sockets[i]);
	}
	return err;
}

enum { OPTION_KEYS_MAX = 4096 };

/* Fills the socket's option memory with keys for addresses that nobody has. 0, or -1 with errno. */
static int fill_option_memory(int fd)
{
	struct tcp_md5sig key = { .tcpm_keylen = 1 };
	struct sockaddr_in *address = (struct sockaddr_in *)&key.tcpm_addr;

	address->sin_family = AF_INET;
	for (uint32_t i = 0; i < OPTION_KEYS_MAX; i++) {
		address->sin_addr.s_addr = htonl(0xC6120000 + i); /* 198.18.0.0/15, RFC 2544 */
		if (setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key) < 0)
			return errno == ENOMEM && i ? 0 : -1;
	}
	errno = EFBIG;
	return -1;
}

static void option_memory_prepare(const struct path *path, char *reason, size_t size)
{
	int fd = side_socket_open(path);

	if (fill_option_memory(fd) < 0)
		snprintf(reason, size,
		    "option memory cannot be filled with TCP_MD5SIG (net.core.optmem_max): %s",
		    strerror(errno));
	close(fd);
}

static int option_memory_start(struct side *side)
{
	if (side->role != SIDE_RECEIVER || fill_option_memory(side->sockets[0].fd) == 0)
		return 0;
	return side_fail_errno(side, "TCP_MD5SIG");
}

const struct path paths_splice[] = {
	{ "sendfile", "sendfile", 8388623, .flags = PATH_FILE,
	    .write = { .call = pipe_sendfile, .chunk = SIDE_BUFFER_BYTES } },
	{ "splice_in", "splice from a file into a socket", 4000039, .flags = PATH_FILE,
	    .write = { .call = call_splice_file } },
	{ "splice_pipe", "splice from a pipe into a socket", 4000043,
	    .write = { .call = pipe_send_pages, .chunk = 32768 } },
	{ "splice_out", "splice out of a socket", 4000063, .excused = { "splice_out" },
	    .read = { .call = pipe_receive } },
	{ "splice_proxy", "a proxy: splice from one socket to another", 4000067, .excused = { "splice_out" },
	    .receive = proxy_receive },
	{ "mixed", "recv, peek, MSG_TRUNC and splice on one socket", 4000079, .excused = { "splice_out" },
	    .read = { .call = call_mixed, .chunk = 20011 } },
	{ "mixed_threads", "recv and splice by four threads on one socket", 250007,
	    .connections = SHARED_CONNECTIONS, .excused = { "splice_out" }, .send = shared_send,
	    .receive = shared_receive, .write = { .chunk = 16384 },
	    .read = { .call = call_shared, .chunk = 4001 } },
	{ "reconnect", "a socket that connects again, then splice", 100043, .excused = { "splice_out" },
	    .send = reconnect_client, .receive = reconnect_server, .read = { .call = call_recv_first } },
	{ "reconnect6", "the same with IPv6", 100049, .flags = PATH_IPV6, .excused = { "splice_out" },
	    .send = reconnect_client, .receive = reconnect_server, .read = { .call = call_recv_first } },
	{ "option_memory", "recv and splice on a socket whose option memory is full", 500041,
	    .excused = { "splice_out", "splice_unfollowed" }, .prepare = option_memory_prepare,
	    .start = option_memory_start, .read = { .call = call_mixed, .chunk = 20011 } },
	{ .id = NULL },
};
