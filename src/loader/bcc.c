/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/bcc.h"

#include <bcc/bcc_common.h>
#include <bcc/bcc_version.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/util.h"

#define SONAME "libbcc.so.0"

/*
 * What dlopen() needs, for packagers' tools, which read the libraries linked with from the file: the ELF note of the UAPI
 * group, https://uapi-group.org/specifications/specs/elf_dlopen_metadata/. That it must be this very release has no place
 * in it.
 */
#define DLOPEN_JSON                                                                              \
	"[{\"feature\":\"bpf\",\"description\":\"Compiles the BPF program when tcptop starts\"," \
	"\"priority\":\"required\",\"soname\":[\"" SONAME "\"]}]"

static const struct {
	uint32_t owner_size, json_size, type;
	char owner[4], json[sizeof DLOPEN_JSON];
} dlopen_note __attribute__((used, section(".note.dlopen"), aligned(4))) = { sizeof dlopen_note.owner,
	sizeof dlopen_note.json, 0x407c0c0a, "FDO", DLOPEN_JSON };

/* Types are taken from the header, so that a changed signature fails to compile. */
struct bcc_api {
	__typeof__(bpf_module_create_c_from_string) *compile;
	__typeof__(bpf_num_tables) *table_count;
	__typeof__(bpf_table_name) *table_name;
	__typeof__(bpf_table_fd_id) *table_fd;
	__typeof__(bpf_num_functions) *function_count;
	__typeof__(bpf_function_name) *function_name;
	__typeof__(bpf_function_start_id) *function_start;
	__typeof__(bpf_function_size_id) *function_size;
};

static struct bcc_api api;

static const struct {
	const char *name;
	void **address;
} imports[] = {
	{ "bpf_module_create_c_from_string", (void **)&api.compile },
	{ "bpf_num_tables", (void **)&api.table_count },
	{ "bpf_table_name", (void **)&api.table_name },
	{ "bpf_table_fd_id", (void **)&api.table_fd },
	{ "bpf_num_functions", (void **)&api.function_count },
	{ "bpf_function_name", (void **)&api.function_name },
	{ "bpf_function_start_id", (void **)&api.function_start },
	{ "bpf_function_size_id", (void **)&api.function_size },
};

/* Every release has the soname libbcc.so.0 while signatures changed: the file's name tells the release. */
static int check_release(void *library, struct error *error)
{
	struct link_map *map = NULL;
	char path[PATH_MAX] = "";

	if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || !realpath(map->l_name, path))
		snprintf(path, sizeof path, "an unknown file");
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	if (strcmp(name, "libbcc.so." LIBBCC_VERSION) == 0)
		return 0;
	return error_set(error, EXIT_CODE_UNSUPPORTED, -ELIBACC,
	    "built for libbcc %s, but found %s\nbuild tcptop again on this system, or install libbcc %s",
	    LIBBCC_VERSION, name, LIBBCC_VERSION);
}

int bcc_open(struct bcc *bcc, struct error *error)
{
	memset(bcc, 0, sizeof *bcc);
	bcc->library = dlopen(SONAME, RTLD_LAZY | RTLD_LOCAL);
	if (!bcc->library) {
		const char *reason = dlerror();

		/* glibc's dynamic loader reports a shortage of memory this way: no package helps */
		if (strstr(reason, "Too many open files"))
			return error_set(
			    error, EXIT_CODE_RUNTIME, -EMFILE, "cannot load libbcc: %.200s", reason);
		if (strstr(reason, "memory") || strstr(reason, "failed to map"))
			return error_set(error, EXIT_CODE_RUNTIME, -ELIBACC,
			    "cannot load libbcc: %.200s" ERROR_SHORT_OF_MEMORY, reason);
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ELIBACC,
		    "cannot load libbcc (%.200s)\ninstall it: libbpfcc on Debian and Ubuntu, bcc on others",
		    reason);
	}
	int err = check_release(bcc->library, error);

	if (err)
		return err;
	for (size_t i = 0; i < sizeof imports / sizeof *imports; i++) {
		*imports[i].address = dlsym(bcc->library, imports[i].name);
		if (!*imports[i].address)
			return error_set(error, EXIT_CODE_UNSUPPORTED, -ELIBACC, "libbcc %s lacks %s",
			    LIBBCC_VERSION, imports[i].name);
	}
	bcc->api = &api;
	return 0;
}

/* What the host has run out of, by what libbcc printed from there on: it tells no errno. 0: nothing of that. */
static int printed_shortage(off_t from)
{
	static const int errs[] = { EMFILE, ENFILE, ENOMEM };
	char text[16384];
	ssize_t length = pread(STDERR_FILENO, text, sizeof text - 1, from);

	text[length > 0 ? length : 0] = '\0';
	for (size_t i = 0; i < COUNT_OF(errs); i++)
		if (strstr(text, strerror(errs[i])))
			return -errs[i];
	return 0;
}

int bcc_compile(struct bcc *bcc, const char *text, struct error *error)
{
	off_t printed = lseek(STDERR_FILENO, 0, SEEK_CUR);

	bcc->module = bcc->api->compile(text, 0, NULL, 0, true, NULL);
	if (bcc->module)
		return 0;
	int err = printed_shortage(printed);

	if (err)
		return error_set(error, EXIT_CODE_RUNTIME, err,
		    "libbcc could not compile the BPF program: %s", strerror(-err));
	return error_set(error, EXIT_CODE_RUNTIME, -EINVAL, "libbcc could not compile the BPF program");
}

size_t bcc_table_count(const struct bcc *bcc)
{
	return bcc->api->table_count(bcc->module);
}

const char *bcc_table_name(const struct bcc *bcc, size_t index)
{
	return bcc->api->table_name(bcc->module, index);
}

int bcc_table_fd(const struct bcc *bcc, size_t index)
{
	return bcc->api->table_fd(bcc->module, index);
}

size_t bcc_function_count(const struct bcc *bcc)
{
	return bcc->api->function_count(bcc->module);
}

const char *bcc_function_name(const struct bcc *bcc, size_t index)
{
	return bcc->api->function_name(bcc->module, index);
}

const struct bpf_insn *bcc_function(const struct bcc *bcc, size_t index, size_t *count)
{
	*count = bcc->api->function_size(bcc->module, index) / sizeof(struct bpf_insn);
	return bcc->api->function_start(bcc->module, index);
}

const char *bcc_release(void)
{
	return LIBBCC_VERSION;
}
