/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
	if (family == FAMILY_INET || (family == FAMILY_INET6 && is_mapped(sk)))
		count4(sk, pid, bytes, direction, *odd);
	else if (family == FAMILY_INET6)
		count6(sk, pid, bytes, direction, *odd);
