/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/escape.h"
#include "loop.h"
#include "options.h"
#include "renderers.h"

#define PIDS_SHOWN_COLUMNS 40

static void show_describe_filters(struct show *show, const struct options *options)
{
	size_t used = snprintf(show->pids, sizeof show->pids, "PID "), start = used, count = 0, i;

	for (i = 0; i < options->pid_count && used - start < PIDS_SHOWN_COLUMNS; i++)
		used += snprintf(
		    show->pids + used, sizeof show->pids - used, "%s%u", i ? "," : "", options->pids[i]);
	if (options->pid_count > 1 && used - start >= PIDS_SHOWN_COLUMNS)
		snprintf(show->pids + used, sizeof show->pids - used, "...");
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
}

void show_init(struct show *show, const struct options *options)
{
	*show = (struct show){
		.run = {
			.interval_ns = options->interval_ns,
			.live = !options->replay_path,
			.no_summary = options->no_summary,
			.pids = options->pids,
			.pid_count = options->pid_count,
			.family = options->family,
			.words = options->words,
			.screen = &options->screen,
		},
	};
	show_describe_filters(show, options);
	show->options = options_filters(options, &show->run.option_count);
	show->run.options = (const char *const *)show->options;
}

int show_open(struct show *show, struct options *options, const struct signals *signals, struct error *error)
{
	int err = options->renderer->open(&show->state, &show->run, stdout, error);

	if (err && options->renderer->full_screen && options->renderer_is_default) {
		fprintf(stderr, "tcptop: %s: printing text\n", error->text);
		options->renderer = &renderer_text;
		err = options->renderer->open(&show->state, &show->run, stdout, error);
	}
	if (err)
		show->state = NULL;
	else
		signals_guard_start(&show->guard, signals);
	return err;
}

void show_close(struct show *show, const struct options *options)
{
	if (show->state) {
		signals_guard_stop(&show->guard);
		options->renderer->close(show->state);
	}
	for (size_t i = 0; i < show->run.option_count; i++)
		free(show->options[i]);
	free(show->options);
}

int show_run(struct show *show, const struct options *options, const struct source *source,
    struct signals *signals, struct error *error)
{
	return loop_run(source, options->renderer, show->state, signals, STDOUT_FILENO, error);
}
