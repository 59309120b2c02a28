/* SPDX-License-Identifier: Apache-2.0 */
#include "check/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "check/side.h"

int pipe_need(struct side *side)
{
	struct pipe *pipe = &side->pipe;

	if (pipe->is_open)
		return 0;
	pipe->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pipe->file_fd = side_memfd(side, side->path->bytes);
	if (pipe->null_fd < 0 || pipe->file_fd < 0 || pipe2(pipe->fds, O_CLOEXEC) < 0)
		return -1;
	pipe->is_open = true;
	return 0;
}

int pipe_flush(struct pipe *pipe, int to_fd, size_t bytes, unsigned flags)
{
	while (bytes) {
		ssize_t moved = splice(pipe->fds[0], NULL, to_fd, NULL, bytes, flags);

		if (moved <= 0)
			return -1;
		bytes -= (size_t)moved;
	}
	return 0;
}

ssize_t pipe_sendfile(struct side *side, int fd, void *buffer, size_t size)
{
	(void)buffer;
	return pipe_need(side) ? -1 : sendfile(fd, side->pipe.file_fd, NULL, size);
}

ssize_t pipe_send_file(struct side *side, int fd, void *buffer, size_t size)
{
	struct pipe *pipe = &side->pipe;
	ssize_t filled;

	(void)buffer;
	if (pipe_need(side))
		return -1;
	filled = splice(pipe->file_fd, NULL, pipe->fds[1], NULL, size, 0);
	return filled < 0 || pipe_flush(pipe, fd, (size_t)filled, SPLICE_F_MORE) ? -1 : filled;
}

/* A write of whole pages fills the pipe with new ones: order 0, in no mapping, fit to be mapped by the receiver. */
ssize_t pipe_send_pages(struct side *side, int fd, void *buffer, size_t size)
{
	ssize_t filled;

	if (pipe_need(side))
		return -1;
	filled = write(side->pipe.fds[1], buffer, size);
	return filled < 0 || pipe_flush(&side->pipe, fd, (size_t)filled, 0) ? -1 : filled;
}

ssize_t pipe_receive(struct side *side, int fd, void *buffer, size_t size)
{
	struct pipe *pipe = &side->pipe;
	ssize_t received;

	(void)buffer;
	if (pipe_need(side))
		return -1;
	received = splice(fd, NULL, pipe->fds[1], NULL, size, 0);
	return received < 0 || pipe_flush(pipe, pipe->null_fd, (size_t)received, 0) ? -1 : received;
}
