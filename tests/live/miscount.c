/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded, a tcptop that miscounts: before the program text is compiled, MISCOUNT_FROM in it becomes MISCOUNT_TO. For
 * test_audit.py: the audit has to find it out.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__aarch64__)
#define FIRST_VERSION "GLIBC_2.17"
#else
#define FIRST_VERSION "GLIBC_2.2.5"
#endif

typedef void *compile_function(
    const char *text, unsigned flags, const char *cflags[], int count, bool allow_rlimit, const char *device);

static compile_function *compile;

static char *from, *to;

/* At once: who compiles has no environment any more. */
__attribute__((constructor)) static void read_environment(void)
{
	const char *names[] = { "MISCOUNT_FROM", "MISCOUNT_TO" };
	char **texts[] = { &from, &to };

	for (int i = 0; i < 2; i++)
		if (getenv(names[i]))
			*texts[i] = strdup(getenv(names[i]));
}

/* The text for free(); NULL where it has nothing to be replaced. */
static char *falsify(const char *text)
{
	const char *at = from && to ? strstr(text, from) : NULL;
	char *wrong = NULL;

	if (!at || strstr(at + strlen(from), from) ||
	    asprintf(&wrong, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) < 0)
		return NULL;
	return wrong;
}

static void *compile_wrong(
    const char *text, unsigned flags, const char *cflags[], int count, bool allow_rlimit, const char *device)
{
	char *wrong = falsify(text);

	if (!wrong)
		return NULL;
	void *module = compile(wrong, flags, cflags, count, allow_rlimit, device);

	free(wrong);
	return module;
}

void *dlsym(void *library, const char *name)
{
	void *(*next)(void *, const char *) = NULL;
	void *found;

	*(void **)&next = dlvsym(RTLD_NEXT, "dlsym", FIRST_VERSION);
	found = next(library, name);
	if (strcmp(name, "bpf_module_create_c_from_string") != 0)
		return found;
	*(void **)&compile = found;
	return (void *)(compile_function *)compile_wrong;
}
