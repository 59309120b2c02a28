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
#include <string.h>
#include <sys/mman.h>

#include "check/pipe.h"
#include "check/side.h"

enum { MAP_BYTES = 64 * 4096, COPY_BYTES = 8 << 20 /* more than can be queued */ };

static int zerocopy_send_available(const struct path *path, char *reason, size_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	bool failed = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof one) < 0;

	(void)path;
	return available_result(
	           fd, failed, reason, size, "this kernel has no MSG_ZEROCOPY for TCP (Linux 4.14)")
	           ?: available_locked_memory(reason, size);
}

/* Takes one notification off the error queue: the calls that it completes, 0 when there is none, -errno. */
static int completions_read(struct side *side, int fd)
{
	char control[256];
	struct msghdr message = { .msg_control = control, .msg_controllen = sizeof control };

	if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return errno == EAGAIN ? 0 : side_fail_errno(side, "recvmsg(MSG_ERRQUEUE)");
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message); cmsg; cmsg = CMSG_NXTHDR(&message, cmsg)) {
		struct sock_extended_err completion;

		if (cmsg->cmsg_level != SOL_IP || cmsg->cmsg_type != IP_RECVERR)
			continue;
		memcpy(&completion, CMSG_DATA(cmsg), sizeof completion);
		if (completion.ee_origin == SO_EE_ORIGIN_ZEROCOPY)
			return (int)(completion.ee_data - completion.ee_info + 1);
	}
	return side_fail(side, -EBADMSG, "a notification that is no completion");
}

/* Of all calls that are not completed yet: seen[0]. */
static int completions_wait(struct side *side, int fd)
{
	struct pollfd poll_fd = { .fd = fd };

	while (side->seen[0]) {
		int count = completions_read(side, fd);

		if (count < 0)
			return count;
		if (count == 0 && poll(&poll_fd, 1, 1000) == 0)
			return side_fail(side, -ETIMEDOUT, "waiting for completions");
		side->seen[0] -= (uint64_t)count < side->seen[0] ? (uint64_t)count : side->seen[0];
	}
	return 0;
}

static ssize_t call_send_zerocopy(struct side *side, int fd, void *buffer, size_t size)
{
	ssize_t sent;

	/* ENOBUFS: the memory for notifications is used up, unless nothing was sent: then too little may be locked */
	while ((sent = send(fd, buffer, size, MSG_ZEROCOPY)) < 0 && errno == ENOBUFS && side->seen[0])
		if (completions_wait(side, fd))
			return -1;
	side->seen[0] += sent > 0;
	return sent;
}

static int zerocopy_send(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];
	int err = side_option(side, socket->fd, SOL_SOCKET, SO_ZEROCOPY, 1, "SO_ZEROCOPY");

	return err ?: side_send_plain(side) ?: completions_wait(side, socket->fd);
}

/* Reads the error queue after each send: a notification without OPT_TSONLY has a copy of the data that was sent. */
static ssize_t call_send_stamped(struct side *side, int fd, void *buffer, size_t size)
{
	char control[512];
	struct iovec vector = { side->received, 16384 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
	};
	ssize_t sent = send(fd, buffer, size, 0), copied;

	if (sent < 0)
		return -1;
	copied = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
	if (copied < 0 && errno != EAGAIN)
		return -1;
	side->seen[0] += copied > 0 ? (uint64_t)copied : 0;
	return sent;
}

static int errqueue_send(struct side *side)
{
	int stamps = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE;
	int err =
	    side_option(side, side->sockets[0].fd, SOL_SOCKET, SO_TIMESTAMPING, stamps, "SO_TIMESTAMPING");

	err = err ?: side_send_plain(side);
	if (!err && !side->seen[0])
		err = side_fail(side, -ENODATA, "the error queue returned no data");
	return err;
}

/* The length of the structure's part that the kernel knows; 0: it knows no TCP_ZEROCOPY_RECEIVE. */
static socklen_t receive_length(char *reason, size_t size)
{
	struct tcp_zerocopy_receive receive = { 0 };
	socklen_t length = sizeof receive;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool failed = fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &receive, &length) < 0;

	return available_result(
	           fd, failed, reason, size, "this kernel has no TCP_ZEROCOPY_RECEIVE (Linux 4.18)")
	           ? 0
	           : length;
}

static int receive_mapped_available(const struct path *path, char *reason, size_t size)
{
	(void)path;
	return receive_length(reason, size) ? 0 : -EOPNOTSUPP;
}

static int receive_copied_available(const struct path *path, char *reason, size_t size)
{
	socklen_t length = receive_length(reason, size);

	(void)path;
	if (!length || length >= offsetof(struct tcp_zerocopy_receive, flags))
		return length ? 0 : -EOPNOTSUPP;
	snprintf(reason, size, "this kernel's TCP_ZEROCOPY_RECEIVE has no copy buffer (Linux 5.11)");
	return -EOPNOTSUPP;
}

static int receive_start(struct side *side)
{
	if (side->role != SIDE_RECEIVER)
		return 0;
	side->map = mmap(NULL, MAP_BYTES, PROT_READ, MAP_SHARED, side->sockets[0].fd, 0);
	return side->map == MAP_FAILED ? side_fail_errno(side, "mmap of a socket") : 0;
}

/*
 * One TCP_ZEROCOPY_RECEIVE, with a copy buffer or (copy_bytes 0) mapping alone; then recv for what the kernel says
 * it cannot map. Returns all that was delivered, and adds to seen[0] what was mapped, to seen[1] what was copied.
 */
static ssize_t receive_zerocopy(struct side *side, int fd, void *buffer, int copy_bytes)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	struct tcp_zerocopy_receive receive = {
		.address = (uintptr_t)side->map,
		.length = MAP_BYTES,
		.copybuf_address = copy_bytes ? (uintptr_t)buffer : 0,
		.copybuf_len = copy_bytes,
	};
	socklen_t length = sizeof receive;
	size_t copied, delivered, rest;

	if (poll(&poll_fd, 1, -1) < 0)
		return -1;
	if (getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &receive, &length) < 0) {
		if (errno != EIO) /* an empty queue at the stream's end; recv below sees the same */
			return -1;
		receive = (struct tcp_zerocopy_receive){ 0 };
	}
	if (receive.copybuf_len < 0) {
		errno = -receive.copybuf_len;
		return -1;
	}
	copied = copy_bytes ? (size_t)receive.copybuf_len : 0;
	delivered = receive.length + copied;
	side->seen[0] += receive.length;
	side->seen[1] += copied;
	if (!receive.recv_skip_hint && delivered)
		return (ssize_t)delivered;
	/* Nothing delivered and nothing to skip: the stream's end, or data that came just now. */
	rest = receive.recv_skip_hint ? receive.recv_skip_hint : 1;
	ssize_t received = recv(fd, buffer, rest < COPY_BYTES ? rest : COPY_BYTES, 0);

	return received < 0 ? received : received + (ssize_t)delivered;
}

static ssize_t call_receive_mapped(struct side *side, int fd, void *buffer, size_t size)
{
	(void)size;
	return receive_zerocopy(side, fd, buffer, 0);
}

static ssize_t call_receive_copied(struct side *side, int fd, void *buffer, size_t size)
{
	(void)size;
	return receive_zerocopy(side, fd, buffer, COPY_BYTES);
}

/* Mapping comes first and again after all that was queued has been copied: only there data begins at a page. */
static ssize_t call_receive_mixed(struct side *side, int fd, void *buffer, size_t size)
{
	switch (side->turn++ % 5) {
	case 0:
		return receive_zerocopy(side, fd, buffer, 0);
	case 1:
		return recv(fd, buffer, 10007, 0);
	case 2:
		if (recv(fd, buffer, 10007, MSG_PEEK) < 0)
			return -1;
		return pipe_receive(side, fd, buffer, size);
	case 3:
		return recv(fd, buffer, 5003, MSG_TRUNC);
	default:
		return receive_zerocopy(side, fd, buffer, COPY_BYTES);
	}
}

static int mapped_receive(struct side *side)
{
	int err = side_receive_plain(side);

	return err || side->seen[0] ? err : side_fail(side, -ENODATA, "no page was mapped");
}

static int copied_receive(struct side *side)
{
	int err = side_receive_plain(side);

	return err || side->seen[1] ? err : side_fail(side, -ENODATA, "nothing was copied");
}

static int mixed_receive(struct side *side)
{
	int err = mapped_receive(side);

	return err || side->seen[1] ? err : side_fail(side, -ENODATA, "nothing was copied");
}

static const struct path paths[] = {
	{ "zerocopy_send", "MSG_ZEROCOPY", .bytes = 8388637, .available = zerocopy_send_available,
	    .send = zerocopy_send, .write = call_send_zerocopy, .write_chunk = 262139 },
	{ "errqueue", "error-queue reads that return data", .bytes = 1000003, .send = errqueue_send,
	    .write = call_send_stamped, .write_chunk = 10007 },
	{ "zerocopy_mapped", "TCP_ZEROCOPY_RECEIVE, mapped", .bytes = 8388673,
	    .excused = { "zerocopy_receive" }, .available = receive_mapped_available, .start = receive_start,
	    .receive = mapped_receive, .write = pipe_send_pages, .write_chunk = 32768,
	    .read = call_receive_mapped },
	{ "zerocopy_copied", "TCP_ZEROCOPY_RECEIVE, copied", .bytes = 4000081,
	    .excused = { "zerocopy_receive" }, .available = receive_copied_available, .start = receive_start,
	    .receive = copied_receive, .read = call_receive_copied },
	{ "zerocopy_mixed", "TCP_ZEROCOPY_RECEIVE among recv, peek and splice", .bytes = 4000093,
	    .excused = { "splice_out", "zerocopy_receive" }, .available = receive_copied_available,
	    .start = receive_start, .receive = mixed_receive, .write = pipe_send_pages, .write_chunk = 32768,
	    .read = call_receive_mixed, .read_chunk = 20011 },
};

const struct path_group paths_zerocopy = PATH_GROUP(paths);
