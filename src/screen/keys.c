/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/keys.h"

const struct key key_table[] = {
	{ ACT_UP, { KEY_CODE_UP, 'k' }, "Up k", "select the row above", NULL, NULL, 0, 0 },
	{ ACT_DOWN, { KEY_CODE_DOWN, 'j' }, "Down j", "select the row below", NULL, NULL, 0, 0 },
	{ ACT_PAGE_UP, { KEY_CODE_PAGE_UP, 'B' - '@' }, "PgUp", "a page up", NULL, NULL, 0, 0 },
	{ ACT_PAGE_DOWN, { KEY_CODE_PAGE_DOWN, 'F' - '@' }, "PgDn", "a page down", NULL, NULL, 0, 0 },
	{ ACT_TOP, { KEY_CODE_HOME }, "Home", "the top, and stay there", NULL, NULL, 0, 0 },
	{ ACT_END, { KEY_CODE_END, 'G' }, "End G", "the last row", NULL, NULL, 0, 0 },
	{ ACT_ENTER, { KEY_CODE_ENTER, KEY_CODE_RIGHT }, "Enter", "details, or open group", "Enter",
	    "Details", 6, 6 },
	{ ACT_CLOSE, { KEY_CODE_LEFT, KEY_CODE_BACKSPACE }, "Left", "leave the group", NULL, NULL, 0, 0 },
	{ ACT_BACK, { KEY_CODE_ESCAPE }, "Esc", "back, clear the filter", NULL, NULL, 0, 0 },
	{ ACT_SEARCH, { '/', KEY_CODE_F3 }, "/ F3", "search, F3 again: next", "F3", "Search", 2, 3 },
	{ ACT_SEARCH_NEXT, { 'N' }, "N", "search on", NULL, NULL, 0, 0 },
	{ ACT_FILTER, { '\\', KEY_CODE_F4 }, "\\ F4", "filter, as in: ssh :22 !root", "F4", "Filter", 3, 2 },
	{ ACT_SORT_PREVIOUS, { '<', ',' }, "<", "sort by previous column", NULL, NULL, 0, 0 },
	{ ACT_SORT_NEXT, { '>', '.' }, ">", "sort by the next column", NULL, NULL, 0, 0 },
	{ ACT_SORT_MENU, { KEY_CODE_F6 }, "F6", "choose the sort column", "F6", "Sort", 4, 4 },
	{ ACT_SORT_RX, { 'R' }, "R", "sort by RX", NULL, NULL, 0, 0 },
	{ ACT_SORT_TX, { 'T' }, "T", "sort by TX", NULL, NULL, 0, 0 },
	{ ACT_REVERSE, { 'I' }, "I", "reverse the order", NULL, NULL, 0, 0 },
	{ ACT_GROUP, { 'g', KEY_CODE_TAB }, "g Tab", "group by process, host, ...", "Tab", "Group", 5, 5 },
	{ ACT_GROUP_BACK, { KEY_CODE_BACK_TAB }, "S-Tab", "the grouping before", NULL, NULL, 0, 0 },
	{ ACT_COLUMNS, { 'C', KEY_CODE_F2 }, "C F2", "choose the columns", "F2", "Columns", 1, 8 },
	{ ACT_FREEZE, { 'Z', 'p', ' ' }, "Z p Space", "freeze, go on", "Z", "Freeze", 7, 7 },
	{ ACT_FOLLOW, { 'F' }, "F", "follow the selected row", NULL, NULL, 0, 0 },
	{ ACT_AMOUNT, { 'c' }, "c", "per second, interval, start", NULL, NULL, 0, 0 },
	{ ACT_UNITS, { 'm' }, "m", "units: KB, bytes, bits", NULL, NULL, 0, 0 },
	{ ACT_NAMES, { 'n' }, "n", "names of ports, of hosts", NULL, NULL, 0, 0 },
	{ ACT_USER, { 'u' }, "u", "one user's rows", NULL, NULL, 0, 0 },
	{ ACT_IPV4, { '4' }, "4", "IPv4 only, and back", NULL, NULL, 0, 0 },
	{ ACT_IPV6, { '6' }, "6", "IPv6 only, and back", NULL, NULL, 0, 0 },
	{ ACT_SLOWER, { '+', '=' }, "+", "longer interval", NULL, NULL, 0, 0 },
	{ ACT_FASTER, { '-' }, "-", "shorter interval", NULL, NULL, 0, 0 },
	{ ACT_RESET, { 'r' }, "r", "totals from zero", NULL, NULL, 0, 0 },
	{ ACT_REDRAW, { 'L' - '@' }, "Ctrl-L", "draw it all again", NULL, NULL, 0, 0 },
	{ ACT_HELP, { '?', 'h', KEY_CODE_F1 }, "? h F1", "this help", "F1", "Help", 0, 0 },
	{ ACT_LEAVE, { 'q', KEY_CODE_F10, 'Q' }, "q F10", "quit", "F10", "Quit", 8, 1 },
};

const size_t key_count = sizeof key_table / sizeof key_table[0];

enum key_action key_find(int code)
{
	if (code == KEY_CODE_NONE)
		return ACT_NONE;
	for (size_t i = 0; i < key_count; i++)
		for (size_t j = 0; j < KEY_CODES_MAX; j++)
			if (key_table[i].codes[j] == code)
				return key_table[i].action;
	return ACT_NONE;
}
