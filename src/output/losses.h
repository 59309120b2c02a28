/* SPDX-License-Identifier: Apache-2.0 */
/* What an interval lost, for forms of output whose data has no place for it. */
#ifndef TCPTOP_LOSSES_H
#define TCPTOP_LOSSES_H

#include <stdio.h>

struct snapshot;

/* Prints nothing unless this interval lost something. */
void losses_print(FILE *stream, const struct snapshot *snapshot);

#endif
