/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "error.h"
#include "loader.h"
#include "snapshot.h"

#define BATCH_COUNT 512

static int allocate(struct tables *tables, uint32_t count)
{
	void *keys = reallocarray(tables->keys, count, sizeof(struct session_key6));

	if (keys)
		tables->keys = keys;
	void *values = keys ? reallocarray(tables->values, count, sizeof(struct session_value)) : NULL;

	if (!values)
		return -ENOMEM;
	tables->values = values;
	tables->batch_count = count;
	return 0;
}

int tables_init(struct tables *tables, const struct tracing *tracing)
{
	memset(tables, 0, sizeof *tables);
	tables->tracing = tracing;
	return allocate(tables, BATCH_COUNT);
}

void tables_fini(struct tables *tables)
{
	free(tables->keys);
	free(tables->values);
	tables->keys = tables->values = NULL;
}

static int wait_for_programs(const int *fds)
{
	uint32_t slot = 0;

	return bpf_map_update_elem(fds[TABLE_BARRIER], &slot, &fds[TABLE_BARRIER_SLOT], BPF_ANY) ? -errno : 0;
}

int tables_try(const struct tracing *tracing)
{
	return wait_for_programs(tracing->tables);
}

int tables_wait(const struct tables *tables)
{
	return wait_for_programs(tables->tracing->tables);
}

int tables_swap(struct tables *tables, uint64_t *time_ns, struct error *error)
{
	const int *fds = tables->tracing->tables;
	uint32_t slot = 0, generation = !tables->generation;
	struct timespec now;

	if (bpf_map_update_elem(fds[TABLE_GENERATION], &slot, &generation, BPF_ANY) != 0)
		return error_set(
		    error, EXIT_CODE_RUNTIME, -errno, "cannot swap the tables: %s", strerror(errno));
	tables->generation = generation;
	clock_gettime(CLOCK_MONOTONIC, &now);
	*time_ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	int err = wait_for_programs(fds);

	if (err)
		return error_set(
		    error, EXIT_CODE_RUNTIME, err, "cannot wait for running programs: %s", strerror(-err));
	return 0;
}

static void fill_value(struct session *session, const struct session_value *value)
{
	session->rx_bytes = value->rx_bytes;
	session->tx_bytes = value->tx_bytes;
	session->rtt_us = value->rtt_us;
	session->retransmits = value->retransmits;
	session->cgroup_id = value->cgroup_id;
	session->uid = value->uid;
	session->mntns = value->mntns;
	memcpy(session->comm, value->comm, sizeof value->comm);
	session->comm[SESSION_COMM_LENGTH] = '\0';
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
}

/* One family's table of the quiet generation. */
struct source {
	int fd;
	size_t key_size;
	void (*fill_key)(struct session *session, const void *key);
};

static int take(struct tables *tables, const struct source *source, uint32_t count, struct snapshot *snapshot)
{
	const struct session_value *values = tables->values;

	for (uint32_t i = 0; i < count; i++) {
		struct session *session = snapshot_add(snapshot);

		if (!session)
			return -ENOMEM;
		source->fill_key(session, (const char *)tables->keys + i * source->key_size);
		fill_value(session, &values[i]);
	}
	return 0;
}

/* The kernel hands out whole buckets: -ENOSPC means that one has more entries than the batch has room. */
static int drain_batches(struct tables *tables, const struct source *source, struct snapshot *snapshot)
{
	uint32_t position[sizeof(struct session_key6) / sizeof(uint32_t)];
	bool first = true;

	for (;;) {
		uint32_t count = tables->batch_count;
		int result = bpf_map_lookup_and_delete_batch(source->fd, first ? NULL : position, position,
		    tables->keys, tables->values, &count, NULL);
		int err = result == 0 ? 0 : -errno;

		if (err == -ENOSPC && count == 0) {
			err = allocate(tables, tables->batch_count * 2);
			if (err)
				return err;
			continue;
		}
		if (err && err != -ENOENT && err != -ENOSPC)
			return err;
		int taken = take(tables, source, count, snapshot);

		if (taken)
			return taken;
		if (err == -ENOENT)
			return 0;
		first = false;
	}
}

/* Nobody else writes the table, so that reading and deleting an entry are as good as one step. */
static int drain_singly(struct tables *tables, const struct source *source, struct snapshot *snapshot)
{
	while (bpf_map_get_next_key(source->fd, NULL, tables->keys) == 0) {
		if (bpf_map_lookup_elem(source->fd, tables->keys, tables->values) != 0 ||
		    bpf_map_delete_elem(source->fd, tables->keys) != 0)
			return -errno;
		int err = take(tables, source, 1, snapshot);

		if (err)
			return err;
	}
	return errno == ENOENT ? 0 : -errno;
}

static int drain_source(struct tables *tables, const struct source *source, struct snapshot *snapshot)
{
	if (source->fd < 0)
		return 0;
	if (!tables->no_batches) {
		size_t before = snapshot->session_count;
		int err = drain_batches(tables, source, snapshot);

		/* before 5.6: EINVAL for an unknown command, or the kernel's own ENOTSUPP */
		if ((err != -EINVAL && err != -524) || snapshot->session_count != before)
			return err;
		tables->no_batches = 1;
	}
	return drain_singly(tables, source, snapshot);
}

/* recursion_misses: runs that the kernel skipped because the program was running on that CPU (5.12). */
static uint64_t read_missed_runs(const struct tracing *tracing)
{
	uint64_t missed = 0;
	uint32_t slot = 0;

	if (tracing->tables[TABLE_MISSED_RUNS] >= 0)
		bpf_map_lookup_elem(tracing->tables[TABLE_MISSED_RUNS], &slot, &missed);
	for (size_t i = 0; i < tracing->plan.probe_count; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 length = sizeof info;

		if (bpf_obj_get_info_by_fd(tracing->programs[i], &info, &length) == 0)
			missed += info.recursion_misses;
	}
	return missed;
}

static int read_growth(struct tables *tables, struct snapshot *snapshot)
{
	struct session_other other;
	uint32_t slot = 0;

	if (bpf_map_lookup_elem(tables->tracing->tables[TABLE_OTHER], &slot, &other) != 0)
		return -errno;
	snapshot->other.calls = other.calls - tables->other.calls;
	snapshot->other.rx_bytes = other.rx_bytes - tables->other.rx_bytes;
	snapshot->other.tx_bytes = other.tx_bytes - tables->other.tx_bytes;
	tables->other = other;

	uint64_t missed = read_missed_runs(tables->tracing);

	/* what a kprobe's program takes back of earlier intervals is set against what comes next */
	snapshot->missed_runs = missed > tables->missed_runs ? missed - tables->missed_runs : 0;
	tables->missed_runs += snapshot->missed_runs;
	return 0;
}

int tables_drain(struct tables *tables, struct snapshot *snapshot, struct error *error)
{
	const int *fds = tables->tracing->tables;
	bool odd = !tables->generation;
	const struct source sources[] = {
		{ fds[odd ? TABLE_SESSIONS4_ODD : TABLE_SESSIONS4_EVEN], sizeof(struct session_key4),
		    fill_key4 },
		{ fds[odd ? TABLE_SESSIONS6_ODD : TABLE_SESSIONS6_EVEN], sizeof(struct session_key6),
		    fill_key6 },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof sources / sizeof *sources && !err; i++)
		err = drain_source(tables, &sources[i], snapshot);
	err = err ?: read_growth(tables, snapshot);
	if (err)
		return error_set(error, EXIT_CODE_RUNTIME, err, "cannot read the tables: %s", strerror(-err));
	snapshot_total(snapshot);
	return 0;
}
