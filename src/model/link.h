/* SPDX-License-Identifier: Apache-2.0 */
/* What this network namespace's interfaces moved in an interval, of TCP or not. Plain data. */
#ifndef TCPTOP_LINK_H
#define TCPTOP_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "model/session.h"

enum {
	LINK_NAME_SIZE = SESSION_COMM_LENGTH + 1, /* IFNAMSIZ or more, and what JSON's names have */
	LINK_LOOPBACK = 1, /* the index of lo in every network namespace (LOOPBACK_IFINDEX) */
};

/* What the kernel counts of an interface (struct rtnl_link_stats64), packets with their Ethernet and IP headers. */
enum link_count {
	LINK_RX_BYTES,
	LINK_TX_BYTES,
	LINK_RX_PACKETS,
	LINK_TX_PACKETS,
	LINK_RX_DROPS, /* also what the device had no buffer for */
	LINK_TX_DROPS, /* of the device; not those of the queueing discipline before it */
	LINK_RX_ERRORS,
	LINK_TX_ERRORS,
	LINK_COUNTS,
};

#define LINK_TCP_UNKNOWN UINT64_MAX

struct link {
	uint32_t ifindex;
	char name[LINK_NAME_SIZE]; /* any bytes, NUL-terminated */
	uint32_t speed_mbit;       /* each way, of 1,000,000 bits a second; 0: not known, as it has none */
	uint64_t span_ns;          /* between the two readings, which are not quite the interval's ends */
	uint64_t counts[LINK_COUNTS];
	uint64_t tcp_rx_bytes;  /* payload of the sessions that use it, or LINK_TCP_UNKNOWN */
	uint64_t tcp_tx_bytes;  /* known when tcp_rx_bytes is */
	float lately_bytes;     /* links_go_on: a moving average of all bytes, */
	float lately_tcp_bytes; /* and of TCP's of them; lately_bytes is 0: none is known */
};

struct links {
	struct link *items;
	size_t count;
	size_t capacity;
	uint64_t
	    unplaced_rx_bytes; /* payload of sessions whose link is not known: of other network namespaces */
	uint64_t unplaced_tx_bytes;
};

/* Zeroes *links, which the caller owns; links_fini frees what the others allocated. links_reset empties it. */
void links_init(struct links *links);
void links_fini(struct links *links);
void links_reset(struct links *links);

/* Appends a zeroed link. NULL when out of memory. Borrowed until the next call. */
struct link *links_add(struct links *links);

/* Makes *to, an initialised struct, an independent copy. 0 or -ENOMEM: then *to is empty. */
int links_copy(struct links *to, const struct links *from);

/* The link with this index; NULL: there is none. Borrowed as links_add's. */
struct link *links_find(const struct links *links, uint32_t ifindex);

/* RX and TX bytes of the interval. */
uint64_t link_bytes(const struct link *link);

/* The busiest link, which is lo only where no other moved a byte; NULL: none did. Borrowed as links_add's. */
const struct link *links_busiest(const struct links *links);

/* The share of the busier direction of its speed, in percent; -1: the speed is not known. */
int link_used_percent(const struct link *link);

/* Takes the moving averages of an interval on to the one after it, which has this part of their weight. */
void links_go_on(struct links *links, const struct links *before, float part);

/*
 * TCP's part of all bytes lately in percent, at most 100. By the averages, if there are any: a message may pass the link in one interval
 * and be received in the next. -1: not known, or there are no bytes.
 */
int link_tcp_percent(const struct link *link);

#endif
