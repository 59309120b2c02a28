/* SPDX-License-Identifier: Apache-2.0 */
/* What is seen leaves the screen: into files, and by the terminal (OSC 52) into the clipboard. */
#ifndef TCPTOP_SAVE_H
#define TCPTOP_SAVE_H

struct ui;

/* Writes all rows that are listed as text, and the intervals that are kept, up to the moment shown, as JSON. Says what or why not. */
unsigned save_files(struct ui *ui);

/* The settings: columns, units, order. Asks first. */
unsigned save_settings(struct ui *ui);

/* The selected row's remote address, or the row, into ui->clipboard, which the screen sends to the terminal. */
unsigned save_copy_address(struct ui *ui);
unsigned save_copy_row(struct ui *ui);

#endif
