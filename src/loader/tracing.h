/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tracing is made of: descriptors of programs, maps and attachments. They outlive the child that made them;
 * all of them end with the process that holds them.
 */
#ifndef TCPTOP_TRACING_H
#define TCPTOP_TRACING_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/method.h"
#include "model/session.h"

enum map {
	MAP_GENERATION,  /* u32[1]: which of the pairs below programs write */
	MAP_OTHER,       /* struct session_other[1] */
	MAP_MISSED_RUNS, /* u64[1]; kprobe only */
	MAP_RUNS,        /* u64[RUN_KINDS] of each CPU */
	MAP_FRONTS4,     /* struct front4 of each CPU, by FRONT_INDEX: of plan.fronts programs */
	MAP_FRONTS6,     /* struct front6, likewise */
	MAP_SESSIONS4_EVEN,
	MAP_SESSIONS4_ODD,
	MAP_SESSIONS6_EVEN,
	MAP_SESSIONS6_ODD,
	MAP_ENDS4_EVEN, /* when connections ended, by the same generation */
	MAP_ENDS4_ODD,
	MAP_ENDS6_EVEN,
	MAP_ENDS6_ODD,
	MAP_ENDS_LOST,     /* u64[1]: of these, how many found no place */
	MAP_CGROUPS,       /* paths of cgroups that were made, by id */
	MAP_SOCKET_STATES, /* storage of the sockets that are followed */
	MAP_SOCKET_PASS,   /* struct socket_pass[1], to be mapped */
	MAP_SOCKET_FACTS,  /* struct socket_facts of each, to be mapped */
	MAP_LIVES_EVEN,    /* connections that ended, by the generation */
	MAP_LIVES_ODD,
	MAP_LIVES_LOST,    /* u64[1]: of these, how many found no place */
	MAP_LIVES_MODE,    /* u32[1]: what lives_walk does */
	MAP_LIVES_WAITING, /* struct life_wait of what listeners have established */
	MAP_BARRIER,      /* array of maps [1]: an update returns when no program that began before it runs */
	MAP_BARRIER_SLOT, /* what MAP_BARRIER's slot is set to */
	MAP_COUNT
};

/* What runs cost, dispatch and all, by enum program_run. */
struct run_prices {
	uint32_t begins_ns;    /* a call's, and */
	uint32_t counts_ns;    /* so much more when it counts, */
	uint32_t lookups_ns;   /* and so much beside that when the front does not know the session */
	uint32_t follows_ns;   /* of RUN_FOLLOWS */
	uint32_t rare_percent; /* so much more where they come rarely, */
	uint32_t rare_gap_ns;  /* by half of it where so much time is between two on a processor */
};

/* Descriptors are owned by whoever holds the struct; -1: there is none. */
struct tracing {
	struct plan plan;      /* as it was attached: what could not be is not in it */
	uint64_t start_ns;     /* when the first program was attached, on the monotonic clock */
	bool in_pid_namespace; /* not the initial one: PIDs are others than this process's own tools show */
	char reset_reasons[RESET_REASONS_MAX][RESET_REASON_SIZE]; /* as in struct kernel */
	struct run_prices prices;
	uint32_t cpu_count; /* of which maps of each CPU have values */
	uint64_t
	    runs_before[RUN_KINDS]; /* of MAP_RUNS when tracing began: measuring prices takes runs, too */
	int maps[MAP_COUNT];
	int programs[HOOKS_MAX];
	int links[HOOKS_MAX];
};

/* The program of a duty on a symbol, borrowed; -1: there is none. */
int tracing_program(const struct tracing *tracing, enum hook_duty duty, enum kernel_symbol symbol);

/* What runs of its method cost, of what a call was measured to take that counts nothing; 0: it could not be. */
void tracing_set_prices(struct tracing *tracing, uint32_t loop_ns);

/* Processor time of so many, between two of which on one processor that much time went by; 0: they came one after the other. */
uint64_t tracing_runs_ns(const struct run_prices *prices, const uint64_t runs[RUN_KINDS], double gap_ns);

/* A row of MAP_RUNS: counts, of cpu_count, and their sum. 0, or -ENOENT where it cannot be read. */
int tracing_read_runs(const struct tracing *tracing, enum program_run kind, uint64_t *counts, uint64_t *sum);

void tracing_init(struct tracing *tracing);
void tracing_close(struct tracing *tracing);

/* Closes the attachments alone: no program starts to run any more, those that run may still write. */
void tracing_detach(struct tracing *tracing);

#endif
