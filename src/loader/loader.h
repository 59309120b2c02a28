/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short-lived child that does everything that needs libbcc, LLVM or BTF, and hands the descriptors of
 * programs, tables and attachments over. They outlive it; all of them end with the process that holds them.
 */
#ifndef TCPTOP_LOADER_H
#define TCPTOP_LOADER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/method.h"

struct error;
struct options;

enum map {
	MAP_GENERATION,  /* u32[1]: which of the pairs below programs write */
	MAP_OTHER,       /* struct session_other[1] */
	MAP_MISSED_RUNS, /* u64[1]; kprobe only */
	MAP_SESSIONS4_EVEN,
	MAP_SESSIONS4_ODD,
	MAP_SESSIONS6_EVEN,
	MAP_SESSIONS6_ODD,
	MAP_BARRIER,      /* array of maps [1]: an update returns when no program that began before it runs */
	MAP_BARRIER_SLOT, /* what MAP_BARRIER's slot is set to */
	MAP_COUNT
};

/* What tracing is made of. Descriptors are owned by whoever holds the struct; -1: there is none. */
struct tracing {
	struct probe_plan plan; /* as it was attached: what could not be is not in it */
	uint64_t start_ns;      /* when the first program was attached, on the monotonic clock */
	bool in_pid_namespace;  /* not the initial one: PIDs are others than this process's own tools show */
	int maps[MAP_COUNT];
	int programs[PROBES_MAX];
	int links[PROBES_MAX];
};

void tracing_init(struct tracing *tracing);
void tracing_close(struct tracing *tracing);

/* Closes the attachments alone: no program starts to run any more, those that run may still write. */
void tracing_detach(struct tracing *tracing);

struct loader {
	pid_t child;
	int socket; /* becomes readable when the child has something to say */
	int output; /* what libbcc and the verifier printed: a memory file, read from its beginning */
};

/* Descriptors of the user's filter maps; -1: no such filter. Borrowed. */
struct filter_fds {
	int cgroups;
	int mntns;
};

/* Forks the child. The caller must have no thread. 0 or -errno with *error. */
int loader_start(struct loader *loader, const struct options *options, const struct filter_fds *filters,
    struct error *error);

/*
 * Takes the child's next message, blocking when there is none. Returns 1 when *tracing is filled (once),
 * 0 after a line of progress was written to note (size bytes), or -errno with *error.
 */
int loader_receive(
    struct loader *loader, struct tracing *tracing, char *note, size_t note_size, struct error *error);

/* Halts the child for as long as this process is stopped, and lets it go on. */
void loader_suspend(const struct loader *loader);
void loader_resume(const struct loader *loader);

/* Ends the child, if it still runs, and closes the socket; output stays open until loader_close. */
void loader_stop(struct loader *loader);
void loader_close(struct loader *loader);

#endif
