/* SPDX-License-Identifier: Apache-2.0 */
/* The send and recv family of calls: how much one asks for, and how much it gets. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check/datapath_end.h"
#include "check/datapath_groups.h"

static int write_send(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	const char *buffer = end_buffer(end);
	uint64_t left = end->path->bytes;

	while (buffer && left) {
		ssize_t sent = write(socket->fd, buffer, left < END_CHUNK ? left : END_CHUNK);

		if (sent < 0)
			return end_fail_errno(end, "write");
		socket->truth.tx_bytes += (uint64_t)sent;
		left -= (uint64_t)sent;
	}
	return buffer ? end_shutdown(end, socket) : -ENOMEM;
}

static int read_receive(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	char buffer[16384];
	ssize_t received;

	while ((received = read(socket->fd, buffer, sizeof buffer)) > 0)
		socket->truth.rx_bytes += (uint64_t)received;
	return received < 0 ? end_fail_errno(end, "read") : 0;
}

/* 100,000 messages of 64 bytes; the last one makes the sum a prime. */
static int messages_send(struct datapath_end *end)
{
	int err = end_send_all(end, &end->sockets[0], end->path->bytes, 64);

	return err ? err : end_shutdown(end, &end->sockets[0]);
}

static int messages_receive(struct datapath_end *end)
{
	return end_receive_all(end, &end->sockets[0], 64, 0);
}

static int send_buffer_set(struct datapath_end *end, int fd, int bytes)
{
	return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) < 0
	           ? end_fail_errno(end, "SO_SNDBUF")
	           : 0;
}

/* Asks for far more than there is room: partial sends and EAGAIN, both of which must occur. */
static int nonblocking_send(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	const char *buffer = end_buffer(end);
	uint64_t left = end->path->bytes, partial = 0, again = 0;

	if (!buffer || send_buffer_set(end, socket->fd, 64 * 1024) || end_nonblocking(end, socket->fd, true))
		return -EIO;
	while (left) {
		size_t asked = left < 512 * 1024 ? left : 512 * 1024;
		ssize_t sent = send(socket->fd, buffer, asked, 0);

		if (sent < 0 && errno != EAGAIN)
			return end_fail_errno(end, "send");
		if (sent < 0) {
			again++;
			end_sleep_us(100);
			continue;
		}
		partial += (size_t)sent < asked;
		socket->truth.tx_bytes += (uint64_t)sent;
		left -= (uint64_t)sent;
	}
	if (!partial || !again)
		return end_fail(end, -ENODATA, "no partial send or no EAGAIN");
	return end_shutdown(end, socket);
}

static int slow_receive(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	char buffer[32768];
	ssize_t received;

	while ((received = recv(socket->fd, buffer, sizeof buffer, 0)) > 0) {
		socket->truth.rx_bytes += (uint64_t)received;
		end_sleep_us(300);
	}
	return received < 0 ? end_fail_errno(end, "recv") : 0;
}

/* Every call asks for 8 MB (the last ones for what is left) and gets what fits until its time is over. */
static int timeout_send(struct datapath_end *end)
{
	struct timeval timeout = { .tv_usec = 8000 };
	struct datapath_socket *socket = &end->sockets[0];
	const char *buffer = end_buffer(end);
	uint64_t left = end->path->bytes, partial = 0;

	if (!buffer || send_buffer_set(end, socket->fd, 256 * 1024))
		return -EIO;
	if (setsockopt(socket->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
		return end_fail_errno(end, "SO_SNDTIMEO");
	while (left) {
		size_t asked = left < (8 << 20) ? left : 8 << 20;
		ssize_t sent = send(socket->fd, buffer, asked, 0);

		if (sent < 0 && errno != EAGAIN)
			return end_fail_errno(end, "send");
		if (sent < 0)
			continue;
		partial += (size_t)sent < asked;
		socket->truth.tx_bytes += (uint64_t)sent;
		left -= (uint64_t)sent;
	}
	if (!partial)
		return end_fail(end, -ENODATA, "no send was cut short by its timeout");
	return end_shutdown(end, socket);
}

static int pieces_send(struct datapath_end *end)
{
	return end_send_pieces(end, 16411, 100);
}

static int waitall_receive(struct datapath_end *end)
{
	return end_receive_all(end, &end->sockets[0], 1 << 20, MSG_WAITALL);
}

/* Every byte is looked at at least twice before it is taken. */
static int peek_receive(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	char buffer[END_CHUNK / 2];
	ssize_t peeked, received = 1;

	while ((peeked = recv(socket->fd, buffer, sizeof buffer, MSG_PEEK)) > 0) {
		if (recv(socket->fd, buffer, (size_t)peeked, MSG_PEEK | MSG_DONTWAIT) != peeked)
			return end_fail(end, -EIO, "a second peek saw less than the first");
		received = recv(socket->fd, buffer, (size_t)peeked, 0);
		if (received <= 0)
			break;
		socket->truth.rx_bytes += (uint64_t)received;
	}
	return peeked < 0 || received <= 0 ? end_fail_errno(end, "recv") : 0;
}

/* By turns reads and discards: for TCP, MSG_TRUNC takes bytes off the queue without copying them. */
static int trunc_receive(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	char buffer[8192];
	ssize_t received = 1;

	for (unsigned turn = 0; received > 0; turn++) {
		received = turn % 2 ? recv(socket->fd, NULL, END_CHUNK, MSG_TRUNC)
		                    : recv(socket->fd, buffer, sizeof buffer, 0);
		if (received > 0)
			socket->truth.rx_bytes += (uint64_t)received;
	}
	return received < 0 ? end_fail_errno(end, "recv") : 0;
}

enum { VECTOR_LENGTH = 7 };

static size_t vector_fill(struct iovec vector[VECTOR_LENGTH], char *buffer, size_t room, uint64_t limit)
{
	size_t total = 0;

	for (int i = 0; i < VECTOR_LENGTH; i++) {
		size_t length = room / VECTOR_LENGTH + (size_t)i;

		length = length < limit - total ? length : limit - total;
		vector[i] = (struct iovec){ .iov_base = buffer + total, .iov_len = length };
		total += length;
	}
	return total;
}

static int vector_send(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	char *buffer = end_buffer(end);
	uint64_t left = end->path->bytes;
	struct iovec vector[VECTOR_LENGTH];

	while (buffer && left) {
		vector_fill(vector, buffer, END_CHUNK, left);
		ssize_t sent = writev(socket->fd, vector, VECTOR_LENGTH);

		if (sent < 0)
			return end_fail_errno(end, "writev");
		socket->truth.tx_bytes += (uint64_t)sent;
		left -= (uint64_t)sent;
	}
	return buffer ? end_shutdown(end, socket) : -ENOMEM;
}

static int vector_receive(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	char buffer[16384 + VECTOR_LENGTH * VECTOR_LENGTH];
	struct iovec vector[VECTOR_LENGTH];
	ssize_t received;

	vector_fill(vector, buffer, 16384, sizeof buffer);
	while ((received = readv(socket->fd, vector, VECTOR_LENGTH)) > 0)
		socket->truth.rx_bytes += (uint64_t)received;
	return received < 0 ? end_fail_errno(end, "readv") : 0;
}

enum { BATCH_LENGTH = 8, BATCH_BYTES = 8191 };

static int batch_send(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	char *buffer = end_buffer(end);
	uint64_t left = end->path->bytes;

	while (buffer && left) {
		struct mmsghdr messages[BATCH_LENGTH] = { 0 };
		struct iovec vectors[BATCH_LENGTH];
		uint64_t planned = 0;
		unsigned count = 0;

		for (; count < BATCH_LENGTH && planned < left; count++) {
			size_t length = left - planned < BATCH_BYTES ? left - planned : BATCH_BYTES;

			vectors[count] = (struct iovec){ .iov_base = buffer, .iov_len = length };
			messages[count].msg_hdr.msg_iov = &vectors[count];
			messages[count].msg_hdr.msg_iovlen = 1;
			planned += length;
		}
		int sent = sendmmsg(socket->fd, messages, count, 0);

		if (sent < 0)
			return end_fail_errno(end, "sendmmsg");
		for (int i = 0; i < sent; i++) {
			socket->truth.tx_bytes += messages[i].msg_len;
			left -= messages[i].msg_len;
		}
	}
	return buffer ? end_shutdown(end, socket) : -ENOMEM;
}

static int batch_receive(struct datapath_end *end)
{
	static const size_t length = 5003;
	struct datapath_socket *socket = &end->sockets[0];
	char buffer[BATCH_LENGTH][5003];
	uint64_t batch_bytes;

	do {
		struct mmsghdr messages[BATCH_LENGTH] = { 0 };
		struct iovec vectors[BATCH_LENGTH];
		int received;

		for (int i = 0; i < BATCH_LENGTH; i++) {
			vectors[i] = (struct iovec){ .iov_base = buffer[i], .iov_len = length };
			messages[i].msg_hdr.msg_iov = &vectors[i];
			messages[i].msg_hdr.msg_iovlen = 1;
		}
		received = recvmmsg(socket->fd, messages, BATCH_LENGTH, MSG_WAITFORONE, NULL);
		if (received < 0)
			return end_fail_errno(end, "recvmmsg");
		batch_bytes = 0;
		for (int i = 0; i < received; i++)
			batch_bytes += messages[i].msg_len;
		socket->truth.rx_bytes += batch_bytes;
	} while (batch_bytes);
	return 0;
}

/* Else Nagle's algorithm and delayed acknowledgements make it wait 40 ms for every chunk. */
static int echo_start(struct datapath_end *end)
{
	int one = 1;

	return setsockopt(end->sockets[0].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0
	           ? end_fail_errno(end, "TCP_NODELAY")
	           : 0;
}

/* Sends a chunk and has it back before the next: both ends have TX and RX. */
static int echo_send(struct datapath_end *end)
{
	uint64_t left = end->path->bytes;
	int err = echo_start(end);

	while (left && !err) {
		uint64_t bytes = left < 20011 ? left : 20011;

		err = end_send_all(end, &end->sockets[0], bytes, bytes);
		if (!err)
			err = end_receive_exactly(end, &end->sockets[0], bytes, bytes);
		left -= bytes;
	}
	return err ? err : end_shutdown(end, &end->sockets[0]);
}

static int echo_receive(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	char buffer[8192];
	ssize_t received;
	int err = echo_start(end);

	if (err)
		return err;
	while ((received = recv(socket->fd, buffer, sizeof buffer, 0)) > 0) {
		socket->truth.rx_bytes += (uint64_t)received;
		err = end_send_all(end, socket, (uint64_t)received, (size_t)received);
		if (err)
			return err;
	}
	return received < 0 ? end_fail_errno(end, "recv") : 0;
}

static const struct datapath paths[] = {
	{ .id = "blocking",
	    .title = "blocking send and recv",
	    .bytes = 8388617,
	    .send = end_send_plain,
	    .receive = end_receive_plain },
	{ .id = "write_read",
	    .title = "write and read",
	    .bytes = 3000017,
	    .send = write_send,
	    .receive = read_receive },
	{ .id = "messages",
	    .title = "100,000 messages of 64 bytes",
	    .bytes = 6400013,
	    .send = messages_send,
	    .receive = messages_receive },
	{ .id = "echo",
	    .title = "both directions on one connection",
	    .bytes = 2000003,
	    .send = echo_send,
	    .receive = echo_receive },
	{ .id = "nonblocking",
	    .title = "non-blocking sender, slow reader",
	    .bytes = 4000037,
	    .send = nonblocking_send,
	    .receive = slow_receive },
	{ .id = "send_timeout",
	    .title = "8 MB sends with SO_SNDTIMEO",
	    .bytes = 16000057,
	    .send = timeout_send,
	    .receive = slow_receive },
	{ .id = "large_send",
	    .title = "8 MB in one blocking send",
	    .bytes = 8388619,
	    .send = end_send_once,
	    .receive = end_receive_plain },
	{ .id = "waitall",
	    .title = "MSG_WAITALL arriving in pieces",
	    .bytes = 3000029,
	    .send = pieces_send,
	    .receive = waitall_receive },
	{ .id = "peek",
	    .title = "peek, then read",
	    .bytes = 3000047,
	    .send = end_send_plain,
	    .receive = peek_receive },
	{ .id = "trunc",
	    .title = "bytes discarded with MSG_TRUNC",
	    .bytes = 3000061,
	    .send = end_send_plain,
	    .receive = trunc_receive },
	{ .id = "vector",
	    .title = "writev and readv",
	    .bytes = 3000073,
	    .send = vector_send,
	    .receive = vector_receive },
	{ .id = "batch",
	    .title = "sendmmsg and recvmmsg",
	    .bytes = 3000077,
	    .send = batch_send,
	    .receive = batch_receive },
	{ .id = "ipv6",
	    .title = "IPv6",
	    .bytes = 2000029,
	    .flags = DATAPATH_IPV6,
	    .send = end_send_plain,
	    .receive = end_receive_plain },
	{ .id = "mapped",
	    .title = "IPv4-mapped IPv6",
	    .bytes = 2000039,
	    .flags = DATAPATH_MAPPED,
	    .send = end_send_plain,
	    .receive = end_receive_plain },
};

const struct datapath_group datapath_plain = { paths, sizeof paths / sizeof *paths };
