/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that people write. */
#ifndef TCPTOP_DECIMAL_H
#define TCPTOP_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decimal digits only, and all of the text's first `length` bytes: strtoull accepts spaces, signs and other bases. max is 9
 * or more. False: it is no such number, or a greater one; then *number stays.
 */
bool decimal_read(const char *text, size_t length, uint64_t max, uint64_t *number);

#endif
