/* SPDX-License-Identifier: Apache-2.0 */
/* The send and recv family of calls: how much one asks for, and how much it gets. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check/side.h"

OPERATION(call_write, write(fd, buffer, size))
OPERATION(call_read, read(fd, buffer, size))

/* Asks for far more than there is room; that sends were cut short, and that some found no room, is noted. */
static ssize_t call_send_partly(struct side *side, int fd, void *buffer, size_t size)
{
	ssize_t sent;

	while ((sent = send(fd, buffer, size, 0)) < 0 && errno == EAGAIN) {
		side->met[1]++;
		usleep(100);
	}
	side->met[0] += sent > 0 && (size_t)sent < size;
	return sent;
}

OPERATION(call_recv_whole, recv(fd, buffer, size, MSG_WAITALL))

/* Every byte is looked at at least twice before it is taken. */
static ssize_t call_recv_peeked(struct side *side, int fd, void *buffer, size_t size)
{
	ssize_t peeked = recv(fd, buffer, size, MSG_PEEK);

	(void)side;
	if (peeked <= 0)
		return peeked;
	if (recv(fd, buffer, (size_t)peeked, MSG_PEEK | MSG_DONTWAIT) != peeked) {
		errno = EIO; /* the second peek saw less than the first */
		return -1;
	}
	return recv(fd, buffer, (size_t)peeked, 0);
}

/* Reads and discards in turn: for TCP, MSG_TRUNC takes bytes off the queue without copying them. */
OPERATION(
    call_recv_truncated, side->turn++ % 2 ? recv(fd, NULL, size, MSG_TRUNC) : recv(fd, buffer, size / 8, 0))

enum { VECTOR_LENGTH = 7 };

static ssize_t vector_move(ssize_t (*call)(int, const struct iovec *, int), int fd, char *buffer, size_t size)
{
	size_t part = size / VECTOR_LENGTH;
	struct iovec vector[VECTOR_LENGTH];

	for (size_t i = 0; i < VECTOR_LENGTH; i++)
		vector[i] =
		    (struct iovec){ buffer + i * part, i < VECTOR_LENGTH - 1 ? part : size - i * part };
	return call(fd, vector, VECTOR_LENGTH);
}

OPERATION(call_writev, vector_move(writev, fd, buffer, size))
OPERATION(call_readv, vector_move(readv, fd, buffer, size))

enum { BATCH_LENGTH = 8 };

/* Size bytes as messages of at most an eighth of the chunk. */
static ssize_t batch_move(bool send, int fd, char *buffer, size_t size, size_t chunk)
{
	struct mmsghdr messages[BATCH_LENGTH];
	struct iovec vectors[BATCH_LENGTH];
	unsigned count = 0;
	ssize_t sum = 0;
	int moved;

	for (size_t at = 0; count < BATCH_LENGTH && at < size; at += vectors[count++].iov_len) {
		size_t length = size - at < chunk / BATCH_LENGTH ? size - at : chunk / BATCH_LENGTH;

		vectors[count] = (struct iovec){ buffer + at, length };
		messages[count] =
		    (struct mmsghdr){ .msg_hdr = { .msg_iov = &vectors[count], .msg_iovlen = 1 } };
	}
	moved = send ? sendmmsg(fd, messages, count, 0) : recvmmsg(fd, messages, count, MSG_WAITFORONE, NULL);
	for (int i = 0; i < moved; i++)
		sum += messages[i].msg_len;
	return moved < 0 ? -1 : sum;
}

OPERATION(call_sendmmsg, batch_move(true, fd, buffer, size, side->path->write.chunk))
OPERATION(call_recvmmsg, batch_move(false, fd, buffer, size, side->path->read.chunk))

/* Sends a chunk and has it back before the next: TX and RX on both sides. */
static int echo_move(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];
	uint64_t left = side->path->bytes;
	int err = 0;

	while (left && !err) {
		uint64_t bytes = left < side->path->write.chunk ? left : side->path->write.chunk;

		if (side->role == SIDE_SENDER)
			err = side_send(side, socket, bytes) ?: side_receive(side, socket, bytes);
		else
			err = side_receive(side, socket, bytes) ?: side_send(side, socket, bytes);
		left -= bytes;
	}
	return err ?: side_shutdown(side, socket);
}

/* Else Nagle's algorithm and delayed acknowledgements make the echo wait 40 ms for every chunk. */
#define NO_DELAY                                         \
	{                                                \
		OPTION(IPPROTO_TCP, TCP_NODELAY, int, 1) \
	}
/* With these, each call asks for 8 MB (the last ones for what is left) and gets what fits until its time is over. */
#define TIMEOUT                                                                      \
	{                                                                            \
		OPTION(SOL_SOCKET, SO_SNDBUF, int, 256 * 1024),                      \
		    OPTION(SOL_SOCKET, SO_SNDTIMEO, struct timeval, .tv_usec = 8000) \
	}

const struct path paths_plain[] = {
	{ "blocking", "blocking send and recv", .bytes = 8388617 },
	{ "write_read", "write and read", 3000017, .write = { .call = call_write },
	    .read = { .call = call_read, .chunk = 16384 } },
	{ "messages", "100,000 messages of 64 bytes", 6400013, .write.chunk = 64, .read.chunk = 64 },
	{ "echo", "both directions on one connection", 2000003, .options = { NO_DELAY, NO_DELAY },
	    .send = echo_move, .receive = echo_move, .write.chunk = 20011, .read.chunk = 8192 },
	{ "nonblocking", "non-blocking sender, slow reader", 4000037, .flags = PATH_NONBLOCKING,
	    .options = { { OPTION(SOL_SOCKET, SO_SNDBUF, int, 64 * 1024) } },
	    .must_meet = { { "no partial send or no EAGAIN", "no partial send or no EAGAIN" } },
	    .write = { .call = call_send_partly, .chunk = 512 * 1024 }, .read = { NULL, 32768, 300 } },
	{ "send_timeout", "8 MB sends with SO_SNDTIMEO", 16000057, .options = { TIMEOUT },
	    .must_meet = { { "no send was cut short by its timeout" } },
	    .write = { .call = call_send_partly, .chunk = 8 << 20 }, .read = { NULL, 32768, 300 } },
	{ "large_send", "8 MB in one blocking send", 8388619, .flags = PATH_SENT_WHOLE,
	    .write.chunk = 8388619 },
	{ "waitall", "MSG_WAITALL arriving in pieces", 3000029, .write = { NULL, 16411, 100 },
	    .read = { .call = call_recv_whole, .chunk = 1 << 20 } },
	{ "peek", "peek, then read", 3000047, .read = { .call = call_recv_peeked, .chunk = 32768 } },
	{ "trunc", "bytes discarded with MSG_TRUNC", 3000061, .read = { .call = call_recv_truncated } },
	{ "vector", "writev and readv", 3000073, .write = { .call = call_writev },
	    .read = { .call = call_readv, .chunk = 16411 } },
	{ "batch", "sendmmsg and recvmmsg", 3000077,
	    .write = { .call = call_sendmmsg, .chunk = BATCH_LENGTH * 8191 },
	    .read = { .call = call_recvmmsg, .chunk = BATCH_LENGTH * 5003 } },
	{ "ipv6", "IPv6", 2000029, .flags = PATH_IPV6 },
	{ "mapped", "IPv4-mapped IPv6", 2000039, .flags = PATH_MAPPED },
	{ .id = NULL },
};
