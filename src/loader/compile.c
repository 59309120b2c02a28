/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/compile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "kernel/kernel.h"
#include "kernel/program.h"
#include "loader/bcc.h"
#include "loader/cache.h"
#include "loader/compiled.h"
#include "loader/sandbox.h"

/* One program on its way. */
struct compiling {
	const struct compile_context *context;
	struct cache cache;
	struct sandbox sandbox;
	struct bcc bcc;
	bool has_bcc;
};

static __attribute__((format(printf, 2, 3))) void note(
    const struct compile_context *context, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	context->note(context->to, text);
}

/* ---- what a compiled program is kept by ---- */

/* A file that comes with installed headers, and is another one when they are. */
static int print_headers(FILE *stream, const struct kernel *kernel)
{
	char path[256];
	struct stat status;

	snprintf(path, sizeof path, "/lib/modules/%s/build/include/generated/autoconf.h", kernel->release);
	if (stat(path, &status) != 0)
		return -errno;
	fprintf(stream, "headers %jd %jd.%09ld %ju\n", (intmax_t)status.st_size,
	    (intmax_t)status.st_mtim.tv_sec, status.st_mtim.tv_nsec, (uintmax_t)status.st_ino);
	return 0;
}

static void print_stubs(FILE *stream, const struct kernel *kernel)
{
	char version[256];

	program_stub_version(version, sizeof version, kernel);
	fprintf(stream, "stubs\n%s", version);
	for (size_t i = 0; i < program_stub_count; i++)
		fprintf(stream, "%s\n%s", program_stubs[i].path, program_stubs[i].text);
}

/*
 * All that the outcome depends on, whole: the text, and what it is compiled with and for. *key is for free(). 0 or -errno: it is
 * not to be known.
 */
static int make_key(
    const struct kernel *kernel, const char *text, bool with_stubs, char **key, size_t *key_bytes)
{
	FILE *stream = open_memstream(key, key_bytes);
	struct utsname host;

	if (!stream)
		return -ENOMEM;
	int err = uname(&host) != 0 ? -errno : 0;

	if (!err)
		fprintf(
		    stream, "libbcc %s\n%s %s %s\n", bcc_release(), host.release, host.version, host.machine);
	if (with_stubs)
		print_stubs(stream, kernel);
	else
		err = err ?: print_headers(stream, kernel);
	fputs(text, stream);
	if (fclose(stream) != 0 && !err)
		err = -ENOMEM;
	if (err)
		free(*key);
	return err;
}

/* ---- by libbcc ---- */

static int add_stubs(struct compiling *compiling, struct error *error)
{
	char version[256];
	int err = 0;

	program_stub_version(version, sizeof version, compiling->context->kernel);
	for (size_t i = 0; i < program_stub_count && !err; i++)
		err = sandbox_add_header(
		    &compiling->sandbox, program_stubs[i].path, program_stubs[i].text, error);
	return err ?: sandbox_add_header(&compiling->sandbox, "linux/version.h", version, error);
}

static int open_bcc(struct compiling *compiling, bool with_stubs, struct error *error)
{
	int err = 0;

	if (!compiling->has_bcc) {
		err = sandbox_enter(&compiling->sandbox, error);
		if (!err)
			sandbox_shorten_symbols(&compiling->sandbox);
		err = err ?: bcc_open(&compiling->bcc, error);
		compiling->has_bcc = !err;
	}
	return err || !with_stubs ? err : add_stubs(compiling, error);
}

/* By libbcc. What has a key is kept. */
static int compile_anew(struct compiling *compiling, const char *text, bool with_stubs, const char *key,
    size_t key_bytes, struct compiled *compiled, struct error *error)
{
	int err = open_bcc(compiling, with_stubs, error);

	err = err ?: bcc_compile(&compiling->bcc, text, error);
	err = err ?: compiled_take(compiled, &compiling->bcc, error);
	if (err)
		return err;
	int unkept = key ? cache_write(&compiling->cache, key, key_bytes, compiled) : 0;

	note(compiling->context, "program: compiled%s%s",
	    unkept ? ", and not kept: "
	    : key  ? ", and kept"
	           : "",
	    unkept ? strerror(-unkept) : "");
	return 0;
}

static int compile_text(struct compiling *compiling, const char *text, bool with_stubs,
    struct compiled *compiled, struct error *error)
{
	char *key = NULL;
	size_t key_bytes = 0;
	int err = -ENOENT;

	if (compiling->cache.directory >= 0 &&
	    make_key(compiling->context->kernel, text, with_stubs, &key, &key_bytes) != 0)
		key = NULL;
	if (key && compiling->context->reads_cache)
		err = cache_read(&compiling->cache, key, key_bytes, compiled);
	if (err)
		err = compile_anew(compiling, text, with_stubs, key, key_bytes, compiled, error);
	else
		note(compiling->context,
		    "program: as an earlier start compiled it, in " TCPTOP_CACHE_DIRECTORY);
	free(key);
	return err;
}

static int compile(struct compiling *compiling, enum offsets_from from, bool with_stubs,
    struct compiled *compiled, struct error *error)
{
	const struct compile_context *context = compiling->context;
	char *text;
	int err = program_build(&text, context->request, context->kernel, context->plan, from, error);

	if (err)
		return err;
	err = compile_text(compiling, text, with_stubs, compiled, error);
	free(text);
	return err;
}

static int compile_with_stubs(struct compiling *compiling, struct compiled *compiled, struct error *error)
{
	note(compiling->context, "headers: generated stubs, layouts from BTF");
	return compile(compiling, OFFSETS_FROM_BTF, true, compiled, error);
}

/* libbcc finds installed headers; pointed at the stubs it never looks for any. */
static int choose_headers(struct compiling *compiling, struct compiled *compiled, struct error *error)
{
	const struct kernel *kernel = compiling->context->kernel;

	if (kernel->headers == HEADERS_NONE && !kernel->has_btf)
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTSUP,
		    "this kernel has no BTF, and its headers are not installed\n"
		    "install them: package linux-headers-%.60s (Debian, Ubuntu) or kernel-devel (Fedora)",
		    kernel->release);
	if (kernel->headers == HEADERS_NONE)
		return compile_with_stubs(compiling, compiled, error);
	note(compiling->context, "headers: /lib/modules/%s/build, layouts from %s", kernel->release,
	    kernel->has_btf ? "BTF" : "<net/sock.h>");
	int err = compile(compiling, program_offsets_from(kernel), false, compiled, error);

	if (!err || !kernel->has_btf)
		return err;
	note(compiling->context, "headers: those do not compile, trying without");
	return compile_with_stubs(compiling, compiled, error);
}

int compile_program(const struct compile_context *context, struct compiled *compiled, struct error *error)
{
	struct compiling compiling = { .context = context, .cache = { .directory = -1 } };
	int err = context->writes_cache ? cache_open(&compiling.cache) : 0;

	if (err)
		note(context, "programs are not kept: " TCPTOP_CACHE_DIRECTORY ": %s", strerror(-err));
	err = choose_headers(&compiling, compiled, error);
	sandbox_leave(&compiling.sandbox);
	cache_close(&compiling.cache);
	return err;
}
