/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What shows snapshots: one struct of callbacks, three implementations (screen, text, json). Renderers
 * never call the tracer: what a key asks for comes back as flags and in struct renderer_request.
 */
#ifndef TCPTOP_RENDERER_H
#define TCPTOP_RENDERER_H

#include <stdint.h>
#include <stdio.h>

#include "options.h"

struct error;
struct snapshot;
struct view_options;

/* What is known once tracing has started and does not change while it runs. Borrowed from main. */
struct run_facts {
	const struct options *options;
	enum probe_method method;       /* the one in use */
	const char *const *not_counted; /* ids of paths that this method cannot see on this kernel */
	size_t not_counted_count;
	const struct view_options *view; /* NULL: the defaults; only the screen reads it */
};

enum reaction {
	REACTION_NONE = 0,
	REACTION_QUIT = 1 << 0,
	REACTION_INTERVAL = 1 << 1, /* request.interval_ns was changed: tell the tracer */
	REACTION_REDRAW = 1 << 2,   /* within the screen: the terminal was scribbled on; main never sees it */
};

struct renderer_request {
	uint64_t interval_ns;
};

struct renderer {
	const char *name;

	/* Makes *state. stream is where data goes (stdout); it stays the caller's. 0 or -errno with *error. */
	int (*open)(void **state, const struct run_facts *facts, FILE *stream, struct error *error);

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

extern const struct renderer renderer_screen;
extern const struct renderer renderer_text;
extern const struct renderer renderer_json;

#endif
