/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/btf_member.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

int btf_find_member(const struct btf *btf, uint32_t type_id, const char *name, size_t length, uint32_t *bits,
    uint32_t *bit_count)
{
	const struct btf_type *type = btf__type_by_id(btf, type_id);

	if (!type || !btf_is_composite(type))
		return -ENOENT;
	const struct btf_member *members = btf_members(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const char *member = btf__name_by_offset(btf, members[i].name_off);
		int member_type = btf__resolve_type(btf, members[i].type);
		uint32_t offset = btf_member_bit_offset(type, i);

		if (strlen(member) == length && memcmp(member, name, length) == 0) {
			*bits += offset;
			*bit_count = btf_member_bitfield_size(type, i);
			return member_type;
		}
		if (*member == '\0') {
			uint32_t inner = *bits + offset;
			int found = btf_find_member(btf, member_type, name, length, &inner, bit_count);

			if (found >= 0) {
				*bits = inner;
				return found;
			}
		}
	}
	return -ENOENT;
}
