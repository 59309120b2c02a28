/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/btf_check.h"

#include <bpf/btf.h>
#include <stdbool.h>
#include <stdlib.h>

/* Types within types, typedefs and arrays among them: those of 6.18 have 36. */
#define DEPTH_MAX 500

/* Members that a search by name looks at in one type, through members without a name. Those of 6.18 look at less than 500. */
#define MEMBERS_MAX 100000

#define DEPTH_OPEN UINT32_MAX /* being found out */

struct extent {
	uint32_t depth;   /* 1: contains no other type; 0: not known yet */
	uint32_t members; /* as MEMBERS_MAX counts them */
};

struct check {
	const struct btf *btf;
	uint32_t first_id, count, names_size;
	struct extent *extents; /* by id - first_id */
	const char *wrong;
};

static bool has_name(const struct check *check, uint32_t offset)
{
	return offset < check->names_size;
}

static bool is_type(const struct check *check, uint32_t id)
{
	return id < check->count;
}

/* Of the parts that a type has, be they members, parameters or values. */
static bool part_is_right(const struct check *check, const struct btf_type *type, uint32_t part)
{
	switch (btf_kind(type)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return has_name(check, btf_members(type)[part].name_off) &&
		       is_type(check, btf_members(type)[part].type);
	case BTF_KIND_FUNC_PROTO:
		return has_name(check, btf_params(type)[part].name_off) &&
		       is_type(check, btf_params(type)[part].type);
	case BTF_KIND_ENUM:
		return has_name(check, btf_enum(type)[part].name_off);
	case BTF_KIND_ENUM64:
		return has_name(check, btf_enum64(type)[part].name_off);
	case BTF_KIND_DATASEC:
		return is_type(check, btf_var_secinfos(type)[part].type);
	default:
		return true; /* has none */
	}
}

/* The type that this one is made of, or leads to, beside its parts. 0: none. */
static uint32_t referred(const struct btf_type *type)
{
	switch (btf_kind(type)) {
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FUNC_PROTO:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
	case BTF_KIND_TYPE_TAG:
		return type->type;
	case BTF_KIND_ARRAY:
		return btf_array(type)->type;
	default:
		return 0;
	}
}

static void check_references(struct check *check, const struct btf_type *type)
{
	bool right = has_name(check, type->name_off) && is_type(check, referred(type));

	if (btf_is_array(type))
		right &= is_type(check, btf_array(type)->index_type);
	for (uint32_t part = 0; part < btf_vlen(type) && right; part++)
		right = part_is_right(check, type, part);
	if (!right)
		check->wrong = "it refers to what it does not have";
}

static const struct extent *measure(struct check *check, uint32_t id, unsigned above);

/* With what is found there, as a part of a type, whose members are looked through where they have no name. */
static void add_part(
    struct check *check, struct extent *extent, uint32_t id, bool looked_through, unsigned above)
{
	const struct extent *part = measure(check, id, above + 1);

	if (part->depth + 1 > extent->depth)
		extent->depth = part->depth + 1;
	if (looked_through)
		extent->members += part->members;
	if (above + extent->depth > DEPTH_MAX || extent->members > MEMBERS_MAX)
		check->wrong = "it contains itself";
}

static void measure_members(
    struct check *check, struct extent *extent, const struct btf_type *type, unsigned above)
{
	const struct btf_member *members = btf_members(type);

	extent->members = btf_vlen(type);
	for (uint32_t i = 0; i < btf_vlen(type) && !check->wrong; i++)
		add_part(check, extent, members[i].type,
		    *btf__name_by_offset(check->btf, members[i].name_off) == '\0', above);
}

/*
 * From a type on, which is within so many above. Pointers end it, and what a module's types take from the kernel, which was
 * looked at before. What is too deep goes round in circles, or might as well.
 */
static const struct extent *measure(struct check *check, uint32_t id, unsigned above)
{
	static const struct extent nothing = { 1, 0 };
	const struct btf_type *type = btf__type_by_id(check->btf, id);

	if (check->wrong || !id || id < check->first_id || !type)
		return &nothing;
	struct extent *known = &check->extents[id - check->first_id], extent = nothing;

	if (known->depth == DEPTH_OPEN || above >= DEPTH_MAX) {
		check->wrong = "it contains itself";
		return &nothing;
	}
	if (known->depth)
		return known;
	known->depth = DEPTH_OPEN;
	if (btf_is_composite(type))
		measure_members(check, &extent, type, above);
	else if (!btf_is_ptr(type) && !btf_is_func_proto(type))
		add_part(check, &extent, referred(type), true, above);
	*known = extent;
	return known;
}

/* Of a module's, whose names follow the kernel's, of both. */
static uint32_t names_size(const struct btf *btf)
{
	const struct btf *base = btf__base_btf(btf);
	uint32_t size;
	const struct btf_header *header = btf__raw_data(btf, &size);

	return (base ? names_size(base) : 0) + (header ? header->str_len : 0);
}

const char *btf_check(const struct btf *btf, uint32_t first_id)
{
	struct check check = {
		.btf = btf, .first_id = first_id, .count = btf__type_cnt(btf), .names_size = names_size(btf)
	};

	if (btf__endianness(btf) !=
	    (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? BTF_LITTLE_ENDIAN : BTF_BIG_ENDIAN))
		return "it is of the other byte order";
	check.extents = calloc(check.count - first_id + 1, sizeof *check.extents);
	if (!check.extents)
		return "there is no memory to look at it";
	for (uint32_t id = first_id; id < check.count && !check.wrong; id++)
		check_references(&check, btf__type_by_id(btf, id));
	for (uint32_t id = first_id; id < check.count && !check.wrong; id++)
		measure(&check, id, 0);
	free(check.extents);
	return check.wrong;
}
