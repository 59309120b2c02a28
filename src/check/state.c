/* SPDX-License-Identifier: Apache-2.0 */
/* Odd states of connections and calls: reset, half-closed, gone to TIME_WAIT, already asleep at the start. */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "check/side.h"

enum { RESET_TIMEOUT_MS = 5000 };
enum { STATE_CLOSED = 7 }; /* TCP_CLOSE of tcp_info's tcpi_state, which linux/tcp.h does not name */

/* All bytes fit into the buffers; what follows the reset fails, and counts nothing. */
static int reset_send(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];
	struct pollfd reset = { .fd = socket->fd };
	int err = side_send(side, socket, side->path->bytes) ?: side_signal(side) ?: side_wait(side);

	if (err)
		return err;
	/* on a busy host the peer's word may be faster than the segment */
	if (poll(&reset, 1, RESET_TIMEOUT_MS) != 1)
		return side_fail(side, -ETIME, "the connection was not reset in time");
	for (int i = 0; i < 3; i++)
		if (send(socket->fd, side->sent, 10007, 0) >= 0)
			return side_fail(side, -EIO, "the connection was not reset");
	return 0;
}

static int reset_receive(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];
	int err = side_wait(side) ?: side_receive(side, socket, side->path->bytes / 3);

	if (err)
		return err;
	side_close(socket);
	return side_signal(side);
}

/*
 * The client reads the answer when the connection has gone to TIME_WAIT: its own socket is closed by then and has
 * lost its port in the kernel, but still holds the data.
 */
static int half_close_send(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];
	struct tcp_info info = { 0 };
	socklen_t length = sizeof info;
	int err = side_send_plain(side) ?: side_wait(side);

	if (err)
		return err;
	for (int i = 0; i < 1000 && info.tcpi_state != STATE_CLOSED; i++) {
		if (getsockopt(socket->fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
			return side_fail_errno(side, "TCP_INFO");
		usleep(1000);
	}
	if (info.tcpi_state != STATE_CLOSED)
		return side_fail(side, -ETIME, "the connection did not go to TIME_WAIT");
	return side_receive_plain(side);
}

/* The answer is as long as the question, and fits into the client's buffer. */
static int half_close_receive(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];
	int err = side_receive_plain(side) ?: side_send(side, socket, side->path->bytes);

	side_close(socket);
	return err ?: side_signal(side);
}

const struct path paths_state[] = {
	{ "reset", "reset with unread data", 100019, .flags = PATH_UNDELIVERED, .send = reset_send,
	    .options = { [SIDE_RECEIVER] = { OPTION(SOL_SOCKET, SO_LINGER, struct linger, .l_onoff = 1) } },
	    .receive = reset_receive, .write.chunk = 10007, .read.chunk = 5003 },
	{ "half_close", "read after the connection went to TIME_WAIT", 50021, .send = half_close_send,
	    .receive = half_close_receive, .write.chunk = 10007, .read.chunk = 5003 },
	{ "blocked_recv", "a receive that waits for its bytes", 1000037, .flags = PATH_BLOCKED_RECEIVER },
	{ "blocked_send", "a send that waits for room", 16000079,
	    .flags = PATH_BLOCKED_SENDER | PATH_SENT_WHOLE, .write.chunk = 16000079 },
	{ .id = NULL },
};
