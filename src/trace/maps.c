/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/clock.h"
#include "base/util.h"
#include "loader/tracing.h"
#include "model/connection.h"
#include "model/snapshot.h"

#define BATCH_COUNT 512

/* Of many sessions larger batches take less time each, until they do not fit into the processor's caches. */
#define BATCH_COUNT_MANY 4096
#define MANY 32768

union any_key {
	struct session_key4 key4;
	struct session_key6 key6;
	uint64_t cgroup_id;
	struct life_key life;
};

union any_value {
	struct session_value session;
	uint64_t time_ns;
	struct cgroup_path cgroup;
	struct life_end life;
};

static int allocate(struct maps *maps, uint32_t count)
{
	void *keys = reallocarray(maps->keys, count, sizeof(union any_key));

	if (keys)
		maps->keys = keys;
	void *values = keys ? reallocarray(maps->values, count, sizeof(union any_value)) : NULL;

	if (!values)
		return -ENOMEM;
	maps->values = values;
	maps->batch_count = count;
	return 0;
}

int maps_init(struct maps *maps, const struct tracing *tracing)
{
	memset(maps, 0, sizeof *maps);
	maps->tracing = tracing;
	return fronts_init(&maps->fronts, tracing) ?: allocate(maps, BATCH_COUNT);
}

void maps_fini(struct maps *maps)
{
	free(maps->keys);
	free(maps->values);
	maps->keys = maps->values = NULL;
	fronts_fini(&maps->fronts);
}

/* The permission that maps_wait needs, without its wait: in the map that nobody reads. */
int maps_try(const struct tracing *tracing)
{
	uint32_t slot = 0, nothing = 0;

	return bpf_map_update_elem(tracing->maps[MAP_BARRIER_SLOT], &slot, &nothing, BPF_ANY) ? -errno : 0;
}

int maps_wait(const struct maps *maps)
{
	const int *fds = maps->tracing->maps;
	uint32_t slot = 0;

	return bpf_map_update_elem(fds[MAP_BARRIER], &slot, &fds[MAP_BARRIER_SLOT], BPF_ANY) ? -errno : 0;
}

int maps_swap(struct maps *maps, uint64_t *time_ns, struct error *error)
{
	const int *fds = maps->tracing->maps;
	uint32_t slot = 0, generation = !maps->generation;

	if (bpf_map_update_elem(fds[MAP_GENERATION], &slot, &generation, BPF_ANY) != 0)
		return error_set(
		    error, EXIT_CODE_RUNTIME, -errno, "cannot swap the tables: %s", strerror(errno));
	maps->generation = generation;
	*time_ns = maps->swapped_ns = clock_now_ns();
	int err = maps_wait(maps);

	if (err)
		return error_set(
		    error, EXIT_CODE_RUNTIME, err, "cannot wait for running programs: %s", strerror(-err));
	return 0;
}

static void fill_key4(struct session *session, const void *from)
{
	const struct session_key4 *key = from;

	session->family = 4;
	memcpy(session->laddr, &key->laddr, sizeof key->laddr);
	memcpy(session->raddr, &key->raddr, sizeof key->raddr);
	session->lport = key->lport;
	session->rport = be16toh(key->rport);
	session->pid = key->pid;
	session->netns = key->netns;
}

static void fill_key6(struct session *session, const void *from)
{
	const struct session_key6 *key = from;

	session->family = 6;
	memcpy(session->laddr, key->laddr, sizeof key->laddr);
	memcpy(session->raddr, key->raddr, sizeof key->raddr);
	session->lport = key->lport;
	session->rport = be16toh(key->rport);
	session->pid = key->pid;
	session->netns = key->netns;
	session->ifindex = key->ifindex;
}

/* A map that is drained: of a family and the idle generation, mostly. */
struct drained {
	int fd;
	size_t key_size;
	void (*fill_key)(struct session *session, const void *key); /* NULL: it has others */

	/* A key and its value into the snapshot, from place i of the batch. 0 or -ENOMEM. */
	int (*take)(struct maps *maps, const struct drained *from, uint32_t i, struct snapshot *snapshot);
};

static const void *key_at(const struct maps *maps, const struct drained *from, uint32_t i)
{
	return (const char *)maps->keys + i * from->key_size;
}

static int take_session(struct maps *maps, const struct drained *from, uint32_t i, struct snapshot *snapshot)
{
	const struct session_value *values = maps->values;
	struct session *session = snapshot_add(snapshot);

	if (!session)
		return -ENOMEM;
	from->fill_key(session, key_at(maps, from, i));
	session_take_value(session, &values[i]);
	fronts_take(
	    &maps->fronts, key_at(maps, from, i), from->key_size, &session->rx_bytes, &session->tx_bytes);
	return 0;
}

/* A program that chose this generation before the swap may have looked at the clock after it. */
static int take_ending(struct maps *maps, const struct drained *from, uint32_t i, struct snapshot *snapshot)
{
	const uint64_t *times_ns = maps->values;
	struct ending *ending = snapshot_add_ending(snapshot);

	if (!ending)
		return -ENOMEM;
	from->fill_key(&ending->connection, key_at(maps, from, i));
	ending->ago_us = times_ns[i] < maps->swapped_ns ? (maps->swapped_ns - times_ns[i]) / 1000 : 0;
	return 0;
}

_Static_assert((int)CONNECTION_REASON_SIZE == (int)RESET_REASON_SIZE, "reasons are copied");

static int take_life(struct maps *maps, const struct drained *from, uint32_t i, struct snapshot *snapshot)
{
	const struct life_end *ends = maps->values;
	struct connection *connection = snapshot_add_connection(snapshot);

	if (!connection)
		return -ENOMEM;
	connection_take(
	    connection, &ends[i], maps->swapped_ns, maps->tracing->reset_reasons, RESET_REASONS_MAX);
	connection->cookie = ((const struct life_key *)key_at(maps, from, i))->cookie;
	return 0;
}

/* Made before the swap, if a session that was counted until then is in it: nobody enters what is not made. */
static int take_cgroup(struct maps *maps, const struct drained *from, uint32_t i, struct snapshot *snapshot)
{
	const struct cgroup_path *paths = maps->values;
	struct made_cgroup *cgroup = snapshot_add_cgroup(snapshot);

	if (!cgroup)
		return -ENOMEM;
	memcpy(&cgroup->id, key_at(maps, from, i), sizeof cgroup->id);
	cgroup->path = paths[i];
	cgroup->path.text[CGROUP_PATH_SIZE - 1] = '\0';
	return 0;
}

/* The kernel hands out whole buckets: -ENOSPC means that one has more entries than the batch has room. */
static int drain_map(struct maps *maps, const struct drained *from, struct snapshot *snapshot)
{
	union any_key position;
	bool first = true;
	size_t drained = 0;

	for (;;) {
		uint32_t count = maps->batch_count;
		int result = bpf_map_lookup_and_delete_batch(
		    from->fd, first ? NULL : &position, &position, maps->keys, maps->values, &count, NULL);
		int err = result == 0 ? 0 : -errno;

		if (err == -ENOSPC && count == 0) {
			err = allocate(maps, maps->batch_count * 2);
			if (err)
				return err;
			continue;
		}
		if (err && err != -ENOENT && err != -ENOSPC)
			return err;
		for (uint32_t i = 0; i < count; i++)
			if (from->take(maps, from, i, snapshot) < 0)
				return -ENOMEM;
		if (err == -ENOENT)
			return 0;
		first = false;
		drained += count;
		/* without the memory for it, it goes on as it is */
		if (drained >= MANY && maps->batch_count < BATCH_COUNT_MANY)
			(void)allocate(maps, BATCH_COUNT_MANY);
	}
}

/*
 * What the programs of a duty have counted as lost in a map, and recursion_misses: runs that the kernel skipped because
 * the program was running on that CPU (5.12). Those
 * of a program that stands by lost nothing: a return that it should have taken is counted in the kernel when its
 * call begins.
 */
static uint64_t read_lost(const struct tracing *tracing, int map, enum hook_duty duty)
{
	uint64_t lost = 0;
	uint32_t slot = 0;

	if (tracing->maps[map] >= 0)
		bpf_map_lookup_elem(tracing->maps[map], &slot, &lost);
	for (size_t i = 0; i < tracing->plan.hook_count; i++) {
		const struct hook *hook = &tracing->plan.hooks[i];
		struct bpf_prog_info info = { 0 };
		__u32 length = sizeof info;

		if (hook->duty == duty && !plan_is_standby(&tracing->plan, hook) &&
		    bpf_obj_get_info_by_fd(tracing->programs[i], &info, &length) == 0)
			lost += info.recursion_misses;
	}
	return lost;
}

static int read_growth(struct maps *maps, struct snapshot *snapshot)
{
	struct session_other other;
	uint32_t slot = 0;

	if (bpf_map_lookup_elem(maps->tracing->maps[MAP_OTHER], &slot, &other) != 0)
		return -errno;
	snapshot->other.calls = other.calls - maps->other.calls;
	snapshot->other.rx_bytes = other.rx_bytes - maps->other.rx_bytes;
	snapshot->other.tx_bytes = other.tx_bytes - maps->other.tx_bytes;
	maps->other = other;

	uint64_t missed = read_lost(maps->tracing, MAP_MISSED_RUNS, DUTY_COUNT);

	/* misses that a kprobe program takes back from earlier intervals are offset against later ones */
	snapshot->missed_runs = missed > maps->missed_runs ? missed - maps->missed_runs : 0;
	maps->missed_runs += snapshot->missed_runs;

	uint64_t lost = read_lost(maps->tracing, MAP_ENDS_LOST, DUTY_NOTE_ENDS);

	snapshot->endings_lost = lost - maps->endings_lost;
	maps->endings_lost = lost;
	lost = read_lost(maps->tracing, MAP_LIVES_LOST, DUTY_NOTE_LIVES);
	snapshot->connections_lost = lost - maps->connections_lost;
	maps->connections_lost = lost;
	return 0;
}

int maps_drain(struct maps *maps, struct snapshot *snapshot, struct error *error)
{
	const int *fds = maps->tracing->maps;
	bool odd = !maps->generation;
	const struct drained maps_of_generation[] = {
		{ fds[odd ? MAP_SESSIONS4_ODD : MAP_SESSIONS4_EVEN], sizeof(struct session_key4), fill_key4,
		    take_session },
		{ fds[odd ? MAP_SESSIONS6_ODD : MAP_SESSIONS6_EVEN], sizeof(struct session_key6), fill_key6,
		    take_session },
		{ fds[odd ? MAP_ENDS4_ODD : MAP_ENDS4_EVEN], sizeof(struct session_key4), fill_key4,
		    take_ending },
		{ fds[odd ? MAP_ENDS6_ODD : MAP_ENDS6_EVEN], sizeof(struct session_key6), fill_key6,
		    take_ending },
		{ fds[odd ? MAP_LIVES_ODD : MAP_LIVES_EVEN], sizeof(struct life_key), NULL, take_life },
		{ fds[MAP_CGROUPS], sizeof(uint64_t), NULL, take_cgroup }, /* of no generation */
	};
	int err = fronts_drain(&maps->fronts, odd);

	for (size_t i = 0; i < COUNT_OF(maps_of_generation) && !err; i++)
		if (maps_of_generation[i].fd >= 0)
			err = drain_map(maps, &maps_of_generation[i], snapshot);
	err = err ?: read_growth(maps, snapshot);
	if (err)
		return error_set(error, EXIT_CODE_RUNTIME, err, "cannot read the tables: %s", strerror(-err));
	snapshot_total(snapshot);
	return 0;
}
