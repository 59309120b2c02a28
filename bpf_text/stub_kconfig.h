/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#define CONFIG_BPF_SYSCALL 1
