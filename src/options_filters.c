/* SPDX-License-Identifier: Apache-2.0 */
/* The options that choose what is counted, as they would be given again: a recording tells them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "options.h"

struct texts {
	char **items;
	size_t count;
};

/* Without memory it is left out: nothing depends on it. */
static void add(struct texts *texts, char *text)
{
	char **items = text ? reallocarray(texts->items, texts->count + 1, sizeof *items) : NULL;

	if (!items) {
		free(text);
		return;
	}
	texts->items = items;
	items[texts->count++] = text;
}

static void add_value(struct texts *texts, const char *option, const char *value)
{
	char *text;

	add(texts, asprintf(&text, "--%s=%s", option, value) < 0 ? NULL : text);
}

static void add_pids(struct texts *texts, const struct options *options)
{
	char *list = NULL;
	size_t length;
	FILE *stream = options->pid_count ? open_memstream(&list, &length) : NULL;

	if (!stream)
		return;
	for (size_t i = 0; i < options->pid_count; i++)
		fprintf(stream, "%s%" PRIu32, i ? "," : "", options->pids[i]);
	if (fclose(stream) == 0)
		add_value(texts, "pid", list);
	free(list);
}

char **options_filters(const struct options *options, size_t *count)
{
	struct texts texts = { 0 };
	char *family;

	add_pids(&texts, options);
	if (options->family)
		add(&texts, asprintf(&family, "--ipv%d", options->family) < 0 ? NULL : family);
	for (size_t i = 0; i < filter_count; i++)
		if (options->filter_paths[i])
			add_value(&texts, filters[i].option, options->filter_paths[i]);
	for (size_t i = 0; i < options->condition_count; i++)
		add_value(&texts, options->conditions[i].kind->option, options->conditions[i].value);
	*count = texts.count;
	return texts.items;
}
