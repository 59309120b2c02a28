/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ cgroups */

/*
 * Of the cgroups that are made, id and path: who lives for a moment in one is counted, but found nowhere afterwards. When
 * the table is full, later ones have no place: of these more are still there to be found.
 */
BPF_TABLE("hash", u64, struct cgroup_path, made_cgroups, @MAX_CGROUPS@);
BPF_ARRAY(made_path, struct cgroup_path, 1); /* larger than the stack; the kernel makes one cgroup at a time */

/* cgroup_mkdir(cgrp, path): before anybody can enter it. */
int cgroups_mkdir(u64 *ctx)
{
	u64 root = LOAD_COLD(u64, ctx[0], CGROUP_ROOT), node = LOAD_COLD(u64, ctx[0], CGROUP_KN);
	u64 id = LOAD_COLD(u64, node, KERNFS_NODE_ID);
	u32 slot = 0;
	struct cgroup_path *path = made_path.lookup(&slot);
	int length;

	/* 0 is the v2 hierarchy, as in /proc/PID/cgroup */
	if (!path || !root || LOAD_COLD(u32, root, CGROUP_ROOT_HIERARCHY_ID))
		return 0;
	length = bpf_probe_read_kernel_str(path->text, sizeof path->text, (void *)ctx[1]);
	if (length > 1 && length < (int)sizeof path->text)
		made_cgroups.update(&id, path);
	return 0;
}
