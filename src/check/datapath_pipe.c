/* SPDX-License-Identifier: Apache-2.0 */
#include "check/datapath_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

int pipe_open(struct datapath_end *end, struct datapath_pipe *pipe)
{
	pipe->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (pipe->null_fd < 0)
		return end_fail_errno(end, "/dev/null");
	if (pipe2(pipe->fds, O_CLOEXEC) == 0)
		return 0;
	end_fail_errno(end, "pipe");
	close(pipe->null_fd);
	return -EMFILE;
}

void pipe_close(struct datapath_pipe *pipe)
{
	close(pipe->fds[0]);
	close(pipe->fds[1]);
	close(pipe->null_fd);
}

int pipe_send_pages(
    struct datapath_end *end, struct datapath_pipe *pipe, struct datapath_socket *socket, uint64_t bytes)
{
	const char *buffer = end_buffer(end);

	while (buffer && bytes) {
		/*
		 * A write of whole pages gives each a page of its own: order 0, in no mapping, fit to be
		 * mapped.
		 */
		ssize_t filled = write(pipe->fds[1], buffer, bytes < 32768 ? bytes : 32768);

		if (filled < 0)
			return end_fail_errno(end, "write to a pipe");
		bytes -= (uint64_t)filled;
		while (filled) {
			ssize_t sent = splice(pipe->fds[0], NULL, socket->fd, NULL, (size_t)filled, 0);

			if (sent <= 0)
				return end_fail_errno(end, "splice into a socket");
			socket->truth.tx_bytes += (uint64_t)sent;
			filled -= sent;
		}
	}
	return buffer ? 0 : -ENOMEM;
}

ssize_t pipe_receive(
    struct datapath_end *end, struct datapath_pipe *pipe, struct datapath_socket *socket, size_t bytes)
{
	ssize_t received = splice(socket->fd, NULL, pipe->fds[1], NULL, bytes, 0), left = received;

	if (received < 0)
		return end_fail_errno(end, "splice out of a socket");
	socket->truth.rx_bytes += (uint64_t)received;
	while (left) {
		ssize_t emptied = splice(pipe->fds[0], NULL, pipe->null_fd, NULL, (size_t)left, 0);

		if (emptied <= 0)
			return end_fail_errno(end, "splice into /dev/null");
		left -= emptied;
	}
	return received;
}

int pipe_send_side(struct datapath_end *end)
{
	struct datapath_pipe pipe;
	int err = pipe_open(end, &pipe);

	if (err)
		return err;
	err = pipe_send_pages(end, &pipe, &end->sockets[0], end->path->bytes);
	pipe_close(&pipe);
	return err ? err : end_shutdown(end, &end->sockets[0]);
}

int pipe_sendfile_side(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	int fd = end_memfd(end, end->path->bytes);
	uint64_t left = end->path->bytes;

	if (fd < 0)
		return fd;
	while (left) {
		ssize_t sent = sendfile(socket->fd, fd, NULL, left);

		if (sent <= 0) {
			end_fail_errno(end, "sendfile");
			break;
		}
		socket->truth.tx_bytes += (uint64_t)sent;
		left -= (uint64_t)sent;
	}
	close(fd);
	return left ? -EIO : end_shutdown(end, socket);
}

int pipe_receive_side(struct datapath_end *end)
{
	struct datapath_pipe pipe;
	ssize_t received = pipe_open(end, &pipe);

	if (received < 0)
		return (int)received;
	do
		received = pipe_receive(end, &pipe, &end->sockets[0], END_CHUNK);
	while (received > 0);
	pipe_close(&pipe);
	return (int)received;
}
