/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* A placeholder: before the program is loaded, the user's map takes its descriptor's place. */
BPF_TABLE("hash", u64, u32, filter_mntns, 1);

