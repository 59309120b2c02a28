/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of JSON, for those who print others than the sessions of intervals. */
#ifndef TCPTOP_JSON_H
#define TCPTOP_JSON_H

#include <stdio.h>

struct field_table;

/*
 * Prints one object: its type, the stamp (members that stand before, without a comma at either end), and the record's
 * members. 0, or -1 with errno.
 */
int json_print_object(
    FILE *stream, const char *type, const struct field_table *fields, const void *record, const char *stamp);

#endif
