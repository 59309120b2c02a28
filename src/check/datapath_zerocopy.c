/* SPDX-License-Identifier: Apache-2.0 */
/* MSG_ZEROCOPY with its completions, reads of the error queue, and TCP_ZEROCOPY_RECEIVE. */
#include <time.h> /* before linux/errqueue.h, which uses struct timespec */

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check/datapath_groups.h"
#include "check/datapath_pipe.h"

enum { MAP_BYTES = 64 * 4096, COPY_BYTES = 8 << 20 };

static int probe_socket_option(int level, int option, const char *name, char *reason, size_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, err = 0;

	if (fd < 0 || setsockopt(fd, level, option, &one, sizeof one) < 0) {
		err = -errno;
		snprintf(reason, size, "this kernel has no %s: %s", name, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static int zerocopy_send_probe(char *reason, size_t size)
{
	int err = end_probe_locked_memory(reason, size);

	return err ? err
	           : probe_socket_option(
	                 SOL_SOCKET, SO_ZEROCOPY, "MSG_ZEROCOPY for TCP (Linux 4.14)", reason, size);
}

/* Takes one notification off the error queue: the calls that it completes, 0 when there is none, -errno. */
static int completions_read(struct datapath_end *end, int fd)
{
	char control[256];
	struct msghdr message = { .msg_control = control, .msg_controllen = sizeof control };

	if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return errno == EAGAIN ? 0 : end_fail_errno(end, "recvmsg(MSG_ERRQUEUE)");
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message); cmsg; cmsg = CMSG_NXTHDR(&message, cmsg)) {
		struct sock_extended_err completion;

		if (cmsg->cmsg_level != SOL_IP || cmsg->cmsg_type != IP_RECVERR)
			continue;
		memcpy(&completion, CMSG_DATA(cmsg), sizeof completion);
		if (completion.ee_origin == SO_EE_ORIGIN_ZEROCOPY)
			return (int)(completion.ee_data - completion.ee_info + 1);
	}
	return end_fail(end, -EBADMSG, "a notification that is no completion");
}

static int completions_wait(struct datapath_end *end, int fd, int wanted)
{
	struct pollfd poll_fd = { .fd = fd };
	int total = 0;

	while (total < wanted) {
		int count = completions_read(end, fd);

		if (count < 0)
			return count;
		if (count == 0 && poll(&poll_fd, 1, 1000) == 0)
			return end_fail(end, -ETIMEDOUT, "%d of %d completions", total, wanted);
		total += count;
	}
	return 0;
}

static int zerocopy_send(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	const char *buffer = end_buffer(end);
	uint64_t left = end->path->bytes;
	int one = 1, calls = 0, err;

	if (!buffer || setsockopt(socket->fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof one) < 0)
		return end_fail_errno(end, "SO_ZEROCOPY");
	while (left) {
		ssize_t sent = send(socket->fd, buffer, left < 262139 ? left : 262139, MSG_ZEROCOPY);

		if (sent < 0 && errno != ENOBUFS)
			return end_fail_errno(end, "send(MSG_ZEROCOPY)");
		if (sent < 0 && !calls)
			return end_fail(end, -ENOBUFS, "send(MSG_ZEROCOPY): too little memory may be locked");
		if (sent < 0) { /* the memory for notifications is used up: empty the queue */
			err = completions_wait(end, socket->fd, calls);
			if (err)
				return err;
			calls = 0;
			continue;
		}
		calls++;
		socket->truth.tx_bytes += (uint64_t)sent;
		left -= (uint64_t)sent;
	}
	err = end_shutdown(end, socket);
	return err ? err : completions_wait(end, socket->fd, calls);
}

/* Timestamps without OPT_TSONLY: every notification carries a copy of the data that was sent. */
static int errqueue_send(struct datapath_end *end)
{
	unsigned stamps = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE;
	struct datapath_socket *socket = &end->sockets[0];
	char control[512], copy[16384];
	uint64_t left = end->path->bytes, copied = 0;

	if (setsockopt(socket->fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps) < 0)
		return end_fail_errno(end, "SO_TIMESTAMPING");
	while (left) {
		uint64_t bytes = left < 10007 ? left : 10007;
		struct iovec vector = { .iov_base = copy, .iov_len = sizeof copy };
		int err = end_send_all(end, socket, bytes, bytes);

		if (err)
			return err;
		left -= bytes;
		struct msghdr message = { .msg_iov = &vector,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof control };
		ssize_t got = recvmsg(socket->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);

		if (got < 0 && errno != EAGAIN)
			return end_fail_errno(end, "recvmsg(MSG_ERRQUEUE)");
		copied += got > 0 ? (uint64_t)got : 0;
	}
	if (!copied)
		return end_fail(end, -ENODATA, "the error queue returned no data");
	return end_shutdown(end, socket);
}

static int zerocopy_receive_probe(char *reason, size_t size)
{
	struct tcp_zerocopy_receive receive = { 0 };
	socklen_t length = sizeof receive;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &receive, &length) < 0) {
		err = -errno;
		snprintf(reason, size, "this kernel has no TCP_ZEROCOPY_RECEIVE (Linux 4.18): %s",
		    strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static int zerocopy_copied_probe(char *reason, size_t size)
{
	struct tcp_zerocopy_receive receive = { 0 };
	socklen_t length = sizeof receive;
	int err = zerocopy_receive_probe(reason, size);
	int fd;

	if (err)
		return err;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* The kernel answers with as much of the structure as it knows. */
	if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &receive, &length) < 0 ||
	    length < offsetof(struct tcp_zerocopy_receive, flags)) {
		snprintf(reason, size, "this kernel's TCP_ZEROCOPY_RECEIVE has no copy buffer (Linux 5.11)");
		err = -EOPNOTSUPP;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

struct receiver {
	struct datapath_end *end;
	struct datapath_socket *socket;
	void *map;
	char *copy; /* COPY_BYTES: more than can be queued */
	uint64_t mapped_bytes, copied_bytes;
};

static int receiver_open(struct receiver *receiver, struct datapath_end *end)
{
	*receiver = (struct receiver){ .end = end, .socket = &end->sockets[0] };
	receiver->map = mmap(NULL, MAP_BYTES, PROT_READ, MAP_SHARED, receiver->socket->fd, 0);
	if (receiver->map == MAP_FAILED)
		return end_fail_errno(end, "mmap of a socket");
	receiver->copy = malloc(COPY_BYTES);
	if (receiver->copy)
		return 0;
	munmap(receiver->map, MAP_BYTES);
	return end_fail(end, -ENOMEM, "malloc");
}

static void receiver_close(struct receiver *receiver)
{
	free(receiver->copy);
	munmap(receiver->map, MAP_BYTES);
}

static ssize_t receiver_read(struct receiver *receiver, size_t bytes, int flags)
{
	ssize_t received = recv(receiver->socket->fd, receiver->copy, bytes, flags);

	if (received < 0)
		return end_fail_errno(receiver->end, "recv");
	receiver->socket->truth.rx_bytes += flags & MSG_PEEK ? 0 : (uint64_t)received;
	return received;
}

/*
 * One TCP_ZEROCOPY_RECEIVE, with a copy buffer or (copy_bytes 0) mapping alone; then recv for what the
 * kernel says it cannot map. Returns all that was delivered, 0 at the stream's end.
 */
static ssize_t receiver_map(struct receiver *receiver, int copy_bytes)
{
	struct pollfd poll_fd = { .fd = receiver->socket->fd, .events = POLLIN };
	struct tcp_zerocopy_receive receive = {
		.address = (uintptr_t)receiver->map,
		.length = MAP_BYTES,
		.copybuf_address = copy_bytes ? (uintptr_t)receiver->copy : 0,
		.copybuf_len = copy_bytes,
	};
	socklen_t length = sizeof receive;
	uint64_t delivered;

	if (poll(&poll_fd, 1, -1) < 0)
		return end_fail_errno(receiver->end, "poll");
	if (getsockopt(receiver->socket->fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &receive, &length) < 0) {
		if (errno != EIO) /* an empty queue at the stream's end; recv below sees the same */
			return end_fail_errno(receiver->end, "TCP_ZEROCOPY_RECEIVE");
		receive = (struct tcp_zerocopy_receive){ 0 };
	}
	if (receive.copybuf_len < 0)
		return end_fail(receiver->end, receive.copybuf_len, "TCP_ZEROCOPY_RECEIVE's copy");
	delivered = receive.length + (copy_bytes ? (uint64_t)receive.copybuf_len : 0);
	receiver->mapped_bytes += receive.length;
	receiver->copied_bytes += delivered - receive.length;
	receiver->socket->truth.rx_bytes += delivered;
	if (!receive.recv_skip_hint && delivered)
		return (ssize_t)delivered;
	/* Nothing delivered and nothing to skip: the stream's end, or data that came just now. */
	size_t rest = receive.recv_skip_hint ? receive.recv_skip_hint : 1;
	ssize_t received = receiver_read(receiver, rest < COPY_BYTES ? rest : COPY_BYTES, 0);

	return received < 0 ? received : received + (ssize_t)delivered;
}

static int mapped_receive(struct datapath_end *end)
{
	struct receiver receiver;
	ssize_t received = receiver_open(&receiver, end);

	if (received < 0)
		return (int)received;
	do
		received = receiver_map(&receiver, 0);
	while (received > 0);
	receiver_close(&receiver);
	if (received == 0 && !receiver.mapped_bytes)
		return end_fail(end, -ENODATA, "no page was mapped");
	return (int)received;
}

static int copied_receive(struct datapath_end *end)
{
	struct receiver receiver;
	ssize_t received = receiver_open(&receiver, end);

	if (received < 0)
		return (int)received;
	do
		received = receiver_map(&receiver, COPY_BYTES);
	while (received > 0);
	receiver_close(&receiver);
	if (received == 0 && !receiver.copied_bytes)
		return end_fail(end, -ENODATA, "nothing was copied");
	return (int)received;
}

/*
 * Mapping comes first and again after all that was queued has been copied: only there data begins at a
 * page.
 */
static ssize_t mixed_turn(struct receiver *receiver, struct datapath_pipe *pipe, unsigned turn)
{
	switch (turn % 6) {
	case 0:
		return receiver_map(receiver, 0);
	case 1:
		return receiver_read(receiver, 10007, 0);
	case 2:
		return receiver_read(receiver, 10007, MSG_PEEK);
	case 3:
		return pipe_receive(receiver->end, pipe, receiver->socket, 20011);
	case 4:
		return receiver_read(receiver, 5003, MSG_TRUNC);
	default:
		return receiver_map(receiver, COPY_BYTES);
	}
}

static int mixed_receive(struct datapath_end *end)
{
	struct receiver receiver;
	struct datapath_pipe pipe;
	ssize_t received = receiver_open(&receiver, end);

	if (received < 0)
		return (int)received;
	received = pipe_open(end, &pipe);
	if (received == 0) {
		for (unsigned turn = 0; (received = mixed_turn(&receiver, &pipe, turn)) > 0; turn++)
			;
		pipe_close(&pipe);
	}
	receiver_close(&receiver);
	if (received == 0 && (!receiver.mapped_bytes || !receiver.copied_bytes))
		return end_fail(end, -ENODATA, "no page was mapped or nothing was copied");
	return (int)received;
}

static const struct datapath paths[] = {
	{ .id = "zerocopy_send",
	    .title = "MSG_ZEROCOPY",
	    .bytes = 8388637,
	    .probe = zerocopy_send_probe,
	    .send = zerocopy_send,
	    .receive = end_receive_plain },
	{ .id = "errqueue",
	    .title = "error-queue reads that return data",
	    .bytes = 1000003,
	    .send = errqueue_send,
	    .receive = end_receive_plain },
	{ .id = "zerocopy_mapped",
	    .title = "TCP_ZEROCOPY_RECEIVE, mapped",
	    .bytes = 8388673,
	    .flags = DATAPATH_RX_ZEROCOPY,
	    .probe = zerocopy_receive_probe,
	    .send = pipe_send_side,
	    .receive = mapped_receive },
	{ .id = "zerocopy_copied",
	    .title = "TCP_ZEROCOPY_RECEIVE, copied",
	    .bytes = 4000081,
	    .flags = DATAPATH_RX_ZEROCOPY,
	    .probe = zerocopy_copied_probe,
	    .send = end_send_plain,
	    .receive = copied_receive },
	{ .id = "zerocopy_mixed",
	    .title = "TCP_ZEROCOPY_RECEIVE among recv, peek and splice",
	    .bytes = 4000093,
	    .flags = DATAPATH_RX_ZEROCOPY | DATAPATH_RX_SPLICE,
	    .probe = zerocopy_copied_probe,
	    .send = pipe_send_side,
	    .receive = mixed_receive },
};

const struct datapath_group datapath_zerocopy = { paths, sizeof paths / sizeof *paths };
