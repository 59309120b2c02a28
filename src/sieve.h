/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source in front of another one: of its snapshots only the sessions that --filter's words match, with their totals, and
 * of the connections that ended those that match.
 */
#ifndef TCPTOP_SIEVE_H
#define TCPTOP_SIEVE_H

#include "model/source.h"

struct error;
struct names;
struct sieve;

/*
 * words: as options_parse has found them right. names: of where the sessions are from. Both it and source are used until
 * sieve_close. 0 or -ENOMEM with *error.
 */
int sieve_open(struct sieve **sieve, const struct source *source, const char *words, struct names *names,
    struct error *error);
void sieve_close(struct sieve *sieve);

/* "Other sessions" stay in the totals, as it is not known whose bytes they are. */
struct source sieve_source(struct sieve *sieve);

#endif
