/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/condition_range.h"

#include <endian.h>
#include <netinet/in.h>
#include <string.h>

#include "base/util.h"
#include "kernel/condition.h"

static int compare(const struct bound *left, const struct bound *right)
{
	size_t both = left->length < right->length ? left->length : right->length;

	return memcmp(left->bytes, right->bytes, both) ?: COMPARE(left->length, right->length);
}

bool range_has(const struct range *range, const struct bound *value)
{
	return compare(&range->first, value) <= 0 && compare(value, &range->end) < 0;
}

/* The value of the same length that follows. */
static void increment(struct bound *bound)
{
	for (size_t i = bound->length; i > 0 && ++bound->bytes[i - 1] == 0; i--)
		;
}

static void set_numbers(struct range *range, uint32_t first, uint32_t last)
{
	const uint64_t numbers[] = { htobe64(first), htobe64((uint64_t)last + 1) };

	range->first.length = range->end.length = sizeof *numbers;
	memcpy(range->first.bytes, &numbers[0], sizeof *numbers);
	memcpy(range->end.bytes, &numbers[1], sizeof *numbers);
}

/* With a slash at the end, so that /a has /a/b and not /ab; what begins with it ends where the slash becomes what follows it. */
static void set_directories(struct range *range, const char *path)
{
	size_t length = strnlen(path, PATH_MAX);

	memcpy(range->first.bytes, path, length);
	if (!length || path[length - 1] != '/')
		range->first.bytes[length++] = '/';
	range->first.length = range->end.length = length;
	memcpy(range->end.bytes, range->first.bytes, length);
	increment(&range->end);
}

/* Behind its family, so that no network has an address of the other. */
static void set_network(struct range *range, int family, const uint8_t *address, const uint8_t *mask)
{
	size_t size = family == AF_INET ? 4 : 16;

	range->first.length = range->end.length = 1 + size;
	range->first.bytes[0] = range->end.bytes[0] = family == AF_INET ? 4 : 6;
	for (size_t i = 0; i < size; i++) {
		range->first.bytes[1 + i] = address[i];
		range->end.bytes[1 + i] = (uint8_t)(address[i] | ~mask[i]);
	}
	increment(&range->end);
}

/* Behind the address: without one, bounds are shorter and have all of them between them. */
static void set_link(struct range *range, uint32_t ifindex)
{
	uint32_t number = htobe32(ifindex);

	memcpy(range->first.bytes + range->first.length, &number, sizeof number);
	range->first.length += sizeof number;
	range->end = range->first;
	increment(&range->end);
}

static void set_comm(struct range *range, const char *first, const char *last)
{
	range->first.length = range->end.length = CONDITION_COMM_SIZE;
	memcpy(range->first.bytes, first, CONDITION_COMM_SIZE);
	memcpy(range->end.bytes, last, CONDITION_COMM_SIZE);
	increment(&range->end);
}

void range_of_place(struct range ranges[2], size_t *count, enum place place)
{
	static const char least[CONDITION_COMM_SIZE] = "";
	static const uint8_t all[16];
	char most[CONDITION_COMM_SIZE] = "";

	*count = 1;
	switch (place) {
	case PLACE_CGROUP:
		set_directories(&ranges[0], "/");
		break;
	case PLACE_COMM:
		memset(most, 0xff, sizeof most - 1);
		set_comm(&ranges[0], least, most);
		break;
	case PLACE_LOCAL_PORT:
	case PLACE_REMOTE_PORT:
		set_numbers(&ranges[0], 1, UINT16_MAX);
		break;
	case PLACE_ADDRESS:
		*count = 2;
		set_network(&ranges[0], AF_INET, all, all);
		set_network(&ranges[1], AF_INET6, all, all);
		break;
	default:
		set_numbers(&ranges[0], 0, UINT32_MAX);
	}
}

static unsigned cover_number(const struct condition *condition, struct range *range, enum place place)
{
	set_numbers(range, condition->number, condition->number);
	return 1U << place;
}

unsigned cover_uid(const struct condition *condition, struct range *range)
{
	return cover_number(condition, range, PLACE_UID);
}

unsigned cover_netns(const struct condition *condition, struct range *range)
{
	return cover_number(condition, range, PLACE_NETNS);
}

unsigned cover_mntns(const struct condition *condition, struct range *range)
{
	return cover_number(condition, range, PLACE_MNTNS);
}

unsigned cover_cgroup(const struct condition *condition, struct range *range)
{
	if (!condition->cgroup.id) {
		set_numbers(range, condition->cgroup.mntns, condition->cgroup.mntns);
		return 1U << PLACE_MNTNS;
	}
	set_directories(range, condition->cgroup.path);
	return 1U << PLACE_CGROUP;
}

unsigned cover_comm(const struct condition *condition, struct range *range)
{
	set_comm(range, condition->comm, condition->comm);
	return 1U << PLACE_COMM;
}

unsigned cover_local_port(const struct condition *condition, struct range *range)
{
	set_numbers(range, condition->ports.first, condition->ports.last);
	return 1U << PLACE_LOCAL_PORT;
}

unsigned cover_remote_port(const struct condition *condition, struct range *range)
{
	set_numbers(range, condition->ports.first, condition->ports.last);
	return 1U << PLACE_REMOTE_PORT;
}

unsigned cover_port(const struct condition *condition, struct range *range)
{
	return cover_local_port(condition, range) | cover_remote_port(condition, range);
}

unsigned cover_network(const struct condition *condition, struct range *range)
{
	set_network(range, condition->network.family, condition->network.address, condition->network.mask);
	if (condition->network.ifindex)
		set_link(range, condition->network.ifindex);
	return 1U << PLACE_ADDRESS;
}
