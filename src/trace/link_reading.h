/* SPDX-License-Identifier: Apache-2.0 */
/* What one message of the kernel says about an interface, and what two readings of it say about the time between. */
#ifndef TCPTOP_LINK_READING_H
#define TCPTOP_LINK_READING_H

#include <stdbool.h>
#include <stdint.h>

#include "model/link.h"

struct nlmsghdr;

struct link_reading {
	uint32_t
	    ifindex; /* of the interface for its whole life: one made again with the same name has another */
	char name[LINK_NAME_SIZE];
	bool up;
	bool has_speed;   /* its driver's word on its speed means something: it is no veth, tun, dummy */
	uint32_t carries; /* the index of the interface below it, which moves its packets; 0: none here */
	uint32_t carrier_changes;     /* while it is the same, so is the speed */
	uint32_t speed_mbit;          /* 0: not known */
	uint64_t counts[LINK_COUNTS]; /* since its birth */
};

/* Reads RTM_NEWLINK. 0, or -EBADMSG when it has no name or no counters. */
int link_reading_parse(struct link_reading *reading, const struct nlmsghdr *message);

/*
 * What was counted between two readings of one interface. Of a counter of 32 bits that wrapped, the difference; where
 * all began anew (a driver's reset), what has been counted since, which is too little rather than too much.
 */
void link_reading_difference(
    uint64_t counts[LINK_COUNTS], const struct link_reading *before, const struct link_reading *now);

#endif
