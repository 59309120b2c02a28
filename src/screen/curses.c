/* SPDX-License-Identifier: Apache-2.0 */
#define NCURSES_WIDECHAR 1
#include "screen/curses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/util.h"
#include "screen/decoder.h"
#include "screen/keys.h"
#include "screen/terminal.h"

/* Last, as term.h defines short common words as macros. */
#include <ncursesw/curses.h>
#include <ncursesw/term.h>

/* A terminal may claim 65535 x 65535 cells, and curses would allocate all of them or fail. */
#define SCREEN_HEIGHT_MAX 1000
#define SCREEN_WIDTH_MAX LINE_COLUMNS_MAX
#define SCREEN_HEIGHT_DEFAULT 24
#define SCREEN_WIDTH_DEFAULT 80

/*
 * What curses does not know, by xterm's private modes, which others ignore or have, too: pasted text between marks,
 * and clicks and the wheel of the mouse in decimal digits.
 */
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
#define MOUSE_ON "\033[?1000h\033[?1006h"
#define MOUSE_OFF "\033[?1006l\033[?1000l"

_Static_assert(sizeof(attr_t) <= sizeof(uint32_t), "attributes are kept in 32 bits");

/*
 * Attributes alone are enough where there are no colours. Colours are of the terminal's palette on its
 * background: cyan and magenta differ for colour-blind eyes, too, and are readable on dark and on light. A bar is a
 * message: yellow is frozen, red is lost; reverse is the cursor alone.
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
	{ STYLE_BAR, A_BOLD, A_BOLD, -1, -1, -1 },
	{ STYLE_FROZEN, A_REVERSE, A_NORMAL, COLOR_BLACK, COLOR_BLACK, COLOR_YELLOW },
	{ STYLE_HEAD, A_REVERSE, A_NORMAL, COLOR_BLACK, COLOR_BLACK, COLOR_CYAN },
	{ STYLE_HEAD_SORTED, A_BOLD | A_UNDERLINE | A_REVERSE, A_BOLD | A_UNDERLINE, COLOR_BLACK, COLOR_BLACK,
	    COLOR_CYAN },
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
static void arm(const struct curses *curses)
{
	static const char *const names[] = { "sgr0", "cnorm", "rmkx", "rmcup" };

	leave.length = 0;
	for (const char *c = curses->has_modes ? MOUSE_OFF PASTE_OFF : ""; *c; c++)
		collect(*c);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *text = tigetstr(names[i]);

		if (text && text != (char *)-1)
			tputs(text, 1, collect);
	}
	terminal_arm(curses->fd, leave.text, leave.length);
}

/* Of setupterm, which newterm does not take over. */
static void forget_description(TERMINAL **description)
{
	if (*description)
		del_curterm(*description);
	*description = NULL;
}

/*
 * Checks terminfo first, as newterm writes to stderr and may exit. *description: the terminal's, for forget_description,
 * also on failure.
 */
static int check_terminal(int fd, TERMINAL **description, struct error *error)
{
	const char *name = getenv("TERM");
	int status = 0;

	*description = NULL;
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
	*description = cur_term;
	const char *move = tigetstr("cup");

	if (!move || move == (char *)-1)
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTTY,
		    "this kind of terminal (TERM) cannot move the cursor; -C prints text");
	return 0;
}

/* The part of the terminal that is used. False: its size is unknown. */
static bool ask_size(int fd, int *width, int *height)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
		return false;
	*width = size.ws_col < SCREEN_WIDTH_MAX ? size.ws_col : SCREEN_WIDTH_MAX;
	*height = size.ws_row < SCREEN_HEIGHT_MAX ? size.ws_row : SCREEN_HEIGHT_MAX;
	return true;
}

/* Where the terminal does not tell its size the environment does, or terminfo. */
static int assume_size(const char *variable, const char *capability, int max, int otherwise)
{
	const char *text = getenv(variable);
	int size = text ? atoi(text) : 0; /* NOLINT(cert-err34-c): what is no number is 0 */

	if (size <= 0)
		size = tigetnum(capability);
	if (size <= 0)
		size = otherwise;
	return size < max ? size : max;
}

/* Sets the variable to a number. What it was before, for put_back; NULL: it was not set. */
static char *replace_variable(const char *name, int number)
{
	const char *before = getenv(name);
	char digits[16], *kept = before ? strdup(before) : NULL;

	snprintf(digits, sizeof digits, "%d", number);
	setenv(name, digits, 1);
	return kept;
}

static void put_back(const char *name, char *kept)
{
	if (kept)
		setenv(name, kept, 1);
	else
		unsetenv(name);
	free(kept);
}

/*
 * newterm takes the size from the environment, then from the terminal, then from terminfo, and fails where none of
 * them knows: without the environment (use_env) it fails on the many terminals of which terminfo has none.
 */
static void *new_terminal(const struct curses *curses, FILE *out, FILE *in)
{
	int width, height;

	if (!ask_size(curses->fd, &width, &height)) {
		width = assume_size("COLUMNS", "cols", SCREEN_WIDTH_MAX, SCREEN_WIDTH_DEFAULT);
		height = assume_size("LINES", "lines", SCREEN_HEIGHT_MAX, SCREEN_HEIGHT_DEFAULT);
	}
	char *kept_height = replace_variable("LINES", height),
	     *kept_width = replace_variable("COLUMNS", width);
	void *terminal = newterm(NULL, out, in);

	put_back("LINES", kept_height);
	put_back("COLUMNS", kept_width);
	return terminal;
}

/* Behind what curses has written so far. A terminal that is gone is noticed elsewhere. */
static void tell(const struct curses *curses, const char *sequences)
{
	if (curses->has_modes && write(curses->fd, sequences, strlen(sequences)) < 0)
		return;
}

static void tell_modes(const struct curses *curses)
{
	tell(curses, PASTE_ON);
	if (curses->mouse)
		tell(curses, MOUSE_ON);
}

int curses_open(struct curses *curses, FILE *out, FILE *in, enum color_choice color, struct error *error)
{
	TERMINAL *description;
	int err = check_terminal(fileno(out), &description, error);

	if (err < 0) {
		forget_description(&description);
		return err;
	}
	curses->fd = fileno(out);
	curses->has_modes = strncmp(tigetstr("cup"), "\033[", 2) == 0;
	arm(curses);
	curses->terminal = new_terminal(curses, out, in);
	forget_description(&description);
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
	leaveok(stdscr, FALSE);
	curs_set(0);
	curses_resize(curses);
	tell_modes(curses);
	return 0;
}

void curses_close(struct curses *curses)
{
	if (!curses->open)
		return;
	curses->open = false;
	tell(curses, MOUSE_OFF PASTE_OFF);
	curs_set(1);
	endwin();
	delscreen(curses->terminal);
	terminal_disarm();
}

void curses_suspend(struct curses *curses)
{
	tell(curses, MOUSE_OFF PASTE_OFF);
	curs_set(1);
	endwin();
}

void curses_resume(struct curses *curses)
{
	reset_prog_mode();
	curs_set(0);
	curses_resize(curses);
	clearok(curscr, TRUE);
	tell_modes(curses);
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

/* ---- keys and mouse ---- */

void curses_name_keys(const struct curses *curses, struct decoder *decoder)
{
	static const struct {
		const char *capability;
		int code;
	} names[] = {
		{ "kcuu1", KEY_CODE_UP },
		{ "kcud1", KEY_CODE_DOWN },
		{ "kcub1", KEY_CODE_LEFT },
		{ "kcuf1", KEY_CODE_RIGHT },
		{ "kpp", KEY_CODE_PAGE_UP },
		{ "knp", KEY_CODE_PAGE_DOWN },
		{ "khome", KEY_CODE_HOME },
		{ "kend", KEY_CODE_END },
		{ "kcbt", KEY_CODE_BACK_TAB },
		{ "kbs", KEY_CODE_BACKSPACE },
		{ "kdch1", KEY_CODE_DELETE },
		{ "kent", KEY_CODE_ENTER },
		{ "kf1", KEY_CODE_F1 },
		{ "kf2", KEY_CODE_F2 },
		{ "kf3", KEY_CODE_F3 },
		{ "kf4", KEY_CODE_F4 },
		{ "kf5", KEY_CODE_F5 },
		{ "kf6", KEY_CODE_F6 },
		{ "kf7", KEY_CODE_F7 },
		{ "kf8", KEY_CODE_F8 },
		{ "kf9", KEY_CODE_F9 },
		{ "kf10", KEY_CODE_F10 },
		{ "kf15", KEY_CODE_SHIFT_F3 },
	};

	(void)curses;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *text = tigetstr(names[i].capability);

		decoder_name(decoder, text == (char *)-1 ? NULL : text, names[i].code);
	}
}

void curses_set_mouse(struct curses *curses, bool mouse)
{
	if (mouse == curses->mouse)
		return;
	curses->mouse = mouse;
	tell(curses, mouse ? MOUSE_ON : MOUSE_OFF);
}
