/* SPDX-License-Identifier: Apache-2.0 */
/* Tracefs, wherever it is mounted, or not. */
#ifndef TCPTOP_TRACEFS_H
#define TCPTOP_TRACEFS_H

/* Reads the number of the tracepoint events/GROUP/NAME, as perf_event_open(2) takes it. 0 or -errno. */
int tracefs_event_id(unsigned *id, const char *group, const char *name);

#endif
