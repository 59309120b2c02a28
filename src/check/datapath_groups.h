/* SPDX-License-Identifier: Apache-2.0 */
/* The paths of each source file; datapath_at numbers them through in the order of datapath_groups.c. */
#ifndef TCPTOP_DATAPATH_GROUPS_H
#define TCPTOP_DATAPATH_GROUPS_H

#include <stddef.h>

#include "check/datapath.h"

struct datapath_group {
	const struct datapath *paths;
	size_t count;
};

extern const struct datapath_group datapath_plain;
extern const struct datapath_group datapath_splice;
extern const struct datapath_group datapath_zerocopy;
extern const struct datapath_group datapath_uring;
extern const struct datapath_group datapath_tls;
extern const struct datapath_group datapath_protocol;
extern const struct datapath_group datapath_process;
extern const struct datapath_group datapath_state;

#endif
