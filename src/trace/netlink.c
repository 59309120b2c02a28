/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_SIZE \
	32768 /* the kernel fills up to that, where a reader has it (NLMSG_GOODSIZE and since 4.6 more) */
#define TYPE_BITS 0x3fff /* NLA_TYPE_MASK */

int netlink_open(void)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct timeval wait = {
		.tv_sec = 1
	}; /* the kernel answers at once; only a lost answer takes so long */
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
	    connect(fd, (const struct sockaddr *)&kernel, sizeof kernel) == 0)
		return fd;
	int err = -errno;

	close(fd);
	return err;
}

/*
 * 1: more messages follow; 0: that was the last; -errno. left is signed: a last message whose length is no multiple of four takes more than
 * there is.
 */
static int take_answer(char *answer, int left, uint32_t sequence, netlink_take *take, void *to)
{
	for (const struct nlmsghdr *message = (const struct nlmsghdr *)answer;
	     left > 0 && NLMSG_OK(message, (uint32_t)left); message = NLMSG_NEXT(message, left)) {
		int err;

		/* what is left of a list that was given up */
		if (message->nlmsg_seq != sequence)
			continue;
		if (message->nlmsg_type == NLMSG_DONE)
			return 0;
		if (message->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = NLMSG_DATA(message);

			if (message->nlmsg_len < NLMSG_LENGTH(sizeof *error))
				return -EBADMSG;
			return error->error ? error->error : -EBADMSG;
		}
		if ((err = take(to, message)) < 0)
			return err;
	}
	return 1;
}

int netlink_list(int fd, uint16_t type, netlink_take *take, void *to)
{
	static _Thread_local uint32_t last_sequence;
	_Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
	struct {
		struct nlmsghdr header;
		struct rtgenmsg family;
	} request = {
		.header = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
			.nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = ++last_sequence,
		},
	};
	int more = 1;

	if (send(fd, &request, request.header.nlmsg_len, 0) < 0)
		return -errno;
	while (more > 0) {
		ssize_t length = recv(fd, answer, sizeof answer, MSG_TRUNC);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -errno;
		if ((size_t)length > sizeof answer)
			return -EMSGSIZE;
		if (length == 0)
			return -EBADMSG; /* nothing would follow it, either */
		more = take_answer(answer, (int)length, request.header.nlmsg_seq, take, to);
	}
	return more;
}

int netlink_attributes(
    const struct nlmsghdr *message, size_t header_size, const struct rtattr **attributes, size_t max)
{
	size_t start = NLMSG_LENGTH(NLMSG_ALIGN(header_size));

	memset(attributes, 0, (max + 1) * sizeof *attributes);
	if (message->nlmsg_len < NLMSG_LENGTH(header_size))
		return -EBADMSG;
	int left = message->nlmsg_len > start ? (int)(message->nlmsg_len - start) : 0;

	for (const struct rtattr *attribute =
	         (const struct rtattr *)((const char *)message + NLMSG_HDRLEN + NLMSG_ALIGN(header_size));
	     RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if ((attribute->rta_type & TYPE_BITS) <= max)
			attributes[attribute->rta_type & TYPE_BITS] = attribute;
	return 0;
}

uint32_t netlink_u32(const struct rtattr *attribute, uint32_t absent)
{
	uint32_t value;

	if (!attribute || RTA_PAYLOAD(attribute) < sizeof value)
		return absent;
	memcpy(&value, RTA_DATA(attribute), sizeof value);
	return value;
}
