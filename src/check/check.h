/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --check: moves exactly known bytes through every data path on this host's loopback, counts them with one
 * probe method, and says where the count is not the truth.
 */
#ifndef TCPTOP_CHECK_H
#define TCPTOP_CHECK_H

#include <stdint.h>

#include "check/datapath.h"
#include "options.h"

struct error;

enum check_verdict {
	CHECK_EXACT,
	CHECK_WRONG,       /* counted something else than the truth, and nothing declared it */
	CHECK_NOT_COUNTED, /* declared beforehand for this method and kernel */
	CHECK_SKIPPED,     /* this host lacks what the path needs */
	CHECK_FAILED,      /* the bytes could not be moved: says nothing about counting */
	CHECK_VERDICTS
};

struct check_result {
	const char *id; /* the data path's; with "_earlier" behind it: its socket is older than the tracing */
	const char *title;
	enum check_verdict verdict;
	char reason[256];             /* of all but CHECK_EXACT */
	const char *declared;         /* of CHECK_NOT_COUNTED: the blind spot's id; else NULL */
	struct datapath_result truth; /* sessions as moved */
	uint64_t tx_bytes, rx_bytes;  /* their sums */
	uint64_t counted_tx_bytes;    /* sums of what was counted for these processes and addresses */
	uint64_t counted_rx_bytes;
};

/* Shows one result as soon as it is known. */
typedef void check_report(void *argument, const struct check_result *result);

/*
 * Checks one method (options->probe; not "auto") in this process, which is nobody afterwards. counts: how
 * many results of each verdict. 0, or -errno with *error when the method cannot be used here.
 */
int check_method(const struct options *options, check_report *report, void *argument,
    unsigned counts[CHECK_VERDICTS], struct error *error);

#endif
