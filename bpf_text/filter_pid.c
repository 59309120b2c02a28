/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
	switch (pid) {
@PID_CASES@
		break;
	default:
		return 0;
	}
