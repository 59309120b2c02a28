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
	__typeof__(bpf_table_fd) *table_fd;
	__typeof__(bpf_table_key_size) *table_key_size;
	__typeof__(bpf_table_leaf_size) *table_leaf_size;
	__typeof__(bpf_function_start) *function_start;
	__typeof__(bpf_function_size) *function_size;
};

static struct bcc_api api;

static const struct {
	const char *name;
	void **address;
} imports[] = {
	{ "bpf_module_create_c_from_string", (void **)&api.compile },
	{ "bpf_table_fd", (void **)&api.table_fd },
	{ "bpf_table_key_size", (void **)&api.table_key_size },
	{ "bpf_table_leaf_size", (void **)&api.table_leaf_size },
	{ "bpf_function_start", (void **)&api.function_start },
	{ "bpf_function_size", (void **)&api.function_size },
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
			    "cannot load libbcc: %.200s\nis the host, or a limit (ulimit), short of memory?",
			    reason);
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

int bcc_table_fd(const struct bcc *bcc, const char *name)
{
	return bcc->api->table_fd(bcc->module, name);
}

size_t bcc_table_key_size(const struct bcc *bcc, const char *name)
{
	return bcc->api->table_key_size(bcc->module, name);
}

size_t bcc_table_value_size(const struct bcc *bcc, const char *name)
{
	return bcc->api->table_leaf_size(bcc->module, name);
}

const struct bpf_insn *bcc_function(const struct bcc *bcc, const char *name, size_t *count)
{
	*count = bcc->api->function_size(bcc->module, name) / sizeof(struct bpf_insn);
	return bcc->api->function_start(bcc->module, name);
}
