/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka 1.1 with the names of 2.0. Needs <cmocka.h> before it. */
#ifndef TCPTOP_CMOCKA_NAMES_H
#define TCPTOP_CMOCKA_NAMES_H

/* 2.0 deprecates assert_in_range, which has always compared unsigned numbers. */
#ifndef assert_uint_in_range
#define assert_uint_in_range assert_in_range
#endif

/* In 2.0 a macro without arguments, in the way of the member of struct source. */
#undef stop

#endif
