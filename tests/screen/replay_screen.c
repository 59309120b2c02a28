/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screen on a recording, and nothing else: what the screen tests and the benchmark drive.
 *     replay_screen [--columns LIST] [--sort COLUMN] [--color WHEN] [--no-final] [--loop] FILE
 * --loop starts again at the recording's end, for measuring.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "renderer.h"
#include "replay.h"
#include "snapshot.h"
#include "terminal.h"
#include "view_options.h"

struct player {
	struct replay *replay;
	const char *path;
	bool loop;
	bool over;
	struct snapshot snapshot;
	struct run_facts facts;
	uint64_t due_ns;
	void *screen;
	int signals;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void on_fatal(int number)
{
	terminal_restore();
	signal(number, SIG_DFL);
	raise(number);
}

static int parse(struct player *player, struct view_options *options, int argc, char **argv, struct error *error)
{
	for (int i = 1; i < argc; i++) {
		int err = 0;

		if (strcmp(argv[i], "--columns") == 0 && i + 1 < argc)
			err = column_parse_list(&options->columns, argv[++i], error);
		else if (strcmp(argv[i], "--sort") == 0 && i + 1 < argc)
			err = column_parse_sort(&options->sort, argv[++i], error);
		else if (strcmp(argv[i], "--color") == 0 && i + 1 < argc)
			err = color_parse(&options->color, argv[++i], error);
		else if (strcmp(argv[i], "--no-final") == 0)
			options->no_final = true;
		else if (strcmp(argv[i], "--loop") == 0)
			player->loop = true;
		else
			player->path = argv[i];
		if (err < 0)
			return err;
	}
	if (!player->path)
		return error_set(error, EXIT_CODE_USAGE, -EINVAL, "a recording is wanted");
	options->replay_path = player->path;
	return 0;
}

static int step(struct player *player, struct error *error)
{
	int err = replay_next(player->replay, &player->snapshot, error);

	if (err == 0 && player->loop) {
		replay_close(player->replay);
		err = replay_open(&player->replay, player->path, error);
		if (err == 0)
			err = replay_next(player->replay, &player->snapshot, error);
	}
	if (err <= 0) {
		player->over = true;
		return err;
	}
	player->facts.method = replay_method(player->replay);
	player->facts.not_counted = replay_not_counted(player->replay, &player->facts.not_counted_count);
	player->due_ns = now_ns() + player->snapshot.interval_ns;
	return renderer_screen.show(player->screen, &player->snapshot, error);
}

/* 1: go on, 0: end. */
static int on_signal(struct player *player)
{
	struct signalfd_siginfo info;

	if (read(player->signals, &info, sizeof info) != (ssize_t)sizeof info)
		return 1;
	switch (info.ssi_signo) {
	case SIGWINCH:
		renderer_screen.resize(player->screen);
		return 1;
	case SIGTSTP:
		renderer_screen.suspend(player->screen);
		raise(SIGSTOP);
		renderer_screen.resume(player->screen);
		return 1;
	default:
		return 0;
	}
}

static int timeout_ms(const struct player *player)
{
	int wanted = renderer_screen.timeout_ms(player->screen);
	uint64_t now = now_ns();

	if (player->over)
		return wanted;
	int until = player->due_ns > now ? (int)((player->due_ns - now + 999999) / 1000000) : 0;

	return wanted >= 0 && wanted < until ? wanted : until;
}

static int play(struct player *player, struct error *error)
{
	struct renderer_request request = { 0 };
	int err = step(player, error);

	while (err >= 0) {
		struct pollfd fds[2] = {
			{ .fd = renderer_screen.key_fd(player->screen), .events = POLLIN },
			{ .fd = player->signals, .events = POLLIN },
		};

		if (poll(fds, 2, timeout_ms(player)) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents && !on_signal(player))
			return 0;
		if (fds[0].revents && renderer_screen.keys(player->screen, &request) & REACTION_QUIT)
			return 0;
		renderer_screen.tick(player->screen);
		if (!player->over && now_ns() >= player->due_ns)
			err = step(player, error);
	}
	return err;
}

int main(int argc, char **argv)
{
	struct player player = { 0 };
	struct view_options options;
	struct error error = { 0 };
	sigset_t set;
	int err;

	view_options_init(&options);
	snapshot_init(&player.snapshot);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	player.signals = signalfd(-1, &set, SFD_CLOEXEC);
	signal(SIGSEGV, on_fatal);
	signal(SIGABRT, on_fatal);
	player.facts.view = &options;
	err = parse(&player, &options, argc, argv, &error);
	if (err == 0)
		err = replay_open(&player.replay, player.path, &error);
	if (err == 0)
		err = renderer_screen.open(&player.screen, &player.facts, stdout, &error);
	if (err == 0)
		err = play(&player, &error);
	renderer_screen.close(player.screen);
	replay_close(player.replay);
	snapshot_fini(&player.snapshot);
	if (err < 0)
		fprintf(stderr, "%s\n", error.text);
	return err < 0 ? error.exit_code : 0;
}
