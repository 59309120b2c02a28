/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
	take_socket_facts(value, sk);
