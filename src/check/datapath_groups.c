/* SPDX-License-Identifier: Apache-2.0 */
#include "check/datapath_groups.h"

static const struct datapath_group *const groups[] = {
	&datapath_plain,
	&datapath_splice,
	&datapath_zerocopy,
	&datapath_uring,
	&datapath_tls,
	&datapath_protocol,
	&datapath_process,
	&datapath_state,
};

const struct datapath *datapath_at(size_t index)
{
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		if (index < groups[i]->count)
			return &groups[i]->paths[index];
		index -= groups[i]->count;
	}
	return NULL;
}
