/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that the kernel gives anybody by rtnetlink(7): no privilege, no file system, no waiting for others. */
#ifndef TCPTOP_NETLINK_H
#define TCPTOP_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

/* A socket for rtnetlink in this network namespace, which it keeps. Its descriptor or -errno; close(2) it. */
int netlink_open(void);

/* One message of a list. Returns 0, or -errno to end the list. */
typedef int netlink_take(void *to, const struct nlmsghdr *message);

/*
 * Asks for a list (RTM_GETLINK, RTM_GETADDR) and calls `take` for each message of it, which is borrowed for the call.
 * 0 or -errno.
 */
int netlink_list(int fd, uint16_t type, netlink_take *take, void *to);

/*
 * Points attributes[N] to the attribute of type N, for N up to `max`, or to NULL where there is none, after a header of
 * header_size bytes. Lengths within the message are checked. 0, or -EBADMSG when it is shorter than the header.
 */
int netlink_attributes(
    const struct nlmsghdr *message, size_t header_size, const struct rtattr **attributes, size_t max);

/* The value of an attribute as a number, or `absent` where there is none or it is shorter. */
uint32_t netlink_u32(const struct rtattr *attribute, uint32_t absent);

#endif
