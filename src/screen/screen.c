/* SPDX-License-Identifier: Apache-2.0 */
/* The display on a terminal, by curses: the only place that knows it. */
#include "output/renderer.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "screen/ui.h"
#include "screen/curses.h"
#include "screen/terminal.h"

#define KEYS_AT_ONCE 512

struct screen {
	struct display display;
	struct screen_curses curses;
	FILE *stream; /* the caller's */
	int key_fd;
	FILE *key_stream;
	bool no_final;
	bool away; /* suspended */
};

static int out_of_memory(struct error *error)
{
	return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
}

/* Keys come from stdin when it is a terminal; when it is a pipe or closed, from the controlling terminal. */
static int open_keys(struct screen *screen)
{
	screen->key_fd = isatty(STDIN_FILENO) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
	                                      : open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	/* Curses wants a stream to read: one that has nothing, if there is no terminal at all. */
	screen->key_stream = screen->key_fd >= 0 ? fdopen(screen->key_fd, "r") : fopen("/dev/null", "re");
	if (!screen->key_stream && screen->key_fd >= 0) {
		close(screen->key_fd);
		screen->key_fd = -1;
	}
	return screen->key_stream ? 0 : -errno;
}

static void put_line(void *to, unsigned y, const struct line *line)
{
	screen_curses_put(to, y, line);
}

static int paint(struct screen *screen)
{
	struct line_sink sink = { .put = put_line, .to = &screen->curses };
	unsigned width, height;

	if (screen->away)
		return 0;
	screen_curses_size(&screen->curses, &width, &height);
	screen_curses_begin(&screen->curses);
	int err = display_paint(&screen->display, width, height, &sink);

	screen_curses_end(&screen->curses, screen->display.cursor_x, screen->display.cursor_y);
	return err;
}

static void screen_close(void *state)
{
	struct screen *screen = state;
	unsigned width = 0, height = 0;

	if (!screen)
		return;
	if (screen->curses.open) {
		screen_curses_size(&screen->curses, &width, &height);
		screen_curses_close(&screen->curses);
		if (!screen->no_final)
			display_print_final(&screen->display, screen->stream, width, height);
	}
	if (screen->key_stream)
		fclose(screen->key_stream);
	display_fini(&screen->display);
	free(screen);
}

static int screen_open(void **state, const struct run_facts *facts, FILE *stream, struct error *error)
{
	struct screen *screen = calloc(1, sizeof *screen);
	enum color_choice color = facts->view ? facts->view->color : COLOR_AUTO;
	int err;

	*state = NULL;
	if (!screen)
		return out_of_memory(error);
	setlocale(LC_CTYPE, "");
	screen->stream = stream;
	screen->no_final = facts->view && facts->view->no_final;
	if (display_init(&screen->display, facts, strcmp(nl_langinfo(CODESET), "UTF-8") == 0) < 0) {
		free(screen);
		return out_of_memory(error);
	}
	err = open_keys(screen);
	if (err < 0) {
		error_set(error, EXIT_CODE_RUNTIME, err, "no terminal for keys: %s", strerror(-err));
	} else {
		err = screen_curses_open(&screen->curses, stream, screen->key_stream, color, error);
		if (err == 0 && (err = paint(screen)) < 0)
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

static int screen_show(void *state, const struct snapshot *snapshot, struct error *error)
{
	struct screen *screen = state;

	if (display_show(&screen->display, snapshot) < 0 || paint(screen) < 0)
		return out_of_memory(error);
	return 0;
}

/* The terminal is gone: reading would give nothing for ever. */
static bool hung_up(const struct screen *screen)
{
	struct pollfd fd = { .fd = screen->key_fd, .events = POLLIN };

	return screen->key_fd < 0 || (poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static unsigned screen_keys(void *state, struct renderer_request *request)
{
	struct screen *screen = state;
	unsigned reaction = REACTION_NONE;

	if (hung_up(screen))
		return REACTION_QUIT;
	for (int i = 0; i < KEYS_AT_ONCE && !(reaction & REACTION_QUIT); i++) {
		int code = screen_curses_key(&screen->curses);

		if (code < 0)
			break;
		if (code)
			reaction |= display_key(&screen->display, code, request);
	}
	if (reaction & REACTION_REDRAW)
		screen_curses_redraw(&screen->curses);
	if (!(reaction & REACTION_QUIT))
		paint(screen);
	return reaction & ~(unsigned)REACTION_REDRAW;
}

static void screen_resize(void *state)
{
	struct screen *screen = state;

	if (screen->away)
		return;
	screen_curses_resize(&screen->curses);
	paint(screen);
}

static int screen_timeout_ms(void *state)
{
	struct screen *screen = state;

	return display_timeout_ms(&screen->display);
}

static void screen_tick(void *state)
{
	struct screen *screen = state;

	if (display_tick(&screen->display))
		paint(screen);
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
	screen_curses_suspend(&screen->curses);
}

static void screen_resume(void *state)
{
	struct screen *screen = state;

	screen->away = false;
	screen_curses_resume(&screen->curses);
	paint(screen);
}

const struct renderer renderer_screen = {
	.name = "screen",
	.open = screen_open,
	.show = screen_show,
	.keys = screen_keys,
	.resize = screen_resize,
	.timeout_ms = screen_timeout_ms,
	.tick = screen_tick,
	.key_fd = screen_key_fd,
	.suspend = screen_suspend,
	.resume = screen_resume,
	.close = screen_close,
};
