/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records, from a kernel's BTF, the few types that kernel.c asks for: a raw BTF file of some kilobytes on which
 * its tests run without that kernel.
 *
 *   btf_record OUTPUT [BTF]    BTF: raw, or an ELF file with a .BTF section; default: the running kernel's
 *
 * Sizes and offsets are the kernel's own. Of the structs on a field's path only the members on it are kept;
 * what a pointer points to is only declared.
 */
/* The module itself is included: its tables say what to record. */
#include "kernel/kernel.c"

#define WANTED_MAX 128

/* A member on some field's path, of the struct or union with this id. */
struct wanted {
	uint32_t type_id;
	uint32_t member;
};

struct recorder {
	const struct btf *from;
	struct btf *to;
	struct wanted wanted[WANTED_MAX];
	size_t wanted_count;
	int *copies; /* by id in from: the id in to, 0: not copied yet */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "btf_record: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int check(int result)
{
	if (result < 0) {
		errno = -result;
		die("cannot add a type");
	}
	return result;
}

static bool is_wanted(const struct recorder *recorder, uint32_t type_id, uint32_t member)
{
	for (size_t i = 0; i < recorder->wanted_count; i++)
		if (recorder->wanted[i].type_id == type_id && recorder->wanted[i].member == member)
			return true;
	return false;
}

static void want(struct recorder *recorder, uint32_t type_id, uint32_t member)
{
	if (is_wanted(recorder, type_id, member))
		return;
	if (recorder->wanted_count == WANTED_MAX) {
		fprintf(stderr, "btf_record: WANTED_MAX is too small\n");
		exit(1);
	}
	recorder->wanted[recorder->wanted_count++] = (struct wanted){ type_id, member };
}

/* Marks the member, and the anonymous ones that it is found through. Returns its type's id, 0: not found. */
static uint32_t want_member(struct recorder *recorder, uint32_t type_id, const char *name, size_t length)
{
	const struct btf_type *type = btf__type_by_id(recorder->from, type_id);

	if (!btf_is_composite(type))
		return 0;
	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];
		const char *member_name = btf__name_by_offset(recorder->from, member->name_off);
		int inner = btf__resolve_type(recorder->from, member->type);
		uint32_t found = 0;

		if (strlen(member_name) == length && strncmp(member_name, name, length) == 0)
			found = inner > 0 ? (uint32_t)inner : member->type;
		else if (!*member_name && inner > 0)
			found = want_member(recorder, inner, name, length);
		if (found) {
			want(recorder, type_id, i);
			return found;
		}
	}
	return 0;
}

static void want_field(struct recorder *recorder, const struct field *field)
{
	int id = btf__find_by_name_kind(recorder->from, field->type, BTF_KIND_STRUCT);
	uint32_t type_id = id > 0 ? (uint32_t)id : 0;

	for (const char *path = field->path; *path && type_id;) {
		size_t length = strcspn(path, ".");

		type_id = want_member(recorder, type_id, path, length);
		path += length + (path[length] == '.');
	}
	if (!type_id)
		fprintf(stderr, "btf_record: this kernel has no %s.%s\n", field->type, field->path);
}

static int copy(struct recorder *recorder, uint32_t id);

static int copy_composite(
    struct recorder *recorder, uint32_t id, const struct btf_type *type, const char *name)
{
	int members[WANTED_MAX], count = 0;

	/* members' types come first: a type under construction takes nothing but members */
	for (uint32_t i = 0; i < btf_vlen(type); i++)
		if (is_wanted(recorder, id, i))
			members[count++] = copy(recorder, btf_members(type)[i].type);
	int made = check(btf_is_struct(type) ? btf__add_struct(recorder->to, name, type->size)
	                                     : btf__add_union(recorder->to, name, type->size));

	for (uint32_t i = 0, next = 0; i < btf_vlen(type); i++)
		if (is_wanted(recorder, id, i))
			check(btf__add_field(recorder->to,
			    btf__name_by_offset(recorder->from, btf_members(type)[i].name_off),
			    members[next++], btf_member_bit_offset(type, i),
			    btf_member_bitfield_size(type, i)));
	return made;
}

/* A forward declaration of a struct, union or enum; pointers to anything else are kept. */
static int copy_pointee(struct recorder *recorder, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(recorder->from, id);
	const char *name = id ? btf__name_by_offset(recorder->from, type->name_off) : "";

	if (id && btf_is_composite(type) && *name)
		return check(
		    btf__add_fwd(recorder->to, name, btf_is_struct(type) ? BTF_FWD_STRUCT : BTF_FWD_UNION));
	return copy(recorder, id);
}

static int copy_prototype(struct recorder *recorder, const struct btf_type *type)
{
	const struct btf_param *parameters = btf_params(type);
	int types[16], result = copy(recorder, type->type);

	for (uint32_t i = 0; i < btf_vlen(type) && i < 16; i++)
		types[i] = copy(recorder, parameters[i].type);
	int made = check(btf__add_func_proto(recorder->to, result));

	for (uint32_t i = 0; i < btf_vlen(type) && i < 16; i++)
		check(btf__add_func_param(
		    recorder->to, btf__name_by_offset(recorder->from, parameters[i].name_off), types[i]));
	return made;
}

static int copy_new(struct recorder *recorder, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(recorder->from, id);
	const char *name = btf__name_by_offset(recorder->from, type->name_off);
	struct btf *to = recorder->to;
	int inner;

	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		return check(btf__add_int(to, name, type->size, btf_int_encoding(type)));
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return check(btf__add_enum(to, name, type->size));
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return copy_composite(recorder, id, type, name);
	case BTF_KIND_FWD:
		return check(btf__add_fwd(to, name, btf_kflag(type) ? BTF_FWD_UNION : BTF_FWD_STRUCT));
	case BTF_KIND_PTR:
		inner = copy_pointee(recorder, type->type);
		return check(btf__add_ptr(to, inner));
	case BTF_KIND_ARRAY:
		inner = copy(recorder, btf_array(type)->type);
		return check(btf__add_array(
		    to, copy(recorder, btf_array(type)->index_type), inner, btf_array(type)->nelems));
	case BTF_KIND_TYPEDEF:
		inner = copy(recorder, type->type);
		return check(btf__add_typedef(to, name, inner));
	case BTF_KIND_CONST:
		inner = copy_pointee(recorder, type->type);
		return check(btf__add_const(to, inner));
	case BTF_KIND_FUNC_PROTO:
		return copy_prototype(recorder, type);
	case BTF_KIND_FUNC:
		inner = copy(recorder, type->type);
		return check(btf__add_func(to, name, btf_vlen(type), inner));
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return copy_pointee(recorder, type->type);
	default:
		fprintf(stderr, "btf_record: kind %d of type %u is not known here\n", btf_kind(type), id);
		exit(1);
	}
}

static int copy(struct recorder *recorder, uint32_t id)
{
	if (id && !recorder->copies[id])
		recorder->copies[id] = copy_new(recorder, id);
	return id ? recorder->copies[id] : 0;
}

static void record_fields(struct recorder *recorder)
{
	for (int i = 0; i < FIELD_COUNT; i++)
		want_field(recorder, &fields[i]);
	for (int i = 0; i < FIELD_COUNT; i++) {
		int id = btf__find_by_name_kind(recorder->from, fields[i].type, BTF_KIND_STRUCT);

		if (id > 0)
			copy(recorder, id);
	}
}

static void record_symbols(struct recorder *recorder)
{
	for (int i = 0; i < SYMBOL_COUNT; i++) {
		char name[96];
		bool tracepoint = symbols[i].group != NULL;

		snprintf(name, sizeof name, "%s%s", tracepoint ? "btf_trace_" : "", symbols[i].name);
		int id = btf__find_by_name_kind(
		    recorder->from, name, tracepoint ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC);

		if (id > 0)
			copy(recorder, id);
		else
			fprintf(stderr, "btf_record: this kernel has no %s\n", name);
	}
}

/* Few kernels have any, and none has all. */
static void record_ways(struct recorder *recorder)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		int id = btf__find_by_name_kind(recorder->from, ways[i].function, BTF_KIND_FUNC);

		if (id > 0)
			copy(recorder, id);
	}
}

static void write_all(const char *path, const void *bytes, size_t length)
{
	FILE *stream = fopen(path, "w");

	if (!stream || fwrite(bytes, 1, length, stream) != length || fclose(stream) != 0)
		die(path);
}

int main(int argc, char **argv)
{
	const char *source = argc > 2 ? argv[2] : "/sys/kernel/btf/vmlinux";
	struct recorder recorder = { 0 };
	uint32_t length;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: btf_record OUTPUT [BTF]\n");
		return 2;
	}
	recorder.from = btf__parse(source, NULL);
	if (!recorder.from)
		die(source);
	recorder.to = btf__new_empty();
	recorder.copies = calloc(btf__type_cnt(recorder.from), sizeof *recorder.copies);
	if (!recorder.to || !recorder.copies)
		die("memory");
	record_fields(&recorder);
	record_symbols(&recorder);
	record_ways(&recorder);
	const void *bytes = btf__raw_data(recorder.to, &length);

	if (!bytes)
		die("cannot make the file");
	write_all(argv[1], bytes, length);
	printf("%s: %u types, %u bytes\n", argv[1], btf__type_cnt(recorder.to) - 1, length);
	free(recorder.copies);
	btf__free(recorder.to);
	btf__free((struct btf *)recorder.from);
	return 0;
}
