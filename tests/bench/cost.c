/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attaches the programs of cost_bpf.c and has the kernel count all programs' runs and nanoseconds until
 * standard input ends. That is a descriptor's doing (BPF_ENABLE_STATS, Linux 5.8), not a setting's: it is
 * over when this process is, however it ends. With names of programs these alone are attached, and nothing is counted.
 *     cost OBJECT [PROGRAM]...
 * Prints a line for each program, its name and its id, once all are attached; /proc/PID/fdinfo has their
 * figures.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static _Noreturn void fail(const char *what, long err)
{
	fprintf(stderr, "cost: %s: %s\n", what, strerror((int)-err));
	exit(EXIT_FAILURE);
}

/* Links stay attached until this process ends. */
static void program_attach(const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof info;
	int err;

	if (!bpf_program__attach(program))
		fail(bpf_program__name(program), -errno);
	err = bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size);
	if (err < 0)
		fail("reading a program's id", err);
	printf("%s %u\n", bpf_program__name(program), info.id);
}

static bool is_named(const struct bpf_program *program, char *const *names)
{
	for (; *names; names++)
		if (strcmp(*names, bpf_program__name(program)) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_program *program;
	char byte;
	int err;

	if (argc < 2) {
		fprintf(stderr, "usage: cost OBJECT [PROGRAM]...\n");
		return 2;
	}
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	object = bpf_object__open(argv[1]);
	if (!object)
		fail(argv[1], -errno);
	bpf_object__for_each_program(program, object)
	{
		if (argc > 2)
			bpf_program__set_autoload(program, is_named(program, argv + 2));
	}
	err = bpf_object__load(object);
	if (err < 0)
		fail("loading", err);
	err = argc > 2 ? 0 : bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (err < 0)
		fail("counting runs and nanoseconds", err);
	bpf_object__for_each_program(program, object)
	{
		if (bpf_program__autoload(program))
			program_attach(program);
	}
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	return EXIT_SUCCESS;
}
