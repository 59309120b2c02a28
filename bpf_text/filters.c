/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*@ subject_caller */
/* Whom filters look at: the task that makes the call. */
#define SUBJECT_UID() ((u32)bpf_get_current_uid_gid())
#define SUBJECT_COMM(at) LOAD(u64, LOAD(u64, CURRENT_TASK(), TASK_GROUP_LEADER), TASK_COMM + (at))
#define SUBJECT_MNTNS() mount_namespace()
#define SUBJECT_CGROUP() bpf_get_current_cgroup_id()
#define SUBJECT_ANCESTOR(level) bpf_get_current_ancestor_cgroup_id(level)

/*@ subject_owner */

/* Whom filters look at from here on: who has a socket. */
#undef SUBJECT_UID
#undef SUBJECT_COMM
#undef SUBJECT_MNTNS
#undef SUBJECT_CGROUP
#undef SUBJECT_ANCESTOR
#define SUBJECT_UID() (owner->uid)
#define SUBJECT_COMM(at) (*(u64 *)(owner->comm + (at)))
#define SUBJECT_MNTNS() (owner->mntns)
#define SUBJECT_CGROUP() (owner->cgroup_id)
#define SUBJECT_ANCESTOR(level) ancestor_cgroup(task, level)

#define CGROUP_DEPTH_MAX 16

/* As bpf_get_current_ancestor_cgroup_id has it, of any task. Levels are read anew, so that the verifier sees one way on. */
static __always_inline u64 ancestor_cgroup(u64 task, u32 level)
{
	u64 cgroup = LOAD_COLD(u64, LOAD_COLD(u64, task, TASK_CGROUPS), CSS_SET_DFL_CGRP);

#pragma unroll
	for (u32 i = 0; i < CGROUP_DEPTH_MAX && LOAD_COLD(u32, cgroup, CGROUP_LEVEL) > level; i++)
		cgroup = LOAD_COLD(u64, cgroup + CGROUP_SELF, CSS_PARENT) - CGROUP_SELF;
	if (LOAD_COLD(u32, cgroup, CGROUP_LEVEL) != level)
		return 0;
	return LOAD_COLD(u64, LOAD_COLD(u64, cgroup, CGROUP_KN), KERNFS_NODE_ID);
}
/*@ filter_pid */
	switch (pid) {
@PID_CASES@
		break;
	default:
		return 0;
	}
/*@ filter_cgroup_map */
/* A placeholder: before the program is loaded, the user's map takes its descriptor's place. */
BPF_TABLE("hash", u64, u32, filter_cgroups, 1);

/*@ filter_cgroup */
	u64 cgroup = SUBJECT_CGROUP();

	if (!filter_cgroups.lookup(&cgroup))
		return 0;
/*@ filter_mntns_map */
/* A placeholder: before the program is loaded, the user's map takes its descriptor's place. */
BPF_TABLE("hash", u64, u32, filter_mntns, 1);

/*@ filter_mntns */
	u64 mntns = SUBJECT_MNTNS();

	if (!filter_mntns.lookup(&mntns))
		return 0;
/*@ filter_family_both */
	if (family == FAMILY_INET || (family == FAMILY_INET6 && is_mapped(head)))
		@ACT@4(sk, head, netns, @WITH@, *odd);
	else if (family == FAMILY_INET6)
		@ACT@6(sk, head, netns, @WITH@, *odd);
/*@ filter_family_4 */
	if (family == FAMILY_INET || (family == FAMILY_INET6 && is_mapped(head)))
		@ACT@4(sk, head, netns, @WITH@, *odd);
/*@ filter_family_6 */
	if (family == FAMILY_INET6 && !is_mapped(head))
		@ACT@6(sk, head, netns, @WITH@, *odd);
/*@ condition_uid */
		u32 number = SUBJECT_UID();
/*@ condition_comm */
		u64 first = SUBJECT_COMM(0), second = SUBJECT_COMM(8);
/*@ condition_ports */
		struct session_key4 ports;

		*(u32 *)&ports.rport = HEAD(u32, head, SK_PORTPAIR);
		u16 remote = FROM_NETWORK_ORDER(ports.rport), local = local_port(sk, ports.lport);
/*@ condition_network */
		bool is_4 = HEAD(u16, head, SK_FAMILY) == FAMILY_INET || is_mapped(head);
		u64 addresses = HEAD(u64, head, SK_ADDRPAIR);
		u32 *pair = (u32 *)&addresses;
		u64 remote[] = { HEAD(u64, head, SK_V6_DADDR), HEAD(u64, head, SK_V6_DADDR + 8) };
		u64 local[] = { HEAD(u64, head, SK_V6_RCV_SADDR), HEAD(u64, head, SK_V6_RCV_SADDR + 8) };
/*@ condition_netns */
		u32 number = network_namespace(head);
/*@ condition_mntns */
		u32 number = SUBJECT_MNTNS();
