/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/condition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int conditions_append(struct conditions *conditions, const struct condition *condition, struct error *error)
{
	struct condition *items = reallocarray(conditions->items, conditions->count + 1, sizeof *items);

	if (!items)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory: filters");
	conditions->items = items;
	items[conditions->count++] = *condition;
	return 0;
}

const char *conditions_keep(struct conditions *conditions, const char *text, struct error *error)
{
	char *copy = strdup(text);
	char **texts = reallocarray(conditions->texts, conditions->text_count + 1, sizeof *texts);

	if (texts)
		conditions->texts = texts;
	if (!copy || !texts) {
		free(copy);
		error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory: filters");
		return NULL;
	}
	return texts[conditions->text_count++] = copy;
}

void conditions_fini(struct conditions *conditions)
{
	for (size_t i = 0; i < conditions->text_count; i++)
		free(conditions->texts[i]);
	free(conditions->texts);
	free(conditions->items);
	*conditions = (struct conditions){ 0 };
}

/* if (...) return 0; of those that must hold, one of which has to, or of those that must not. */
static void print_test(
    const struct conditions *conditions, const struct condition_kind *kind, bool excludes, FILE *out)
{
	size_t printed = 0;

	for (size_t i = 0; i < conditions->count; i++) {
		const struct condition *condition = &conditions->items[i];

		if (condition->kind != kind || condition->excludes != excludes)
			continue;
		fputs(printed++ ? " ||\n\t\t    " : excludes ? "\t\tif (" : "\t\tif (!(", out);
		kind->print_test(out, condition);
	}
	if (printed)
		fputs(excludes ? ")\n\t\t\treturn 0;\n" : "))\n\t\t\treturn 0;\n", out);
}

/* The kind of the condition at this place is printed there, unless an earlier one had it. */
static bool is_first(const struct conditions *conditions, size_t place)
{
	for (size_t i = 0; i < place; i++)
		if (conditions->items[i].kind == conditions->items[place].kind)
			return false;
	return true;
}

void conditions_print(const struct conditions *conditions, unsigned subjects, FILE *out)
{
	for (size_t i = 0; i < conditions->count; i++) {
		const struct condition_kind *kind = conditions->items[i].kind;

		if (!is_first(conditions, i) || !(kind->subject & subjects))
			continue;
		fprintf(out, "\t{ /* --%s */\n%s", kind->option, kind->facts);
		print_test(conditions, kind, false, out);
		print_test(conditions, kind, true, out);
		fputs("\t}\n", out);
	}
}
