/* SPDX-License-Identifier: Apache-2.0 */
#define NCURSES_WIDECHAR 1
#include "screen/curses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "screen/keys.h"
#include "screen/terminal.h"

/* Last, as term.h defines short common words as macros. */
#include <ncursesw/curses.h>
#include <ncursesw/term.h>

#define ESCAPE_MS 25

/* A terminal may claim 65535 x 65535 cells, and curses would allocate all of them or fail. */
#define SCREEN_HEIGHT_MAX 1000
#define SCREEN_WIDTH_MAX LINE_COLUMNS_MAX

_Static_assert(sizeof(attr_t) <= sizeof(uint32_t), "attributes are kept in 32 bits");

/*
 * Attributes alone are enough where there are no colours. Colours are of the terminal's palette on its
 * background: cyan and magenta differ for colour-blind eyes, too, and are readable on dark and on light.
 */
static const struct {
	enum style style;
	attr_t attributes;
	attr_t colored; /* instead, where there are colours */
	short foreground;
	short bright; /* instead, where there are 16 colours */
	short background;
} looks[] = {
	{ STYLE_PLAIN, A_NORMAL, A_NORMAL, -1, -1, -1 },
	{ STYLE_STRONG, A_BOLD, A_BOLD, -1, -1, -1 },
	{ STYLE_DIM, A_DIM, A_DIM, -1, -1, -1 },
	{ STYLE_BAR, A_REVERSE, A_REVERSE, -1, -1, -1 },
	{ STYLE_HEAD, A_REVERSE, A_NORMAL, COLOR_BLACK, COLOR_BLACK, COLOR_CYAN },
	{ STYLE_HEAD_SORTED, A_BOLD | A_UNDERLINE | A_REVERSE, A_BOLD | A_REVERSE, -1, -1, -1 },
	{ STYLE_LABEL, A_REVERSE, A_NORMAL, COLOR_BLACK, COLOR_BLACK, COLOR_CYAN },
	{ STYLE_SELECTED, A_REVERSE, A_REVERSE, -1, -1, -1 },
	{ STYLE_RX, A_NORMAL, A_NORMAL, COLOR_CYAN, 12, -1 },
	{ STYLE_TX, A_NORMAL, A_NORMAL, COLOR_MAGENTA, COLOR_MAGENTA, -1 },
	{ STYLE_ALERT, A_BOLD | A_REVERSE, A_BOLD, COLOR_RED, COLOR_RED, -1 },
};

/* ---- start and end ---- */

static bool wants_color(enum color_choice choice)
{
	const char *no_color = getenv("NO_COLOR");

	if (choice == COLOR_AUTO)
		return !(no_color && no_color[0]);
	return choice == COLOR_ALWAYS;
}

static void choose_looks(struct curses *curses, bool color)
{
	short pair = 1;

	color = color && has_colors() && start_color() == OK && use_default_colors() == OK;
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		enum style style = looks[i].style;
		short foreground = COLORS >= 16 ? looks[i].bright : looks[i].foreground;

		curses->attributes[style] = color ? looks[i].colored : looks[i].attributes;
		curses->pairs[style] = 0;
		if (color && (foreground >= 0 || looks[i].background >= 0) &&
		    init_pair(pair, foreground, looks[i].background) == OK)
			curses->pairs[style] = pair++;
	}
}

static struct {
	char text[256];
	size_t length;
} leave;

static int collect(int c)
{
	if (leave.length < sizeof leave.text)
		leave.text[leave.length++] = (char)c;
	return c;
}

/* Saves the sequences that leave the screen for a signal handler, which cannot call curses. */
static void arm(int fd)
{
	static const char *const names[] = { "sgr0", "cnorm", "rmkx", "rmcup" };

	leave.length = 0;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *text = tigetstr(names[i]);

		if (text && text != (char *)-1)
			tputs(text, 1, collect);
	}
	terminal_arm(fd, leave.text, leave.length);
}

/* Checks terminfo first, as newterm writes to stderr and may exit. */
static int check_terminal(int fd, struct error *error)
{
	const char *name = getenv("TERM");
	int status = 0;

	if (!name || !name[0])
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTTY,
		    "the screen needs to know the terminal, and TERM is not set; -C prints text");
	if (setupterm(NULL, fd, &status) != OK)
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTTY,
		    status == 0
		        ? "the screen does not know this terminal (TERM); set TERM to one that it knows, "
		          "or -C prints text"
		        : "the screen finds no terminal descriptions; install ncurses-base, or -C prints "
		          "text");
	const char *move = tigetstr("cup");

	if (!move || move == (char *)-1)
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTTY,
		    "this kind of terminal (TERM) cannot move the cursor; -C prints text");
	return 0;
}

/* The part of the terminal that is used. False: its size is unknown, so terminfo or the environment decides. */
static bool ask_size(int fd, int *width, int *height)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
		return false;
	*width = size.ws_col < SCREEN_WIDTH_MAX ? size.ws_col : SCREEN_WIDTH_MAX;
	*height = size.ws_row < SCREEN_HEIGHT_MAX ? size.ws_row : SCREEN_HEIGHT_MAX;
	return true;
}

int curses_open(struct curses *curses, FILE *out, FILE *in, enum color_choice color, struct error *error)
{
	int err = check_terminal(fileno(out), error);
	int width, height;

	if (err < 0)
		return err;
	curses->fd = fileno(out);
	arm(curses->fd);
	set_escdelay(ESCAPE_MS);
	/* Else newterm takes the whole size; curses_resize below limits it. */
	if (ask_size(curses->fd, &width, &height))
		use_env(FALSE);
	curses->terminal = newterm(NULL, out, in);
	if (!curses->terminal) {
		terminal_disarm();
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTTY,
		    "the screen cannot be opened on this terminal; -C prints text");
	}
	curses->open = true;
	choose_looks(curses, wants_color(color));
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	leaveok(stdscr, FALSE);
	curs_set(0);
	curses_resize(curses);
	return 0;
}

void curses_close(struct curses *curses)
{
	if (!curses->open)
		return;
	curses->open = false;
	curs_set(1);
	endwin();
	delscreen(curses->terminal);
	terminal_disarm();
}

void curses_suspend(struct curses *curses)
{
	(void)curses;
	curs_set(1);
	endwin();
}

void curses_resume(struct curses *curses)
{
	reset_prog_mode();
	curs_set(0);
	curses_resize(curses);
	clearok(curscr, TRUE);
}

/* ---- frames ---- */

void curses_size(const struct curses *curses, unsigned *width, unsigned *height)
{
	(void)curses;
	*width = (unsigned)getmaxx(stdscr);
	*height = (unsigned)getmaxy(stdscr);
}

void curses_resize(struct curses *curses)
{
	int width, height;

	if (!ask_size(curses->fd, &width, &height))
		return;
	if (height != getmaxy(stdscr) || width != getmaxx(stdscr))
		resize_term(height, width);
	/* Terminals move lines when they are resized: write every cell again, without clearing first. */
	redrawwin(stdscr);
	/* The cursor, too, from where curses would go on by relative moves: put it where curses believes it is. */
	if (cursor_address && getcury(curscr) < height && getcurx(curscr) < width) {
		putp(tparm(cursor_address, getcury(curscr), getcurx(curscr)));
		fflush(stdout);
	} else {
		clearok(curscr, TRUE);
	}
}

void curses_begin(struct curses *curses)
{
	(void)curses;
	werase(stdscr);
}

void curses_put(struct curses *curses, unsigned y, const struct line *line)
{
	const char *text = line->text;

	if (wmove(stdscr, (int)y, 0) == ERR)
		return;
	for (unsigned i = 0; i < line->run_count; i++) {
		enum style style = line->runs[i].style;
		enum style look = line->base == STYLE_SELECTED ? STYLE_SELECTED : style;
		attr_t attributes = curses->attributes[look];
		short pair = curses->pairs[look];

		/* An idle row is dim as a whole; a selected one has one style. */
		if (line->base == STYLE_DIM) {
			attributes = (attributes & ~(attr_t)A_BOLD) | A_DIM;
			pair = 0;
		}
		wattr_set(stdscr, attributes, pair, NULL);
		waddnstr(stdscr, text, line->runs[i].bytes);
		text += line->runs[i].bytes;
	}
	wattr_set(stdscr, A_NORMAL, 0, NULL);
}

void curses_end(struct curses *curses, int cursor_x, int cursor_y)
{
	(void)curses;
	if (cursor_x >= 0)
		wmove(stdscr, cursor_y, cursor_x);
	curs_set(cursor_x >= 0);
	wrefresh(stdscr);
}

void curses_redraw(struct curses *curses)
{
	(void)curses;
	clearok(curscr, TRUE);
}

/* ---- keys ---- */

static const struct {
	int curses;
	int code;
} special_keys[] = {
	{ KEY_UP, KEY_CODE_UP },
	{ KEY_DOWN, KEY_CODE_DOWN },
	{ KEY_LEFT, KEY_CODE_LEFT },
	{ KEY_RIGHT, KEY_CODE_RIGHT },
	{ KEY_PPAGE, KEY_CODE_PAGE_UP },
	{ KEY_NPAGE, KEY_CODE_PAGE_DOWN },
	{ KEY_HOME, KEY_CODE_HOME },
	{ KEY_END, KEY_CODE_END },
	{ KEY_BTAB, KEY_CODE_BACK_TAB },
	{ KEY_BACKSPACE, KEY_CODE_BACKSPACE },
	{ KEY_DC, KEY_CODE_DELETE },
	{ KEY_ENTER, KEY_CODE_ENTER },
	{ KEY_F(1), KEY_CODE_F1 },
	{ KEY_F(2), KEY_CODE_F2 },
	{ KEY_F(3), KEY_CODE_F3 },
	{ KEY_F(4), KEY_CODE_F4 },
	{ KEY_F(5), KEY_CODE_F5 },
	{ KEY_F(6), KEY_CODE_F6 },
	{ KEY_F(7), KEY_CODE_F7 },
	{ KEY_F(8), KEY_CODE_F8 },
	{ KEY_F(9), KEY_CODE_F9 },
	{ KEY_F(10), KEY_CODE_F10 },
	{ KEY_F(15), KEY_CODE_SHIFT_F3 },
};

int curses_key(struct curses *curses)
{
	wint_t key;
	int kind = wget_wch(stdscr, &key);

	(void)curses;
	if (kind == ERR)
		return -1;
	if (kind != KEY_CODE_YES)
		return (int)key;
	for (size_t i = 0; i < sizeof special_keys / sizeof special_keys[0]; i++)
		if (special_keys[i].curses == (int)key)
			return special_keys[i].code;
	return 0;
}
