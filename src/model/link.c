/* SPDX-License-Identifier: Apache-2.0 */
#include "model/link.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/util.h"

#define CAPACITY_MIN 16
#define BITS_PER_MBIT 1e6

void links_init(struct links *links)
{
	memset(links, 0, sizeof *links);
}

void links_fini(struct links *links)
{
	free(links->items);
	links_init(links);
}

void links_reset(struct links *links)
{
	*links = (struct links){ .items = links->items, .capacity = links->capacity };
}

struct link *links_add(struct links *links)
{
	struct link *items =
	    array_grow(links->items, links->count, &links->capacity, CAPACITY_MIN, sizeof *items);

	if (!items)
		return NULL;
	links->items = items;
	items += links->count++;
	return memset(items, 0, sizeof *items);
}

/* Exactly so many, as many intervals are kept. */
int links_copy(struct links *to, const struct links *from)
{
	links_reset(to);
	if (to->capacity < from->count) {
		struct link *items = reallocarray(to->items, from->count, sizeof *items);

		if (!items)
			return -ENOMEM;
		to->items = items;
		to->capacity = from->count;
	}
	if (from->count)
		memcpy(to->items, from->items, from->count * sizeof *to->items);
	to->count = from->count;
	to->unplaced_rx_bytes = from->unplaced_rx_bytes;
	to->unplaced_tx_bytes = from->unplaced_tx_bytes;
	return 0;
}

struct link *links_find(const struct links *links, uint32_t ifindex)
{
	for (size_t i = 0; i < links->count; i++)
		if (links->items[i].ifindex == ifindex)
			return &links->items[i];
	return NULL;
}

uint64_t link_bytes(const struct link *link)
{
	return link->counts[LINK_RX_BYTES] + link->counts[LINK_TX_BYTES];
}

const struct link *links_busiest(const struct links *links)
{
	const struct link *busiest = NULL;

	for (size_t i = 0; i < links->count; i++) {
		const struct link *link = &links->items[i];

		if (!link_bytes(link))
			continue;
		if (!busiest || busiest->ifindex == LINK_LOOPBACK ||
		    (link->ifindex != LINK_LOOPBACK && link_bytes(link) > link_bytes(busiest)))
			busiest = link;
	}
	return busiest;
}

int link_used_percent(const struct link *link)
{
	uint64_t rx_bytes = link->counts[LINK_RX_BYTES], tx_bytes = link->counts[LINK_TX_BYTES];
	double bits = 8.0 * (double)(rx_bytes > tx_bytes ? rx_bytes : tx_bytes);

	if (!link->speed_mbit || !link->span_ns)
		return -1;
	double percent = 100 * bits * NS_PER_S / (double)link->span_ns / (link->speed_mbit * BITS_PER_MBIT);

	return percent < 999 ? (int)(percent + 0.5) : 999;
}

void links_go_on(struct links *links, const struct links *before, float part)
{
	for (size_t i = 0; i < links->count; i++) {
		struct link *link = &links->items[i];
		const struct link *was = links_find(before, link->ifindex);
		bool goes_on = was && was->lately_bytes > 0;

		if (link->tcp_rx_bytes == LINK_TCP_UNKNOWN)
			continue;
		float bytes = (float)link_bytes(link);
		float tcp_bytes = (float)link->tcp_rx_bytes + (float)link->tcp_tx_bytes;

		link->lately_bytes = goes_on ? was->lately_bytes + part * (bytes - was->lately_bytes) : bytes;
		link->lately_tcp_bytes =
		    goes_on ? was->lately_tcp_bytes + part * (tcp_bytes - was->lately_tcp_bytes) : tcp_bytes;
	}
}

int link_tcp_percent(const struct link *link)
{
	double bytes = (double)link_bytes(link), tcp_bytes;

	if (bytes <= 0 || link->tcp_rx_bytes == LINK_TCP_UNKNOWN)
		return -1;
	tcp_bytes = (double)link->tcp_rx_bytes + (double)link->tcp_tx_bytes;
	if (link->lately_bytes > 0) {
		bytes = link->lately_bytes;
		tcp_bytes = link->lately_tcp_bytes;
	}
	double percent = 100.0 * tcp_bytes / bytes;

	return percent < 100 ? (int)(percent + 0.5) : 100;
}
