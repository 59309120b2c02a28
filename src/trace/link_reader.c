/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/link_reader.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "model/snapshot.h"
#include "trace/addresses.h"
#include "trace/link_reading.h"
#include "trace/netlink.h"

#define CAPACITY_MIN 16

struct readings {
	struct link_reading *items;
	size_t count;
	size_t capacity;
};

struct link_reader {
	int list_fd; /* of netlink, which takes the ioctls of any socket, too; negative: there are no links */
	uint32_t netns; /* inode number of the network namespace; 0: not known, no session's */
	struct readings before, now;
	uint64_t before_ns, now_ns; /* when they were read */
	struct addresses addresses;
};

/* ---- reading ---- */

static struct link_reading *add_reading(struct readings *readings)
{
	struct link_reading *items =
	    array_grow(readings->items, readings->count, &readings->capacity, CAPACITY_MIN, sizeof *items);

	if (!items)
		return NULL;
	readings->items = items;
	return &readings->items[readings->count++];
}

static int take_link(void *to, const struct nlmsghdr *message)
{
	struct readings *readings = to;
	struct link_reading *reading;

	if (message->nlmsg_type != RTM_NEWLINK)
		return 0;
	reading = add_reading(readings);
	if (!reading)
		return -ENOMEM;
	if (link_reading_parse(reading, message) < 0)
		readings->count--;
	return 0;
}

/* `at`: where it stood among the others before, which is most often where it stands. */
static const struct link_reading *find_reading(const struct readings *readings, uint32_t ifindex, size_t at)
{
	for (size_t i = 0; i < readings->count; i++) {
		const struct link_reading *reading = &readings->items[(at + i) % readings->count];

		if (reading->ifindex == ifindex)
			return reading;
	}
	return NULL;
}

/* ETHTOOL_GSET is for everybody, unlike most of that call (dev_ethtool), and also knows speeds newer than itself. */
static uint32_t ask_speed(int fd, const char *name)
{
	struct ethtool_cmd command = { .cmd = ETHTOOL_GSET };
	struct ifreq request = { .ifr_data = (void *)&command };

	snprintf(request.ifr_name, sizeof request.ifr_name, "%.*s", IFNAMSIZ - 1, name);
	if (ioctl(fd, SIOCETHTOOL, &request) < 0)
		return 0;
	/* As ethtool_cmd_speed(), which shifts into the sign. */
	uint32_t speed_mbit = (uint32_t)command.speed_hi << 16 | command.speed;

	return speed_mbit == (uint32_t)SPEED_UNKNOWN ? 0 : speed_mbit;
}

/* A device may have to ask its hardware, so only when it may have changed. */
static void find_speed(
    const struct link_reader *reader, struct link_reading *now, const struct link_reading *before)
{
	if (!now->has_speed || !now->up)
		return;
	if (before && before->up && before->carrier_changes == now->carrier_changes)
		now->speed_mbit = before->speed_mbit;
	else
		now->speed_mbit = ask_speed(reader->list_fd, now->name);
}

static void add_link(const struct link_reader *reader, struct links *links, const struct link_reading *before,
    const struct link_reading *now)
{
	uint64_t counts[LINK_COUNTS];

	link_reading_difference(counts, before, now);
	if (!now->up && !counts[LINK_RX_BYTES] && !counts[LINK_TX_BYTES])
		return;
	struct link *link = links_add(links);

	if (!link)
		return;
	link->ifindex = now->ifindex;
	memcpy(link->name, now->name, sizeof link->name);
	link->speed_mbit = now->speed_mbit;
	link->span_ns = reader->now_ns - reader->before_ns;
	memcpy(link->counts, counts, sizeof link->counts);
}

void link_reader_read(struct link_reader *reader, struct links *links)
{
	struct readings kept = reader->before;

	reader->before = reader->now;
	reader->before_ns = reader->now_ns;
	reader->now = kept;
	reader->now.count = 0;
	reader->now_ns = clock_now_ns();
	/* Half a list is none: what is missing in it would look new in the next one. */
	if (reader->list_fd < 0 || netlink_list(reader->list_fd, RTM_GETLINK, take_link, &reader->now) < 0)
		reader->now.count = 0;
	for (size_t i = 0; i < reader->now.count; i++) {
		struct link_reading *now = &reader->now.items[i];
		const struct link_reading *before = find_reading(&reader->before, now->ifindex, i);

		find_speed(reader, now, before);
		if (before)
			add_link(reader, links, before, now);
	}
}

/* ---- TCP's part ---- */

static int take_address(void *to, const struct nlmsghdr *message)
{
	int err = message->nlmsg_type == RTM_NEWADDR ? addresses_add(to, message) : 0;

	return err == -ENOMEM ? err : 0;
}

static bool carries_others(const struct readings *readings, uint32_t ifindex)
{
	for (size_t i = 0; i < readings->count; i++)
		if (readings->items[i].carries == ifindex)
			return true;
	return false;
}

static void begin_placing(const struct link_reader *reader, struct links *links)
{
	for (size_t i = 0; i < links->count; i++) {
		struct link *link = &links->items[i];
		bool known =
		    link->ifindex == LINK_LOOPBACK || (addresses_has(&reader->addresses, link->ifindex) &&
		                                          !carries_others(&reader->now, link->ifindex));

		link->tcp_rx_bytes = link->tcp_tx_bytes = known ? 0 : LINK_TCP_UNKNOWN;
	}
}

void link_reader_place(struct link_reader *reader, struct snapshot *snapshot)
{
	struct links *links = &snapshot->links;
	struct link *link = NULL;

	links->unplaced_rx_bytes = snapshot->other.rx_bytes;
	links->unplaced_tx_bytes = snapshot->other.tx_bytes;
	reader->addresses.count = 0;
	if (!links->count || netlink_list(reader->list_fd, RTM_GETADDR, take_address, &reader->addresses) < 0)
		reader->addresses.count = 0;
	addresses_sort(&reader->addresses);
	begin_placing(reader, links);
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *session = &snapshot->sessions[i];
		uint32_t ifindex =
		    session->netns == reader->netns ? addresses_link(&reader->addresses, session) : 0;

		if (!link || link->ifindex != ifindex)
			link = links_find(links, ifindex);
		if (link && link->tcp_rx_bytes != LINK_TCP_UNKNOWN) {
			link->tcp_rx_bytes += session->rx_bytes;
			link->tcp_tx_bytes += session->tx_bytes;
		} else {
			links->unplaced_rx_bytes += session->rx_bytes;
			links->unplaced_tx_bytes += session->tx_bytes;
		}
	}
}

/* ---- the whole ---- */

struct link_reader *link_reader_open(void)
{
	struct link_reader *reader = calloc(1, sizeof *reader);
	struct links none;
	struct stat status;

	if (!reader)
		return NULL;
	addresses_init(&reader->addresses);
	if (stat("/proc/self/ns/net", &status) == 0)
		reader->netns = (uint32_t)status.st_ino;
	reader->list_fd = netlink_open();
	links_init(&none);
	link_reader_read(reader, &none);
	links_fini(&none);
	return reader;
}

void link_reader_close(struct link_reader *reader)
{
	if (!reader)
		return;
	if (reader->list_fd >= 0)
		close(reader->list_fd);
	free(reader->before.items);
	free(reader->now.items);
	addresses_fini(&reader->addresses);
	free(reader);
}
