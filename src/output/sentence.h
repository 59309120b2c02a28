/* SPDX-License-Identifier: Apache-2.0 */
/* A finding of --diagnose in words. */
#ifndef TCPTOP_SENTENCE_H
#define TCPTOP_SENTENCE_H

#include "model/diagnosis.h"

enum { SENTENCE_HEADLINE_SIZE = 320, SENTENCE_EVIDENCE_SIZE = 512 };

struct sentence {
	char headline
	    [SENTENCE_HEADLINE_SIZE]; /* "java (PID 2211) to 10.0.3.7:9092, 14 connections: peer 91%" */
	char evidence
	    [SENTENCE_EVIDENCE_SIZE]; /* "the remote's receive window is full: it reads too slowly; 3.64MB not acknowledged" */
};

struct sentence_style {
	uint64_t looked_ns; /* how long was looked at what is told of */
	bool utf8;          /* names may have characters beyond ASCII */
};

void sentence_compose(
    struct sentence *sentence, const struct finding *finding, const struct sentence_style *style);

/* What it cannot tell: "why the remote does not read". */
const char *sentence_limit(const struct finding *finding);

/* "s", but for one. */
const char *sentence_plural(uint64_t count);

#endif
