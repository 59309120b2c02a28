/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/filters.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/hierarchy.h"
#include "base/util.h"
#include "program_texts.h"

/* The keys of --cgroupmap are ids of the cgroup v2 hierarchy. */
static int cgroup2_available(struct error *error)
{
	struct hierarchy hierarchy;

	hierarchy_find(&hierarchy, "");
	if (hierarchy.path[0])
		return 0;
	return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTSUP,
	    "--cgroupmap needs the cgroup v2 hierarchy, and none is mounted here\n"
	    "filter by mount namespace instead: --mntnsmap");
}

const struct filter filters[] = {
	{ "cgroupmap", "filter_cgroups", program_text_filter_cgroup_map, program_text_filter_cgroup,
	    "cgroup map", cgroup2_available },
	{ "mntnsmap", "filter_mntns", program_text_filter_mntns_map, program_text_filter_mntns, "mntns map",
	    NULL },
};
const size_t filter_count = COUNT_OF(filters);
_Static_assert(COUNT_OF(filters) <= FILTERS_MAX, "arrays beside filters[] have room for all");

size_t filter_find(const char *option)
{
	size_t i = 0;

	while (i < filter_count && strcmp(filters[i].option, option) != 0)
		i++;
	return i;
}
