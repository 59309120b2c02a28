/* SPDX-License-Identifier: Apache-2.0 */
/* sendfile, splice into and out of sockets, a proxy, and mixes with recv on one socket. */
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "check/side.h"

int pipe_flush(struct side *side, int to_fd, size_t bytes, unsigned flags)
{
	while (bytes) {
		ssize_t moved = splice(side->pipe_fds[0], NULL, to_fd, NULL, bytes, flags);

		if (moved <= 0)
			return -1;
		bytes -= (size_t)moved;
	}
	return 0;
}

/* On from the pipe goes what was put into it. */
static ssize_t pass(struct side *side, ssize_t filled, int to_fd, unsigned flags)
{
	return filled < 0 || pipe_flush(side, to_fd, (size_t)filled, flags) ? -1 : filled;
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
		if (pipe_flush(side, out->fd, (size_t)received, SPLICE_F_MOVE))
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
	{ .id = NULL },
};
