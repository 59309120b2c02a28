/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of conditions: of each its option, how a value is read and what the text compares. */
#ifndef TCPTOP_CONDITION_KINDS_H
#define TCPTOP_CONDITION_KINDS_H

#include <stddef.h>

#include "kernel/condition.h"

extern const struct condition_kind condition_kinds[];
extern const size_t condition_kind_count;

/* NULL: no kind has this option. */
const struct condition_kind *condition_kind_find(const char *option);

/* Adds what an option's value says, in a list one after the other. 0 or -errno with *error. */
int conditions_add(
    struct conditions *conditions, const struct condition_kind *kind, const char *value, struct error *error);

#endif
