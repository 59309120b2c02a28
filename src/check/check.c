/* SPDX-License-Identifier: Apache-2.0 */
#include "check/check.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/error.h"
#include "loader/loader.h"
#include "model/snapshot.h"
#include "startup.h"
#include "trace/maps.h"

#define PATHS_MAX 96

/* Sockets that are older than the tracing, calls among them that wait when it starts. */
static const struct {
	const char *id;
	const char *path;
	const char *title;
} earlier_paths[] = {
	{ "blocked_recv_earlier", "blocked_recv", "a receive that waited when tracing started" },
	{ "blocked_send_earlier", "blocked_send", "a send that waited when tracing started" },
	{ "splice_out_earlier", "splice_out", "splice out of a socket older than the tracing" },
	{ "zerocopy_earlier", "zerocopy_mapped", "TCP_ZEROCOPY_RECEIVE on a socket older than the tracing" },
};

struct check {
	const struct options *options;
	check_report *report;
	void *argument;
	unsigned *counts;
	struct error *error;
	struct tracing tracing;
	struct maps maps;
	struct snapshot snapshot;
};

static int start_tracing(struct check *check)
{
	static const struct filter_fds none = { -1, -1 };
	int err = startup_load(&check->tracing, check->options, &none, NULL, check->error);

	if (err)
		return err;
	if (check->tracing.in_pid_namespace)
		return error_set(check->error, EXIT_CODE_UNSUPPORTED, -ENOTSUP,
		    "--check compares PIDs, and a PID namespace hides the host's: run it outside of this "
		    "one");
	err = maps_init(&check->maps, &check->tracing);
	return err ? error_set(check->error, EXIT_CODE_RUNTIME, err, "no memory to read the tables") : 0;
}

static void stop_tracing(struct check *check)
{
	maps_fini(&check->maps);
	tracing_close(&check->tracing);
	tracing_init(&check->tracing);
}

static int drain(struct check *check)
{
	uint64_t now_ns;
	int err = maps_swap(&check->maps, &now_ns, check->error);

	snapshot_reset(&check->snapshot);
	return err ?: maps_drain(&check->maps, &check->snapshot, check->error);
}

static bool same_addresses(const struct datapath_session *moved, const struct session *counted)
{
	return moved->family == counted->family && moved->lport == counted->lport &&
	       moved->rport == counted->rport &&
	       memcmp(moved->laddr, counted->laddr, sizeof moved->laddr) == 0 &&
	       memcmp(moved->raddr, counted->raddr, sizeof moved->raddr) == 0 &&
	       (moved->netns == 0 || moved->netns == counted->netns);
}

static bool same_name(const struct datapath_session *moved, const struct session *counted)
{
	return strncmp(moved->comm, counted->comm, sizeof moved->comm) == 0 ||
	       strncmp(moved->comm_last, counted->comm, sizeof moved->comm_last) == 0;
}

#define REASON(result, ...) snprintf((result)->reason, sizeof(result)->reason, __VA_ARGS__)

/* One moved session against what was counted for it. Fills result->reason when they differ. */
static void compare_session(
    struct check_result *result, const struct datapath_session *moved, const struct snapshot *snapshot)
{
	uint64_t tx_bytes = 0, rx_bytes = 0;

	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *counted = &snapshot->sessions[i];

		if ((pid_t)counted->pid != moved->pid || !same_addresses(moved, counted))
			continue;
		tx_bytes += counted->tx_bytes;
		rx_bytes += counted->rx_bytes;
		if (!same_name(moved, counted))
			REASON(result, "%s has another name than its own", datapath_side_name(moved->side));
	}
	result->tx_bytes += moved->tx_bytes;
	result->rx_bytes += moved->rx_bytes;
	result->counted_tx_bytes += tx_bytes;
	result->counted_rx_bytes += rx_bytes;
	if (tx_bytes != moved->tx_bytes)
		REASON(result, "%s sent %" PRIu64 ", counted %" PRIu64, datapath_side_name(moved->side),
		    moved->tx_bytes, tx_bytes);
	if (rx_bytes != moved->rx_bytes)
		REASON(result, "%s received %" PRIu64 ", counted %" PRIu64, datapath_side_name(moved->side),
		    moved->rx_bytes, rx_bytes);
}

/* Bytes of the moving processes or of their connections that stand where nobody moved any. */
static void find_strays(struct check_result *result, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *counted = &snapshot->sessions[i];
		bool known = false, related = false;

		for (size_t j = 0; j < result->truth.session_count; j++) {
			const struct datapath_session *moved = &result->truth.sessions[j];
			bool process = (pid_t)counted->pid == moved->pid;
			bool addresses = same_addresses(moved, counted);

			known |= process && addresses;
			related |= process || addresses;
		}
		if (!related || known)
			continue;
		result->counted_tx_bytes += counted->tx_bytes;
		result->counted_rx_bytes += counted->rx_bytes;
		REASON(result, "%" PRIu64 " bytes stand under PID %u, port %u, where none were moved",
		    counted->tx_bytes + counted->rx_bytes, counted->pid, counted->lport);
	}
}

/*
 * What was declared beforehand of this path. Skipped runs may be of any path: they excuse it when some were
 * reported; of kprobes' not all are.
 */
static const struct probe_blind_spot *declared(const struct check *check, const char *id)
{
	const struct probe_blind_spot *spots[NOT_COUNTED_MAX];
	size_t count = probe_blind_spots(spots, &check->tracing.plan);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(spots[i]->path, PROBE_PREEMPTED) == 0 &&
		    (check->snapshot.missed_runs || check->tracing.plan.method == PROBE_KPROBE))
			return spots[i];
		for (const char *const *path = spots[i]->checked_by; *path; path++)
			if (strcmp(*path, id) == 0)
				return spots[i];
	}
	return NULL;
}

/* Too little where it was declared is not wrong; too much always is. */
static void judge(const struct check *check, struct check_result *result)
{
	const struct probe_blind_spot *spot = declared(check, result->id);

	result->verdict = CHECK_EXACT;
	for (size_t i = 0; i < result->truth.session_count; i++)
		compare_session(result, &result->truth.sessions[i], &check->snapshot);
	find_strays(result, &check->snapshot);
	if (!result->reason[0])
		return;
	result->verdict = CHECK_WRONG;
	if (spot && result->counted_tx_bytes <= result->tx_bytes &&
	    result->counted_rx_bytes <= result->rx_bytes) {
		result->verdict = CHECK_NOT_COUNTED;
		result->declared = spot->path;
		REASON(result, "%s", spot->reason);
	}
}

static void finish(struct check *check, struct check_result *result)
{
	check->counts[result->verdict]++;
	check->report(check->argument, result);
}

/*
 * Traces from where hook says: hook NULL means that tracing has begun. Returns -errno with *check->error
 * when counting itself broke; a mover that fails is a result.
 */
static int check_path(struct check *check, const char *id, const char *title, const struct datapath *path,
    int (*hook)(void *argument, const struct datapath_result *result), const char *missing)
{
	const struct datapath_limits limits = { .connected = hook, .argument = check };
	struct check_result result = { .id = id, .title = title };
	struct error moving = { 0 };
	int err = 0;

	if (*missing) {
		result.verdict = CHECK_SKIPPED;
		REASON(&result, "%s", missing);
		finish(check, &result);
		return 0;
	}
	if (!hook)
		err = drain(check); /* what was there before is not of this path */
	if (err)
		return err;
	check->error->text[0] = '\0';
	err = datapath_run(path, &limits, &result.truth, &moving);
	if (err) {
		if (check->error->text[0])
			return -EIO; /* the hook: tracing could not be started */
		result.verdict = err == DATAPATH_REFUSED ? CHECK_SKIPPED : CHECK_FAILED;
		REASON(&result, "%.*s", (int)sizeof result.reason - 1, moving.text);
	} else {
		err = drain(check);
		if (err)
			return err;
		judge(check, &result);
	}
	finish(check, &result);
	return 0;
}

static int start_in_hook(void *argument, const struct datapath_result *result)
{
	(void)result;
	return start_tracing(argument);
}

static int check_earlier(struct check *check)
{
	for (size_t i = 0; i < sizeof earlier_paths / sizeof *earlier_paths; i++) {
		const struct datapath *path = datapath_find(earlier_paths[i].path);
		char missing[DATAPATH_REASON_MAX] = "";

		datapath_probe(path, missing, sizeof missing);
		int err = check_path(
		    check, earlier_paths[i].id, earlier_paths[i].title, path, start_in_hook, missing);

		stop_tracing(check);
		if (err)
			return err;
	}
	return 0;
}

static int check_all(struct check *check)
{
	static char missing[PATHS_MAX][DATAPATH_REASON_MAX]; /* asked as root: TLS is a module to load */
	const struct datapath *path;

	for (size_t i = 0; i < PATHS_MAX && (path = datapath_at(i)); i++)
		if (datapath_probe(path, missing[i], sizeof missing[i]) == 0)
			missing[i][0] = '\0';
	int err = start_tracing(check);

	err = err ?: startup_give_up_root(&check->tracing, check->options, check->error);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user has cleared it (kernel/cred.c, commit_creds) */
	for (size_t i = 0; i < PATHS_MAX && (path = datapath_at(i)) && !err; i++)
		err = check_path(check, path->id, path->title, path, NULL, missing[i]);
	stop_tracing(check);
	return err;
}

int check_method(const struct options *options, check_report *report, void *argument,
    unsigned counts[CHECK_VERDICTS], struct error *error)
{
	struct check check = {
		.options = options,
		.report = report,
		.argument = argument,
		.counts = counts,
		.error = error,
	};

	memset(counts, 0, CHECK_VERDICTS * sizeof *counts);
	tracing_init(&check.tracing);
	snapshot_init(&check.snapshot);
	int err = check_earlier(&check);

	err = err ?: check_all(&check);
	snapshot_fini(&check.snapshot);
	return err;
}
