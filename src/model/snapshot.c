/* SPDX-License-Identifier: Apache-2.0 */
#include "model/snapshot.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/util.h"

#define CAPACITY_MIN 256

void snapshot_init(struct snapshot *snapshot)
{
	memset(snapshot, 0, sizeof *snapshot);
}

void snapshot_fini(struct snapshot *snapshot)
{
	free(snapshot->sessions);
	links_fini(&snapshot->links);
	free(snapshot->endings);
	free(snapshot->connections);
	free(snapshot->cgroups);
	cgroup_list_fini(&snapshot->told);
	snapshot_init(snapshot);
}

/* The array to go on with. One that is not small is freed, unless large ones stay and an eighth of it was used. */
static void *reuse(void *array, size_t count, size_t *capacity, bool large)
{
	return array_reuse(array, large ? count : 0, capacity, CAPACITY_MIN);
}

static void empty(struct snapshot *snapshot, bool large)
{
	struct snapshot reset = {
		.session_capacity = snapshot->session_capacity,
		.ending_capacity = snapshot->ending_capacity,
		.connection_capacity = snapshot->connection_capacity,
		.cgroup_capacity = snapshot->cgroup_capacity,
		.links = snapshot->links,
	};

	reset.sessions = reuse(snapshot->sessions, snapshot->session_count, &reset.session_capacity, large);
	reset.endings = reuse(snapshot->endings, snapshot->ending_count, &reset.ending_capacity, large);
	reset.connections =
	    reuse(snapshot->connections, snapshot->connection_count, &reset.connection_capacity, large);
	reset.cgroups = reuse(snapshot->cgroups, snapshot->cgroup_count, &reset.cgroup_capacity, large);
	links_reset(&reset.links);
	cgroup_list_fini(&snapshot->told);
	*snapshot = reset;
}

void snapshot_reset(struct snapshot *snapshot)
{
	empty(snapshot, true);
}

void snapshot_release(struct snapshot *snapshot)
{
	empty(snapshot, false);
}

int snapshot_reset_as(struct snapshot *snapshot, const struct snapshot *from)
{
	snapshot_reset(snapshot);
	struct snapshot own = *snapshot;

	*snapshot = *from;
	snapshot->sessions = own.sessions;
	snapshot->session_capacity = own.session_capacity;
	snapshot->session_count = 0;
	snapshot->endings = own.endings;
	snapshot->ending_capacity = own.ending_capacity;
	snapshot->ending_count = 0;
	snapshot->connections = own.connections;
	snapshot->connection_capacity = own.connection_capacity;
	snapshot->connection_count = 0;
	snapshot->cgroups = own.cgroups;
	snapshot->cgroup_capacity = own.cgroup_capacity;
	snapshot->cgroup_count = 0;
	snapshot->links = own.links;
	snapshot->told = (struct cgroup_list){ 0 };
	for (size_t i = 0; i < from->ending_count; i++) {
		struct ending *ending = snapshot_add_ending(snapshot);

		if (!ending)
			return -ENOMEM;
		*ending = from->endings[i];
	}
	for (size_t i = 0; i < from->connection_count; i++) {
		struct connection *connection = snapshot_add_connection(snapshot);

		if (!connection)
			return -ENOMEM;
		*connection = from->connections[i];
	}
	for (size_t i = 0; i < from->cgroup_count; i++) {
		struct made_cgroup *cgroup = snapshot_add_cgroup(snapshot);

		if (!cgroup)
			return -ENOMEM;
		*cgroup = from->cgroups[i];
	}
	return links_copy(&snapshot->links, &from->links);
}

struct session *snapshot_add(struct snapshot *snapshot)
{
	struct session *sessions = array_grow(snapshot->sessions, snapshot->session_count,
	    &snapshot->session_capacity, CAPACITY_MIN, sizeof *sessions);

	if (!sessions)
		return NULL;
	snapshot->sessions = sessions;
	sessions += snapshot->session_count++;
	return memset(sessions, 0, sizeof *sessions);
}

struct ending *snapshot_add_ending(struct snapshot *snapshot)
{
	struct ending *endings = array_grow(snapshot->endings, snapshot->ending_count,
	    &snapshot->ending_capacity, CAPACITY_MIN, sizeof *endings);

	if (!endings)
		return NULL;
	snapshot->endings = endings;
	endings += snapshot->ending_count++;
	return memset(endings, 0, sizeof *endings);
}

struct connection *snapshot_add_connection(struct snapshot *snapshot)
{
	struct connection *connections = array_grow(snapshot->connections, snapshot->connection_count,
	    &snapshot->connection_capacity, CAPACITY_MIN, sizeof *connections);

	if (!connections)
		return NULL;
	snapshot->connections = connections;
	connections += snapshot->connection_count++;
	return memset(connections, 0, sizeof *connections);
}

struct made_cgroup *snapshot_add_cgroup(struct snapshot *snapshot)
{
	struct made_cgroup *cgroups = array_grow(snapshot->cgroups, snapshot->cgroup_count,
	    &snapshot->cgroup_capacity, CAPACITY_MIN, sizeof *cgroups);

	if (!cgroups)
		return NULL;
	snapshot->cgroups = cgroups;
	cgroups += snapshot->cgroup_count++;
	return memset(cgroups, 0, sizeof *cgroups);
}

void session_take_socket_key(struct session *session, const struct socket_key *key)
{
	*session = (struct session){
		.family = (uint8_t)key->family,
		.lport = key->lport,
		.rport = be16toh(key->rport),
		.netns = key->netns,
		.ifindex = key->ifindex,
	};
	memcpy(session->laddr, key->laddr, sizeof session->laddr);
	memcpy(session->raddr, key->raddr, sizeof session->raddr);
}

void session_take_owner(struct session *session, const struct socket_owner *owner)
{
	session->cgroup_id = owner->cgroup_id;
	session->pid = owner->pid;
	session->uid = owner->pid ? owner->uid : UINT32_MAX;
	session->mntns = owner->mntns;
	session->process_start_ms = owner->process_start_ms;
	memcpy(session->comm, owner->comm, sizeof owner->comm);
	session->comm[SESSION_COMM_LENGTH] = '\0';
}

void snapshot_correct(struct snapshot *snapshot, size_t session, int64_t tx_bytes, int64_t rx_bytes)
{
	snapshot->sessions[session].tx_bytes += (uint64_t)tx_bytes;
	snapshot->sessions[session].rx_bytes += (uint64_t)rx_bytes;
	snapshot->tx_bytes += (uint64_t)tx_bytes;
	snapshot->rx_bytes += (uint64_t)rx_bytes;
}

void snapshot_total(struct snapshot *snapshot)
{
	snapshot->rx_bytes = snapshot->tx_bytes = 0;
	add_to_sum(&snapshot->rx_bytes, snapshot->other.rx_bytes);
	add_to_sum(&snapshot->tx_bytes, snapshot->other.tx_bytes);
	for (size_t i = 0; i < snapshot->session_count; i++) {
		add_to_sum(&snapshot->rx_bytes, snapshot->sessions[i].rx_bytes);
		add_to_sum(&snapshot->tx_bytes, snapshot->sessions[i].tx_bytes);
	}
}

static int compare_ends(const struct session *a, const struct session *b)
{
	int order;

	if ((order = COMPARE(a->family, b->family)) != 0)
		return order;
	if ((order = memcmp(a->laddr, b->laddr, sizeof a->laddr)) != 0)
		return order;
	if ((order = COMPARE(a->lport, b->lport)) != 0)
		return order;
	if ((order = memcmp(a->raddr, b->raddr, sizeof a->raddr)) != 0)
		return order;
	return COMPARE(a->rport, b->rport);
}

static int compare_places(const struct session *a, const struct session *b)
{
	int order = COMPARE(a->netns, b->netns);

	return order ? order : COMPARE(a->ifindex, b->ifindex);
}

int session_compare_connection(const struct session *a, const struct session *b)
{
	int order = compare_ends(a, b);

	return order ? order : compare_places(a, b);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ (hash >> 32);
}

static uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof word);
	return word;
}

uint64_t session_hash(const struct session *key)
{
	uint64_t hash = mix(key->family | (uint64_t)key->life << 8, (uint64_t)key->lport << 16 | key->rport);

	hash = mix(hash, (uint64_t)key->pid << 32 | key->netns);
	hash = mix(hash, word_at(key->raddr));
	hash = mix(hash, word_at(key->laddr));
	if (key->family != 4) {
		hash = mix(hash, word_at(key->raddr + 8));
		hash = mix(hash, word_at(key->laddr + 8));
		hash = mix(hash, key->ifindex);
	}
	return hash;
}

static uint64_t half_hash(const uint8_t address[16], uint16_t port)
{
	uint64_t low, high;

	memcpy(&low, address, sizeof low);
	memcpy(&high, address + sizeof low, sizeof high);
	uint64_t hash = (low ^ high * 0x9e3779b97f4a7c15u ^ (uint64_t)port << 32) * 0xff51afd7ed558ccdu;

	return hash ^ hash >> 32;
}

uint32_t session_hash_connection(const struct session *session)
{
	uint64_t hash = half_hash(session->laddr, session->lport) + half_hash(session->raddr, session->rport);

	hash *= 0xc4ceb9fe1a85ec53u;
	return (uint32_t)(hash >> 32);
}

bool session_is_same_end(const struct session *a, const struct session *b)
{
	return a->lport == b->lport && a->rport == b->rport && a->family == b->family &&
	       memcmp(a->laddr, b->laddr, sizeof a->laddr) == 0 &&
	       memcmp(a->raddr, b->raddr, sizeof a->raddr) == 0;
}

int session_nearness(const struct session *a, const struct session *b)
{
	if (a->netns != b->netns)
		return SESSION_APART;
	return a->ifindex == b->ifindex ? SESSION_SAME_PLACE : SESSION_SAME_NETNS;
}

bool session_may_cross(const struct session *session)
{
	return !address_is_loopback(session->family, session->laddr) &&
	       !address_is_loopback(session->family, session->raddr) &&
	       memcmp(session->laddr, session->raddr, sizeof session->laddr) != 0;
}

bool session_may_be_other_end(const struct session *a, const struct session *b)
{
	return a->lport == b->rport && a->rport == b->lport && a->family == b->family &&
	       memcmp(a->laddr, b->raddr, sizeof a->laddr) == 0 &&
	       memcmp(a->raddr, b->laddr, sizeof a->raddr) == 0 &&
	       (a->netns == b->netns || session_may_cross(a));
}

int session_compare_key(const struct session *a, const struct session *b)
{
	int order;

	if ((order = compare_ends(a, b)) != 0)
		return order;
	if ((order = COMPARE(a->pid, b->pid)) != 0)
		return order;
	if ((order = compare_places(a, b)) != 0)
		return order;
	return COMPARE(a->life, b->life);
}

static int compare_ranks(const void *a, const void *b)
{
	const struct session_rank *left = a, *right = b;

	if (left->total_bytes != right->total_bytes)
		return left->total_bytes < right->total_bytes ? 1 : -1;
	return session_compare_key(left->session, right->session);
}

struct session_rank *snapshot_rank(const struct snapshot *snapshot)
{
	size_t count = snapshot->session_count;
	struct session_rank *ranks = reallocarray(NULL, count + 1, sizeof *ranks);

	if (!ranks)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct session *session = &snapshot->sessions[i];

		ranks[i] = (struct session_rank){ session->rx_bytes + session->tx_bytes, session };
	}
	qsort(ranks, count, sizeof *ranks, compare_ranks);
	return ranks;
}

static int compare_pids(const void *a, const void *b)
{
	return COMPARE(*(const uint32_t *)a, *(const uint32_t *)b);
}

static bool passes(const struct session_filter *filter, const struct session *session)
{
	if (filter->family && filter->family != session->family)
		return false;
	return !filter->pid_count ||
	       bsearch(&session->pid, filter->pids, filter->pid_count, sizeof *filter->pids, compare_pids);
}

void snapshot_filter(struct snapshot *snapshot, const struct session_filter *filter)
{
	size_t kept = 0;

	if (!filter->family && !filter->pid_count)
		return;
	for (size_t i = 0; i < snapshot->session_count; i++)
		if (passes(filter, &snapshot->sessions[i]))
			snapshot->sessions[kept++] = snapshot->sessions[i];
	snapshot->session_count = kept;
	kept = 0;
	for (size_t i = 0; i < snapshot->connection_count; i++)
		if (passes(filter, &snapshot->connections[i].session))
			snapshot->connections[kept++] = snapshot->connections[i];
	snapshot->connection_count = kept;
	snapshot_total(snapshot);
}
