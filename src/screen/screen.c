/* SPDX-License-Identifier: Apache-2.0 */
/* The renderer that shows the screen on a terminal, by curses. */
#include "output/renderer.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/resident.h"
#include "base/util.h"
#include "model/snapshot.h"
#include "screen/curses.h"
#include "screen/decoder.h"
#include "screen/frame.h"
#include "screen/playback.h"
#include "screen/ui.h"

#define BYTES_AT_ONCE 512
#define SEEKING_DRAWN_NS 100000000u
#define STARTED_TICK 2 /* what the start needed is not needed any more */

struct screen {
	struct ui ui;
	struct curses curses;
	struct decoder decoder;
	uint64_t byte_ns;  /* when the last byte came, or decoder_flush was called */
	uint64_t drawn_ns; /* when an interval was drawn last */
	FILE *stream;      /* the caller's */
	int key_fd;
	FILE *key_stream;
	bool no_final;
	bool away; /* suspended */
};

static int out_of_memory(struct error *error)
{
	return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
}

/* Keys come from stdin if it is a terminal, else from the controlling terminal. */
static int open_keys(struct screen *screen)
{
	screen->key_fd = isatty(STDIN_FILENO) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
	                                      : open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	/* Curses needs a stream to read from: an empty one if there is no terminal. */
	screen->key_stream = screen->key_fd >= 0 ? fdopen(screen->key_fd, "r") : fopen("/dev/null", "re");
	if (!screen->key_stream && screen->key_fd >= 0) {
		close(screen->key_fd);
		screen->key_fd = -1;
	}
	return screen->key_stream ? 0 : -errno;
}

static void put_line(void *to, unsigned y, const struct line *line)
{
	curses_put(to, y, line);
}

static int draw(struct screen *screen)
{
	struct line_sink sink = { .put = put_line, .to = &screen->curses };
	unsigned width, height;

	if (screen->away)
		return 0;
	curses_size(&screen->curses, &width, &height);
	curses_begin(&screen->curses);
	int err = frame_draw(&screen->ui, width, height, &sink);

	curses_end(&screen->curses, screen->ui.cursor_x, screen->ui.cursor_y);
	return err;
}

static void screen_close(void *state)
{
	struct screen *screen = state;
	unsigned width = 0, height = 0;

	if (!screen)
		return;
	if (screen->curses.open) {
		curses_size(&screen->curses, &width, &height);
		curses_close(&screen->curses);
		if (!screen->no_final)
			frame_print_final(&screen->ui, screen->stream, width, height);
	}
	if (screen->key_stream)
		fclose(screen->key_stream);
	ui_fini(&screen->ui);
	free(screen);
}

static int screen_open(void **state, const struct run *run, FILE *stream, struct error *error)
{
	struct screen *screen = calloc(1, sizeof *screen);
	enum color_choice color = run->screen->color;
	int err;

	*state = NULL;
	if (!screen)
		return out_of_memory(error);
	decoder_init(&screen->decoder);
	screen->stream = stream;
	screen->no_final = run->screen->no_final;
	if (ui_init(&screen->ui, run, strcmp(nl_langinfo(CODESET), "UTF-8") == 0) < 0) {
		free(screen);
		return out_of_memory(error);
	}
	err = open_keys(screen);
	if (err < 0) {
		error_set(error, EXIT_CODE_RUNTIME, err, "no terminal for keys: %s", strerror(-err));
	} else {
		err = curses_open(&screen->curses, stream, screen->key_stream, color, error);
		if (err == 0) {
			curses_name_keys(&screen->curses, &screen->decoder);
			curses_set_mouse(&screen->curses, screen->ui.mouse);
		}
		if (err == 0 && (err = draw(screen)) < 0)
			out_of_memory(error);
	}
	if (err < 0) {
		screen->no_final = true;
		screen_close(screen);
		return err;
	}
	*state = screen;
	return 0;
}

/* On the way to another moment of a recording now and then one is drawn. */
static bool is_to_be_seen(struct screen *screen, const struct snapshot *snapshot)
{
	uint64_t now_ns = clock_now_ns();

	if (playback_runs(&screen->ui) && !snapshot->last && now_ns - screen->drawn_ns < SEEKING_DRAWN_NS)
		return false;
	screen->drawn_ns = now_ns;
	return true;
}

static int screen_show(void *state, const struct snapshot *snapshot, struct error *error)
{
	struct screen *screen = state;

	struct ui *ui = &screen->ui;
	int err = ui_begin_interval(ui, snapshot);

	if (err > 0)
		err = playback_merge(ui, snapshot);
	if (err < 0 || (is_to_be_seen(screen, snapshot) && draw(screen) < 0))
		return out_of_memory(error);
	if (ui->traffic.tick == STARTED_TICK)
		resident_drop_code();
	return 0;
}

/* Bytes are waiting: 1; none is: 0; -1: the terminal is gone, and reading from it would never give one. */
static int look_for_bytes(const struct screen *screen)
{
	struct pollfd fd = { .fd = screen->key_fd, .events = POLLIN };

	if (screen->key_fd < 0)
		return -1;
	int ready = poll(&fd, 1, 0);

	return ready > 0 && fd.revents & (POLLHUP | POLLERR | POLLNVAL) ? -1 : ready > 0;
}

/* OSC 52: in base64 no byte of it means anything to a terminal. */
static void send_clipboard(struct screen *screen)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *text = (const unsigned char *)screen->ui.clipboard;
	size_t length = strlen(screen->ui.clipboard);

	fputs("\033]52;c;", screen->stream);
	for (size_t i = 0; i < length; i += 3) {
		unsigned group = (unsigned)text[i] << 16 | (i + 1 < length ? (unsigned)text[i + 1] << 8 : 0) |
		                 (i + 2 < length ? (unsigned)text[i + 2] : 0);

		for (unsigned j = 0; j < 4; j++)
			fputc(i + j > length ? '=' : digits[group >> (18 - 6 * j) & 63], screen->stream);
	}
	fputc('\a', screen->stream);
	fflush(screen->stream);
	screen->ui.clipboard[0] = '\0';
}

/* A pass over sockets costs time: it is asked for while it is shown. */
static unsigned ask_for_sockets(struct ui *ui, struct renderer_request *request)
{
	bool wanted = ui_wants_sockets(ui);

	if (wanted == ui->tells_sockets)
		return REACTION_NONE;
	ui->tells_sockets = request->tells_sockets = wanted;
	return REACTION_SOCKETS;
}

/* The programs that note them cost time: they are attached while somebody looks. */
static unsigned ask_for_connections(struct ui *ui, struct renderer_request *request)
{
	bool wanted = ui_wants_connections(ui);

	if (wanted == ui->tells_connections)
		return REACTION_NONE;
	ui->tells_connections = request->tells_connections = wanted;
	return REACTION_CONNECTIONS;
}

/* What came in, and what it did, on the screen. */
static unsigned finish(struct screen *screen, unsigned reaction, struct renderer_request *request)
{
	reaction |= ask_for_sockets(&screen->ui, request) | ask_for_connections(&screen->ui, request);
	curses_set_mouse(&screen->curses, screen->ui.mouse);
	if (screen->ui.clipboard[0])
		send_clipboard(screen);
	if (reaction & REACTION_REDRAW)
		curses_redraw(&screen->curses);
	if (!(reaction & REACTION_QUIT))
		draw(screen);
	return reaction & ~(unsigned)REACTION_REDRAW;
}

/*
 * Reads the terminal itself: curses would take what it does not know for Esc and letters. One read, as what is
 * typed meanwhile is told by the next call.
 */
static unsigned screen_keys(void *state, struct renderer_request *request)
{
	struct screen *screen = state;
	unsigned char bytes[BYTES_AT_ONCE];
	unsigned reaction = REACTION_NONE;
	struct input input;
	int waiting = look_for_bytes(screen);
	ssize_t count = waiting > 0 ? read(screen->key_fd, bytes, sizeof bytes) : 0;

	if (waiting < 0 || (waiting > 0 && count <= 0 && errno != EINTR && errno != EAGAIN))
		return REACTION_QUIT;
	for (ssize_t i = 0; i < count && !(reaction & REACTION_QUIT); i++)
		if (decoder_put(&screen->decoder, bytes[i], &input))
			reaction |= frame_input(&screen->ui, &input, request);
	screen->byte_ns = clock_now_ns();
	return finish(screen, reaction, request);
}

/* Milliseconds until the silence means something; -1: it does not. */
static int silence_ms(const struct screen *screen)
{
	int wait_ms = decoder_timeout_ms(&screen->decoder);
	uint64_t passed_ms = (clock_now_ns() - screen->byte_ns) / NS_PER_MS;

	if (wait_ms < 0)
		return -1;
	return passed_ms < (uint64_t)wait_ms ? wait_ms - (int)passed_ms : 0;
}

static void screen_limited(void *state, uint64_t interval_ns, bool drops)
{
	struct screen *screen = state;

	screen->ui.interval_ns = interval_ns;
	screen->ui.sockets_left_out |= drops;
}

static void screen_resize(void *state)
{
	struct screen *screen = state;

	if (screen->away)
		return;
	curses_resize(&screen->curses);
	draw(screen);
}

static int screen_timeout_ms(void *state)
{
	struct screen *screen = state;
	int names_ms = ui_timeout_ms(&screen->ui), keys_ms = silence_ms(screen);

	if (keys_ms < 0 || names_ms < 0)
		return keys_ms < 0 ? names_ms : keys_ms;
	return keys_ms < names_ms ? keys_ms : names_ms;
}

static unsigned screen_tick(void *state, struct renderer_request *request)
{
	struct screen *screen = state;
	struct input input;

	/* After a long frame there may be bytes that no one has seen yet. */
	if (silence_ms(screen) == 0 && look_for_bytes(screen) == 0) {
		bool is_input = decoder_flush(&screen->decoder, &input);

		screen->byte_ns = clock_now_ns();
		if (is_input)
			return finish(screen, frame_input(&screen->ui, &input, request), request);
	}
	if (ui_tick(&screen->ui))
		draw(screen);
	return ask_for_sockets(&screen->ui, request) | ask_for_connections(&screen->ui, request);
}

static int screen_key_fd(void *state)
{
	return ((struct screen *)state)->key_fd;
}

static void screen_suspend(void *state)
{
	struct screen *screen = state;

	if (screen->away)
		return;
	screen->away = true;
	curses_suspend(&screen->curses);
}

static void screen_resume(void *state)
{
	struct screen *screen = state;

	/* Stopped without a word: what another program has done to the terminal meanwhile is undone by both. */
	if (!screen->away)
		curses_suspend(&screen->curses);
	screen->away = false;
	curses_resume(&screen->curses);
	draw(screen);
}

const struct renderer renderer_screen = {
	.name = "screen",
	.shown_bytes = PAST_ROW_BYTES,
	.full_screen = true,
	.shows_more = true,
	.open = screen_open,
	.show = screen_show,
	.keys = screen_keys,
	.resize = screen_resize,
	.limited = screen_limited,
	.timeout_ms = screen_timeout_ms,
	.tick = screen_tick,
	.key_fd = screen_key_fd,
	.suspend = screen_suspend,
	.resume = screen_resume,
	.close = screen_close,
};
