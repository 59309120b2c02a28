/* SPDX-License-Identifier: Apache-2.0 */
/* A session for the tests of the table: from 10.0.0.1:1000 or [::]:1000. */
#ifndef TCPTOP_MAKE_SESSION_H
#define TCPTOP_MAKE_SESSION_H

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "model/snapshot.h"

static inline struct session make(
    const char *comm, uint32_t pid, const char *raddr, uint16_t rport, uint64_t rx_bytes, uint64_t tx_bytes)
{
	struct session session = { .family = 4,
		.pid = pid,
		.lport = 1000,
		.rport = rport,
		.uid = pid,
		.netns = 7,
		.rx_bytes = rx_bytes,
		.tx_bytes = tx_bytes };

	if (strchr(raddr, ':')) {
		session.family = 6;
		inet_pton(AF_INET6, raddr, session.raddr);
	} else {
		inet_pton(AF_INET, raddr, session.raddr);
		inet_pton(AF_INET, "10.0.0.1", session.laddr);
	}
	snprintf(session.comm, sizeof session.comm, "%s", comm);
	return session;
}

/* The same from fe80::1, on a link; "": its name is not known. */
static inline struct session make_linked(const char *comm, uint32_t pid, const char *raddr, uint32_t ifindex,
    const char *ifname, uint64_t rx_bytes)
{
	struct session session = make(comm, pid, raddr, 8000, rx_bytes, 0);

	inet_pton(AF_INET6, "fe80::1", session.laddr);
	session.ifindex = ifindex;
	snprintf(session.ifname, sizeof session.ifname, "%s", ifname);
	return session;
}

#endif
