/* SPDX-License-Identifier: Apache-2.0 */
#include "names/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "names/budget.h"
#include "names/proc.h"

#define KEPT 16384 /* a power of two: PIDs of one time seldom share a slot */
#define LENGTH_MAX 4096
#define READS_PER_S 400 /* some 20 ms */

/* What /proc said at asked_s (wall clock) of the process that has been there since start_s. */
struct command {
	uint32_t pid; /* 0: none */
	int64_t start_s;
	int64_t asked_s;
	char *text; /* NULL: cannot be known */
};

struct commands {
	const struct proc *proc;
	bool want_all;
	bool pending;
	struct budget reads;
	struct command kept[KEPT]; /* pages that are not touched take no memory */
};

struct commands *commands_open(const struct proc *proc)
{
	struct commands *commands = calloc(1, sizeof *commands);

	if (commands)
		commands->proc = proc;
	return commands;
}

void commands_close(struct commands *commands)
{
	if (!commands)
		return;
	for (size_t i = 0; i < KEPT; i++)
		free(commands->kept[i].text);
	free(commands);
}

const char *commands_read(
    const struct proc *proc, uint32_t pid, int64_t seen_s, char *buffer, size_t size, int64_t *start_s)
{
	const char *why = NULL;

	buffer[0] = '\0';
	FILE *file = proc_file(proc, pid, seen_s, "cmdline", start_s, &why);

	if (!file)
		return why;
	size_t length = fread(buffer, 1, size - 1, file);

	fclose(file);
	while (length && buffer[length - 1] == '\0')
		length--;
	for (size_t i = 0; i < length; i++)
		if (buffer[i] == '\0')
			buffer[i] = ' ';
	buffer[length] = '\0';
	return NULL;
}

void commands_want_all(struct commands *commands)
{
	commands->want_all = true;
}

/* Whether this second has room for one more. */
static bool may_read(struct commands *commands)
{
	if (commands->want_all)
		return true;
	commands->pending = !budget_take(&commands->reads, READS_PER_S);
	return !commands->pending;
}

const char *commands_find(struct commands *commands, uint32_t pid, int64_t seen_s)
{
	struct command *command = &commands->kept[pid % KEPT];
	char text[LENGTH_MAX];

	if (!pid || !proc_is_known(commands->proc))
		return "";
	/* One process has its PID from its start until it was asked for, so all that was seen between was its. */
	if (command->pid == pid && command->start_s <= seen_s && seen_s <= command->asked_s)
		return command->text ? command->text : "";
	if (!may_read(commands))
		return "";
	int64_t start_s;
	bool is_known = !commands_read(commands->proc, pid, seen_s, text, sizeof text, &start_s);

	free(command->text);
	/* Of a process that is gone nothing can be known later, whenever it was seen. */
	*command = (struct command){ pid, is_known ? start_s : INT64_MIN, is_known ? time(NULL) : seen_s,
		is_known ? strdup(text) : NULL };
	return command->text ? command->text : "";
}

bool commands_pending(const struct commands *commands)
{
	return commands->pending;
}

bool commands_changed(struct commands *commands)
{
	if (!commands->pending || !budget_is_over(&commands->reads))
		return false;
	commands->pending = false;
	return true;
}
