/* SPDX-License-Identifier: Apache-2.0 */
#include "output/player.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"
#include "output/recording.h"
#include "model/snapshot.h"
#include "model/source.h"

#define SOON_NS 1 /* 0 would disarm the timer */

/*
 * A second thread reads ahead: an interval with many sessions takes longer to read than a key press may wait. The
 * members below the mutex are shared with it; while `is_reading`, it alone uses `recording` and `next`.
 */
struct player {
	struct recording *recording;
	struct snapshot snapshot; /* handed out */
	int timer_fd;
	struct session_filter filter;
	uint32_t *pids; /* the filter's: read by the thread as long as it lives */
	bool paced;
	struct play play;
	uint64_t count;    /* the last interval to be handed out */
	uint64_t position; /* of the one handed out last, from 1 on */
	bool stopping;
	bool is_told; /* that nothing follows */
	bool is_lent; /* the reader waits for the memory of the interval handed out: paced, it has the time */
	bool is_live; /* the interval handed out has just been written into a pipe */
	uint64_t handed_ns; /* when that was, on the monotonic clock; 0: it is the first one */
	enum probe_method method;
	char *not_counted[RECORDING_IDS_MAX];
	size_t not_counted_count;

	pthread_t thread;
	bool has_thread;
	pthread_mutex_t mutex;
	pthread_cond_t wanted;
	bool is_reading;
	bool has_seek;    /* before it reads the next one, it is to go to */
	uint64_t seek_to; /* the interval after so many */
	bool is_late;     /* the interval being read is already due */
	bool quit;
	int got; /* what recording_next returned for `next` */
	struct snapshot next;
	struct error error;
};

/* 0 or -errno, which is for the first time to tell: what worked once goes on to. */
static int arm(struct player *player, uint64_t after_ns)
{
	struct itimerspec when = { .it_value = { after_ns / NS_PER_S, after_ns % NS_PER_S } };

	return timerfd_settime(player->timer_fd, 0, &when, NULL) == 0 ? 0 : -errno;
}

int player_open(struct player **player, const struct player_request *request, struct error *error)
{
	struct player *new = calloc(1, sizeof *new);

	if (!new)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "no memory to play a recording");
	snapshot_init(&new->snapshot);
	snapshot_init(&new->next);
	pthread_mutex_init(&new->mutex, NULL);
	pthread_cond_init(&new->wanted, NULL);
	new->filter = request->filter;
	new->pids = calloc(request->filter.pid_count ?: 1, sizeof *new->pids);
	if (new->pids && request->filter.pid_count)
		memcpy(new->pids, request->filter.pids, request->filter.pid_count * sizeof *new->pids);
	new->filter.pids = new->pids;
	new->count = request->count ? request->count : UINT64_MAX;
	new->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int err = !new->pids ? error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "no memory to play a recording")
	          : new->timer_fd < 0 ? error_set(error, EXIT_CODE_RUNTIME, -errno, "cannot make a timer: %s",
	                                    strerror(errno))
	                              : recording_open(&new->recording, request->path, error);

	if (!err && (err = arm(new, SOON_NS)) < 0)
		error_set(error, EXIT_CODE_RUNTIME, err, "cannot set a timer: %s", strerror(-err));
	if (err) {
		player_close(new);
		return err;
	}
	*player = new;
	return 0;
}

void player_set_paced(struct player *player, bool paced)
{
	player->paced = paced;
}

/* Copies them, since the reader overwrites them with those of later intervals. */
static int keep_facts(struct player *player)
{
	size_t count;
	const char *const *ids = recording_not_counted(player->recording, &count);

	player->method = recording_method(player->recording);
	for (size_t i = 0; i < count && i < RECORDING_IDS_MAX; i++) {
		player->not_counted[i] = strdup(ids[i]);
		if (!player->not_counted[i])
			return -ENOMEM;
		player->not_counted_count++;
	}
	return 0;
}

int player_start(struct player *player, struct error *error)
{
	int err = recording_start(player->recording, error);

	if (!err && keep_facts(player) < 0)
		err = error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "no memory to play a recording");
	return err;
}

/* ---- the reader ---- */

/* Without the lock: the next interval. */
static int read_next(struct player *player, bool has_seek, uint64_t seek_to)
{
	int err = has_seek ? recording_seek(player->recording, seek_to) : 0;

	if (err)
		return error_set(&player->error, EXIT_CODE_RUNTIME, err,
		    "cannot go back in the recording: %s", strerror(-err));
	int got = recording_next(player->recording, &player->next, &player->error);

	snapshot_filter(&player->next, &player->filter);
	return got;
}

static void *read_ahead(void *argument)
{
	struct player *player = argument;

	pthread_mutex_lock(&player->mutex);
	while (!player->quit) {
		bool has_seek = player->has_seek;
		uint64_t seek_to = player->seek_to;

		player->has_seek = false;
		pthread_mutex_unlock(&player->mutex);
		int got = read_next(player, has_seek, seek_to);

		pthread_mutex_lock(&player->mutex);
		if (player->has_seek)
			continue; /* sought meanwhile: this one is not wanted */
		player->got = got;
		player->is_reading = false;
		if (player->is_late)
			arm(player, SOON_NS);
		while (!player->quit && !player->is_reading)
			pthread_cond_wait(&player->wanted, &player->mutex);
	}
	pthread_mutex_unlock(&player->mutex);
	return NULL;
}

/* Called by the first take, not earlier: by then signals are blocked, and the thread inherits that. */
static int start_reader(struct player *player, struct error *error)
{
	player->is_reading = true;
	int err = -pthread_create(&player->thread, NULL, read_ahead, player);

	if (err)
		return error_set(
		    error, EXIT_CODE_RUNTIME, err, "cannot start the recording's reader: %s", strerror(-err));
	player->has_thread = true;
	return 0;
}

/*
 * False while it is reading: the read may block on a silent pipe, and nothing interrupts it. Such a thread and
 * its memory are left to the end of the process, which is near.
 */
static bool stop_reader(struct player *player)
{
	bool is_idle;

	if (!player->has_thread)
		return true;
	pthread_mutex_lock(&player->mutex);
	player->quit = true;
	is_idle = !player->is_reading;
	pthread_cond_signal(&player->wanted);
	pthread_mutex_unlock(&player->mutex);
	if (is_idle)
		pthread_join(player->thread, NULL);
	else
		pthread_detach(player->thread);
	return is_idle;
}

void player_close(struct player *player)
{
	if (!player || !stop_reader(player))
		return;
	recording_close(player->recording);
	free(player->pids);
	snapshot_fini(&player->snapshot);
	snapshot_fini(&player->next);
	if (player->timer_fd >= 0)
		close(player->timer_fd);
	for (size_t i = 0; i < player->not_counted_count; i++)
		free(player->not_counted[i]);
	pthread_mutex_destroy(&player->mutex);
	pthread_cond_destroy(&player->wanted);
	free(player);
}

/* ---- source ---- */

static int source_fd(void *state)
{
	const struct player *player = state;

	return player->timer_fd;
}

/* The last snapshot after stop: an empty one, which leaves the totals as they are. */
static void take_end(struct player *player, const struct snapshot **snapshot)
{
	snapshot_reset(&player->snapshot);
	player->snapshot.is_end = true;
	player->snapshot.last = true;
	*snapshot = &player->snapshot;
}

/* The recording has ended: all of it was taken, or the player waits for stop. */
static void take_played(struct player *player, const struct snapshot **snapshot)
{
	player->is_told = true;
	play_end_run(&player->play);
	take_end(player, snapshot);
	player->snapshot.last = !player->paced;
}

/*
 * What was waited for, for about as long as it took, is being recorded right now: it is shown at once, and so is the
 * next one when it comes.
 */
static void note_pace(struct player *player, bool was_late)
{
	uint64_t now_ns = clock_now_ns();

	player->is_live =
	    was_late && player->handed_ns && now_ns - player->handed_ns >= player->snapshot.interval_ns / 2;
	player->handed_ns = now_ns;
}

/* Swaps the snapshot handed out before for the one that the reader has. False: that is not complete yet. */
static bool exchange(struct player *player, int *got, struct error *error)
{
	bool is_ready, was_late;

	pthread_mutex_lock(&player->mutex);
	is_ready = !player->is_reading;
	was_late = player->is_late;
	player->is_late = !is_ready;
	if (is_ready) {
		struct snapshot before = player->snapshot;

		*got = player->got;
		if (*got < 0)
			*error = player->error;
		player->snapshot = player->next;
		player->next = before;
		player->is_reading = *got > 0 && !player->paced;
		player->is_lent = *got > 0 && player->paced;
		player->position += *got > 0;
		pthread_cond_signal(&player->wanted);
	}
	pthread_mutex_unlock(&player->mutex);
	if (is_ready)
		note_pace(player, was_late);
	return is_ready;
}

static bool runs(const struct player *player)
{
	return play_runs(&player->play, player->position, player->snapshot.time.tv_sec);
}

static bool is_held(const struct player *player)
{
	return player->play.is_paused && !runs(player);
}

static int source_take(void *state, const struct snapshot **snapshot, struct error *error)
{
	struct player *player = state;
	uint64_t expirations;
	int got = 0;

	*snapshot = NULL;
	if (read(player->timer_fd, &expirations, sizeof expirations) < 0)
		return 0;
	if (player->stopping) {
		take_end(player, snapshot);
		return 0;
	}
	if (player->is_told || is_held(player))
		return 0; /* waits for stop, or for a key */
	if (!player->has_thread)
		got = start_reader(player, error);
	if (got < 0 || !exchange(player, &got, error) || got < 0)
		return got;
	if (!got) {
		take_played(player, snapshot);
		return 0;
	}
	if (player->position >= player->count)
		player->snapshot.last = true;
	*snapshot = &player->snapshot;
	return 0;
}

/* The next one is read into the memory of the one handed out, whose time and length go on to say when that is due. */
static void give_back(struct player *player)
{
	struct snapshot facts = { .time = player->snapshot.time,
		.interval_ns = player->snapshot.interval_ns };

	pthread_mutex_lock(&player->mutex);
	snapshot_fini(&player->next);
	player->next = player->snapshot;
	player->snapshot = facts;
	player->is_lent = false;
	player->is_reading = true;
	pthread_cond_signal(&player->wanted);
	pthread_mutex_unlock(&player->mutex);
}

static void source_release(void *state)
{
	struct player *player = state;

	if (player->is_lent)
		give_back(player);
	if (player->stopping || player->is_told || is_held(player))
		return;
	if (!runs(player))
		play_end_run(&player->play);
	uint64_t held_ns = player->play.speed < 0 ? player->snapshot.interval_ns << -player->play.speed
	                                          : player->snapshot.interval_ns >> player->play.speed;

	arm(player, player->paced && !player->is_live && !runs(player) && held_ns ? held_ns : SOON_NS);
}

/* What it is reading, or has read, is not what is wanted. */
static void seek(struct player *player, uint64_t position)
{
	pthread_mutex_lock(&player->mutex);
	player->has_seek = true;
	player->seek_to = position;
	player->is_reading = true;
	pthread_cond_signal(&player->wanted);
	pthread_mutex_unlock(&player->mutex);
	player->position = position;
	player->is_told = false;
}

/* The next interval comes at once, so that a key is seen to do something. */
static void source_play(void *state, const struct play *play)
{
	struct player *player = state;

	player->play = *play;
	player->is_live = false;
	player->handed_ns = 0;
	if (play->is_seek && player->has_thread && recording_can_seek(player->recording))
		seek(player, play->position);
	if (!player->is_told)
		arm(player, SOON_NS);
}

static void source_stop(void *state)
{
	struct player *player = state;

	player->stopping = true;
	arm(player, SOON_NS);
}

struct source player_source(struct player *player)
{
	return (struct source){ .state = player,
		.fd = source_fd,
		.take = source_take,
		.release = source_release,
		.stop = source_stop,
		.play = source_play };
}

bool player_can_seek(const struct player *player)
{
	return recording_can_seek(player->recording);
}

enum probe_method player_method(const struct player *player)
{
	return player->method;
}

const char *const *player_not_counted(const struct player *player, size_t *count)
{
	*count = player->not_counted_count;
	return (const char *const *)player->not_counted;
}

const struct origin *player_origin(const struct player *player)
{
	return recording_origin(player->recording);
}
