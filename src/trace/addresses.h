/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of this network namespace's interfaces: which link a session uses. */
#ifndef TCPTOP_ADDRESSES_H
#define TCPTOP_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;
struct session;

struct address_entry {
	uint8_t family; /* 4 or 6 */
	uint8_t address[16];
	uint32_t ifindex;
};

struct addresses {
	struct address_entry *entries; /* in order, once addresses_sort was called */
	size_t count;
	size_t capacity;
};

/* Zeroes *addresses, which the caller owns; addresses_fini frees what was added. */
void addresses_init(struct addresses *addresses);
void addresses_fini(struct addresses *addresses);

/* Adds that of an RTM_NEWADDR. 0, -EBADMSG or -ENOMEM. */
int addresses_add(struct addresses *addresses, const struct nlmsghdr *message);

/* Is to be called after the last addresses_add and before the others. */
void addresses_sort(struct addresses *addresses);

/* Is there an address on this interface? */
bool addresses_has(const struct addresses *addresses, uint32_t ifindex);

/*
 * The index of the interface that a session of this namespace uses: lo when both ends are this host's, as the kernel
 * then routes so whatever their addresses, else the one that has the local address. 0: not known, as several have it
 * or none. Routes by which packets leave elsewhere are not looked up.
 */
uint32_t addresses_link(const struct addresses *addresses, const struct session *session);

#endif
