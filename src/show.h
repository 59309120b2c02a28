/* SPDX-License-Identifier: Apache-2.0 */
/* The form of output of a run: opened with what is known of the run, and shown the snapshots of its source. */
#ifndef TCPTOP_SHOW_H
#define TCPTOP_SHOW_H

#include <stddef.h>
#include <stdio.h>

#include "kernel/filters.h"
#include "output/renderer.h"
#include "signals.h"

struct containers;
struct error;
struct options;

enum { OPTIONS_SHOWN_MAX = 16, SHOWN_SIZE = 48 };

struct show {
	struct run run;
	struct containers *containers; /* NULL: no memory, or a recording */
	void *state;                   /* the renderer's; NULL: not open */
	struct signals_guard guard;
	char pids[64];
	char family[16];
	char conditions[OPTIONS_SHOWN_MAX][SHOWN_SIZE];
	const char *filters[FILTERS_MAX + OPTIONS_SHOWN_MAX + 2]; /* of the start, in words */
	char **options;                                           /* the same as options, exactly; owned */
	struct keeper *output_keeper;                             /* NULL: it goes to standard output */
	struct keeper *textfile_keeper;
	FILE *output; /* NULL: not open */
	void *
	    textfile; /* the state of renderer_textfile beside the renderer; NULL: it is not open, or is the renderer */
};

/* What the options say of the run; the rest of show->run is the caller's to fill. options are borrowed. */
void show_init(struct show *show, const struct options *options);

/*
 * Opens the files of --output-file and --textfile. To be called before root is given up and before threads are started. 0 or
 * -errno with *error.
 */
int show_open_files(struct show *show, const struct options *options, struct error *error);

/* The names, where anybody shows them or looks at them. 0 or -ENOMEM with *error. */
int show_open_names(struct show *show, const struct options *options, struct error *error);

/* A process for those that have to be asked for, after root has been given up and before threads are started. 0 or -ENOMEM with *error. */
int show_ask_apart(struct show *show, const struct options *options, struct error *error);

/*
 * Opens the renderer for show->run. A terminal that cannot show the screen shows the text, unless the screen was
 * asked for. 0 or -errno with *error.
 */
int show_open(struct show *show, struct options *options, const struct signals *signals, struct error *error);

/* The loop, until the source or the user ends it. 0 or -errno with *error. */
int show_run(struct show *show, const struct options *options, const struct source *source,
    struct signals *signals, struct error *error);

/*
 * To be called after show_init, whatever came of the rest, of which err is the outcome. Returns it, or -errno with *error when
 * the last bytes could not be written.
 */
int show_close(struct show *show, const struct options *options, int err, struct error *error);

#endif
