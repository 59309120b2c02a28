/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/sockets.h"

#include <bpf/bpf.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/util.h"
#include "loader/tracing.h"
#include "model/snapshot.h"
#include "model/prove.h"
#include "trace/iterator.h"
#include "trace/told.h"

enum socket_program { BIRTHS, WALK, PASS };

static const enum kernel_symbol symbols[] = {
	[BIRTHS] = SYMBOL_INET_SOCK_SET_STATE,
	[WALK] = SYMBOL_BPF_ITER_TASK_FILE,
	[PASS] = SYMBOL_BPF_ITER_SOCKETS,
};

/* A pass may take one part in so many of a processor's time, and so may a walk; where they are waited for, so many. */
#define SHARE 100
#define SHARE_WAITED_FOR 3

static uint64_t rest_ns(const struct sockets *sockets, uint64_t cpu_ns)
{
	uint64_t rest = cpu_ns * SHARE, least = cpu_ns * SHARE_WAITED_FOR;

	if (sockets->within_ns && rest > sockets->within_ns)
		rest = sockets->within_ns > least ? sockets->within_ns : least;
	return rest;
}

bool sockets_possible(const struct tracing *tracing)
{
	return plan_has_duty(&tracing->plan, DUTY_TELL_SOCKETS);
}

void sockets_init(struct sockets *sockets, const struct tracing *tracing, uint64_t within_ns)
{
	*sockets = (struct sockets){ .tracing = tracing, .within_ns = within_ns, .link_fds = { -1, -1, -1 } };
	for (size_t i = 0; i < COUNT_OF(symbols); i++)
		sockets->program_fds[i] = tracing_program(tracing, DUTY_TELL_SOCKETS, symbols[i]);
}

void sockets_stop(struct sockets *sockets)
{
	for (size_t i = 0; i < COUNT_OF(sockets->link_fds); i++) {
		if (sockets->link_fds[i] >= 0)
			close(sockets->link_fds[i]);
		sockets->link_fds[i] = -1;
	}
}

void sockets_fini(struct sockets *sockets)
{
	sockets_stop(sockets);
	if (sockets->pass)
		munmap((void *)(uintptr_t)sockets->pass, sizeof *sockets->pass);
	if (sockets->facts)
		munmap((void *)(uintptr_t)sockets->facts, sockets->capacity * sizeof *sockets->facts);
	free(sockets->users);
	told_fini(&sockets->told);
	counted_fini(&sockets->earlier.counted);
	audit_fini(&sockets->audit);
	*sockets = (struct sockets){ .link_fds = { -1, -1, -1 } };
}

/* ---- attaching ---- */

static int map_arrays(struct sockets *sockets)
{
	const int *fds = sockets->tracing->maps;
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof info;

	if (sockets->facts)
		return 0;
	if (bpf_obj_get_info_by_fd(fds[MAP_SOCKET_FACTS], &info, &length) != 0)
		return -errno;
	void *pass =
	    mmap(NULL, sizeof *sockets->pass, PROT_READ | PROT_WRITE, MAP_SHARED, fds[MAP_SOCKET_PASS], 0);

	if (pass == MAP_FAILED)
		return -errno;
	sockets->pass = pass;
	void *facts = mmap(
	    NULL, info.max_entries * sizeof *sockets->facts, PROT_READ, MAP_SHARED, fds[MAP_SOCKET_FACTS], 0);

	if (facts == MAP_FAILED)
		return -errno;
	sockets->facts = facts;
	sockets->capacity = info.max_entries;
	return 0;
}

static int attach(struct sockets *sockets, enum socket_program which)
{
	union bpf_iter_link_info info = { .map.map_fd = (__u32)sockets->tracing->maps[MAP_SOCKET_STATES] };
	LIBBPF_OPTS(bpf_link_create_opts, options);

	if (which == PASS) {
		options.iter_info = &info;
		options.iter_info_len = sizeof info;
	}
	sockets->link_fds[which] =
	    which == BIRTHS ? bpf_raw_tracepoint_open(NULL, sockets->program_fds[which])
	                    : bpf_link_create(sockets->program_fds[which], 0, BPF_TRACE_ITER, &options);
	return sockets->link_fds[which] < 0 ? -errno : 0;
}

static uint64_t cpu_now_ns(void)
{
	return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Finds who has the sockets open that nobody is known of. */
static int walk(struct sockets *sockets)
{
	uint64_t began_ns = cpu_now_ns();

	sockets->pass->walk++;
	sockets->pass->walks_tell = 0;
	int err = iterator_run(sockets->link_fds[WALK]);

	sockets->walked_ns = clock_now_ns() + rest_ns(sockets, cpu_now_ns() - began_ns);
	return err;
}

/* Runs of the kernel's iterator in a pass, at most, */
#define RUNS_MAX 4
/* and by how much the sockets of one at which reads end are others than those of the one before. */
#define READS_SHIFT (SOCKETS_AT_ONCE / 8 * 3)

/* Between two reads sockets may go, and the kernel leaves others out for them: it is asked again, until none was. */
static int run_whole(struct sockets *sockets)
{
	int err = iterator_run(sockets->link_fds[PASS]);
	bool more = sockets->pass->looked_at >= SOCKETS_AT_ONCE;

	sockets->pass->again = 1;
	for (uint32_t run = 1; run < RUNS_MAX && more && !err; run++) {
		size_t told = sockets->pass->count;

		sockets->pass->looked_at = run * READS_SHIFT;
		err = iterator_run(sockets->link_fds[PASS]);
		more = sockets->pass->count > told;
	}
	return err;
}

/* Lets the kernel tell of all sockets. By a walk where it has no iterator of sockets. */
static int pass(struct sockets *sockets)
{
	bool walks = sockets->link_fds[PASS] < 0;

	sockets->pass->count = sockets->pass->beyond = 0;
	sockets->pass->looked_at = sockets->pass->again = 0;
	sockets->pass->number++;
	sockets->pass->walk += walks;
	sockets->pass->walks_tell = walks;
	return walks ? iterator_run(sockets->link_fds[WALK]) : run_whole(sockets);
}

int sockets_start(struct sockets *sockets)
{
	int err = map_arrays(sockets);

	for (int i = 0; i < (int)COUNT_OF(symbols) && !err; i++)
		err = sockets->program_fds[i] >= 0 ? attach(sockets, i) : 0;
	sockets->passed_ns = sockets->rested_ns = 0;
	sockets->started_ns = clock_now_ns();
	counted_fini(&sockets->earlier.counted);
	sockets->earlier.latest_ns = sockets->earlier.since_ns = sockets->started_ns;
	told_fini(&sockets->told);
	audit_forget(&sockets->audit);
	if (!err && sockets->link_fds[PASS] >= 0)
		err = walk(sockets);
	if (err)
		sockets_stop(sockets);
	return err;
}

/* ---- a pass ---- */

static int compare_users(const void *a, const void *b)
{
	const struct socket_user *left = a, *right = b;

	return COMPARE(left->cookie, right->cookie);
}

static const struct socket_user *find_user(const struct sockets *sockets, uint64_t cookie)
{
	const struct socket_user wanted = { .cookie = cookie };

	if (!sockets->user_count)
		return NULL;
	return bsearch(&wanted, sockets->users, sockets->user_count, sizeof wanted, compare_users);
}

/* The sessions that a pass has found, and whose sockets have another owner: for the passes after. */
struct users {
	struct socket_user *all;
	size_t count;
	size_t capacity;
};

static int add_user(struct users *users, uint64_t cookie, const struct socket_owner *owner)
{
	struct socket_user *all = array_grow(users->all, users->count, &users->capacity, 64, sizeof *all);

	if (!all)
		return -ENOMEM;
	users->all = all;
	users->all[users->count++] = (struct socket_user){ cookie, *owner };
	return 0;
}

static struct socket_owner owner_of(const struct session *session)
{
	struct socket_owner owner = {
		.cgroup_id = session->cgroup_id,
		.pid = session->pid,
		.uid = session->uid,
		.mntns = session->mntns,
		.process_start_ms = session->process_start_ms,
	};

	memcpy(owner.comm, session->comm, sizeof owner.comm);
	return owner;
}

/* One pass at work: bytes of a socket's sessions, and which sockets have none. */
struct telling {
	struct sockets *sockets;
	struct snapshot *snapshot;
	struct socket_clock clock;
	size_t count;
	struct moved {
		uint64_t rx_bytes, tx_bytes;
		uint32_t sessions;
		uint32_t pid;   /* of the first one, */
		bool by_others; /* and whether others have another */
		size_t row; /* its place in the snapshot, or of the session that moved nothing; from 1 on */
	} * moved;
	struct users users;
};

static void tell_session(struct telling *telling, struct session *session, size_t place)
{
	const struct socket_facts *facts = &telling->sockets->facts[place];
	const struct moved *moved = &telling->moved[place];

	cause_summarise(&session->socket, facts, &telling->clock, moved->rx_bytes, moved->tx_bytes);
	session->rtt_us = facts->rtt_us;
	session->retransmits = facts->now.retransmits;
}

/* What moved something in the interval. */
static int tell_moved(struct telling *telling)
{
	struct snapshot *snapshot = telling->snapshot;
	size_t *places = calloc(snapshot->session_count + 1, sizeof *places);
	int err = places ? 0 : -ENOMEM;

	for (size_t i = 0; i < snapshot->session_count && !err; i++) {
		struct session *session = &snapshot->sessions[i];
		size_t place = told_find(&telling->sockets->told, session);
		struct socket_owner owner = owner_of(session);

		places[i] = place;
		if (place == telling->count)
			continue;
		struct moved *moved = &telling->moved[place];

		moved->rx_bytes += session->rx_bytes;
		moved->tx_bytes += session->tx_bytes;
		moved->by_others |= moved->sessions && moved->pid != session->pid;
		if (moved->sessions++)
			continue;
		moved->pid = session->pid;
		moved->row = i + 1;
		if (telling->sockets->facts[place].owner.pid != owner.pid)
			err = add_user(&telling->users, telling->sockets->facts[place].cookie, &owner);
	}
	for (size_t i = 0; i < snapshot->session_count && !err; i++)
		if (places[i] != telling->count)
			tell_session(telling, &snapshot->sessions[i], places[i]);
	free(places);
	return err;
}

/* What moved nothing: of whoever used it last, else of its owner. */
static int tell_still(struct telling *telling)
{
	for (size_t i = 0; i < telling->count; i++) {
		const struct socket_facts *facts = &telling->sockets->facts[i];
		const struct socket_user *user = find_user(telling->sockets, facts->cookie);

		if (telling->moved[i].sessions || !facts->passes_socket || !(user || facts->passes_owner))
			continue;
		struct session *session = snapshot_add(telling->snapshot);

		if (!session || (user && add_user(&telling->users, user->cookie, &user->owner) < 0))
			return -ENOMEM;
		session_take_socket_key(session, &facts->key);
		session_take_owner(session, user ? &user->owner : &facts->owner);
		tell_session(telling, session, i);
		telling->moved[i].row = telling->snapshot->session_count;
	}
	return 0;
}

/* Is nobody known of a socket that moved nothing? */
static bool has_unowned(const struct telling *telling)
{
	for (size_t i = 0; i < telling->count; i++)
		if (telling->sockets->facts[i].passes_socket && !telling->sockets->facts[i].owner.pid &&
		    !telling->moved[i].sessions &&
		    !find_user(telling->sockets, telling->sockets->facts[i].cookie))
			return true;
	return false;
}

/* Holds what was counted against the sockets. */
static int audit_all(struct telling *telling)
{
	struct sockets *sockets = telling->sockets;
	int err = 0;

	for (size_t i = 0; i < telling->count && !err; i++) {
		const struct socket_facts *facts = &sockets->facts[i];
		struct audit_healed healed;
		struct session key;

		session_take_socket_key(&key, &facts->key);
		const struct moved *moved = &telling->moved[i];
		struct counted counted = { session_hash(&key), moved->tx_bytes, moved->rx_bytes,
			.pid = moved->pid, .by_others = moved->by_others };
		struct counted before = counted_find(&sockets->earlier.counted, counted.key_hash);

		if (!before.ends && !audit_is_awaited(&sockets->audit, facts->cookie))
			counted_join(&counted, &before);
		const struct audit_entry entry = {
			.facts = facts,
			.key_hash = counted.key_hash,
			.tx_bytes = counted.tx_bytes,
			.rx_bytes = counted.rx_bytes,
			.pid = counted.pid,
			.is_shared = counted.by_others,
			.since_ns = sockets->earlier.since_ns,
			.passes = facts->passes_owner && facts->passes_socket,
			.knows_ends = telling->snapshot->notes_connections,
		};

		err = audit_take(&sockets->audit, &entry, &healed);
		if (moved->row)
			snapshot_correct(telling->snapshot, moved->row - 1, healed.tx_bytes, healed.rx_bytes);
	}
	return err;
}

/* An interval without a pass: its sessions' sockets are those of the latest one, by now. */
static void audit_sessions(struct sockets *sockets, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->session_count && sockets->told.count; i++) {
		const struct session *session = &snapshot->sessions[i];
		size_t place = told_find(&sockets->told, session);

		if (place != sockets->told.count)
			audit_count(&sockets->audit, sockets->facts[place].cookie, session->pid,
			    session->tx_bytes, session->rx_bytes);
	}
}

static int tell(struct telling *telling)
{
	struct sockets *sockets = telling->sockets;
	int err = told_index(&sockets->told, sockets->facts, telling->count);

	telling->moved = calloc(telling->count + 1, sizeof *telling->moved);
	if (!telling->moved)
		err = -ENOMEM;
	err = err ?: tell_moved(telling);
	if (!err && sockets->link_fds[PASS] >= 0 && has_unowned(telling) &&
	    clock_now_ns() >= sockets->walked_ns) {
		err = walk(sockets);
		err =
		    err ?: iterator_run(sockets->link_fds[PASS]); /* the same pass again takes owners alone */
	}
	err = err ?: tell_still(telling);
	err = err ?: prove_readers(telling->snapshot);
	err = err ?: audit_all(telling);
	free(telling->moved);
	if (err) {
		free(telling->users.all);
		return err;
	}
	free(sockets->users);
	sockets->users = telling->users.all;
	sockets->user_count = telling->users.count;
	if (sockets->user_count)
		qsort(sockets->users, sockets->user_count, sizeof *sockets->users, compare_users);
	return 0;
}

int sockets_tell(struct sockets *sockets, struct snapshot *snapshot)
{
	uint64_t began_ns = cpu_now_ns(), now_ns = clock_now_ns();

	snapshot->sockets.follows = sockets->link_fds[WALK] >= 0;
	if (!snapshot->sockets.follows)
		return 0;
	/* it is not known whose bytes are missing, or which key was another's */
	if (snapshot->other.calls || snapshot->connections_lost)
		audit_forget(&sockets->audit);
	audit_note_missed(&sockets->audit, snapshot->missed_runs);
	if (now_ns < sockets->rested_ns) {
		audit_sessions(sockets, snapshot);
		return 0;
	}
	int err = pass(sockets);
	struct telling telling = { .sockets = sockets, .snapshot = snapshot, .count = sockets->pass->count };

	telling.clock.time_ns = sockets->pass->time_ns;
	telling.clock.jiffies = sockets->pass->jiffies;
	if (!sockets->hz && telling.count)
		sockets->hz = cause_find_hz(telling.clock.jiffies, telling.clock.time_ns);
	telling.clock.hz = sockets->hz;
	telling.clock.since_ns = sockets->started_ns;
	err = err ?: tell(&telling);
	if (err)
		return err;
	uint64_t cpu_ns = cpu_now_ns() - began_ns;

	snapshot->sockets = (struct socket_census){
		.follows = true,
		.count = (uint32_t)telling.count,
		.beyond = sockets->pass->beyond,
		.unstored = sockets->pass->unstored,
		.cpu_ns = cpu_ns,
		.passed_ns = sockets->passed_ns ? now_ns - sockets->passed_ns : 0,
	};
	sockets->passed_ns = now_ns;
	sockets->rested_ns = now_ns + rest_ns(sockets, cpu_ns);
	return 0;
}
