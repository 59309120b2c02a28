/* SPDX-License-Identifier: Apache-2.0 */
#include "model/group.h"

#include <string.h>

#include "base/address.h"
#include "model/series.h"
#include "model/tally.h"

/* What the connections of a group have in common. */
enum common {
	COMMON_PID = 1 << 0,
	COMMON_NETNS = 1 << 1,
	COMMON_HOST = 1 << 2,
	COMMON_CONTAINER = 1 << 3,
	COMMON_USER = 1 << 4,
	COMMON_NAME = 1 << 5,
	COMMON_SERVICE = 1 << 6,
	COMMON_PEER = 1 << 7,
};

/* To add a grouping, add its row, and an enum common for what it goes by. */
static const struct {
	const char *one, *many;
	unsigned common;
} groupings[GROUPING_COUNT] = {
	[GROUPING_PROCESS] = { "process", "processes", COMMON_PID | COMMON_NETNS },
	[GROUPING_REMOTE] = { "remote host", "remote hosts", COMMON_HOST },
	[GROUPING_CONTAINER] = { "container", "containers", COMMON_CONTAINER },
	[GROUPING_USER] = { "user", "users", COMMON_USER },
	[GROUPING_PROGRAM] = { "program", "programs", COMMON_NAME },
	[GROUPING_SERVICE] = { "service", "services", COMMON_SERVICE },
	[GROUPING_PAIR] = { "pair", "pairs", COMMON_PID | COMMON_NETNS | COMMON_PEER },
};

/* Rows are found by addresses, ports, PID and network namespace. What is none of them takes the local address's place. */
struct extra {
	union {
		uint32_t uid;
		uint32_t process_start_ms;
		uint32_t accepted;
	};
	union {
		uint32_t container;
		uint32_t peer_pid;
	};
	uint64_t cgroup_id;
};

_Static_assert(sizeof(struct extra) == sizeof((struct session *)0)->laddr, "it takes the address's place");

/*
 * The name takes the local address's place, too. What follows the NUL may be of another name (strscpy). Of IPv4's
 * addresses only the first 8 bytes are hashed, so these have something of all; two names never have the same key.
 */
static void put_name(struct session *key, const char *comm)
{
	uint64_t halves[2] = { 0, 0 };

	memcpy(halves, comm, strnlen(comm, sizeof halves));
	halves[0] ^= halves[1] * 0x9e3779b97f4a7c15u;
	memcpy(key->laddr, halves, sizeof halves);
}

const char *grouping_name(enum grouping grouping, bool many)
{
	return many ? groupings[grouping].many : groupings[grouping].one;
}

struct session group_key(enum grouping grouping, const struct row *row)
{
	const struct session *session = &row->session;
	unsigned common = groupings[grouping].common;
	struct session key = { .uid = session->uid };
	struct extra extra = { 0 };

	/* A PID that another process has taken is another process. */
	if (common & COMMON_PID) {
		key.pid = session->pid;
		key.process_start_ms = extra.process_start_ms = session->process_start_ms;
	}
	if (common & COMMON_NETNS)
		key.netns = session->netns;
	if (common & COMMON_PEER && row->peer.known)
		extra.peer_pid = row->peer.pid;
	else if (common & COMMON_PEER)
		common |= COMMON_HOST;
	if (common & COMMON_HOST) {
		key.family = session->family;
		memcpy(key.raddr, session->raddr, sizeof key.raddr);
		if (address_is_link_local(session->family, session->raddr)) {
			key.ifindex = session->ifindex;
			memcpy(key.ifname, session->ifname, sizeof key.ifname);
		}
	}
	if (common & COMMON_CONTAINER) {
		/* The cgroup's name may not be known yet. Of IPv4's addresses only the first 8 bytes are hashed. */
		extra.cgroup_id = row->container ? 0 : session->cgroup_id;
		extra.container = row->container ? row->container : (uint32_t)session->cgroup_id;
	}
	if (common & COMMON_USER)
		extra.uid = session->uid;
	if (common & COMMON_SERVICE) {
		extra.accepted = key.accepted = session->accepted;
		key.lport = session->accepted == ANSWER_YES ? session->lport : 0;
	}
	memcpy(key.laddr, &extra, sizeof extra);
	if (common & COMMON_NAME)
		put_name(&key, session->comm);
	return key;
}

static uint32_t add_up_to_max(uint32_t a, uint32_t b)
{
	return a + b < a ? UINT32_MAX : a + b;
}

/* A container whose name is not known yet is the same as one whose name is, if their cgroups are. */
static void add_container(struct row *group, const struct row *row)
{
	bool same_cgroup = group->session.cgroup_id == row->session.cgroup_id;

	if (!same_cgroup && group->session.cgroup_id && row->session.cgroup_id &&
	    (group->container != row->container || !row->container))
		group->several |= 1 << TALLY_CONTAINERS;
	if (!same_cgroup)
		group->session.cgroup_id = 0;
	if (group->container == row->container)
		return;
	if (same_cgroup && !group->container)
		group->container = row->container;
	else if (!same_cgroup || row->container)
		group->container = group->session.cgroup_id = 0;
}

/* Of those seen last that with the lowest PID names the group, whatever order they come in. */
static bool names_group(const struct row *row, const struct row *group)
{
	if (row->seen_tick != group->seen_tick)
		return row->seen_tick > group->seen_tick;
	return row->member_pid < group->member_pid;
}

/* Who: what is known of all, and one of them to name it. */
static void add_facts(struct row *group, const struct row *row, bool added)
{
	struct session *all = &group->session;
	const struct session *session = &row->session;

	if (added) {
		all->uid = session->uid;
		all->cgroup_id = session->cgroup_id;
		group->container = row->container;
		group->member_pid = row->member_pid;
	}
	if (added)
		group->peer = row->peer;
	else if (group->peer.pid != row->peer.pid || group->peer.known != row->peer.known)
		group->peer = (struct peer){ 0 };
	group->several |= row->several;
	if (group->member_pid != row->member_pid)
		group->several |= 1 << TALLY_PROCESSES;
	if (!added && strncmp(all->comm, session->comm, sizeof all->comm) != 0)
		group->several |= SEVERAL_NAMES;
	if (added || names_group(row, group)) {
		memcpy(all->comm, session->comm, sizeof all->comm);
		group->member_pid = row->member_pid;
	}
	if (all->uid != session->uid && all->uid != UINT32_MAX && session->uid != UINT32_MAX)
		group->several |= 1 << TALLY_USERS;
	if (all->uid != session->uid)
		all->uid = UINT32_MAX;
	add_container(group, row);
}

static void add_times(struct row *group, const struct row *row, bool added)
{
	if (added || row->first.clock_ns < group->first.clock_ns) {
		group->first = row->first;
		group->first_tick = row->first_tick;
	}
	if (added || row->last.clock_ns > group->last.clock_ns)
		group->last = row->last;
	if (added || row->seen_tick > group->seen_tick)
		group->seen_tick = row->seen_tick;
}

/* What waits and what was sent again adds up; of round trips the longest is told. */
static void add_socket(struct session *group, const struct session *session)
{
	struct socket_summary *sum = &group->socket;
	const struct socket_summary *socket = &session->socket;

	sum->sent_bytes += socket->sent_bytes;
	sum->retrans_bytes += socket->retrans_bytes;
	sum->unread_bytes = add_up_to_max(sum->unread_bytes, socket->unread_bytes);
	sum->unsent_bytes = add_up_to_max(sum->unsent_bytes, socket->unsent_bytes);
	sum->unacked_bytes = add_up_to_max(sum->unacked_bytes, socket->unacked_bytes);
	group->retransmits = add_up_to_max(group->retransmits, session->retransmits);
	if (session->rtt_us > group->rtt_us)
		group->rtt_us = session->rtt_us;
	if (!sum->state)
		sum->state = socket->state; /* that there is one */
}

void group_add(struct row *group, const struct row *row, bool added)
{
	group->is_group = true;
	group->match_epoch = 0; /* the facts may be others now */
	add_facts(group, row, added);
	add_times(group, row, added);
	group->session.rx_bytes += row->session.rx_bytes;
	group->session.tx_bytes += row->session.tx_bytes;
	group->rx_total_bytes += row->rx_total_bytes;
	group->tx_total_bytes += row->tx_total_bytes;
	if (row->held && (!group->held || row->held < group->held))
		group->held = row->held;
	add_socket(&group->session, &row->session);
	averages_sum(&group->averages, &row->averages);
	const uint64_t dice = session_hash(&row->session);

	for (unsigned i = 0; i < ROW_POINTS; i++)
		group->points[i] = series_sum(group->points[i], row->points[i], dice);
}

/* False: it is not known of the row. */
static bool tell(enum tally tally, const struct row *row, uint64_t *value)
{
	switch (tally) {
	case TALLY_PROCESSES:
		*value = row->member_pid;
		return true;
	case TALLY_CONTAINERS:
		*value = row->container ? row->container : row->session.cgroup_id | 1ull << 63;
		return row->container || row->session.cgroup_id;
	case TALLY_USERS:
		*value = row->session.uid;
		return row->session.uid != UINT32_MAX;
	case TALLY_COUNT:
		break;
	}
	return false;
}

int group_count(struct row *group, uint32_t number, const struct row *row, struct tallies *tallies)
{
	/* Those of a row that is added up itself cannot be told apart any more. */
	group->uncounted |= row->several;
	for (int i = 0; i < TALLY_COUNT; i++) {
		enum tally tally = (enum tally)i;
		uint64_t value, known;

		if (!tell(tally, row, &value))
			continue;
		/* Most are what the group is known by: no need to look it up. */
		if (group->counts[tally] && tell(tally, group, &known) && known == value)
			continue;
		int added = tallies_add(tallies, number, tally, value);

		if (added < 0)
			return added;
		group->counts[tally] += (unsigned)added;
	}
	return 0;
}
