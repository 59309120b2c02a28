/* SPDX-License-Identifier: Apache-2.0 */
/* A BPF iterator, run as often as is wanted by the link that was made of its program. */
#ifndef TCPTOP_ITERATOR_H
#define TCPTOP_ITERATOR_H

/* Lets it run to its end; what it writes ends a read, so that others get their turn. 0 or -errno. */
int iterator_run(int link_fd);

#endif
