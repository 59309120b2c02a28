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
#include <unistd.h>

#include "check/side.h"

enum { MAP_BYTES = 64 * 4096, COPY_BYTES = 8 << 20 /* more than can be queued */ };

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

/* Of all calls that are not completed yet: met[0]. */
static int completions_wait(struct side *side, int fd)
{
	struct pollfd poll_fd = { .fd = fd };

	while (side->met[0]) {
		int count = completions_read(side, fd);

		if (count < 0)
			return count;
		if (count == 0 && poll(&poll_fd, 1, 1000) == 0)
			return side_fail(side, -ETIMEDOUT, "waiting for completions");
		side->met[0] -= (uint64_t)count < side->met[0] ? (uint64_t)count : side->met[0];
	}
	return 0;
}

static ssize_t call_send_zerocopy(struct side *side, int fd, void *buffer, size_t size)
{
	ssize_t sent;

	/* ENOBUFS: the memory for notifications is used up, unless nothing was sent: then too little may be locked */
	while ((sent = send(fd, buffer, size, MSG_ZEROCOPY)) < 0 && errno == ENOBUFS && side->met[0])
		if (completions_wait(side, fd))
			return -1;
	side->met[0] += sent > 0;
	return sent;
}

static int zerocopy_send(struct side *side)
{
	return side_send_plain(side) ?: completions_wait(side, side->sockets[0].fd);
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
	side->met[0] += copied > 0 ? (uint64_t)copied : 0;
	return sent;
}

/* How much of the structure the kernel knows says what it can do. */
static void receive_prepare(const struct path *path, char *reason, size_t size)
{
	struct tcp_zerocopy_receive receive = { 0 };
	socklen_t length = sizeof receive;
	int fd = side_socket_open(path);
	bool copies = path->must_meet[SIDE_RECEIVER][1];
	bool failed = getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &receive, &length) < 0;

	if (failed)
		snprintf(reason, size, "this kernel has no TCP_ZEROCOPY_RECEIVE (CONFIG_MMU): %s",
		    strerror(errno));
	else if (copies && length < offsetof(struct tcp_zerocopy_receive, flags))
		snprintf(reason, size, "this kernel's TCP_ZEROCOPY_RECEIVE has no copy buffer (Linux 5.11)");
	close(fd);
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
 * it cannot map. Returns all that was delivered, and adds to met[0] what was mapped, to met[1] what was copied.
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
	side->met[0] += receive.length;
	side->met[1] += copied;
	if (!receive.recv_skip_hint && delivered)
		return (ssize_t)delivered;
	/* Nothing delivered and nothing to skip: the stream's end, or data that came just now. */
	rest = receive.recv_skip_hint ? receive.recv_skip_hint : 1;
	ssize_t received = recv(fd, buffer, rest < COPY_BYTES ? rest : COPY_BYTES, 0);

	return received < 0 ? received : received + (ssize_t)delivered;
}

OPERATION(call_receive_mapped, receive_zerocopy(side, fd, buffer, 0))
OPERATION(call_receive_copied, receive_zerocopy(side, fd, buffer, COPY_BYTES))

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

#define STAMPS (SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE)
#define RECEIVE(...) \
	.prepare = receive_prepare, .start = receive_start, .must_meet = { [SIDE_RECEIVER] = { __VA_ARGS__ } }

const struct path paths_zerocopy[] = {
	{ "zerocopy_send", "MSG_ZEROCOPY", 8388637, .flags = PATH_LOCKS_MEMORY,
	    .need.lacking = "no MSG_ZEROCOPY for TCP",
	    .options = { { OPTION(SOL_SOCKET, SO_ZEROCOPY, int, 1) } }, .send = zerocopy_send,
	    .write = { .call = call_send_zerocopy, .chunk = 262139 } },
	{ "errqueue", "error-queue reads that return data", 1000003,
	    .options = { { OPTION(SOL_SOCKET, SO_TIMESTAMPING, int, STAMPS) } },
	    .must_meet = { { "the error queue returned no data" } },
	    .write = { .call = call_send_stamped, .chunk = 10007 } },
	{ "zerocopy_mapped", "TCP_ZEROCOPY_RECEIVE, mapped", 8388673, .excused = { "zerocopy_receive" },
	    RECEIVE("no page was mapped"), .write = { .call = pipe_send_pages, .chunk = 32768 },
	    .read = { .call = call_receive_mapped } },
	{ "zerocopy_copied", "TCP_ZEROCOPY_RECEIVE, copied", 4000081, .excused = { "zerocopy_receive" },
	    RECEIVE(NULL, "nothing was copied"), .read = { .call = call_receive_copied } },
	{ "zerocopy_mixed", "TCP_ZEROCOPY_RECEIVE among recv, peek and splice", 4000093,
	    .excused = { "splice_out", "zerocopy_receive" },
	    RECEIVE("no page was mapped", "nothing was copied"),
	    .write = { .call = pipe_send_pages, .chunk = 32768 },
	    .read = { .call = call_receive_mixed, .chunk = 20011 } },
	{ .id = NULL },
};
