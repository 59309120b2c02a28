/* SPDX-License-Identifier: Apache-2.0 */
/* What a word of a filter stands for: a text, a number, an address with what may belong to it. */
#ifndef TCPTOP_PATTERN_H
#define TCPTOP_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* An address or the beginning of one. */
struct network {
	uint8_t family; /* 4 or 6; 0: none */
	uint8_t bits;   /* how many of the address count */
	uint8_t address[16];
	const char *zone; /* not terminated; NULL: any */
	size_t zone_length;
	const char *port; /* terminated: a number or a service's name; NULL: any */
};

enum { PATTERN_NETWORKS = 2 };

struct pattern {
	const char *text; /* terminated, lower case (ASCII) */
	size_t length;
	bool caseless;  /* has no letter */
	bool whole;     /* no letter or digit may stand beside it in a text: a number or an address */
	bool is_number; /* decimal */
	uint64_t number;
	/* What it can be read as: "fd00::2:443" is an address, or one and a port. */
	struct network networks[PATTERN_NETWORKS];
};

/*
 * Reads a text (lower case, borrowed) as what it looks like:
 * - digits: a number;
 * - an address, in any spelling and also as "[address]", "address%zone", "address:port", "[address]:port"; "address/bits";
 *   its first groups, "10.0" or "2001:db8:", or a beginning up to "::"; with is_host, digits alone, too.
 */
void pattern_set(struct pattern *pattern, const char *text, bool is_host);

/* In a text, in upper or lower case; dash: '_' counts as '-', as it stands for it in the names of slices. */
bool pattern_in(const struct pattern *pattern, const char *text, bool dash);

/* Is the whole text, in upper or lower case. */
bool pattern_is(const char *lower_text, const char *text);

/* The address and its zone are the network's; the port is for the caller to compare. address: 16 bytes. */
bool network_has(const struct network *network, uint8_t family, const uint8_t *address, struct zone zone);

#endif
