/* SPDX-License-Identifier: Apache-2.0 */
/* What the screen says of links: the busiest in its title, all on their page (links_mode). */
#ifndef TCPTOP_LINK_PAGE_H
#define TCPTOP_LINK_PAGE_H

#include <stdbool.h>
#include <stddef.h>

struct ui;

/* Writes "eth0 75% of 1Gb/s TCP 91%" of the busiest link, its name untrusted. False: no link moved anything. */
bool link_headline(const struct ui *ui, char *buffer, size_t size);

#endif
