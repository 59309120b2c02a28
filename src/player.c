/* SPDX-License-Identifier: Apache-2.0 */
#include "player.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "error.h"
#include "replay.h"
#include "snapshot.h"

#define SOON_NS 1 /* 0 would disarm the timer */

struct player {
	struct replay *replay;
	struct snapshot snapshot;
	int timer_fd;
	bool paced;
	uint64_t left; /* intervals still to be handed out */
	bool stopping;
};

static void arm(struct player *player, uint64_t after_ns)
{
	struct itimerspec when = { .it_value = { after_ns / 1000000000, after_ns % 1000000000 } };

	timerfd_settime(player->timer_fd, 0, &when, NULL);
}

int player_open(struct player **player, const char *path, bool paced, uint64_t count, struct error *error)
{
	struct player *new = calloc(1, sizeof *new);

	if (!new)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "no memory to play a recording");
	snapshot_init(&new->snapshot);
	new->paced = paced;
	new->left = count ? count : UINT64_MAX;
	new->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int err = new->timer_fd < 0 ? error_set(error, EXIT_CODE_RUNTIME, -errno, "cannot make a timer: %s",
	                                  strerror(errno))
	                            : replay_open(&new->replay, path, error);

	if (err) {
		player_close(new);
		return err;
	}
	arm(new, SOON_NS);
	*player = new;
	return 0;
}

int player_start(struct player *player, struct error *error)
{
	return replay_start(player->replay, error);
}

void player_close(struct player *player)
{
	if (!player)
		return;
	replay_close(player->replay);
	snapshot_fini(&player->snapshot);
	if (player->timer_fd >= 0)
		close(player->timer_fd);
	free(player);
}

static int fd(void *state)
{
	const struct player *player = state;

	return player->timer_fd;
}

/* What is shown last before the end: nothing new, so that totals stay what they are. */
static void take_end(struct player *player, const struct snapshot **snapshot)
{
	snapshot_reset(&player->snapshot);
	player->snapshot.last = true;
	*snapshot = &player->snapshot;
}

static int take(void *state, const struct snapshot **snapshot, struct error *error)
{
	struct player *player = state;
	uint64_t expirations;

	*snapshot = NULL;
	if (read(player->timer_fd, &expirations, sizeof expirations) < 0)
		return 0;
	if (player->stopping) {
		take_end(player, snapshot);
		return 0;
	}
	int got = replay_next(player->replay, &player->snapshot, error);

	if (got < 0)
		return got;
	if (got == 0)
		return 0; /* played to its end: waits for stop */
	if (player->paced)
		player->snapshot.last = false;
	if (--player->left == 0)
		player->snapshot.last = true;
	*snapshot = &player->snapshot;
	return 0;
}

static void release(void *state)
{
	struct player *player = state;

	if (!player->stopping)
		arm(player,
		    player->paced && player->snapshot.interval_ns ? player->snapshot.interval_ns : SOON_NS);
}

static void stop(void *state)
{
	struct player *player = state;

	player->stopping = true;
	arm(player, SOON_NS);
}

struct source player_source(struct player *player)
{
	return (struct source){ player, fd, take, release, stop, NULL };
}

enum probe_method player_method(const struct player *player)
{
	return replay_method(player->replay);
}

const char *const *player_not_counted(const struct player *player, size_t *count)
{
	return replay_not_counted(player->replay, count);
}
