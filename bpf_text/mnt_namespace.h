/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The head of the kernel's private struct mnt_namespace (fs/mount.h): a counter stood first before 5.11. */
struct mnt_namespace_head {
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
	atomic_t count;
#endif
	struct ns_common ns;
};
