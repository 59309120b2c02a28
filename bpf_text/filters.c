/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
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
	u64 cgroup = bpf_get_current_cgroup_id();

	if (!filter_cgroups.lookup(&cgroup))
		return 0;
/*@ filter_mntns_map */
/* A placeholder: before the program is loaded, the user's map takes its descriptor's place. */
BPF_TABLE("hash", u64, u32, filter_mntns, 1);

/*@ filter_mntns */
	u64 mntns = mount_namespace();

	if (!filter_mntns.lookup(&mntns))
		return 0;
/*@ filter_family_both */
	if (family == FAMILY_INET || (family == FAMILY_INET6 && is_mapped(sk)))
		@ACT@4(sk, @WITH@, *odd);
	else if (family == FAMILY_INET6)
		@ACT@6(sk, @WITH@, *odd);
/*@ filter_family_4 */
	if (family == FAMILY_INET || (family == FAMILY_INET6 && is_mapped(sk)))
		@ACT@4(sk, @WITH@, *odd);
/*@ filter_family_6 */
	if (family == FAMILY_INET6 && !is_mapped(sk))
		@ACT@6(sk, @WITH@, *odd);
/*@ condition_uid */
		u32 number = bpf_get_current_uid_gid();
/*@ condition_comm */
		u64 leader = LOAD(u64, CURRENT_TASK(), TASK_GROUP_LEADER);
		u64 first = LOAD(u64, leader, TASK_COMM), second = LOAD(u64, leader, TASK_COMM + 8);
/*@ condition_ports */
		struct session_key4 ports;

		*(u32 *)&ports.rport = LOAD(u32, sk, SK_PORTPAIR);
		u16 remote = FROM_NETWORK_ORDER(ports.rport), local = local_port(sk, ports.lport);
/*@ condition_network */
		bool is_4 = LOAD(u16, sk, SK_FAMILY) == FAMILY_INET || is_mapped(sk);
		u64 addresses = LOAD(u64, sk, SK_ADDRPAIR);
		u32 *pair = (u32 *)&addresses;
		u64 remote[] = { LOAD(u64, sk, SK_V6_DADDR), LOAD(u64, sk, SK_V6_DADDR + 8) };
		u64 local[] = { LOAD(u64, sk, SK_V6_RCV_SADDR), LOAD(u64, sk, SK_V6_RCV_SADDR + 8) };
/*@ condition_netns */
		u32 number = network_namespace(sk);
/*@ condition_mntns */
		u32 number = mount_namespace();
