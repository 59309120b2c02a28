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

/*
 * "0.5" of a whole that has so many parts, in parts, independent of the locale. Digits beyond a part are dropped. parts is a
 * power of ten, and max at least 9 of the whole. False: it is no such number, or a greater one; then *number stays.
 */
bool decimal_read_parts(const char *text, uint64_t parts, uint64_t max, uint64_t *number);

#endif
