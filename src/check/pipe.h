/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes between files, pipes and sockets without a copy through user space. */
#ifndef TCPTOP_CHECK_PIPE_H
#define TCPTOP_CHECK_PIPE_H

#include <stddef.h>
#include <sys/types.h>

struct pipe;
struct side;

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
