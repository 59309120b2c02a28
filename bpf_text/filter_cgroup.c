/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
	u64 cgroup = bpf_get_current_cgroup_id();

	if (!filter_cgroups.lookup(&cgroup))
		return 0;
