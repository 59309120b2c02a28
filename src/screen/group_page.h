/* SPDX-License-Identifier: Apache-2.0 */
/* What the details of a group have that those of a connection do not. */
#ifndef TCPTOP_GROUP_PAGE_H
#define TCPTOP_GROUP_PAGE_H

struct page;
struct row;

/* Which group it is, whom it has, and how many connections. */
void group_page_who(struct page *page, const struct row *group);

/* The hosts and processes that moved most, of the connections that are kept, and what others moved. */
void group_page_parts(struct page *page, const struct row *group);

#endif
