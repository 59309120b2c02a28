/* SPDX-License-Identifier: Apache-2.0 */
/* MPTCP, TCP Fast Open and urgent data. */
#include <netinet/in.h> /* before linux/mptcp.h, which else declares all of it again */

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/mptcp.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/datapath_groups.h"
#include "check/datapath_pipe.h"

#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif

static int mptcp_probe(char *reason, size_t size)
{
	static const struct datapath mptcp = { .flags = DATAPATH_MPTCP };
	int fd = end_socket_open(&mptcp);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	snprintf(reason, size, "no MPTCP: %s",
	    fd == -ENOPROTOOPT ? "disabled (sysctl net.mptcp.enabled)" : strerror(-fd));
	return fd;
}

/* A connection that fell back to TCP would test nothing. Kernels before 5.16 do not tell. */
static int mptcp_verify(struct datapath_end *end)
{
	struct mptcp_info info = { 0 };
	socklen_t length = sizeof info;

	if (getsockopt(end->sockets[0].fd, SOL_MPTCP, MPTCP_INFO, &info, &length) == 0 &&
	    info.mptcpi_flags & MPTCP_INFO_FLAG_FALLBACK)
		return end_fail(end, -EPROTO, "the connection fell back to TCP");
	return 0;
}

static int mptcp_send(struct datapath_end *end)
{
	int err = mptcp_verify(end);

	return err ? err : end_send_plain(end);
}

static int mptcp_sendfile(struct datapath_end *end)
{
	int err = mptcp_verify(end);

	return err ? err : pipe_sendfile_side(end);
}

static const char fastopen_sysctl[] = "/proc/sys/net/ipv4/tcp_fastopen";
enum { FASTOPEN_CLIENT_AND_SERVER = 3, FASTOPEN_BYTES = 1009 };

static int fastopen_enabled(void)
{
	char text[16] = "";
	int fd = open(fastopen_sysctl, O_RDONLY | O_CLOEXEC), enabled;

	if (fd < 0)
		return 0;
	enabled = read(fd, text, sizeof text - 1) > 0 ? (int)strtol(text, NULL, 10) : 0;
	close(fd);
	return (enabled & FASTOPEN_CLIENT_AND_SERVER) == FASTOPEN_CLIENT_AND_SERVER;
}

static int loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		err = -errno;
	close(fd);
	return err;
}

/*
 * The host's setting is not ours to change: where it does not serve, a network namespace of the movers' own
 * does.
 */
static int fastopen_prepare(char *reason, size_t size)
{
	int fd, err = 0;

	if (fastopen_enabled())
		return 0;
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		err = -errno;
	if (!err)
		err = loopback_up();
	if (!err) {
		fd = open(fastopen_sysctl, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "3", 1) != 1)
			err = -errno;
		if (fd >= 0)
			close(fd);
	}
	if (err)
		snprintf(reason, size,
		    "sysctl net.ipv4.tcp_fastopen is not 3, and no network namespace could be made for it: "
		    "%s",
		    strerror(-err));
	return err;
}

/* Tries it in a child: the namespace ends with that. */
static int fastopen_probe(char *reason, size_t size)
{
	char text[DATAPATH_REASON_MAX] = "";
	int fds[2], err, status;
	pid_t pid;

	if (fastopen_enabled())
		return 0;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		err = fastopen_prepare(text, sizeof text);
		_exit(err && write(fds[1], text, sizeof text) > 0 ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	err = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (!err && read(fds[0], text, sizeof text) > 0) {
		err = -EOPNOTSUPP;
		snprintf(reason, size, "%.*s", (int)sizeof text - 1, text);
	}
	close(fds[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return err;
}

/* Without a cookie on either side: the first connection's SYN carries data. */
static int fastopen_send(struct datapath_end *end)
{
	const char *buffer = end_buffer(end);
	struct tcp_info info = { 0 };
	socklen_t length = sizeof info;
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err;
	ssize_t sent;

	if (fd < 0 || !buffer || setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &one, sizeof one) < 0)
		return end_fail_errno(end, "TCP_FASTOPEN_NO_COOKIE");
	err = end_wait(end);
	if (err)
		return err;
	sent = sendto(
	    fd, buffer, FASTOPEN_BYTES, MSG_FASTOPEN, (struct sockaddr *)&end->server, end->server_length);
	if (sent < 0)
		return end_fail_errno(end, "sendto(MSG_FASTOPEN)");
	err = end_adopt(end, fd);
	if (err)
		return err;
	end->sockets[0].truth.tx_bytes = (uint64_t)sent;
	err = end_send_all(end, &end->sockets[0], end->path->bytes - (uint64_t)sent, END_CHUNK);
	if (!err && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
	    !(info.tcpi_options & TCPI_OPT_SYN_DATA))
		err = end_fail(end, -EPROTO, "no data went in the SYN");
	return err ? err : end_shutdown(end, &end->sockets[0]);
}

static int fastopen_receive(struct datapath_end *end)
{
	int queue = 5, one = 1, err;

	if (setsockopt(end->listen_fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue) < 0 ||
	    setsockopt(end->listen_fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &one, sizeof one) < 0)
		return end_fail_errno(end, "TCP_FASTOPEN");
	err = end_signal(end);
	if (!err)
		err = end_accept(end);
	return err ? err : end_receive_plain(end);
}

enum { URGENT_ROUNDS = 5 };

/* Of each round, ordinary bytes come before the one urgent byte. */
static uint64_t urgent_ordinary(const struct datapath_end *end, int round)
{
	uint64_t ordinary = end->path->bytes - URGENT_ROUNDS, share = ordinary / URGENT_ROUNDS;

	return round < URGENT_ROUNDS - 1 ? share : ordinary - share * (URGENT_ROUNDS - 1);
}

/*
 * The receiver sets itself up before the first byte, and takes each urgent byte before the next, which
 * would displace it.
 */
static int urgent_send(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];

	for (int round = 0; round < URGENT_ROUNDS; round++) {
		int err = end_wait(end);

		if (!err)
			err = end_send_all(end, socket, urgent_ordinary(end, round), 10007);
		if (err)
			return err;
		ssize_t sent = send(socket->fd, "!", 1, MSG_OOB);

		if (sent != 1)
			return end_fail_errno(end, "send(MSG_OOB)");
		socket->truth.tx_bytes++;
	}
	return end_shutdown(end, socket);
}

static int urgent_receive(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];

	for (int round = 0; round < URGENT_ROUNDS; round++) {
		struct pollfd poll_fd = { .fd = socket->fd, .events = POLLPRI };
		int err = end_signal(end);
		char byte;

		if (!err)
			err = end_receive_exactly(end, socket, urgent_ordinary(end, round), 5003);
		if (err)
			return err;
		if (poll(&poll_fd, 1, -1) < 0 || recv(socket->fd, &byte, 1, MSG_OOB) != 1)
			return end_fail_errno(end, "recv(MSG_OOB)");
		socket->truth.rx_bytes++;
	}
	return end_receive_plain(end);
}

static int inline_receive(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	int one = 1, err = 0;

	if (setsockopt(socket->fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof one) < 0)
		return end_fail_errno(end, "SO_OOBINLINE");
	for (int round = 0; round < URGENT_ROUNDS && !err; round++) {
		err = end_signal(end);
		if (!err)
			err = end_receive_exactly(end, socket, urgent_ordinary(end, round) + 1, 5003);
	}
	return err ? err : end_receive_plain(end);
}

static const struct datapath paths[] = {
	{ .id = "mptcp",
	    .title = "MPTCP",
	    .bytes = 4000237,
	    .flags = DATAPATH_MPTCP,
	    .probe = mptcp_probe,
	    .send = mptcp_send,
	    .receive = end_receive_plain },
	{ .id = "mptcp_sendfile",
	    .title = "MPTCP sendfile",
	    .bytes = 3000103,
	    .flags = DATAPATH_MPTCP,
	    .probe = mptcp_probe,
	    .send = mptcp_sendfile,
	    .receive = end_receive_plain },
	{ .id = "fastopen",
	    .title = "TCP Fast Open, data in the SYN",
	    .bytes = 100003,
	    .flags = DATAPATH_LATE | DATAPATH_NETNS,
	    .probe = fastopen_probe,
	    .prepare = fastopen_prepare,
	    .send = fastopen_send,
	    .receive = fastopen_receive },
	{ .id = "urgent",
	    .title = "urgent data, MSG_OOB",
	    .bytes = 500009,
	    .send = urgent_send,
	    .receive = urgent_receive },
	{ .id = "urgent_inline",
	    .title = "urgent data, SO_OOBINLINE",
	    .bytes = 500029,
	    .send = urgent_send,
	    .receive = inline_receive },
};

const struct datapath_group datapath_protocol = { paths, sizeof paths / sizeof *paths };
