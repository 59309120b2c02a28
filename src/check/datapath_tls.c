/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel TLS: TLS 1.2 records under fixed keys, no handshake. What counts is the plaintext that the calls
 * moved.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/datapath_groups.h"
#include "check/datapath_pipe.h"

enum { ENOTSUPP_KERNEL = 524 }; /* what 4.18 said for ENOTCONN */

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

/*
 * On a socket that is not connected the kernel looks the protocol up (and loads its module, with
 * CAP_NET_ADMIN) before it refuses: ENOENT says that there is none.
 */
static int tls_probe(char *reason, size_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		err = -errno;
	else if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls" - 1) < 0 && errno != ENOTCONN &&
	         errno != ENOTSUPP_KERNEL)
		err = -errno;
	if (err == -ENOENT)
		snprintf(reason, size, "no kernel TLS: module tls is missing or not loaded");
	else if (err)
		snprintf(reason, size, "no kernel TLS: %s", strerror(-err));
	if (fd >= 0)
		close(fd);
	return err;
}

static int tls_start(struct datapath_end *end, int direction)
{
	int fd = end->sockets[0].fd;
	struct tls12_crypto_info_aes_gcm_128 crypto = {
		.info = { .version = TLS_1_2_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 },
		.iv = { 1, 2, 3, 4, 5, 6, 7, 8 },
		.key = { 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 121, 98, 219 },
		.salt = { 4, 3, 2, 1 },
	};

	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls" - 1) < 0)
		return end_fail_errno(end, "TCP_ULP");
	if (setsockopt(fd, SOL_TLS, direction, &crypto, sizeof crypto) < 0)
		return end_fail_errno(end, direction == TLS_TX ? "TLS_TX" : "TLS_RX");
	return 0;
}

/* Records must not arrive before the receiver is set up: it would take them as plain bytes. */
static int tls_send_start(struct datapath_end *end)
{
	int err = tls_start(end, TLS_TX);

	return err ? err : end_wait(end);
}

static int tls_receive_start(struct datapath_end *end)
{
	int err = tls_start(end, TLS_RX);

	return err ? err : end_signal(end);
}

static int tls_send(struct datapath_end *end)
{
	int err = tls_send_start(end);

	return err ? err : end_send_plain(end);
}

static int tls_sendfile(struct datapath_end *end)
{
	int err = tls_send_start(end);

	return err ? err : pipe_sendfile_side(end);
}

static int tls_receive(struct datapath_end *end)
{
	int err = tls_receive_start(end);

	return err ? err : end_receive_plain(end);
}

static int tls_splice_receive(struct datapath_end *end)
{
	int err = tls_receive_start(end);

	return err ? err : pipe_receive_side(end);
}

/* A peek at a decrypted record must not count, and reads in small pieces take one record in several calls. */
static int tls_peek_receive(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	char buffer[5003];
	ssize_t received = tls_receive_start(end);

	if (received < 0)
		return (int)received;
	do {
		received = recv(socket->fd, buffer, sizeof buffer, MSG_PEEK);
		if (received > 0)
			received = recv(socket->fd, buffer, sizeof buffer, 0);
		socket->truth.rx_bytes += received > 0 ? (uint64_t)received : 0;
	} while (received > 0);
	return received < 0 ? end_fail_errno(end, "recv") : 0;
}

static const struct datapath paths[] = {
	{ .id = "tls",
	    .title = "kernel TLS send and receive",
	    .bytes = 5000011,
	    .flags = DATAPATH_TLS,
	    .probe = tls_probe,
	    .send = tls_send,
	    .receive = tls_receive },
	{ .id = "tls_peek",
	    .title = "kernel TLS, peek, then read in pieces",
	    .bytes = 1000033,
	    .flags = DATAPATH_TLS,
	    .probe = tls_probe,
	    .send = tls_send,
	    .receive = tls_peek_receive },
	{ .id = "tls_sendfile",
	    .title = "kernel TLS sendfile",
	    .bytes = 5000077,
	    .flags = DATAPATH_TLS,
	    .probe = tls_probe,
	    .send = tls_sendfile,
	    .receive = tls_receive },
	{ .id = "tls_splice_out",
	    .title = "splice out of a kernel TLS socket",
	    .bytes = 3000089,
	    .flags = DATAPATH_TLS | DATAPATH_RX_SPLICE,
	    .probe = tls_probe,
	    .send = tls_send,
	    .receive = tls_splice_receive },
};

const struct datapath_group datapath_tls = { paths, sizeof paths / sizeof *paths };
