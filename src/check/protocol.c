/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel TLS, MPTCP, TCP Fast Open and urgent data. */
#include <netinet/in.h> /* before linux/mptcp.h, which else declares all of it again */

#include <errno.h>
#include <fcntl.h>
#include <linux/mptcp.h>
#include <linux/tcp.h>
#include <linux/tls.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/namespace.h"
#include "check/side.h"

#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

/*
 * Kernel TLS: TLS 1.2 records under fixed keys, no handshake. What counts is the plaintext that the calls moved.
 */
/* Records must not arrive before the receiver is set up, which would take them as plain bytes: the sender waits. */
static int tls_start(struct side *side)
{
	int fd = side->sockets[0].fd, direction = side->role == SIDE_SENDER ? TLS_TX : TLS_RX;
	struct tls12_crypto_info_aes_gcm_128 crypto = {
		.info = { .version = TLS_1_2_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 },
		.iv = { 1, 2, 3, 4, 5, 6, 7, 8 },
		.key = { 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 121, 98, 219 },
		.salt = { 4, 3, 2, 1 },
	};

	if (setsockopt(fd, SOL_TLS, direction, &crypto, sizeof crypto) < 0)
		return side_fail_errno(side, direction == TLS_TX ? "TLS_TX" : "TLS_RX");
	return direction == TLS_TX ? side_wait(side) : side_signal(side);
}

/* A peek at a decrypted record must not count, and reads in small pieces take one record in several calls. */
OPERATION(call_peek_and_recv, recv(fd, buffer, size, MSG_PEEK) < 0 ? -1 : recv(fd, buffer, size, 0))

/* TCP_ULP makes the kernel load the module, with CAP_NET_ADMIN, also for a socket that is not connected. */
#define ULP                                                          \
	{                                                            \
		OPTION(IPPROTO_TCP, TCP_ULP, char[3], 't', 'l', 's') \
	}
#define TLS                                                                                                  \
	.need = { "no kernel TLS", ENOENT, "module tls is missing or not loaded" }, .options = { ULP, ULP }, \
	.start = tls_start

/* A connection that fell back to TCP would test nothing. Kernels before 5.16 do not tell. */
static int mptcp_start(struct side *side)
{
	struct mptcp_info info = { 0 };
	socklen_t length = sizeof info;

	if (side->role == SIDE_SENDER &&
	    getsockopt(side->sockets[0].fd, SOL_MPTCP, MPTCP_INFO, &info, &length) == 0 &&
	    info.mptcpi_flags & MPTCP_INFO_FLAG_FALLBACK)
		return side_fail(side, -EPROTO, "the connection fell back to TCP");
	return 0;
}

static const char fastopen_sysctl[] = "/proc/sys/net/ipv4/tcp_fastopen";
enum { FASTOPEN_CLIENT_AND_SERVER = 3, FASTOPEN_BYTES = 1009 };

static bool fastopen_enabled(void)
{
	FILE *stream = fopen(fastopen_sysctl, "re");
	int enabled = 0;

	if (!stream || fscanf(stream, "%d", &enabled) != 1)
		enabled = 0;
	if (stream)
		fclose(stream);
	return (enabled & FASTOPEN_CLIENT_AND_SERVER) == FASTOPEN_CLIENT_AND_SERVER;
}

/* A network namespace in which Fast Open is enabled. 0 or -errno. */
static int fastopen_namespace(void)
{
	int err = namespace_enter();

	if (err)
		return err;
	int fd = open(fastopen_sysctl, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "3", 1) != 1)
		err = -errno;
	close(fd);
	return err;
}

/* The host's setting is not ours to change. */
static void fastopen_prepare(const struct path *path, char *reason, size_t size)
{
	int err = fastopen_enabled() ? 0 : fastopen_namespace();

	(void)path;
	if (err)
		snprintf(reason, size,
		    "sysctl net.ipv4.tcp_fastopen is not 3, and no network namespace could be made for it: "
		    "%s",
		    strerror(-err));
}

/* Without a cookie on either side: the first connection's SYN carries data. */
static int fastopen_send(struct side *side)
{
	struct sockaddr *server = (struct sockaddr *)&side->server;
	struct tcp_info info = { 0 };
	socklen_t length = sizeof info;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err;
	ssize_t sent;

	err = side_options(side, fd) ?: side_wait(side);
	if (err)
		return err;
	sent = sendto(fd, side->sent, FASTOPEN_BYTES, MSG_FASTOPEN, server, side->server_length);
	if (sent < 0)
		return side_fail_errno(side, "sendto(MSG_FASTOPEN)");
	err = side_adopt(side, fd);
	if (err)
		return err;
	side->sockets[0].truth->tx_bytes = (uint64_t)sent;
	err = side_send(side, &side->sockets[0], side->path->bytes - (uint64_t)sent);
	if (!err && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
	    !(info.tcpi_options & TCPI_OPT_SYN_DATA))
		err = side_fail(side, -EPROTO, "no data went in the SYN");
	return err ?: side_shutdown(side, &side->sockets[0]);
}

static int fastopen_receive(struct side *side)
{
	return side_options(side, side->listen_fd) ?: side_signal(side) ?: side_receive_plain(side);
}

enum { URGENT_ROUNDS = 5 };

/* Of each round, so many ordinary bytes come before the one urgent byte; behind the last round come some more. */
static uint64_t urgent_ordinary(const struct side *side)
{
	return side->path->bytes / URGENT_ROUNDS - 1;
}

/*
 * The receiver sets itself up before the first byte, and takes each urgent byte before the next, which would
 * displace it.
 */
static int urgent_send(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];

	for (int round = 0; round < URGENT_ROUNDS; round++) {
		int err = side_wait(side) ?: side_send(side, socket, urgent_ordinary(side));

		if (err)
			return err;
		if (send(socket->fd, "!", 1, MSG_OOB) != 1)
			return side_fail_errno(side, "send(MSG_OOB)");
		socket->truth->tx_bytes++;
	}
	return side_send(side, socket, side->path->bytes - socket->truth->tx_bytes)
	           ?: side_shutdown(side, socket);
}

static int urgent_receive(struct side *side)
{
	struct side_socket *socket = &side->sockets[0];

	for (int round = 0; round < URGENT_ROUNDS; round++) {
		struct pollfd poll_fd = { .fd = socket->fd, .events = POLLPRI };
		int err = side_signal(side) ?: side_receive(side, socket, urgent_ordinary(side));
		char byte;

		if (err)
			return err;
		if (poll(&poll_fd, 1, -1) < 0 || recv(socket->fd, &byte, 1, MSG_OOB) != 1)
			return side_fail_errno(side, "recv(MSG_OOB)");
		socket->truth->rx_bytes++;
	}
	return side_receive_plain(side);
}

/* The urgent byte comes in its place (SO_OOBINLINE). */
static int inline_receive(struct side *side)
{
	int err = 0;

	for (int round = 0; round < URGENT_ROUNDS && !err; round++)
		err = side_signal(side) ?: side_receive(side, &side->sockets[0], urgent_ordinary(side) + 1);
	return err ?: side_receive_plain(side);
}

#define MPTCP .need = { "no MPTCP", ENOPROTOOPT, "disabled (sysctl net.mptcp.enabled)" }, .start = mptcp_start

#define NO_COOKIE OPTION(IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, int, 1)

const struct path paths_protocol[] = {
	{ "tls", "kernel TLS send and receive", 5000011, TLS },
	{ "tls_peek", "kernel TLS, peek, then read in pieces", 1000033, TLS,
	    .read = { .call = call_peek_and_recv, .chunk = 5003 } },
	{ "tls_sendfile", "kernel TLS sendfile", 5000077, TLS, .flags = PATH_FILE,
	    .write = { .call = pipe_sendfile, .chunk = SIDE_BUFFER_BYTES } },
	{ "tls_splice_out", "splice out of a kernel TLS socket", 3000089, TLS, .excused = { "splice_tls" },
	    .read = { .call = pipe_receive } },
	{ "mptcp", "MPTCP", 4000237, .flags = PATH_MPTCP, MPTCP },
	{ "mptcp_sendfile", "MPTCP sendfile", 3000103, .flags = PATH_MPTCP | PATH_FILE, MPTCP,
	    .write = { .call = pipe_sendfile, .chunk = SIDE_BUFFER_BYTES } },
	{ "mptcp_splice_out", "splice out of an MPTCP socket", 3000161, .flags = PATH_MPTCP, MPTCP,
	    .excused = { "splice_mptcp" }, .read = { .call = pipe_receive } },
	{ "fastopen", "TCP Fast Open, data in the SYN", 100003, .flags = PATH_LATE,
	    .prepare = fastopen_prepare, .send = fastopen_send, .receive = fastopen_receive,
	    .options = { { NO_COOKIE }, { NO_COOKIE, OPTION(IPPROTO_TCP, TCP_FASTOPEN, int, 5) } } },
	{ "urgent", "urgent data, MSG_OOB", 500009, .send = urgent_send, .receive = urgent_receive,
	    .write.chunk = 10007, .read.chunk = 5003 },
	{ "urgent_inline", "urgent data, SO_OOBINLINE", 500029, .send = urgent_send,
	    .options = { [SIDE_RECEIVER] = { OPTION(SOL_SOCKET, SO_OOBINLINE, int, 1) } },
	    .receive = inline_receive, .write.chunk = 10007, .read.chunk = 5003 },
	{ .id = NULL },
};
