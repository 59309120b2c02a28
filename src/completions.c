/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the completion of a shell, made of the table of options: `tcptop-completions bash|zsh|fish`, for the build. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "options_table.h"
#include "table/column.h"

#define LIST_SIZE 512
#define LABEL_SIZE 256

/* What a value is. */
enum kind {
	KIND_NONE, /* the option takes none */
	KIND_ANY,  /* nothing that can be offered */
	KIND_FILE,
	KIND_PID,
	KIND_NAME, /* one of names */
	KIND_LIST, /* some of names, with commas */
};

/* By what the help calls it. The help's names of others, "a|b|c", are the value itself. */
static const struct {
	const char *value;
	enum kind kind;
	size_t (*names)(char *buffer, size_t size, const char *separator);
} value_kinds[] = {
	{ "PID", KIND_PID, NULL },
	{ "PATH", KIND_FILE, NULL },
	{ "FILE", KIND_FILE, NULL },
	{ "N", KIND_ANY, NULL },
	{ "BYTES", KIND_ANY, NULL },
	{ "PERCENT", KIND_ANY, NULL },
	{ "WORDS", KIND_ANY, NULL },
	{ "NAME", KIND_ANY, NULL },
	{ "USER", KIND_ANY, NULL },
	{ "NAME|ID", KIND_ANY, NULL },
	{ "[NAMESPACE/]NAME|UID", KIND_ANY, NULL },
	{ "ADDRESS[/PREFIX]", KIND_ANY, NULL },
	{ "PID|PATH", KIND_FILE, NULL },
	{ "LIST", KIND_LIST, NULL }, /* of what the help lists after it */
	{ "COLUMN[:asc|:desc]", KIND_NAME, column_ids },
};

/* Fills names, with spaces between them, where the kind has some. A value that is not known here ends the build. */
static enum kind value_kind(const struct option_row *row, char names[LIST_SIZE])
{
	const char *value = option_value(row, names, LIST_SIZE);

	if (!value)
		return KIND_NONE;
	for (size_t i = 0; i < COUNT_OF(value_kinds); i++)
		if (strcmp(value, value_kinds[i].value) == 0) {
			size_t (*list)(char *buffer, size_t size, const char *separator) =
			    value_kinds[i].kind == KIND_LIST ? row->more_help : value_kinds[i].names;

			if (list)
				list(names, LIST_SIZE, " ");
			return value_kinds[i].kind == KIND_LIST && !list ? KIND_ANY : value_kinds[i].kind;
		}
	if (!strchr(value, '|') || strpbrk(value, "[]: ")) {
		fprintf(stderr, "completions.c: what is '%s' of --%s? value_kinds[] does not say\n", value,
		    row->name);
		exit(1);
	}
	if (value != names)
		snprintf(names, LIST_SIZE, "%s", value);
	for (char *bar = names; (bar = strchr(bar, '|')) != NULL;)
		*bar = ' ';
	return KIND_NAME;
}

/* The first clause of the help; none of its characters means anything between single quotes but the quote itself. */
static const char *label(const struct option_row *row, char text[LABEL_SIZE])
{
	size_t used = 0;

	for (const char *from = row->help; *from && used + 5 < LABEL_SIZE; from++) {
		if (strchr(";:([", *from) || (*from == ',' && (from[1] == ' ' || from[1] == '\n')))
			break;
		if (*from == '\'')
			used += (size_t)snprintf(text + used, LABEL_SIZE - used, "'\\''");
		else
			text[used++] = *from == '\n' ? ' ' : *from;
	}
	while (used && text[used - 1] == ' ')
		used--;
	text[used] = '\0';
	return text;
}

/* ---- bash: without the functions of bash-completion, which change their names ---- */

static const char *const bash_values[] = {
	[KIND_ANY] = "",
	[KIND_FILE] = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")",
	[KIND_PID] =
	    "mapfile -t COMPREPLY < <(compgen -P \"$before\" -W \"$(cd /proc && echo [0-9]*)\" -- \"$last\")",
	[KIND_NAME] = "mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\")",
	[KIND_LIST] =
	    "compopt -o nospace; mapfile -t COMPREPLY < <(compgen -P \"$before\" -W '%s' -- \"$last\")",
};

static void print_bash(void)
{
	char names[LIST_SIZE];

	printf("_%s()\n{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} last before\n"
	       "\n"
	       "\t# --option=value is three words\n"
	       "\tif [[ $cur == \"=\" ]]; then\n"
	       "\t\tcur=''\n"
	       "\telif [[ $prev == \"=\" ]]; then\n"
	       "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	       "\tfi\n"
	       "\tlast=${cur##*,}\n"
	       "\tbefore=${cur%%\"$last\"}\n"
	       "\tCOMPREPLY=()\n"
	       "\tcase $prev in\n",
	    TCPTOP_NAME);
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];
		enum kind kind = value_kind(row, names);

		if (kind == KIND_NONE)
			continue;
		printf("\t--%s", row->name);
		if (row->letter)
			printf(" | -%c", row->letter);
		printf(") ");
		printf(bash_values[kind], names);
		printf(" ;;\n");
	}
	printf("\t*)\n\t\t[[ $cur != -* ]] || mapfile -t COMPREPLY < <(compgen -W '");
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];

		printf("%s--%s", i ? " " : "", row->name);
		if (row->letter)
			printf(" -%c", row->letter);
	}
	printf("' -- \"$cur\")\n\t\t;;\n\tesac\n}\ncomplete -F _%s %s\n", TCPTOP_NAME, TCPTOP_NAME);
}

/* ---- zsh ---- */

static void print_zsh_value(const struct option_row *row, enum kind kind, const char *names)
{
	if (kind == KIND_NONE)
		return;
	printf(":%s:", row->name);
	if (kind == KIND_FILE)
		printf("_files");
	else if (kind == KIND_PID)
		printf("_sequence _pids");
	else if (kind == KIND_NAME)
		printf("(%s)", names);
	else if (kind == KIND_LIST)
		printf("_sequence compadd - %s", names);
}

static void print_zsh(void)
{
	char names[LIST_SIZE], text[LABEL_SIZE];

	printf("#compdef %s\n_arguments -s", TCPTOP_NAME);
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];
		enum kind kind = value_kind(row, names);

		if (row->letter) {
			printf(" \\\n\t'(-%c --%s)-%c%s[%s]", row->letter, row->name, row->letter,
			    kind == KIND_NONE ? "" : "+", label(row, text));
			print_zsh_value(row, kind, names);
			printf("' \\\n\t'(-%c --%s)--%s%s[%s]", row->letter, row->name, row->name,
			    kind == KIND_NONE ? "" : "=", text);
		} else
			printf(
			    " \\\n\t'--%s%s[%s]", row->name, kind == KIND_NONE ? "" : "=", label(row, text));
		print_zsh_value(row, kind, names);
		printf("'");
	}
	printf("\n"); /* a message for interval and count would hold up the completion of options */
}

/* ---- fish ---- */

static void print_fish(void)
{
	char names[LIST_SIZE], text[LABEL_SIZE];

	printf("complete -c %s -f\n", TCPTOP_NAME);
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];
		enum kind kind = value_kind(row, names);

		printf("complete -c %s -l %s", TCPTOP_NAME, row->name);
		if (row->letter)
			printf(" -s %c", row->letter);
		if (kind != KIND_NONE)
			printf(kind == KIND_FILE ? " -r -F" : " -x");
		if (kind == KIND_PID)
			printf(" -a '(__fish_complete_pids)'");
		else if (kind == KIND_NAME)
			printf(" -a '%s'", names);
		else if (kind == KIND_LIST)
			printf(" -a '(__fish_append , %s)'", names);
		printf(" -d '%s'\n", label(row, text));
	}
}

static const struct {
	const char *name;
	void (*print)(void);
} shells[] = {
	{ "bash", print_bash },
	{ "zsh", print_zsh },
	{ "fish", print_fish },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < COUNT_OF(shells) && argc == 2; i++)
		if (strcmp(argv[1], shells[i].name) == 0) {
			shells[i].print();
			return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
		}
	fprintf(stderr, "usage: tcptop-completions bash|zsh|fish\n");
	return 2;
}
