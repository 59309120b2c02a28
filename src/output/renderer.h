/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What shows snapshots: one struct of callbacks for each form of output. Renderers never call the source: what a
 * key asks for comes back as flags and in struct renderer_request.
 */
#ifndef TCPTOP_RENDERER_H
#define TCPTOP_RENDERER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "kernel/method.h"

struct error;
struct screen_options;
struct snapshot;

/* What is known once tracing has started and does not change while it runs. Borrowed from run.c. */
struct run {
	uint64_t interval_ns;           /* as asked for */
	enum probe_method method;       /* the one in use; PROBE_AUTO: a recording that does not tell */
	const char *const *not_counted; /* ids of paths that this method cannot see on this kernel */
	size_t not_counted_count;
	bool live;                  /* this host, not a recording */
	bool no_summary;            /* the text leaves its summary line out */
	int family;                 /* the only one that is counted, 4 or 6; 0: both. Also in filters. */
	const char *const *filters; /* what was filtered by at the start, in words */
	size_t filter_count;
	const struct screen_options *screen; /* the screen's alone */
};

enum reaction {
	REACTION_NONE = 0,
	REACTION_QUIT = 1 << 0,
	REACTION_INTERVAL = 1 << 1, /* request.interval_ns was changed: tell the tracer */
	REACTION_REDRAW =
	    1 << 2, /* within the screen: the terminal was scribbled on; the loop never sees it */
};

struct renderer_request {
	uint64_t interval_ns;
};

struct renderer {
	const char *name; /* as -o takes it */
	bool full_screen; /* needs a terminal, and takes it whole */

	/* Makes *state. stream is where data goes (stdout); it stays the caller's. 0 or -errno with *error. */
	int (*open)(void **state, const struct run *run, FILE *stream, struct error *error);

	/*
	 * Shows one interval, complete and flushed on return. The snapshot is borrowed for the call: what is
	 * to be kept is copied. -EPIPE when the reader is gone, other -errno with *error when it cannot write.
	 */
	int (*show)(void *state, const struct snapshot *snapshot, struct error *error);

	/* Keys are waiting on the terminal (NULL: takes no keys). Returns REACTION_ flags. Never blocks. */
	unsigned (*keys)(void *state, struct renderer_request *request);

	/* The terminal changed its size (NULL: does not care). */
	void (*resize)(void *state);

	/* Milliseconds until it wants tick called though nothing happened; -1: never. NULL: never. */
	int (*timeout_ms)(void *state);
	void (*tick)(void *state);

	/* The descriptor that keys arrive on, to be polled; -1: there is none. NULL: takes no keys. */
	int (*key_fd)(void *state);

	/* Gives the terminal back for a while (SIGTSTP), and takes it again (SIGCONT). NULL: nothing to do. */
	void (*suspend)(void *state);
	void (*resume)(void *state);

	/* Gives the terminal back, frees the state; safe with NULL. */
	void (*close)(void *state);
};

extern const struct renderer renderer_text;
extern const struct renderer renderer_json;
extern const struct renderer renderer_screen; /* of the floor above: screen/screen.c */

#endif
