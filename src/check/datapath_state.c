/* SPDX-License-Identifier: Apache-2.0 */
/* Odd states of connections and calls: reset, half-closed, gone to TIME_WAIT, already asleep at the start. */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "check/datapath_end.h"
#include "check/datapath_groups.h"

enum { RESET_TIMEOUT_MS = 5000 };
enum { STATE_CLOSED = 7 }; /* TCP_CLOSE of tcp_info's tcpi_state, which linux/tcp.h does not name */

/* All bytes fit into the buffers; what follows the reset fails, and counts nothing. */
static int reset_send(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	struct pollfd reset = { .fd = socket->fd };
	int err = end_send_all(end, socket, end->path->bytes, 10007);

	if (!err)
		err = end_signal(end);
	if (!err)
		err = end_wait(end);
	if (err)
		return err;
	/* on a busy host the peer's word may be faster than the segment */
	if (poll(&reset, 1, RESET_TIMEOUT_MS) != 1)
		return end_fail(end, -ETIME, "the connection was not reset in time");
	for (int i = 0; i < 3; i++)
		if (send(socket->fd, end->buffer, 10007, 0) >= 0)
			return end_fail(end, -EIO, "the connection was not reset");
	return 0;
}

static int reset_receive(struct datapath_end *end)
{
	struct linger linger = { .l_onoff = 1 };
	int err = end_wait(end);

	if (!err)
		err = end_receive_exactly(end, &end->sockets[0], end->path->bytes / 3, 5003);
	if (err)
		return err;
	if (setsockopt(end->sockets[0].fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) < 0)
		return end_fail_errno(end, "SO_LINGER");
	end_close(&end->sockets[0]);
	return end_signal(end);
}

/*
 * The client reads the answer when the connection has gone to TIME_WAIT: its own socket is closed by then
 * and has lost its port in the kernel, but still holds the data.
 */
static int half_close_send(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	struct tcp_info info = { 0 };
	socklen_t length = sizeof info;
	int err = end_send_plain(end);

	if (!err)
		err = end_wait(end);
	if (err)
		return err;
	for (int i = 0; i < 1000 && info.tcpi_state != STATE_CLOSED; i++) {
		if (getsockopt(socket->fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
			return end_fail_errno(end, "TCP_INFO");
		end_sleep_us(1000);
	}
	if (info.tcpi_state != STATE_CLOSED)
		return end_fail(end, -ETIME, "the connection did not go to TIME_WAIT");
	return end_receive_all(end, socket, 5003, 0);
}

/* The answer is as long as the question, and fits into the client's buffer. */
static int half_close_receive(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	int err = end_receive_plain(end);

	if (!err)
		err = end_send_all(end, socket, end->path->bytes, 10007);
	end_close(socket);
	return err ? err : end_signal(end);
}

static const struct datapath paths[] = {
	{ .id = "reset",
	    .title = "reset with unread data",
	    .bytes = 100019,
	    .flags = DATAPATH_UNDELIVERED,
	    .send = reset_send,
	    .receive = reset_receive },
	{ .id = "half_close",
	    .title = "read after the connection went to TIME_WAIT",
	    .bytes = 50021,
	    .send = half_close_send,
	    .receive = half_close_receive },
	{ .id = "blocked_recv",
	    .title = "a receive that waits for its bytes",
	    .bytes = 1000037,
	    .flags = DATAPATH_BLOCKED_RECEIVER,
	    .send = end_send_plain,
	    .receive = end_receive_plain },
	{ .id = "blocked_send",
	    .title = "a send that waits for room",
	    .bytes = 16000079,
	    .flags = DATAPATH_BLOCKED_SENDER,
	    .send = end_send_once,
	    .receive = end_receive_plain },
};

const struct datapath_group datapath_state = { paths, sizeof paths / sizeof *paths };
