/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/condition_kinds.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "kernel/condition_range.h"
#include "kernel/condition_value.h"
#include "program_texts.h"

static void print_cgroup(FILE *out, const struct condition *condition)
{
	fprintf(out, "SUBJECT_ANCESTOR(%u) == %" PRIu64 "ULL", condition->cgroup.level, condition->cgroup.id);
}

static void print_container(FILE *out, const struct condition *condition)
{
	if (condition->cgroup.id)
		print_cgroup(out, condition);
	else
		fprintf(out, "SUBJECT_MNTNS() == %" PRIu32 "U", condition->cgroup.mntns);
}

static void print_number(FILE *out, const struct condition *condition)
{
	fprintf(out, "number == %" PRIu32 "U", condition->number);
}

/* Some of the bytes that are loaded as one number, and which of its bits they are. */
static void print_masked(FILE *out, const char *name, const uint8_t *bytes, const uint8_t *mask, size_t size)
{
	uint64_t value, bits;
	uint32_t half_value, half_bits;

	if (size == sizeof value) {
		memcpy(&value, bytes, size);
		memcpy(&bits, mask, size);
	} else {
		memcpy(&half_value, bytes, sizeof half_value);
		memcpy(&half_bits, mask, sizeof half_bits);
		value = half_value;
		bits = half_bits;
	}
	fprintf(out, "(%s & 0x%" PRIx64 "ULL) == 0x%" PRIx64 "ULL", name, bits, value & bits);
}

/* Up to the 0 at its end: what follows there may be left of a longer name. */
static void print_comm(FILE *out, const struct condition *condition)
{
	const uint8_t *comm = (const uint8_t *)condition->comm;
	uint8_t mask[CONDITION_COMM_SIZE] = { 0 };

	memset(mask, 0xff, strlen(condition->comm) + 1);
	fputs("(", out);
	print_masked(out, "first", comm, mask, 8);
	if (mask[8]) {
		fputs(" && ", out);
		print_masked(out, "second", comm + 8, mask + 8, 8);
	}
	fputs(")", out);
}

static void print_ports(FILE *out, const struct condition *condition, const char *name)
{
	if (condition->ports.first == condition->ports.last)
		fprintf(out, "%s == %u", name, condition->ports.first);
	else
		fprintf(
		    out, "(%s >= %u && %s <= %u)", name, condition->ports.first, name, condition->ports.last);
}

static void print_local_port(FILE *out, const struct condition *condition)
{
	print_ports(out, condition, "local");
}

static void print_remote_port(FILE *out, const struct condition *condition)
{
	print_ports(out, condition, "remote");
}

static void print_port(FILE *out, const struct condition *condition)
{
	print_local_port(out, condition);
	fputs(" || ", out);
	print_remote_port(out, condition);
}

static void print_network(FILE *out, const struct condition *condition)
{
	const uint8_t *address = condition->network.address, *mask = condition->network.mask;

	if (condition->network.family == AF_INET) {
		fputs("(is_4 && (", out);
		print_masked(out, "pair[0]", address, mask, 4);
		fputs(" || ", out);
		print_masked(out, "pair[1]", address, mask, 4);
		fputs("))", out);
		return;
	}
	fputs("(!is_4 && ((", out);
	print_masked(out, "remote[0]", address, mask, 8);
	fputs(" && ", out);
	print_masked(out, "remote[1]", address + 8, mask + 8, 8);
	fputs(") || (", out);
	print_masked(out, "local[0]", address, mask, 8);
	fputs(" && ", out);
	print_masked(out, "local[1]", address + 8, mask + 8, 8);
	fputs("))", out);
	if (condition->network.ifindex)
		fprintf(out, " && link_of(sk, head) == %" PRIu32 "U", condition->network.ifindex);
	fputs(")", out);
}

const struct condition_kind condition_kinds[] = {
	{ "cgroup", condition_read_cgroup, false, CONDITION_OF_TASK, "", print_cgroup, cover_cgroup },
	{ "unit", condition_read_unit, false, CONDITION_OF_TASK, "", print_cgroup, cover_cgroup },
	{ "container", condition_read_container, false, CONDITION_OF_TASK, "", print_container,
	    cover_cgroup },
	{ "pod", condition_read_pod, false, CONDITION_OF_TASK, "", print_container, cover_cgroup },
	{ "uid", condition_read_uid, true, CONDITION_OF_TASK, program_text_condition_uid, print_number,
	    cover_uid },
	{ "comm", condition_read_comm, false, CONDITION_OF_TASK, program_text_condition_comm, print_comm,
	    cover_comm },
	{ "port", condition_read_ports, true, CONDITION_OF_SOCKET, program_text_condition_ports, print_port,
	    cover_port },
	{ "lport", condition_read_ports, true, CONDITION_OF_SOCKET, program_text_condition_ports,
	    print_local_port, cover_local_port },
	{ "rport", condition_read_ports, true, CONDITION_OF_SOCKET, program_text_condition_ports,
	    print_remote_port, cover_remote_port },
	{ "host", condition_read_network, true, CONDITION_OF_SOCKET, program_text_condition_network,
	    print_network, cover_network },
	{ "netns", condition_read_netns, false, CONDITION_OF_SOCKET, program_text_condition_netns,
	    print_number, cover_netns },
	{ "mntns", condition_read_mntns, false, CONDITION_OF_TASK, program_text_condition_mntns, print_number,
	    cover_mntns },
};
const size_t condition_kind_count = COUNT_OF(condition_kinds);

const struct condition_kind *condition_kind_find(const char *option)
{
	for (size_t i = 0; i < condition_kind_count; i++)
		if (strcmp(condition_kinds[i].option, option) == 0)
			return &condition_kinds[i];
	return NULL;
}

int conditions_add(
    struct conditions *conditions, const struct condition_kind *kind, const char *value, struct error *error)
{
	char *copy = strdup(value), *rest = copy;
	int err = 0;

	if (!copy)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory: filters");
	while (!err && rest) {
		const char *text = strsep(&rest, kind->list ? "," : "");
		struct condition like = { .kind = kind, .excludes = *text == '!' };

		like.text = conditions_keep(conditions, text + like.excludes, error);
		err = like.text ? kind->read(conditions, &like, like.text, error) : -ENOMEM;
	}
	free(copy);
	return err;
}
