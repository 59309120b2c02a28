/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables as the loader makes them, without probes: what test_tables and test_tracer drain. The load is a program
 * that counts as the program text does, run by bpf(2) on two threads. All of it needs root.
 */
#ifndef TCPTOP_TEST_TRACING_H
#define TCPTOP_TEST_TRACING_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "loader/tracing.h"
#include "model/session.h"

#define TEST_SKIPPED 77

enum {
	TEST_LOAD_THREADS = 2,
	TEST_LOAD_SESSIONS = 64, /* a power of two */
	TEST_LOAD_REPEAT = 50,   /* runs of one system call */
	TEST_LOAD_DELAY = 500, /* calls of a helper between finding a session and adding to it: some 10 us */
	TEST_LOAD_CALLS_MAX = 1000000,
};

/* May this process create maps? Says why not. */
static inline bool test_tracing_possible(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "test_try", 4, 4, 1, NULL), err = errno;

	if (fd < 0) {
		printf("skipped: bpf(2) is refused here (%s): run it as root\n", strerror(err));
		return false;
	}
	close(fd);
	return true;
}

static inline int test_map(
    enum bpf_map_type type, const char *name, size_t key, size_t value, uint32_t entries)
{
	int fd = bpf_map_create(type, name, key, value, entries, NULL);

	if (fd < 0)
		fail_msg("cannot create %s: %s", name, strerror(errno));
	return fd;
}

/* For tracing_close. max_sessions: of each of the four tables. */
static inline void test_tracing_open(struct tracing *tracing, uint32_t max_sessions)
{
	static const struct {
		enum map table;
		const char *name;
		size_t key;
	} sessions[] = {
		{ MAP_SESSIONS4_EVEN, "test_4_even", sizeof(struct session_key4) },
		{ MAP_SESSIONS4_ODD, "test_4_odd", sizeof(struct session_key4) },
		{ MAP_SESSIONS6_EVEN, "test_6_even", sizeof(struct session_key6) },
		{ MAP_SESSIONS6_ODD, "test_6_odd", sizeof(struct session_key6) },
	};
	int *maps = tracing->maps;

	tracing_init(tracing);
	maps[MAP_GENERATION] = test_map(BPF_MAP_TYPE_ARRAY, "test_generation", 4, 4, 1);
	maps[MAP_OTHER] = test_map(BPF_MAP_TYPE_ARRAY, "test_other", 4, sizeof(struct session_other), 1);
	for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++)
		maps[sessions[i].table] = test_map(BPF_MAP_TYPE_HASH, sessions[i].name, sessions[i].key,
		    sizeof(struct session_value), max_sessions);
	maps[MAP_CGROUPS] = test_map(
	    BPF_MAP_TYPE_HASH, "test_cgroups", sizeof(uint64_t), sizeof(struct cgroup_path), max_sessions);
	maps[MAP_BARRIER_SLOT] = test_map(BPF_MAP_TYPE_ARRAY, "test_slot", 4, 4, 1);
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = maps[MAP_BARRIER_SLOT]);

	maps[MAP_BARRIER] = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "test_barrier", 4, 4, 1, &options);
	assert_true(maps[MAP_BARRIER] >= 0);
}

/* Instructions, as linux/bpf.h has no macros for them. */
#define I(code_, dst, src, off_, imm_) \
	((struct bpf_insn){            \
	    .code = (code_), .dst_reg = (dst), .src_reg = (src), .off = (off_), .imm = (imm_) })
#define I_MOV(dst, src) I(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define I_SET(dst, imm) I(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define I_AND(dst, imm) I(BPF_ALU64 | BPF_AND | BPF_K, dst, 0, 0, imm)
#define I_ADD(dst, imm) I(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define I_ZERO8(off) I(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, off, 0)
#define I_STORE4(off, src) I(BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, src, off, 0)
#define I_LOAD4(dst, src) I(BPF_LDX | BPF_MEM | BPF_W, dst, src, 0, 0)
#define I_LOCKED_ADD8(dst, src) I(BPF_STX | BPF_ATOMIC | BPF_DW, dst, src, 0, BPF_ADD)
#define I_IF_EQUAL(dst, imm, off) I(BPF_JMP | BPF_JEQ | BPF_K, dst, 0, off, imm)
#define I_IF_DIFFERENT(dst, imm, off) I(BPF_JMP | BPF_JNE | BPF_K, dst, 0, off, imm)
#define I_GOTO(off) I(BPF_JMP | BPF_JA, 0, 0, off, 0)
#define I_CALL(helper) I(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define I_EXIT() I(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define I_MAP(dst, fd) I(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd), I(0, 0, 0, 0, 0)
#define I_STACK(dst, off) I_MOV(dst, BPF_REG_10), I_ADD(dst, off)

enum { STACK_KEY = -24, STACK_SLOT = -32, STACK_VALUE = -80 };

/* As count() in bpf_text/count.c: look up, create when it is not there, look up again. 19 instructions. */
#define I_COUNT_LOOKUP(fd) I_MAP(1, fd), I_STACK(2, STACK_KEY), I_CALL(BPF_FUNC_map_lookup_elem)
#define I_COUNT(fd)                                                                           \
	I_COUNT_LOOKUP(fd), I_IF_DIFFERENT(0, 0, 13), I_MAP(1, fd), I_STACK(2, STACK_KEY),    \
	    I_STACK(3, STACK_VALUE), I_SET(4, BPF_NOEXIST), I_CALL(BPF_FUNC_map_update_elem), \
	    I_COUNT_LOOKUP(fd)

/* Adds one byte to one of the sessions, in the generation that it found at its beginning. */
static inline int test_load_program(const struct tracing *tracing)
{
	const int *maps = tracing->maps;
	/* clang-format off */
	const struct bpf_insn instructions[] = {
		I_ZERO8(STACK_KEY), I_ZERO8(STACK_KEY + 8), I_ZERO8(STACK_KEY + 16), I_ZERO8(STACK_SLOT),
		I_ZERO8(STACK_VALUE), I_ZERO8(STACK_VALUE + 8), I_ZERO8(STACK_VALUE + 16),
		I_ZERO8(STACK_VALUE + 24), I_ZERO8(STACK_VALUE + 32), I_ZERO8(STACK_VALUE + 40),
		I_CALL(BPF_FUNC_get_prandom_u32), I_AND(0, TEST_LOAD_SESSIONS - 1),
		I_STORE4(STACK_KEY + (int)offsetof(struct session_key4, pid), 0),
		I_MAP(1, maps[MAP_GENERATION]), I_STACK(2, STACK_SLOT), I_CALL(BPF_FUNC_map_lookup_elem),
		I_IF_DIFFERENT(0, 0, 2), I_SET(0, 0), I_EXIT(),
		I_LOAD4(7, 0),
		I_IF_DIFFERENT(7, 0, 20),
		I_COUNT(maps[MAP_SESSIONS4_EVEN]), I_GOTO(19),
		I_COUNT(maps[MAP_SESSIONS4_ODD]),
		I_IF_DIFFERENT(0, 0, 2), I_SET(0, 0), I_EXIT(),
		I_MOV(9, 0),
		I_SET(8, TEST_LOAD_DELAY), I_CALL(BPF_FUNC_ktime_get_ns), I_ADD(8, -1), I_IF_DIFFERENT(8, 0, -3),
		I_SET(1, 1), I_LOCKED_ADD8(9, 1), I_SET(0, 0), I_EXIT(),
	};
	/* clang-format on */
	static char log[65536]; /* of a failure: libbpf asks for it then */
	LIBBPF_OPTS(bpf_prog_load_opts, options, .log_buf = log, .log_size = sizeof log);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "test_load", "GPL", instructions,
	    sizeof instructions / sizeof *instructions, &options);

	if (fd < 0)
		fail_msg("cannot load the program: %s\n%s", strerror(errno), log);
	return fd;
}

struct test_load {
	int program;
	pthread_t threads[TEST_LOAD_THREADS];
	atomic_bool stop;
	atomic_ullong runs;
	atomic_int failure;
};

static inline void *test_load_run(void *argument)
{
	struct test_load *load = argument;
	char packet[64] = { 0 };

	for (int i = 0; i < TEST_LOAD_CALLS_MAX && !load->stop && !load->failure; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof packet,
		    .repeat = TEST_LOAD_REPEAT);

		if (bpf_prog_test_run_opts(load->program, &options) == 0)
			load->runs += TEST_LOAD_REPEAT;
		else
			load->failure = errno;
	}
	return NULL;
}

static inline void test_load_start(struct test_load *load, const struct tracing *tracing)
{
	memset(load, 0, sizeof *load);
	load->program = test_load_program(tracing);
	for (int i = 0; i < TEST_LOAD_THREADS; i++)
		assert_int_equal(pthread_create(&load->threads[i], NULL, test_load_run, load), 0);
}

/* The bytes that were counted in all. */
static inline uint64_t test_load_stop(struct test_load *load)
{
	load->stop = true;
	for (int i = 0; i < TEST_LOAD_THREADS; i++)
		pthread_join(load->threads[i], NULL);
	close(load->program);
	if (load->failure)
		fail_msg("running the program: %s", strerror(load->failure));
	return load->runs;
}

#endif
