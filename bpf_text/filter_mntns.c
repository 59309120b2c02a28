/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
	u64 task = CURRENT_TASK();
	u64 nsproxy = LOAD(u64, task, TASK_NSPROXY);
	u64 mnt_ns = LOAD(u64, nsproxy, NSPROXY_MNT_NS);
	u64 mntns = LOAD(u32, mnt_ns, MNT_NS_INUM);

	if (!filter_mntns.lookup(&mntns))
		return 0;
