/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 link-local addresses, which are equal on two links: what the connections have moved must not be one sum. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "check/namespace.h"
#include "check/side.h"

enum { SENDER_PORT = 4001, RECEIVER_PORT = 8009 };

/* An end of each side, by role. */
static const struct namespace_link links[] = {
	{ { "dp-a0", "dp-a1" }, { "fe80::1", "fe80::2" } },
	{ { "dp-b0", "dp-b1" }, { "fe80::1", "fe80::2" } },
};

static void links_prepare(const struct path *path, char *reason, size_t size)
{
	int err = namespace_enter();

	(void)path;
	if (err)
		snprintf(reason, size, "no network namespace could be made: %s", strerror(-err));
	for (size_t i = 0; i < COUNT_OF(links) && !*reason; i++) {
		err = namespace_add_link(&links[i]);
		if (err)
			snprintf(reason, size, "no veth link with a link-local address could be made: %s",
			    strerror(-err));
	}
}

static struct sockaddr_in6 address_of(const char *text, in_port_t port, unsigned ifindex)
{
	struct sockaddr_in6 address = { AF_INET6, htons(port), .sin6_scope_id = ifindex };

	inet_pton(AF_INET6, text, &address.sin6_addr);
	return address;
}

static int link_connect(struct side *side, const struct namespace_link *link)
{
	unsigned ifindex = if_nametoindex(link->names[SIDE_SENDER]);
	struct sockaddr_in6 local = address_of(link->addresses[SIDE_SENDER], SENDER_PORT, ifindex);
	struct sockaddr_in6 remote = address_of(link->addresses[SIDE_RECEIVER], RECEIVER_PORT, ifindex);
	int fd = side_socket_open(side->path), err;

	if (fd < 0)
		return side_fail(side, fd, "socket");
	if (bind(fd, (struct sockaddr *)&local, sizeof local) < 0 ||
	    connect(fd, (struct sockaddr *)&remote, sizeof remote) < 0)
		return side_fail_errno(side, "connecting over a link");
	err = side_adopt(side, fd);
	if (!err)
		side->sockets[side->socket_count - 1].truth->ifindex = ifindex;
	return err;
}

/* The second link carries five times as much as the first. */
static int links_send(struct side *side)
{
	int err = 0;

	for (size_t i = 0; i < COUNT_OF(links) && !err; i++)
		err = side_wait(side) ?: link_connect(side, &links[i]);
	for (size_t i = 0; i < COUNT_OF(links) && !err; i++)
		err = side_send(side, &side->sockets[i], side->path->bytes * (i ? 5 : 1))
		          ?: side_shutdown(side, &side->sockets[i]);
	return err;
}

/*
 * One socket listens on all links. The next connection comes when the one before was accepted: those of two links may
 * arrive in any order, and an MPTCP socket does not tell its link.
 */
static int links_receive(struct side *side)
{
	struct sockaddr_in6 address = address_of("::", RECEIVER_PORT, 0);
	int err = 0;

	side->listen_fd = side_socket_open(side->path);
	if (side->listen_fd < 0 || bind(side->listen_fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(side->listen_fd, SOMAXCONN) < 0)
		return side_fail_errno(side, "listening on all links");
	for (size_t i = 0; i < COUNT_OF(links) && !err; i++) {
		err = side_signal(side) ?: side_accept(side);
		if (!err)
			side->sockets[i].truth->ifindex = if_nametoindex(links[i].names[SIDE_RECEIVER]);
	}
	for (size_t i = 0; i < COUNT_OF(links) && !err; i++)
		err = side_receive(side, &side->sockets[i], SIDE_ALL);
	return err;
}

#define LINKS                                                                         \
	.connections = COUNT_OF(links), .prepare = links_prepare, .send = links_send, \
	.receive = links_receive, .write.chunk = 1009

const struct path paths_links[] = {
	{ "link_local", "equal link-local addresses on two links", 10007, .flags = PATH_IPV6 | PATH_LATE,
	    LINKS },
	{ "link_local_splice", "splice over equal link-local addresses", 100043,
	    .flags = PATH_IPV6 | PATH_LATE, LINKS, .excused = { "splice_out" },
	    .read = { .call = pipe_receive } },
	{ "link_local_mptcp", "MPTCP over equal link-local addresses", 10009,
	    .flags = PATH_IPV6 | PATH_LATE | PATH_MPTCP, LINKS, .excused = { "mptcp_links" },
	    .need = { "no MPTCP", ENOPROTOOPT, "disabled (sysctl net.mptcp.enabled)" } },
	{ .id = NULL },
};
