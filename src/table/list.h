/* SPDX-License-Identifier: Apache-2.0 */
/* The view's list before it is in order: rows or groups that pass the filters, each with its rank. */
#ifndef TCPTOP_LIST_H
#define TCPTOP_LIST_H

struct rows;
struct view;

/* Makes items, count and, when grouped, groups anew. 0 or -ENOMEM. */
int view_list_build(struct view *view);

/* What the items' row counts in. */
struct rows *view_list_rows(struct view *view);

#endif
