/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rtnetlink answers: datagrams, each after two bytes with its length. Where a message's number is 0, it is that of the list that
 * was asked for. Interfaces and addresses are read of it.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trace/addresses.h"
#include "trace/link_reading.h"
#include "trace/netlink.h"
#include "fuzz.h"

enum { DATAGRAM_MAX = 40000, DATAGRAMS_MAX = 16, ADDRESSES_MAX = 256 };

struct taken {
	struct link_reading before;
	struct addresses addresses;
};

static int take(void *to, const struct nlmsghdr *message)
{
	struct taken *taken = to;
	struct link_reading now;
	uint64_t counts[LINK_COUNTS];

	if (message->nlmsg_type != RTM_NEWLINK)
		return taken->addresses.count < ADDRESSES_MAX
		           ? addresses_add(&taken->addresses, message) == -ENOMEM ? -ENOMEM : 0
		           : 0;
	if (link_reading_parse(&now, message) < 0)
		return 0;
	HOLDS(memchr(now.name, '\0', sizeof now.name) && now.carries != now.ifindex + !now.ifindex);
	link_reading_difference(counts, &taken->before, &now);
	for (int i = 0; i < LINK_COUNTS; i++)
		HOLDS(counts[i] <= now.counts[i] || now.counts[i] < taken->before.counts[i]);
	taken->before = now;
	return 0;
}

static void number(uint8_t *datagram, size_t size, uint32_t sequence)
{
	struct nlmsghdr header;

	for (size_t at = 0; size - at >= sizeof header;) {
		memcpy(&header, datagram + at, sizeof header);
		if (!header.nlmsg_seq)
			header.nlmsg_seq = sequence;
		memcpy(datagram + at, &header, sizeof header);
		if (header.nlmsg_len < sizeof header || header.nlmsg_len > size - at)
			break;
		at += NLMSG_ALIGN(header.nlmsg_len);
		if (at > size)
			break;
	}
}

/* The kernel's part. */
static void send_all(int fd, struct fuzz_bytes *bytes, uint32_t sequence)
{
	static uint8_t datagram[DATAGRAM_MAX];

	for (int i = 0; i < DATAGRAMS_MAX && bytes->left > 2; i++) {
		size_t size = fuzz_take(bytes);

		size |= (size_t)fuzz_take(bytes) << 8;
		if (size > bytes->left)
			size = bytes->left;
		if (size > sizeof datagram)
			size = sizeof datagram;
		memcpy(datagram, bytes->at, size);
		bytes->at += size;
		bytes->left -= size;
		number(datagram, size, sequence);
		send(fd, datagram, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	shutdown(fd, SHUT_WR);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static uint32_t sequence; /* as netlink_list counts */
	struct fuzz_bytes rest = { bytes, size };
	struct taken taken = { 0 };
	int fds[2];

	HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
	addresses_init(&taken.addresses);
	send_all(fds[1], &rest, ++sequence);
	HOLDS(netlink_list(fds[0], RTM_GETLINK, take, &taken) <= 0);
	addresses_sort(&taken.addresses);
	for (size_t i = 0; i < taken.addresses.count; i++)
		HOLDS(addresses_has(&taken.addresses, taken.addresses.entries[i].ifindex));
	addresses_fini(&taken.addresses);
	close(fds[0]);
	close(fds[1]);
	return 0;
}
