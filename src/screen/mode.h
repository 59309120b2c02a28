/* SPDX-License-Identifier: Apache-2.0 */
/* The modes of the screen: the keys, the drawing and the footer of one mode stand in one file. */
#ifndef TCPTOP_MODE_H
#define TCPTOP_MODE_H

struct line_sink;
struct ui;

struct mode {
	/* Called when the mode begins; NULL: there is nothing to prepare. */
	void (*open)(struct ui *ui);

	/* One key (enum key_code or a character). Returns REACTION_ flags. */
	unsigned (*key)(struct ui *ui, int code);

	/* A line of text that was pasted; NULL: nothing is being typed, so it is ignored. */
	void (*paste)(struct ui *ui, const char *line);

	/* Puts the lines from y to before `end`, which are between title and footer. */
	void (*draw)(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink);

	/* A line of its page was clicked (value of a SPOT_LINE); NULL: it has none. */
	void (*click)(struct ui *ui, int value);

	/* Draws ui->line, the last of the screen. */
	void (*footer)(struct ui *ui);
};

extern const struct mode table_mode;
extern const struct mode search_mode, filter_mode, time_mode;              /* prompt_mode.c */
extern const struct mode help_mode;                                        /* page_mode.c */
extern const struct mode details_mode;                                     /* details_page.c */
extern const struct mode links_mode;                                       /* link_page.c */
extern const struct mode connections_mode;                                 /* connection_page.c */
extern const struct mode services_mode;                                    /* service_page.c */
extern const struct mode minute_mode;                                      /* minute_page.c */
extern const struct mode sort_menu_mode, user_menu_mode, column_menu_mode; /* menu_mode.c */

#endif
