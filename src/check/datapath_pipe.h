/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes between files, pipes and sockets without a copy through user space. */
#ifndef TCPTOP_DATAPATH_PIPE_H
#define TCPTOP_DATAPATH_PIPE_H

#include <sys/types.h>

#include "check/datapath_end.h"

struct datapath_pipe {
	int fds[2];
	int null_fd; /* /dev/null: where what was spliced out of a socket ends */
};

int pipe_open(struct datapath_end *end, struct datapath_pipe *pipe);
void pipe_close(struct datapath_pipe *pipe);

/* Fills the pipe with whole pages of its own and splices bytes of them into the socket. */
int pipe_send_pages(
    struct datapath_end *end, struct datapath_pipe *pipe, struct datapath_socket *socket, uint64_t bytes);
/* One splice out of the socket, counted, and its bytes emptied into /dev/null. The splice's return value. */
ssize_t pipe_receive(
    struct datapath_end *end, struct datapath_pipe *pipe, struct datapath_socket *socket, size_t bytes);
/* Whole sides on the first socket. */
int pipe_send_side(struct datapath_end *end);
int pipe_sendfile_side(struct datapath_end *end);
int pipe_receive_side(struct datapath_end *end);

#endif
