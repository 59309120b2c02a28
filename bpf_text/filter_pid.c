/* SPDX-License-Identifier: Apache-2.0 */
	switch (pid) {
@PID_CASES@
		break;
	default:
		return 0;
	}
