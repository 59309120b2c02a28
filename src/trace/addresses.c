/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/addresses.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/util.h"
#include "model/link.h"
#include "model/session.h"
#include "model/snapshot.h"
#include "trace/netlink.h"

#define CAPACITY_MIN 16
#define LOOPBACK_NET 127 /* 127.0.0.0/8, all of it on lo */

void addresses_init(struct addresses *addresses)
{
	memset(addresses, 0, sizeof *addresses);
}

void addresses_fini(struct addresses *addresses)
{
	free(addresses->entries);
	addresses_init(addresses);
}

static struct address_entry *add_entry(struct addresses *addresses)
{
	struct address_entry *entries = array_grow(
	    addresses->entries, addresses->count, &addresses->capacity, CAPACITY_MIN, sizeof *entries);

	if (!entries)
		return NULL;
	addresses->entries = entries;
	entries += addresses->count++;
	return memset(entries, 0, sizeof *entries);
}

int addresses_add(struct addresses *addresses, const struct nlmsghdr *message)
{
	const struct rtattr *attributes[IFA_MAX + 1];

	if (netlink_attributes(message, sizeof(struct ifaddrmsg), attributes, IFA_MAX) < 0)
		return -EBADMSG;
	const struct ifaddrmsg *info = NLMSG_DATA(message);
	/* On a point-to-point link IFA_ADDRESS is the other end's. */
	const struct rtattr *local = attributes[IFA_LOCAL] ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
	size_t size = info->ifa_family == AF_INET ? 4 : 16;

	if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
		return 0;
	if (!local || RTA_PAYLOAD(local) < size)
		return -EBADMSG;
	struct address_entry *entry = add_entry(addresses);

	if (!entry)
		return -ENOMEM;
	entry->family = size == 4 ? 4 : 6;
	entry->ifindex = info->ifa_index;
	memcpy(entry->address, RTA_DATA(local), size);
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct address_entry *left = a, *right = b;

	if (left->family != right->family)
		return COMPARE(left->family, right->family);
	return memcmp(left->address, right->address, sizeof left->address);
}

void addresses_sort(struct addresses *addresses)
{
	struct address_entry *entries = addresses->entries;

	if (addresses->count)
		qsort(entries, addresses->count, sizeof *entries, compare_entries);
}

bool addresses_has(const struct addresses *addresses, uint32_t ifindex)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (addresses->entries[i].ifindex == ifindex)
			return true;
	return false;
}

static const struct address_entry *find(
    const struct addresses *addresses, uint8_t family, const uint8_t *address)
{
	struct address_entry key = { .family = family };

	memcpy(key.address, address, sizeof key.address);
	return addresses->count
	           ? bsearch(&key, addresses->entries, addresses->count, sizeof key, compare_entries)
	           : NULL;
}

/* Do several interfaces have it? Equal entries are neighbours. */
static bool is_shared(const struct addresses *addresses, const struct address_entry *entry)
{
	size_t at = (size_t)(entry - addresses->entries);

	return (at > 0 && compare_entries(entry - 1, entry) == 0 && entry[-1].ifindex != entry->ifindex) ||
	       (at + 1 < addresses->count && compare_entries(entry + 1, entry) == 0 &&
	           entry[1].ifindex != entry->ifindex);
}

uint32_t addresses_link(const struct addresses *addresses, const struct session *session)
{
	uint8_t family = session->family;

	if ((family == 4 && (session->laddr[0] == LOOPBACK_NET || session->raddr[0] == LOOPBACK_NET)) ||
	    find(addresses, family, session->raddr))
		return LINK_LOOPBACK;
	if (session->ifindex)
		return session->ifindex;
	const struct address_entry *local = find(addresses, family, session->laddr);

	return local && !is_shared(addresses, local) ? local->ifindex : 0;
}
