/* SPDX-License-Identifier: Apache-2.0 */
/* A placeholder: before the program is loaded, the user's map takes its descriptor's place. */
BPF_TABLE("hash", u64, u32, filter_mntns, 1);

