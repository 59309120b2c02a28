/* SPDX-License-Identifier: Apache-2.0 */
/* sendfile, splice into and out of sockets, a proxy, and mixes with recv on one socket. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "check/datapath_groups.h"
#include "check/datapath_pipe.h"

static int file_splice_send(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	int file_fd = end_memfd(end, end->path->bytes), err;
	struct datapath_pipe pipe;
	ssize_t filled = 0;

	if (file_fd < 0)
		return file_fd;
	err = pipe_open(end, &pipe);
	if (err)
		goto out;
	while (!err && (filled = splice(file_fd, NULL, pipe.fds[1], NULL, END_CHUNK, 0)) > 0) {
		while (filled > 0) {
			ssize_t sent =
			    splice(pipe.fds[0], NULL, socket->fd, NULL, (size_t)filled, SPLICE_F_MORE);

			if (sent <= 0) {
				err = end_fail_errno(end, "splice into a socket");
				break;
			}
			socket->truth.tx_bytes += (uint64_t)sent;
			filled -= sent;
		}
	}
	if (!err && filled < 0)
		err = end_fail_errno(end, "splice out of a file");
	pipe_close(&pipe);
	if (!err)
		err = end_shutdown(end, socket);
out:
	close(file_fd);
	return err;
}

/* The proxy's second connection: to a process that it starts, whose listener is the first connection's. */
static int proxy_start_sink(struct datapath_end *end, pid_t *pid)
{
	int err = end_fork(end, DATAPATH_RECEIVER_OTHER, "dp-sink", pid);

	if (err)
		return err;
	if (*pid == 0) {
		close(end->listen_fd);
		end_close(&end->sockets[0]);
		err = end_connect(end);
		end_exit(end, err ? err : end_receive_all(end, &end->sockets[1], END_CHUNK, 0));
	}
	return end_accept(end);
}

static int proxy_forward(struct datapath_end *end, struct datapath_pipe *pipe)
{
	struct datapath_socket *in = &end->sockets[0], *out = &end->sockets[1];
	ssize_t received;

	while ((received = splice(in->fd, NULL, pipe->fds[1], NULL, END_CHUNK, SPLICE_F_MOVE)) > 0) {
		in->truth.rx_bytes += (uint64_t)received;
		while (received) {
			ssize_t sent =
			    splice(pipe->fds[0], NULL, out->fd, NULL, (size_t)received, SPLICE_F_MOVE);

			if (sent <= 0)
				return end_fail_errno(end, "splice into a socket");
			out->truth.tx_bytes += (uint64_t)sent;
			received -= sent;
		}
	}
	return received < 0 ? end_fail_errno(end, "splice out of a socket") : end_shutdown(end, out);
}

static int proxy_receive(struct datapath_end *end)
{
	struct datapath_pipe pipe;
	pid_t sink;
	int err = proxy_start_sink(end, &sink);

	if (!err)
		err = pipe_open(end, &pipe);
	if (err)
		return err;
	err = proxy_forward(end, &pipe);
	pipe_close(&pipe);
	return err ? err : end_join(end, sink);
}

/* One reading call of the turn's kind; what the call returned, which is 0 at the stream's end. */
static ssize_t mixed_read(struct datapath_end *end, struct datapath_pipe *pipe, unsigned turn)
{
	struct datapath_socket *socket = &end->sockets[0];
	char buffer[10007];
	ssize_t received;

	if (turn % 4 == 3)
		return pipe_receive(end, pipe, socket, 20011);
	if (turn % 4 == 2)
		received = recv(socket->fd, NULL, 5003, MSG_TRUNC);
	else if (turn % 4 == 1)
		return recv(socket->fd, buffer, sizeof buffer, MSG_PEEK);
	else
		received = recv(socket->fd, buffer, sizeof buffer, 0);
	if (received < 0)
		end_fail_errno(end, "recv");
	else
		socket->truth.rx_bytes += (uint64_t)received;
	return received;
}

static int mixed_receive(struct datapath_end *end)
{
	struct datapath_pipe pipe;
	ssize_t received = pipe_open(end, &pipe);

	if (received < 0)
		return (int)received;
	for (unsigned turn = 0; (received = mixed_read(end, &pipe, turn)) > 0; turn++)
		;
	pipe_close(&pipe);
	return received < 0 ? end_fail_errno(end, "recv") : 0;
}

static const struct datapath paths[] = {
	{ .id = "sendfile",
	    .title = "sendfile",
	    .bytes = 8388623,
	    .send = pipe_sendfile_side,
	    .receive = end_receive_plain },
	{ .id = "splice_in",
	    .title = "splice from a file into a socket",
	    .bytes = 4000039,
	    .send = file_splice_send,
	    .receive = end_receive_plain },
	{ .id = "splice_pipe",
	    .title = "splice from a pipe into a socket",
	    .bytes = 4000043,
	    .send = pipe_send_side,
	    .receive = end_receive_plain },
	{ .id = "splice_out",
	    .title = "splice out of a socket",
	    .bytes = 4000063,
	    .flags = DATAPATH_RX_SPLICE,
	    .send = end_send_plain,
	    .receive = pipe_receive_side },
	{ .id = "splice_proxy",
	    .title = "a proxy: splice from one socket to another",
	    .bytes = 4000067,
	    .flags = DATAPATH_RX_SPLICE,
	    .send = end_send_plain,
	    .receive = proxy_receive },
	{ .id = "mixed",
	    .title = "recv, peek, MSG_TRUNC and splice on one socket",
	    .bytes = 4000079,
	    .flags = DATAPATH_RX_SPLICE,
	    .send = end_send_plain,
	    .receive = mixed_receive },
};

const struct datapath_group datapath_splice = { paths, sizeof paths / sizeof *paths };
