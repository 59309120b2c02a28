/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renderers show snapshots: one struct of callbacks for each output format. They never call the source: what a key
 * asks for is returned as flags and in struct renderer_request.
 */
#ifndef TCPTOP_RENDERER_H
#define TCPTOP_RENDERER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "kernel/method.h"
#include "model/source.h"

struct error;
struct keeper;
struct names;
struct origin;
struct screen_options;
struct snapshot;
struct writer;

/* What is known once tracing has started and does not change while it runs. Borrowed from run.c. */
struct run {
	uint64_t interval_ns;           /* as asked for */
	enum probe_method method;       /* the one in use; PROBE_AUTO: a recording that names none */
	const char *const *not_counted; /* ids of paths that this method cannot see on this kernel */
	size_t not_counted_count;
	bool live;                 /* this host, not a recording */
	bool can_seek;             /* a recording that is no pipe */
	bool can_tell_sockets;     /* this kernel and method tell of sockets that move nothing, too */
	bool can_tell_connections; /* and of the lives of connections */
	bool connections;          /* which are noted from the start on */
	bool all;                  /* sockets are to be listed from the start on */
	bool no_summary;      /* the text leaves its summary line out, the screen what it says: time, load */
	const uint32_t *pids; /* the only processes that are counted */
	size_t pid_count;     /* 0: all */
	int family;           /* the only one that is counted, 4 or 6; 0: both */
	const char *words;    /* of --filter; NULL: none. Text and JSON get only what passes them. */
	const char *const *filters; /* the other filters given at the start, in words */
	size_t filter_count;
	size_t filters_left_out; /* of conditions: there are so many more */
	struct names *
	    names; /* of this host, or a recording's; names_learn is the renderer's to call. NULL: none are shown */
	bool names_kept;                     /* the screen keeps their numbers: it alone learns and forgets */
	const struct screen_options *screen; /* for the screen only */
	const char *notice;                  /* said when the screen begins; NULL: nothing */
	struct writer *writer;               /* writes the user's files; NULL: nothing does */
	const struct origin *origin;         /* where it was counted; NULL: a recording that does not say */
	const char *const *
	    options; /* those that choose what is counted, as they would be given; for a recording: what is shown */
	size_t option_count;
	int output_fd;           /* where the stream writes to, also after it was opened anew */
	struct keeper *textfile; /* writes the file of --textfile; NULL: there is none */
	size_t series_places;    /* of metrics, as output/series.h says */
	uint64_t series_threshold_bytes;
	uint64_t diagnoses; /* of --diagnose; 0: until stopped */
};

enum reaction {
	REACTION_NONE = 0,
	REACTION_QUIT = 1 << 0,
	REACTION_INTERVAL = 1 << 1,    /* request.interval_ns was changed: tell the tracer */
	REACTION_PLAY = 1 << 3,        /* request.play was set: tell the player */
	REACTION_SOCKETS = 1 << 4,     /* request.tells_sockets was set: tell the tracer */
	REACTION_CONNECTIONS = 1 << 5, /* the same for request.tells_connections */
	/* Within the screen, when something else wrote to the terminal; the loop never sees it. */
	REACTION_REDRAW = 1 << 2,
};

struct renderer_request {
	uint64_t interval_ns;
	struct play play;
	bool tells_sockets;
	bool tells_connections;
};

#define OUTPUT_HEAD_SIZE 4096 /* of what renderer.continues looks at */

struct renderer {
	const char *name; /* as -o takes it */
	bool full_screen; /* needs a terminal and uses all of it */
	bool
	    shows_more; /* than sessions: ends of connections and names of cgroups, which are noted for it, and links, which are read */

	bool shows_accepted; /* which side began a connection, where shows_more does not bring it along */
	bool shows_names;    /* names of cgroups, likewise */
	size_t shown_bytes;  /* memory at most for each session of an interval, beside what lists it */

	/* Creates *state. Data goes to stream (stdout), which remains the caller's. 0 or -errno with *error. */
	int (*open)(void **state, const struct run *run, FILE *stream, struct error *error);

	/*
	 * The stream goes on in a new file: writes what a file begins with, as open did. 0 or -errno with *error. NULL: it
	 * begins with nothing of its own.
	 */
	int (*begin)(void *state, struct error *error);

	/* Does a file that begins so go on with what is written here? NULL: any does. */
	bool (*continues)(const char *head, size_t length);

	/*
	 * Shows one interval, complete and flushed on return. The snapshot is borrowed for the call: a renderer copies
	 * what it keeps. -EPIPE when the reader is gone, other -errno with *error when it cannot write.
	 */
	int (*show)(void *state, const struct snapshot *snapshot, struct error *error);

	/*
	 * As own cost is limited, intervals are asked for so long from now on, and passes over sockets are left out, if drops. NULL: it is
	 * said on standard error instead.
	 */
	void (*limited)(void *state, uint64_t interval_ns, bool drops);

	/* At the end, before close: 0, or -errno with *error for what did not arrive although show went on. NULL: show tells all. */
	int (*finish)(void *state, struct error *error);

	/* Keys are waiting on the terminal (NULL: takes no keys). Returns REACTION_ flags. Never blocks. */
	unsigned (*keys)(void *state, struct renderer_request *request);

	/* The terminal has been resized. NULL: does not matter. */
	void (*resize)(void *state);

	/*
	 * Milliseconds until tick is to be called even if nothing happens; -1: never. NULL: never. tick returns
	 * REACTION_ flags as keys does: that no more bytes come is news of the keyboard, too.
	 */
	int (*timeout_ms)(void *state);
	unsigned (*tick)(void *state, struct renderer_request *request);

	/* The descriptor to poll for keys; -1: there is none. NULL: takes no keys. */
	int (*key_fd)(void *state);

	/*
	 * Restores the terminal (SIGTSTP) and takes it again (SIGCONT, also where no suspend came before, as after
	 * SIGSTOP). NULL: nothing to do.
	 */
	void (*suspend)(void *state);
	void (*resume)(void *state);

	/* Restores the terminal and frees the state; safe with NULL. */
	void (*close)(void *state);
};

extern const struct renderer renderer_text;
extern const struct renderer renderer_json;
extern const struct renderer renderer_csv;
extern const struct renderer renderer_openmetrics;
/* --diagnose: not of -o, which says in which of these two forms. The interval is the time that is looked at. */
extern const struct renderer renderer_diagnose;
extern const struct renderer renderer_diagnose_json;
extern const struct renderer renderer_screen; /* defined in the floor above, screen/screen.c */

#endif
