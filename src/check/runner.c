/* SPDX-License-Identifier: Apache-2.0 */
#include "check/runner.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/error.h"
#include "base/util.h"
#include "check/side.h"

enum {
	NOBODY = 65534,
	LOCKED_BYTES = 1 << 20,
};

/* In the order in which they are listed and checked. */
static const struct path *const groups[] = { paths_plain, paths_splice, paths_zerocopy, paths_uring,
	paths_protocol, paths_process, paths_state, paths_links };

const struct path *path_at(size_t index)
{
	for (size_t i = 0; i < COUNT_OF(groups); i++)
		for (const struct path *path = groups[i]; path->id; path++)
			if (index-- == 0)
				return path;
	return NULL;
}

const struct path *path_find(const char *id)
{
	const struct path *path;
	size_t i = 0;

	while ((path = path_at(i)) && strcmp(path->id, id) != 0)
		i++;
	return path;
}

struct runner {
	const struct path *path;
	const struct runner_settings *settings;
	struct shared *shared;
	int shared_fd;
	pid_t *sides; /* two of each pair, by enum side_role */
	size_t side_count;
};

/* ---- the parent of all sides ---- */

void runner_become(uid_t id)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	bool root = geteuid() == 0;
	const char *kept = NULL;

	if ((root && setgroups(0, NULL) != 0 && errno != EPERM) ||
	    (root && (setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0) && errno != EINVAL &&
	        errno != EPERM))
		kept = "root";
	else if (syscall(SYS_capset, &header, none) != 0)
		kept = "capabilities";
	else if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		kept = "what programs may gain";
	if (!kept)
		return;
	fprintf(stderr, "tcptop: check: cannot give up %s: %s\n", kept, strerror(errno));
	_exit(EXIT_FAILURE);
}

/*
 * A process that has changed its user is none of that user's to the kernel, and not shown to it where /proc is mounted with hidepid: these
 * are, as they hold nothing, to be seen asleep.
 */
static void become_nobody(void)
{
	runner_become(NOBODY);
	if (prctl(PR_SET_DUMPABLE, 1) != 0)
		_exit(EXIT_FAILURE);
}

/* Tries a socket of the path's kind, and its options: what a socket refuses that is not connected is there. */
static void try_socket(const struct path *path, int fd, char *reason, size_t size)
{
	const struct path_need *need = &path->need;
	int err = fd < 0 ? -fd : 0;

	for (unsigned role = SIDE_SENDER; role <= SIDE_RECEIVER && !err; role++)
		if (path_options_set(path, role, fd) && errno != ENOTCONN)
			err = errno;
	if (err)
		snprintf(
		    reason, size, "%s: %s", need->lacking, err == need->err ? need->cause : strerror(err));
}

/* Writes the reason if the path cannot run here. */
static void prepare(const struct path *path, char *reason, size_t size)
{
	struct sockaddr_storage address;
	struct rlimit locked = { 0 };
	socklen_t length;
	int fd = path->flags & PATH_IPV6 ? side_listen(path, &address, &length) : side_socket_open(path);

	if (path->flags & PATH_IPV6 && fd < 0)
		snprintf(reason, size, "no address ::1 on this host");
	else if (path->need.lacking)
		try_socket(path, fd, reason, size);
	close(fd);
	getrlimit(RLIMIT_MEMLOCK, &locked);
	if (!*reason && path->flags & PATH_LOCKS_MEMORY && geteuid() != 0 && locked.rlim_cur < LOCKED_BYTES)
		snprintf(reason, size, "the limit on locked memory is under %d KB (ulimit -l)",
		    LOCKED_BYTES / 1024);
	if (!*reason && path->prepare)
		path->prepare(path, reason, size);
}

static bool blocks_before_go(const struct path *path, uint8_t role)
{
	return path->flags & (role == SIDE_SENDER ? PATH_BLOCKED_SENDER : PATH_BLOCKED_RECEIVER);
}

static _Noreturn void side_main(struct side *side, pid_t parent)
{
	static const char *const names[] = { "dp-sender", "dp-receiver" };
	const struct path *path = side->path;
	bool sends = side->role == SIDE_SENDER;
	int err;

	side_process_init(path->comm[side->role] ?: names[side->role], parent);
	if (sends)
		close(side->listen_fd);
	err = side_equip(side);
	for (uint32_t i = 0; i < (path->connections ?: 1) && !err && !(path->flags & PATH_LATE); i++)
		err = sends ? side_connect(side) : side_accept(side);
	if (err)
		side_exit(side, err);
	if (blocks_before_go(path, side->role))
		atomic_fetch_add(&side->shared->ready_count, 1);
	else
		side_wait_go(side);
	side_exit(side, side_move(side));
}

static int start_pair(struct runner *runner)
{
	struct side side = { .path = runner->path, .shared = runner->shared, .shared_fd = runner->shared_fd };
	pid_t parent = getpid();
	int peer_fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, peer_fds) < 0)
		return shared_fail(runner->shared, -errno, "%s", strerror(errno));
	side.listen_fd = side_listen(runner->path, &side.server, &side.server_length);
	if (side.listen_fd < 0)
		return shared_fail(runner->shared, side.listen_fd, "no listening socket on loopback");
	for (unsigned role = SIDE_SENDER; role <= SIDE_RECEIVER; role++) {
		pid_t pid = runner->sides[runner->side_count] = fork();

		if (pid < 0)
			return shared_fail(runner->shared, -errno, "%s", strerror(errno));
		runner->side_count++;
		if (pid > 0)
			continue;
		side.role = (uint8_t)role;
		side.peer_fd = peer_fds[role];
		close(peer_fds[!role]);
		side_main(&side, parent);
	}
	/* Kept open here, they would keep a connection's end from being noticed. */
	close(side.listen_fd);
	close(peer_fds[0]);
	close(peer_fds[1]);
	return 0;
}

/* A side that was told to block has nothing to sleep in but its first call: asleep several times running is in it. */
static bool sleeps(pid_t pid)
{
	char path[64], state = 'S';
	FILE *stat;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	for (int seen = 0; seen < 4 && state == 'S'; seen++) {
		usleep(5000);
		stat = fopen(path, "re");
		if (!stat || fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
			state = '?';
		if (stat)
			fclose(stat);
	}
	return state == 'S';
}

static bool is_ready(const struct runner *runner)
{
	bool ready = atomic_load(&runner->shared->ready_count) == runner->side_count;

	for (size_t i = 0; i < runner->side_count && ready; i++)
		ready = !blocks_before_go(runner->path, i % 2) || sleeps(runner->sides[i]);
	return ready;
}

/* Until all sides are ready, then until the last of their processes has ended, each of which it reaps. */
static int watch(const struct runner *runner, bool moving)
{
	struct shared *shared = runner->shared;
	int64_t start_ms = side_now_ms();
	int status;
	pid_t pid;

	while (moving || !is_ready(runner)) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (status)
				return shared_fail(
				    shared, -ECHILD, "a process that moves the data was killed");
		if (pid < 0 && errno == ECHILD)
			return moving ? 0
			              : shared_fail(
			                    shared, -ECHILD, "the processes that move the data ended early");
		if (moving)
			start_ms = atomic_load(&shared->go_ms);
		if (start_ms &&
		    side_now_ms() > start_ms + (runner->settings->timeout_ms ?: RUNNER_TIMEOUT_MS))
			return shared_fail(shared, -ETIMEDOUT,
			    moving ? "not all bytes moved in time" : "no connection in time");
		usleep(500);
	}
	return 0;
}

static void end_all(struct runner *runner)
{
	for (size_t i = 0; i < runner->side_count; i++)
		kill(runner->sides[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		; /* their children die with them (PR_SET_PDEATHSIG) */
}

static _Noreturn void runner_main(struct runner *runner, pid_t parent)
{
	char reason[PATH_REASON_MAX] = "";
	int err = 0;

	if (runner->settings->private_fd)
		close(runner->settings->private_fd);
	if (runner->settings->unprivileged)
		become_nobody();
	/* after the change of user, which clears the signal of the parent's death */
	side_process_init("dp-runner", parent);
	if (runner->settings->unprivileged)
		confine_calls(CONFINE_SIDES);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prepare(runner->path, reason, sizeof reason);
	if (*reason)
		shared_fail(runner->shared, RUNNER_REFUSED, "%s", reason);
	if (*reason || runner->settings->trial)
		_exit(EXIT_SUCCESS);
	for (uint32_t i = 0; i < (runner->path->pairs ?: 1) && !err; i++)
		err = start_pair(runner);
	err = err ?: watch(runner, false);
	atomic_store(&runner->shared->connected, !err);
	err = err ?: watch(runner, true);
	if (err)
		end_all(runner);
	_exit(err ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* ---- the caller ---- */

void runner_collect(const struct shared *shared, bool used_only, struct path_result *result)
{
	unsigned count = atomic_load(&shared->session_count);

	result->session_count = 0;
	for (unsigned role = SIDE_SENDER; role <= SIDE_RECEIVER_OTHER; role++)
		for (unsigned i = 0; i < count && i < shared->capacity; i++) {
			const struct truth *truth = &shared->sessions[i];

			if (truth->role == role && (!used_only || truth->tx_bytes || truth->rx_bytes))
				result->sessions[result->session_count++] = *truth;
		}
}

/* What the receivers' calls returned against what the senders' did, in whole multiples of the prime. */
static int verify(const struct path *path, const struct shared *shared, struct error *error)
{
	uint64_t tx_bytes = 0, rx_bytes = 0;

	for (unsigned i = 0; i < atomic_load(&shared->session_count); i++) {
		tx_bytes += shared->sessions[i].tx_bytes;
		rx_bytes += shared->sessions[i].rx_bytes;
	}
	if (tx_bytes && tx_bytes % path->bytes == 0 &&
	    (path->flags & PATH_UNDELIVERED ? rx_bytes < tx_bytes : rx_bytes == tx_bytes))
		return 0;
	return error_set(error, EXIT_CODE_RUNTIME, -EBADMSG,
	    "%s: %llu bytes sent, %llu received: not what this path moves", path->id,
	    (unsigned long long)tx_bytes, (unsigned long long)rx_bytes);
}

/*
 * Until the run has ended, or, if `connecting`, the sockets exist. Its processes are another user's, or stopped: whoever waits for them is
 * the one to end them when nobody waits for him. What waitpid(2) returns.
 */
static pid_t await(const struct runner *runner, pid_t pid, bool connecting, int *status)
{
	const struct runner_settings *settings = runner->settings;
	pid_t ended;

	while ((ended = waitpid(pid, status, WNOHANG)) == 0 &&
	       !(connecting && atomic_load(&runner->shared->connected))) {
		if (settings->gone && settings->gone(settings->argument))
			kill(pid, SIGKILL); /* with which the sides die (PR_SET_PDEATHSIG) */
		usleep(500);
	}
	return ended;
}

/* Lets the data move when the sockets exist, and waits for the end of the run. */
static int control(struct runner *runner, pid_t pid, struct path_result *result, struct error *error)
{
	const struct runner_settings *settings = runner->settings;
	struct shared *shared = runner->shared;
	int err = 0, status;
	pid_t ended = await(runner, pid, true, &status);

	if (ended == 0 && settings->connected)
		err = settings->connected(settings->argument, shared);
	if (err)
		kill(pid, SIGKILL);
	else
		atomic_store(&shared->go_ms, side_now_ms());
	if (ended == 0)
		await(runner, pid, false, &status);
	if (err)
		return err;
	if (atomic_load(&shared->failed) && shared->err == RUNNER_REFUSED)
		return error_set(error, EXIT_CODE_UNSUPPORTED, RUNNER_REFUSED, "%s", shared->text);
	if (atomic_load(&shared->failed) || status)
		return error_set(error, EXIT_CODE_RUNTIME, shared->err ? shared->err : -ECHILD, "%s: %s",
		    runner->path->id, shared->err ? shared->text : "the movers' parent was killed");
	if (result)
		runner_collect(shared, true, result);
	return settings->trial ? 0 : verify(runner->path, shared, error);
}

int runner_run(const struct path *path, const struct runner_settings *settings, struct path_result *result,
    struct error *error)
{
	const unsigned sides = 2 * (path->pairs ?: 1), sessions = sides * (path->connections ?: 1);
	struct runner runner = { .path = path, .settings = settings };
	pid_t parent = getpid(), pid;
	int err;

	runner.sides = calloc(sides, sizeof *runner.sides);
	runner.shared =
	    shared_open(sessions > PATH_SESSIONS_MAX ? sessions : PATH_SESSIONS_MAX, &runner.shared_fd);
	if (!runner.sides || !runner.shared)
		return error_set(error, EXIT_CODE_RUNTIME, -errno, "%s: %s", path->id, strerror(errno));
	pid = fork();
	if (pid == 0)
		runner_main(&runner, parent);
	if (pid < 0)
		err = error_set(error, EXIT_CODE_RUNTIME, -errno, "fork: %s", strerror(errno));
	else
		err = control(&runner, pid, result, error);
	free(runner.sides);
	shared_close(runner.shared, runner.shared_fd);
	return err;
}
