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

/* On from the pipe goes what was put into it. */
static ssize_t pass(struct side *side, ssize_t filled, int to_fd, unsigned flags)
{
	return filled < 0 || pipe_flush(&side->pipe, to_fd, (size_t)filled, flags) ? -1 : filled;
}

ssize_t pipe_send_file(struct side *side, int fd, void *buffer, size_t size)
{
	struct pipe *pipe = &side->pipe;

	(void)buffer;
	return pipe_need(side)
	           ? -1
	           : pass(side, splice(pipe->file_fd, NULL, pipe->fds[1], NULL, size, 0), fd, SPLICE_F_MORE);
}

/* A write of whole pages fills the pipe with new ones: order 0, in no mapping, fit to be mapped by the receiver. */
ssize_t pipe_send_pages(struct side *side, int fd, void *buffer, size_t size)
{
	return pipe_need(side) ? -1 : pass(side, write(side->pipe.fds[1], buffer, size), fd, 0);
}

ssize_t pipe_receive(struct side *side, int fd, void *buffer, size_t size)
{
	struct pipe *pipe = &side->pipe;

	(void)buffer;
	return pipe_need(side) ? -1
	                       : pass(side, splice(fd, NULL, pipe->fds[1], NULL, size, 0), pipe->null_fd, 0);
}
