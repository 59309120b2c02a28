/* SPDX-License-Identifier: Apache-2.0 */
#include "user_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "loader/writer.h"
#include "options.h"
#include "output/renderer.h"
#include "screen/settings.h"

static void use(struct screen_options *screen, const struct settings *settings)
{
	if (!screen->columns_given)
		screen->columns = settings->columns;
	if (!screen->sort_given)
		screen->sort = settings->sort;
	screen->unit = settings->unit;
}

static void read_settings(struct user_files *files, struct screen_options *screen)
{
	char text[WRITER_SETTINGS_MAX + 1], name[WRITER_NAME_SIZE];
	struct settings settings = { screen->columns, screen->sort, screen->unit };
	int length = writer_read_settings(files->writer, text, name);

	if (length == -ENOENT || length == -ENOTDIR)
		return;
	if (length < 0 || strlen(text) != (size_t)length) {
		snprintf(files->notice, sizeof files->notice, "ignored %.100s: %s", name,
		    length == -EINVAL ? "no regular file"
		    : length < 0      ? strerror(-length)
		                      : "no text");
		return;
	}
	unsigned bad = settings_parse(text, &settings);

	if (bad)
		snprintf(files->notice, sizeof files->notice, "ignored line %u of %.100s", bad, name);
	use(screen, &settings);
}

void user_files_open(struct user_files *files, struct options *options)
{
	struct error error;

	*files = (struct user_files){ 0 };
	if (!options->renderer->full_screen || writer_open(&files->writer, &error) < 0)
		return;
	if (!options->no_settings)
		read_settings(files, &options->screen);
}

void user_files_close(struct user_files *files)
{
	writer_close(files->writer);
}
