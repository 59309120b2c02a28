/* SPDX-License-Identifier: Apache-2.0 */
/* A network namespace for paths that need settings, addresses or interfaces which are not the host's to change. */
#ifndef TCPTOP_CHECK_NAMESPACE_H
#define TCPTOP_CHECK_NAMESPACE_H

#include <stdint.h>

/*
 * Takes this process, and with it the sides that it starts, into a network namespace with nothing but loopback, which
 * is up. Without privilege it is one of a new user namespace. 0 or -errno.
 */
int namespace_enter(void);

/* A link of two ends in this namespace. */
struct namespace_link {
	const char *names[2];     /* of its ends */
	const char *addresses[2]; /* of IPv6, each in its own /64 */
};

/* Makes the link (veth), up, its addresses usable at once. 0 or -errno. */
int namespace_add_link(const struct namespace_link *link);

#endif
