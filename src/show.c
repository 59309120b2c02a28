/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/escape.h"
#include "loader/keeper.h"
#include "loop.h"
#include "model/cost.h"
#include "names/containers.h"
#include "names/names.h"
#include "options.h"
#include "output/stream.h"
#include "renderers.h"

#define PIDS_SHOWN_COLUMNS 40

static void show_describe_filters(struct show *show, const struct options *options)
{
	size_t used = snprintf(show->pids, sizeof show->pids, "PID "), start = used, count = 0, i;

	for (i = 0; i < options->pid_count && used - start < PIDS_SHOWN_COLUMNS; i++)
		used += snprintf(
		    show->pids + used, sizeof show->pids - used, "%s%u", i ? "," : "", options->pids[i]);
	if (i < options->pid_count)
		snprintf(show->pids + used, sizeof show->pids - used, " +%zu", options->pid_count - i);
	if (options->pid_count)
		show->filters[count++] = show->pids;
	snprintf(show->family, sizeof show->family, "IPv%d only", options->family);
	if (options->family)
		show->filters[count++] = show->family;
	for (i = 0; i < filter_count; i++)
		if (options->filter_paths[i])
			show->filters[count++] = filters[i].label;
	for (i = 0; i < options->condition_count && i < OPTIONS_SHOWN_MAX; i++) {
		const struct condition_option *condition = &options->conditions[i];
		size_t length = snprintf(show->conditions[i], SHOWN_SIZE, "%s ", condition->kind->option);

		escape_text(show->conditions[i] + length, SHOWN_SIZE - length, condition->value,
		    strlen(condition->value), SHOWN_SIZE - 1 - length, false);
		show->filters[count++] = show->conditions[i];
	}
	show->run.filters = show->filters;
	show->run.filter_count = count;
	show->run.filters_left_out =
	    options->condition_count > OPTIONS_SHOWN_MAX ? options->condition_count - OPTIONS_SHOWN_MAX : 0;
}

void show_init(struct show *show, const struct options *options)
{
	*show = (struct show){
		.run = {
			.interval_ns = options->interval_ns,
			.live = !options->replay_path,
			.all = options->all,
			.connections = options->connections,
			.no_summary = options->no_summary,
			.pids = options->pids,
			.pid_count = options->pid_count,
			.family = options->family,
			.words = options->words,
			.series_places = options->max_series,
			.diagnoses = options->count,
			.series_threshold_bytes = options->series_threshold_bytes,
			.screen = &options->screen,
		},
		.containers = options->replay_path ? NULL : containers_open(options->host_root),
	};
	show_describe_filters(show, options);
	show->options = options_filters(options, &show->run.option_count);
	show->run.options = (const char *const *)show->options;
}

/* An empty file, and what is no file, begin anew; of one that cannot be read nothing is known. */
static bool output_continues(struct show *show, const struct renderer *renderer)
{
	char head[OUTPUT_HEAD_SIZE];
	int length = renderer->continues ? keeper_read(show->output_keeper, head, sizeof head) : 0;

	return length <= 0 || renderer->continues(head, (size_t)length);
}

#define OTHER_COLUMNS "it begins with other lines or columns than -o %s writes"

static int open_output(struct show *show, const struct options *options, struct error *error)
{
	const char *path = options->output_path;
	int err = keeper_open(&show->output_keeper, path, error);

	if (err)
		return err;
	if (!output_continues(show, options->renderer))
		return error_set(error, EXIT_CODE_USAGE, -EINVAL,
		    "cannot append to %.300s: " OTHER_COLUMNS "\nmove it away, or name another file", path,
		    options->renderer->name);
	show->run.output_fd = keeper_append(show->output_keeper);
	if (show->run.output_fd >= 0)
		return 0;
	err = show->run.output_fd;
	if (err == -ENXIO) /* open(2) of a FIFO, which is not waited for */
		return error_set(error, EXIT_CODE_OUTPUT, err,
		    "cannot open %.300s: it is a pipe that nobody reads\nstart its reader first", path);
	return error_set(error, EXIT_CODE_OUTPUT, err,
	    "cannot open %.300s: %s\nit is opened as the owner of its directory, without capabilities", path,
	    strerror(-err));
}

static int open_textfile(struct show *show, const char *path, struct error *error)
{
	const char *ending = strrchr(path, '.');
	int err = keeper_open(&show->textfile_keeper, path, error);

	if (err)
		return err;
	err = keeper_try(show->textfile_keeper);
	if (err)
		return error_set(error, EXIT_CODE_OUTPUT, err,
		    "cannot write %.300s: %s\nit is written as the owner of its directory, without "
		    "capabilities",
		    path, strerror(-err));
	if (!ending || strcmp(ending, ".prom") != 0)
		fprintf(stderr, "tcptop: --textfile: node_exporter reads only names that end in .prom\n");
	return 0;
}

int show_open_files(struct show *show, const struct options *options, struct error *error)
{
	int err = 0;

	show->run.output_fd = STDOUT_FILENO;
	if (options->output_path)
		err = open_output(show, options, error);
	/* curses asks its stream for the descriptor */
	if (!err)
		show->output = options->renderer->full_screen ? stdout : stream_open(show->run.output_fd);
	if (!err && !show->output)
		err = error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	if (!err && options->textfile_path)
		err = open_textfile(show, options->textfile_path, error);
	show->run.textfile = show->textfile_keeper;
	return err;
}

int show_open_names(struct show *show, const struct options *options, struct error *error)
{
	if (!options_need_names(options))
		return 0;
	show->run.names = names_open(options->replay_path ? NULL : options->host_root, show->containers);
	if (!show->run.names)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory: names");
	show->run.names_kept = options->renderer->full_screen;
	return 0;
}

int show_ask_apart(struct show *show, const struct options *options, struct error *error)
{
	if (!show->run.names || (!options->renderer->full_screen && !options->words))
		return 0;
	int err = names_ask_apart(show->run.names);

	return err ? error_set(error, EXIT_CODE_RUNTIME, err, "out of memory: names") : 0;
}

static int open_renderer(struct show *show, struct options *options, struct error *error)
{
	int err = options->renderer->open(&show->state, &show->run, show->output, error);

	if (err && options->renderer->full_screen && options->renderer_is_default) {
		struct error why = *error;

		options->renderer = &renderer_text;
		show->run.names_kept = false;
		err = options_check_words(options, error);
		err = err ?: options->renderer->open(&show->state, &show->run, show->output, error);
		if (!err) /* else that is what is told */
			fprintf(stderr, "tcptop: %s: printing text\n", why.text);
	}
	if (err)
		show->state = NULL;
	return err;
}

int show_open(struct show *show, struct options *options, const struct signals *signals, struct error *error)
{
	int err = open_renderer(show, options, error);

	if (show->run.names && !show->run.names_kept)
		names_want_all(show->run.names); /* what is printed is printed once */
	if (!err && show->textfile_keeper && options->renderer != &renderer_textfile)
		err = renderer_textfile.open(&show->textfile, &show->run, NULL, error);
	if (show->state)
		signals_guard_start(&show->guard, signals);
	return err;
}

/* err: of what was before, which tells more; but that a reader has gone is no failure. */
static int finish(const struct renderer *renderer, void *state, int err, struct error *error)
{
	return renderer->finish && state && (!err || err == -EPIPE) ? renderer->finish(state, error) ?: err
	                                                            : err;
}

int show_close(struct show *show, const struct options *options, int err, struct error *error)
{
	bool is_guarded = show->state;

	err = finish(options->renderer, show->state, err, error);
	err = finish(&renderer_textfile, show->textfile, err, error);
	if (show->state)
		options->renderer->close(show->state);
	if (show->textfile)
		renderer_textfile.close(show->textfile);
	errno = 0;
	if (show->output && show->output != stdout && fclose(show->output) != 0 && !err)
		err = error_set_output(error);
	if (show->run.output_fd > STDERR_FILENO && close(show->run.output_fd) != 0 && !err)
		err = error_set_output(error);
	if (is_guarded)
		signals_guard_stop(&show->guard);
	names_close(show->run.names);
	containers_close(show->containers);
	keeper_close(show->textfile_keeper);
	keeper_close(show->output_keeper);
	for (size_t i = 0; i < show->run.option_count; i++)
		free(show->options[i]);
	free(show->options);
	return err;
}

struct reopening {
	struct show *show;
	const struct options *options;
};

/* Where the new file cannot be had, the old one goes on: nothing is lost. */
static int reopen(void *to, struct error *error)
{
	const struct reopening *reopening = to;
	const struct renderer *renderer = reopening->options->renderer;
	struct show *show = reopening->show;
	if (!output_continues(show, renderer)) {
		fprintf(stderr, "tcptop: going on with the old file, not %s: " OTHER_COLUMNS "\n",
		    reopening->options->output_path, renderer->name);
		return 0;
	}
	int fd = keeper_append(show->output_keeper);

	if (fd < 0) {
		fprintf(stderr, "tcptop: cannot open %s anew, going on with the old file: %s\n",
		    reopening->options->output_path, strerror(-fd));
		return 0;
	}
	int err = dup3(fd, show->run.output_fd, O_CLOEXEC) < 0 ? -errno : 0;

	close(fd);
	if (err)
		return error_set(error, EXIT_CODE_RUNTIME, err, "cannot take a new file: %s", strerror(-err));
	return renderer->begin ? renderer->begin(show->state, error) : 0;
}

int show_run(struct show *show, const struct options *options, const struct source *source,
    struct signals *signals, struct error *error)
{
	struct reopening reopening = { show, options };
	struct overhead overhead = {
		.limit_ppm = options->max_overhead_ppm,
		.interval_ns = options->interval_ns,
		.can_drop = options_tell_sockets(options) && !options->strict,
	};
	const struct loop_output output = {
		/* Nothing goes there from who writes a file alone. */
		.fd = options->renderer == &renderer_textfile ? -1 : show->run.output_fd,
		.also = show->textfile ? &renderer_textfile : NULL,
		.also_state = show->textfile,
		.reopen = show->output_keeper ? reopen : NULL,
		.to = &reopening,
		.is_strict = options->strict,
		.overhead = &overhead,
	};

	return loop_run(source, options->renderer, show->state, signals, &output, error);
}
