/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording of any bytes is played, and once gone back in: the player hands out what the recording has, in its order, and
 * then the end or the fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "fuzz.h"
#include "output/player.h"
#include "output/recording.h"

enum { PATIENCE_MS = 10000, INTERVALS_MAX = 64, SOUGHT_AFTER = 3 };

struct expected {
	size_t sessions[INTERVALS_MAX]; /* of each interval */
	size_t count;
	int end; /* 0, or -errno of the fault behind them */
};

static void read_expected(struct expected *expected, const char *path)
{
	struct recording *recording;
	struct snapshot snapshot;
	struct error error;

	memset(expected, 0, sizeof *expected);
	snapshot_init(&snapshot);
	HOLDS(recording_open(&recording, path, &error) == 0);
	while (expected->count < INTERVALS_MAX &&
	       (expected->end = recording_next(recording, &snapshot, &error)) > 0)
		expected->sessions[expected->count++] = snapshot.session_count;
	recording_close(recording);
	snapshot_fini(&snapshot);
}

/* libFuzzer looks at the time by a signal, in between. */
static void wait_for(int fd)
{
	struct pollfd poller = { fd, POLLIN, 0 };
	int count;

	do {
		count = poll(&poller, 1, PATIENCE_MS);
	} while (count < 0 && errno == EINTR);
	HOLDS(count == 1);
}

/* What is taken next; NULL: the fault. Whoever waits gets it. */
static const struct snapshot *take(const struct source *source, struct error *error)
{
	const struct snapshot *snapshot = NULL;
	int err = 0;

	while (!snapshot && !err) {
		wait_for(source->fd(source->state));
		err = source->take(source->state, &snapshot, error);
	}
	HOLDS(!err || (err < 0 && error->text[0]));
	return err ? NULL : snapshot;
}

static void play(struct player *player, const struct expected *expected)
{
	const struct play back = { .is_seek = true };
	struct source source = player_source(player);
	bool sought = false, ended = false;
	struct error error = { 0 };
	size_t count = 0;

	while (!ended) {
		const struct snapshot *snapshot = take(&source, &error);

		ended = !snapshot || snapshot->is_end;
		HOLDS(snapshot || expected->end < 0);
		if (!ended) {
			HOLDS(count < expected->count);
			HOLDS(snapshot->session_count == expected->sessions[count]);
			count++;
		}
		if (snapshot)
			source.release(source.state);
		if (!ended && !sought && count == SOUGHT_AFTER && player_can_seek(player)) {
			source.play(source.state, &back);
			sought = true;
			count = 0;
		}
	}
	HOLDS(count == expected->count && (error.text[0] != '\0') == (expected->end < 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct player_request request = { 0 };
	struct expected expected;
	struct player *player;
	struct error error = { 0 };
	char path[64];
	int fd = memfd_create("input", MFD_CLOEXEC);

	HOLDS(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	request.path = path;
	read_expected(&expected, path);
	HOLDS(player_open(&player, &request, &error) == 0);
	int err = player_start(player, &error);

	/* Without an interval it is no recording, whatever the reason. */
	HOLDS(err < 0 ? expected.count == 0 && error.text[0] : expected.count > 0);
	if (!err && expected.count < INTERVALS_MAX)
		play(player, &expected);
	player_close(player);
	close(fd);
	return 0;
}
