/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --textfile: the metrics in a file for node_exporter's textfile collector, replaced as a whole at the end of each interval and removed at
 * the end, so that its series end, too. After a crash it stands still: its time of change tells. Where it cannot be replaced, the next interval
 * is another chance: sums only grow, so that nothing is lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "loader/keeper.h"
#include "model/snapshot.h"
#include "output/metrics.h"
#include "output/renderer.h"
#include "renderers.h"

struct textfile {
	struct metrics metrics;
	struct keeper *keeper;
	int err; /* of the latest try */
};

static int out_of_memory(struct error *error)
{
	return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
}

static void textfile_close(void *state)
{
	struct textfile *textfile = state;

	if (!textfile)
		return;
	int err = keeper_remove(textfile->keeper);

	if (err)
		fprintf(stderr, "tcptop: cannot remove the file of --textfile: %s\n", strerror(-err));
	metrics_close(&textfile->metrics);
	free(textfile);
}

static int textfile_open(void **state, const struct run *run, FILE *stream, struct error *error)
{
	struct textfile *textfile = calloc(1, sizeof *textfile);

	(void)stream; /* nothing goes there */
	*state = NULL;
	if (!textfile)
		return out_of_memory(error);
	metrics_open(&textfile->metrics, run);
	textfile->keeper = run->textfile;
	*state = textfile;
	return 0;
}

static int textfile_show(void *state, const struct snapshot *snapshot, struct error *error)
{
	struct textfile *textfile = state;
	char *bytes = NULL;
	size_t size;

	if (snapshot->is_end)
		return 0;
	FILE *stream = open_memstream(&bytes, &size);

	if (!stream || metrics_take(&textfile->metrics, snapshot) < 0) {
		if (stream)
			fclose(stream);
		free(bytes);
		return out_of_memory(error);
	}
	metrics_print(&textfile->metrics, stream, METRICS_TEXT);
	int err = fclose(stream) == 0 ? keeper_replace(textfile->keeper, bytes, size) : -ENOMEM;

	free(bytes);
	if (err && err != textfile->err)
		fprintf(stderr,
		    "tcptop: cannot write the file of --textfile, trying again each interval: %s\n",
		    strerror(-err));
	else if (!err && textfile->err)
		fprintf(stderr, "tcptop: the file of --textfile is written again\n");
	textfile->err = err;
	return 0;
}

static int textfile_finish(void *state, struct error *error)
{
	const struct textfile *textfile = state;

	return textfile->err ? error_set(error, EXIT_CODE_OUTPUT, textfile->err,
	                           "the file of --textfile could not be written at the end: %s",
	                           strerror(-textfile->err))
	                     : 0;
}

const struct renderer renderer_textfile = {
	.name = "none", /* not of -o: what it writes is seen in the file */
	.shows_names = true,
	.open = textfile_open,
	.show = textfile_show,
	.finish = textfile_finish,
	.close = textfile_close,
};
