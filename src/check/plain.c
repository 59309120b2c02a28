/* SPDX-License-Identifier: Apache-2.0 */
/* The send and recv family of calls: how much one asks for, and how much it gets. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check/side.h"

#define UNUSED(side) ((void)(side))

static ssize_t call_write(struct side *side, int fd, void *buffer, size_t size)
{
	UNUSED(side);
	return write(fd, buffer, size);
}

static ssize_t call_read(struct side *side, int fd, void *buffer, size_t size)
{
	UNUSED(side);
	return read(fd, buffer, size);
}

/* Asks for far more than there is room; that sends were cut short, and that some found no room, is noted. */
static ssize_t call_send_partly(struct side *side, int fd, void *buffer, size_t size)
{
	ssize_t sent;

	while ((sent = send(fd, buffer, size, 0)) < 0 && errno == EAGAIN) {
		side->seen[1]++;
		side_sleep_us(100);
	}
	side->seen[0] += sent > 0 && (size_t)sent < size;
	return sent;
}

static int nonblocking_send(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];
	int err = side_option(side, socket->fd, SOL_SOCKET, SO_SNDBUF, 64 * 1024, "SO_SNDBUF");

	err = err ?: side_nonblocking(side, socket->fd, true);
	err = err ?: side_send(side, socket, side->path->bytes);
	if (!err && (!side->seen[0] || !side->seen[1]))
		err = side_fail(side, -ENODATA, "no partial send or no EAGAIN");
	return err ?: side_shutdown(side, socket);
}

/* Every call asks for 8 MB (the last ones for what is left) and gets what fits until its time is over. */
static int timeout_send(struct side *side)
{
	struct timeval timeout = { .tv_usec = 8000 };
	struct side_socket *socket = &side->sockets[0];
	int err = side_option(side, socket->fd, SOL_SOCKET, SO_SNDBUF, 256 * 1024, "SO_SNDBUF");

	if (!err && setsockopt(socket->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
		err = side_fail_errno(side, "SO_SNDTIMEO");
	err = err ?: side_send(side, socket, side->path->bytes);
	if (!err && !side->seen[0])
		err = side_fail(side, -ENODATA, "no send was cut short by its timeout");
	return err ?: side_shutdown(side, socket);
}

static ssize_t call_recv_whole(struct side *side, int fd, void *buffer, size_t size)
{
	UNUSED(side);
	return recv(fd, buffer, size, MSG_WAITALL);
}

/* Every byte is looked at at least twice before it is taken. */
static ssize_t call_recv_peeked(struct side *side, int fd, void *buffer, size_t size)
{
	ssize_t peeked = recv(fd, buffer, size, MSG_PEEK);

	UNUSED(side);
	if (peeked <= 0)
		return peeked;
	if (recv(fd, buffer, (size_t)peeked, MSG_PEEK | MSG_DONTWAIT) != peeked) {
		errno = EIO; /* the second peek saw less than the first */
		return -1;
	}
	return recv(fd, buffer, (size_t)peeked, 0);
}

/* Reads and discards in turn: for TCP, MSG_TRUNC takes bytes off the queue without copying them. */
static ssize_t call_recv_truncated(struct side *side, int fd, void *buffer, size_t size)
{
	return side->turn++ % 2 ? recv(fd, NULL, size, MSG_TRUNC) : recv(fd, buffer, size / 8, 0);
}

enum { VECTOR_LENGTH = 7 };

static void vector_fill(struct iovec vector[VECTOR_LENGTH], char *buffer, size_t size)
{
	size_t part = size / VECTOR_LENGTH;

	for (size_t i = 0; i < VECTOR_LENGTH; i++)
		vector[i] =
		    (struct iovec){ buffer + i * part, i < VECTOR_LENGTH - 1 ? part : size - i * part };
}

static ssize_t call_writev(struct side *side, int fd, void *buffer, size_t size)
{
	struct iovec vector[VECTOR_LENGTH];

	UNUSED(side);
	vector_fill(vector, buffer, size);
	return writev(fd, vector, VECTOR_LENGTH);
}

static ssize_t call_readv(struct side *side, int fd, void *buffer, size_t size)
{
	struct iovec vector[VECTOR_LENGTH];

	UNUSED(side);
	vector_fill(vector, buffer, size);
	return readv(fd, vector, VECTOR_LENGTH);
}

enum { BATCH_LENGTH = 8 };

/* Size bytes as messages of at most an eighth of the chunk; how many there are. */
static unsigned batch_fill(struct mmsghdr messages[BATCH_LENGTH], struct iovec vectors[BATCH_LENGTH],
    char *buffer, size_t size, size_t chunk)
{
	unsigned count = 0;

	for (size_t at = 0; count < BATCH_LENGTH && at < size; at += vectors[count++].iov_len) {
		size_t length = size - at < chunk / BATCH_LENGTH ? size - at : chunk / BATCH_LENGTH;

		vectors[count] = (struct iovec){ buffer + at, length };
		messages[count] =
		    (struct mmsghdr){ .msg_hdr = { .msg_iov = &vectors[count], .msg_iovlen = 1 } };
	}
	return count;
}

static ssize_t batch_sum(const struct mmsghdr *messages, int count)
{
	ssize_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += messages[i].msg_len;
	return count < 0 ? -1 : sum;
}

static ssize_t call_sendmmsg(struct side *side, int fd, void *buffer, size_t size)
{
	struct mmsghdr messages[BATCH_LENGTH];
	struct iovec vectors[BATCH_LENGTH];
	unsigned count = batch_fill(messages, vectors, buffer, size, side->path->write_chunk);

	return batch_sum(messages, sendmmsg(fd, messages, count, 0));
}

static ssize_t call_recvmmsg(struct side *side, int fd, void *buffer, size_t size)
{
	struct mmsghdr messages[BATCH_LENGTH];
	struct iovec vectors[BATCH_LENGTH];
	unsigned count = batch_fill(messages, vectors, buffer, size, side->path->read_chunk);

	return batch_sum(messages, recvmmsg(fd, messages, count, MSG_WAITFORONE, NULL));
}

/* Else Nagle's algorithm and delayed acknowledgements make it wait 40 ms for every chunk. */
static int echo_start(struct side *side)
{
	return side_option(side, side->sockets[0].fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
}

/* Sends a chunk and has it back before the next: TX and RX on both sides. */
static int echo_send(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];
	uint64_t left = side->path->bytes;
	int err = 0;

	while (left && !err) {
		uint64_t bytes = left < side->path->write_chunk ? left : side->path->write_chunk;

		err = side_send(side, socket, bytes) ?: side_receive(side, socket, bytes);
		left -= bytes;
	}
	return err ?: side_shutdown(side, socket);
}

static int echo_receive(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];
	int err = side_buffers(side);
	ssize_t received;

	while (!err && (received = recv(socket->fd, side->received, 8192, 0)) != 0) {
		if (received < 0)
			return side_fail_errno(side, "recv");
		socket->truth->rx_bytes += (uint64_t)received;
		err = side_send(side, socket, (uint64_t)received);
	}
	return err;
}

static const struct path paths[] = {
	{ "blocking", "blocking send and recv", .bytes = 8388617 },
	{ "write_read", "write and read", .bytes = 3000017, .write = call_write, .read = call_read,
	    .read_chunk = 16384 },
	{ "messages", "100,000 messages of 64 bytes", .bytes = 6400013, .write_chunk = 64, .read_chunk = 64 },
	{ "echo", "both directions on one connection", .bytes = 2000003, .start = echo_start,
	    .send = echo_send, .receive = echo_receive, .write_chunk = 20011 },
	{ "nonblocking", "non-blocking sender, slow reader", .bytes = 4000037, .send = nonblocking_send,
	    .write = call_send_partly, .write_chunk = 512 * 1024, .read_chunk = 32768, .read_pause_us = 300 },
	{ "send_timeout", "8 MB sends with SO_SNDTIMEO", .bytes = 16000057, .send = timeout_send,
	    .write = call_send_partly, .write_chunk = 8 << 20, .read_chunk = 32768, .read_pause_us = 300 },
	{ "large_send", "8 MB in one blocking send", .bytes = 8388619, .send = side_send_once },
	{ "waitall", "MSG_WAITALL arriving in pieces", .bytes = 3000029, .write_chunk = 16411,
	    .write_pause_us = 100, .read = call_recv_whole, .read_chunk = 1 << 20 },
	{ "peek", "peek, then read", .bytes = 3000047, .read = call_recv_peeked, .read_chunk = 32768 },
	{ "trunc", "bytes discarded with MSG_TRUNC", .bytes = 3000061, .read = call_recv_truncated },
	{ "vector", "writev and readv", .bytes = 3000073, .write = call_writev, .read = call_readv,
	    .read_chunk = 16411 },
	{ "batch", "sendmmsg and recvmmsg", .bytes = 3000077, .write = call_sendmmsg,
	    .write_chunk = BATCH_LENGTH * 8191, .read = call_recvmmsg, .read_chunk = BATCH_LENGTH * 5003 },
	{ "ipv6", "IPv6", .bytes = 2000029, .flags = PATH_IPV6 },
	{ "mapped", "IPv4-mapped IPv6", .bytes = 2000039, .flags = PATH_MAPPED },
};

const struct path_group paths_plain = PATH_GROUP(paths);
