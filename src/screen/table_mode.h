/* SPDX-License-Identifier: Apache-2.0 */
/* What keys do in the table, in menus and in prompts. Part of the display: nothing here draws. */
#ifndef TCPTOP_TABLE_MODE_H
#define TCPTOP_TABLE_MODE_H

#include "screen/keys.h"

struct display;
struct renderer_request;

/* Returns REACTION_ flags. */
unsigned action_run(struct display *display, enum key_action action, struct renderer_request *request);

/* Keys while something is being typed, and while a menu is open. */
void prompt_key(struct display *display, int code);
void menu_key(struct display *display, int code);

/* Opens a menu: MODE_SORT_MENU, MODE_USER_MENU or MODE_COLUMN_MENU. */
void menu_open(struct display *display, int mode);

/* A footer line to the user, until the next key. */
void display_say(struct display *display, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
