/* SPDX-License-Identifier: Apache-2.0 */
#include "check/namespace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UP_LIMIT_MS = 3000 };

/* netdevice(7) */
static int interface_up(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* What is sent on a link before it runs is dropped, and TCP tries again after a second. */
static int interface_wait(const char *name)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = fd < 0 ? -errno : -ETIMEDOUT;

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	for (int waited_ms = 0; waited_ms < UP_LIMIT_MS && err == -ETIMEDOUT; waited_ms++) {
		if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
			err = -errno;
		else if (request.ifr_flags & IFF_RUNNING)
			err = 0;
		else
			usleep(1000);
	}
	close(fd);
	return err;
}

int namespace_enter(void)
{
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	return interface_up("lo");
}

/* ---- rtnetlink(7) ---- */

struct message {
	struct nlmsghdr header;
	char rest[500];
};

/* Space behind what the message has already, zeroed as all of it is. */
static void *extend(struct message *message, size_t size)
{
	char *at = (char *)message + NLMSG_ALIGN(message->header.nlmsg_len);

	message->header.nlmsg_len = NLMSG_ALIGN(message->header.nlmsg_len) + size;
	return at;
}

static struct rtattr *add_attribute(
    struct message *message, unsigned short type, const void *value, size_t size)
{
	struct rtattr *attribute = extend(message, RTA_LENGTH(size));

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), value, size);
	return attribute;
}

/* What was added since then is inside of it. */
static void enclose(const struct message *message, struct rtattr *attribute)
{
	attribute->rta_len = (const char *)message + message->header.nlmsg_len - (char *)attribute;
}

static struct message begin(unsigned short type)
{
	return (struct message){ .header = { .nlmsg_len = NLMSG_HDRLEN,
		                     .nlmsg_type = type,
		                     .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK } };
}

/* What the kernel answers: 0 or -errno. */
static int request(const struct message *message)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		struct message request;
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err = 0;

	if (fd < 0 || send(fd, message, message->header.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof answer, 0) < 0)
		err = -errno;
	close(fd);
	return err ?: answer.header.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EPROTO;
}

/* One end of a link to be. */
static void add_end(struct message *message, const char *name)
{
	extend(message, sizeof(struct ifinfomsg));
	add_attribute(message, IFLA_IFNAME, name, strlen(name) + 1);
}

static int add_veth(const struct namespace_link *link)
{
	struct message message = begin(RTM_NEWLINK);

	add_end(&message, link->names[0]);
	struct rtattr *information = add_attribute(&message, IFLA_LINKINFO, NULL, 0);

	add_attribute(&message, IFLA_INFO_KIND, "veth", sizeof "veth");
	struct rtattr *data = add_attribute(&message, IFLA_INFO_DATA, NULL, 0);
	struct rtattr *peer = add_attribute(&message, VETH_INFO_PEER, NULL, 0);

	add_end(&message, link->names[1]);
	enclose(&message, peer);
	enclose(&message, data);
	enclose(&message, information);
	return request(&message);
}

/* Nobody else is on the link: nothing waits to learn whether the address is taken (IFA_F_NODAD). */
static int add_address(const char *name, const char *text)
{
	struct message message = begin(RTM_NEWADDR);
	struct ifaddrmsg *head = extend(&message, sizeof *head);
	struct in6_addr address;

	*head = (struct ifaddrmsg){
		.ifa_family = AF_INET6,
		.ifa_prefixlen = 64,
		.ifa_flags = IFA_F_NODAD,
		.ifa_index = if_nametoindex(name),
	};
	inet_pton(AF_INET6, text, &address);
	add_attribute(&message, IFA_LOCAL, &address, sizeof address);
	return request(&message);
}

int namespace_add_link(const struct namespace_link *link)
{
	int err = add_veth(link);

	for (int i = 0; i < 2 && !err; i++)
		err = interface_up(link->names[i]) ?: add_address(link->names[i], link->addresses[i]);
	for (int i = 0; i < 2 && !err; i++)
		err = interface_wait(link->names[i]);
	return err;
}
