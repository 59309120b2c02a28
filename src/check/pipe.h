/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes between files, pipes and sockets without a copy through user space. */
#ifndef TCPTOP_CHECK_PIPE_H
#define TCPTOP_CHECK_PIPE_H

#include <stdbool.h>

#include "check/path.h"

struct pipe {
	bool is_open;
	int fds[2];
	int null_fd; /* /dev/null: where what was spliced out of a socket ends */
	int file_fd; /* of path->bytes zeroes, for those that send a file */
};

/* Opens the side's pipe, once. 0, or -1 with errno. */
int pipe_need(struct side *side);
/* Empties the pipe of so many bytes. 0, or -1 with errno. */
int pipe_flush(struct pipe *pipe, int to_fd, size_t bytes, unsigned flags);

/* operations */
ssize_t pipe_sendfile(struct side *side, int fd, void *buffer, size_t size);
ssize_t pipe_send_file(struct side *side, int fd, void *buffer, size_t size); /* by splice out of the file */
ssize_t pipe_send_pages(struct side *side, int fd, void *buffer, size_t size);
ssize_t pipe_receive(struct side *side, int fd, void *buffer, size_t size);

#endif
