/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of this network namespace's interfaces. They come and go while the program runs, so the kernel is asked for
 * each index again in each interval, once. It takes no privilege and does not wait (if_indextoname(3)).
 * One thread calls these functions; it need not be the one that calls those of names.h.
 */
#ifndef TCPTOP_INTERFACES_H
#define TCPTOP_INTERFACES_H

#include <stddef.h>
#include <stdint.h>

struct interfaces;

/* NULL when out of memory. Where the kernel cannot be asked, no interface has a name. */
struct interfaces *interfaces_open(void);
void interfaces_close(struct interfaces *interfaces);

/* From now on, names may be others than they were. */
void interfaces_refresh(struct interfaces *interfaces);

/*
 * The name of the interface with this index in the network namespace with this inode number, or NULL: in others than
 * this process's an index is another interface's. One that has gone keeps its last name as long as that is
 * remembered. Borrowed until the next call.
 */
const char *interfaces_name(struct interfaces *interfaces, uint32_t netns, uint32_t ifindex);

#endif
