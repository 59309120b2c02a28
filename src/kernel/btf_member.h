/* SPDX-License-Identifier: Apache-2.0 */
/* Where a struct's member is, by BTF. */
#ifndef TCPTOP_BTF_MEMBER_H
#define TCPTOP_BTF_MEMBER_H

#include <stddef.h>
#include <stdint.h>

struct btf;

/*
 * Finds a member of the struct or union of that id by its name of `length` bytes, through anonymous structs and unions. Returns its type's
 * id, and adds its offset to *bits, and sets *bit_count to the size of a bit field, 0 of others; or -ENOENT.
 */
int btf_find_member(const struct btf *btf, uint32_t type_id, const char *name, size_t length, uint32_t *bits,
    uint32_t *bit_count);

#endif
