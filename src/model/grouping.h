/* SPDX-License-Identifier: Apache-2.0 */
/* By what connections are put into groups. */
#ifndef TCPTOP_GROUPING_H
#define TCPTOP_GROUPING_H

enum grouping {
	GROUPING_NONE, /* connections */
	GROUPING_PROCESS,
	GROUPING_REMOTE,
	GROUPING_CONTAINER,
	GROUPING_USER,
	GROUPING_PROGRAM, /* all processes of one name */
	GROUPING_SERVICE, /* what one listening port has accepted; all that this side connected; what is not known */
	GROUPING_PAIR, /* a process and the process at the other end; where that is on another host, the host */
	GROUPING_COUNT,
	GROUPING_ALL = GROUPING_COUNT, /* no choice: all that is listed, as one */
};

#endif
