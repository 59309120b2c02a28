/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel TLS: TLS 1.2 records under fixed keys, no handshake. What counts is the plaintext that the calls moved.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <stdio.h>

#include "check/pipe.h"
#include "check/side.h"

enum { ENOTSUPP_KERNEL = 524 }; /* what 4.18 said for ENOTCONN */

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

/*
 * On a socket that is not connected the kernel looks the protocol up (and loads its module, with CAP_NET_ADMIN)
 * before it refuses: ENOENT says that there is none.
 */
static int tls_available(const struct path *path, char *reason, size_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool failed = fd < 0 || (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls" - 1) < 0 &&
	                            errno != ENOTCONN && errno != ENOTSUPP_KERNEL);
	int err = available_result(fd, failed, reason, size, "no kernel TLS");

	(void)path;
	if (err == -ENOENT)
		snprintf(reason, size, "no kernel TLS: module tls is missing or not loaded");
	return err;
}

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

	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls" - 1) < 0)
		return side_fail_errno(side, "TCP_ULP");
	if (setsockopt(fd, SOL_TLS, direction, &crypto, sizeof crypto) < 0)
		return side_fail_errno(side, direction == TLS_TX ? "TLS_TX" : "TLS_RX");
	return direction == TLS_TX ? side_wait(side) : side_signal(side);
}

/* A peek at a decrypted record must not count, and reads in small pieces take one record in several calls. */
OPERATION(call_peek_and_recv, recv(fd, buffer, size, MSG_PEEK) < 0 ? -1 : recv(fd, buffer, size, 0))

#define TLS .available = tls_available, .start = tls_start

static const struct path paths[] = {
	{ "tls", "kernel TLS send and receive", 5000011, TLS },
	{ "tls_peek", "kernel TLS, peek, then read in pieces", 1000033, TLS,
	    .read = { call_peek_and_recv, 5003 } },
	{ "tls_sendfile", "kernel TLS sendfile", 5000077, TLS,
	    .write = { pipe_sendfile, SIDE_BUFFER_BYTES } },
	{ "tls_splice_out", "splice out of a kernel TLS socket", 3000089, TLS, .excused = { "splice_tls" },
	    .read = { pipe_receive } },
};

const struct path_group paths_tls = PATH_GROUP(paths);
