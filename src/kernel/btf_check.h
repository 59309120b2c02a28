/* SPDX-License-Identifier: Apache-2.0 */
/* Is BTF what libbpf and its readers take it for? They follow what it says, and nobody else has looked. */
#ifndef TCPTOP_BTF_CHECK_H
#define TCPTOP_BTF_CHECK_H

#include <stdint.h>

struct btf;

/*
 * The types from first_id on: names are in the string section, types referred to are there, and no type contains itself, or
 * others so deep that it might as well. NULL, or what is wrong, in words.
 */
const char *btf_check(const struct btf *btf, uint32_t first_id);

#endif
