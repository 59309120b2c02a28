/* SPDX-License-Identifier: Apache-2.0 */
/* A mover that executes this program again between two sends; it comes back by datapath_exec_main. */
#ifndef TCPTOP_DATAPATH_EXEC_H
#define TCPTOP_DATAPATH_EXEC_H

struct datapath_end;

int exec_send(struct datapath_end *end);

#endif
