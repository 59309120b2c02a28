/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
	if (family == FAMILY_INET6 && !is_mapped(sk))
		count6(sk, pid, bytes, direction, *odd);
