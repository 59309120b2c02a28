/* SPDX-License-Identifier: Apache-2.0 */
/* Where and when something was counted: what a recording says of itself, so that it can be read on another machine. */
#ifndef TCPTOP_ORIGIN_H
#define TCPTOP_ORIGIN_H

#include <stdint.h>
#include <time.h>

/* Texts are NULL where they are not known. */
struct origin {
	const char *version; /* of the tcptop that counted */
	const char *host;
	const char *
	    boot_id; /* another one after each boot: what ids of cgroups and namespaces are to be read with */
	const char *kernel; /* its release */
	uint64_t start_ns;  /* wall clock since 1970; 0: not known */
	uint64_t
	    monotonic_ms; /* CLOCK_MONOTONIC at start_ns, of which process_start_ms are the lower 32 bits */
	const char
	    *filters; /* the options that chose what was counted, as the inside of a JSON array; NULL: none */
};

/*
 * This host; it began at began_ns on the monotonic clock, what the wall clock said then is reckoned from what both say now. The texts
 * are static, but for filters, which is NULL.
 */
void origin_here(struct origin *origin, uint64_t began_ns);

/* A copy for origin_fini. 0 or -ENOMEM, with *copy empty. */
int origin_copy(struct origin *copy, const struct origin *origin);
void origin_fini(struct origin *copy);

#endif
