/* SPDX-License-Identifier: Apache-2.0 */
/* What was moved against what tcptop reported for the same processes and addresses. */
#ifndef TCPTOP_CHECK_JUDGE_H
#define TCPTOP_CHECK_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "check/runner.h"

struct snapshot;

enum verdict {
	VERDICT_EXACT,
	VERDICT_WRONG,       /* counted something else than the truth, and nothing declared it */
	VERDICT_NOT_COUNTED, /* declared beforehand for this method and kernel */
	VERDICT_SKIPPED,     /* this host lacks what the path needs */
	VERDICT_FAILED,      /* the bytes could not be moved: says nothing about counting */
	VERDICTS
};

struct check_result {
	const char *id; /* the path's; with "_earlier" behind it: its socket is older than the tracing */
	const char *title;
	enum verdict verdict;
	char reason[256];            /* of all but VERDICT_EXACT */
	char declared[64];           /* of VERDICT_NOT_COUNTED: the blind spot's id */
	struct path_result truth;    /* sessions as moved */
	uint64_t tx_bytes, rx_bytes; /* their sums */
	uint64_t counted_tx_bytes,
	    counted_rx_bytes; /* sums of what was counted for these processes and addresses */
	uint64_t missed_runs;
	struct {
		uint64_t tx_bytes, rx_bytes;
		bool misnamed;
	} counted[PATH_SESSIONS_MAX]; /* for each session of the truth */
	uint64_t stray_bytes; /* counted for one of the processes or addresses where nobody moved any */
	bool strayed;
	uint32_t stray_pid;
	uint16_t stray_port;
};

/* Adds an interval's sessions, those that concern the truth. */
void judge_add(struct check_result *result, const struct snapshot *snapshot);

/*
 * Fills verdict, sums and reason: too little is excused by `declared` (NULL: by nothing), whose words are `reason`;
 * too much never is.
 */
void judge_finish(struct check_result *result, const char *declared, const char *reason);

#endif
