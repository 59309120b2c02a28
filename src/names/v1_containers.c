/* SPDX-License-Identifier: Apache-2.0 */
#include "names/v1_containers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "names/budget.h"
#include "names/cgroup_name.h"
#include "names/proc.h"

#define ANSWERS 1024
#define ANSWERS_PER_S 500 /* processes looked at: some 20 ms */

/* It had the PID from seen_s to asked_s (wall clock). */
struct answer {
	uint32_t pid;
	char *path; /* NULL: in no container */
	int64_t seen_s;
	int64_t asked_s;
};

struct v1_containers {
	const struct proc *proc;
	struct answer answers[ANSWERS];
	struct budget asked;
};

struct v1_containers *v1_containers_open(const struct proc *proc)
{
	struct v1_containers *containers = calloc(1, sizeof *containers);

	if (containers)
		containers->proc = proc;
	return containers;
}

void v1_containers_close(struct v1_containers *containers)
{
	for (size_t i = 0; containers && i < ANSWERS; i++)
		free(containers->answers[i].path);
	free(containers);
}

/* Of lines like "4:memory:/path" the first one that is a container's; for free(). */
static char *read_container(FILE *file)
{
	char unused[CGROUP_NAME_SIZE], *text = NULL, *found = NULL;
	size_t capacity = 0;

	while (!found && getline(&text, &capacity, file) > 0) {
		const char *path = strstr(text, ":/");

		text[strcspn(text, "\n")] = '\0';
		if (path && cgroup_name(unused, sizeof unused, path + 1))
			found = strdup(path + 1);
	}
	free(text);
	return found;
}

bool v1_containers_find(
    struct v1_containers *containers, uint32_t pid, int64_t seen_s, bool want_all, char *path, size_t size)
{
	struct answer *answer = &containers->answers[pid % ANSWERS];
	const char *unused;
	int64_t unused_s;

	if (answer->pid != pid || seen_s < answer->seen_s || answer->asked_s < seen_s) {
		if (!budget_take(&containers->asked, ANSWERS_PER_S) && !want_all)
			return false;
		FILE *file = proc_file(containers->proc, pid, seen_s, "cgroup", &unused_s, &unused);

		free(answer->path);
		*answer = (struct answer){ 0 }; /* of a process that is not there nothing is kept */
		if (file) {
			*answer = (struct answer){ pid, read_container(file), seen_s, time(NULL) };
			fclose(file);
		}
	}
	snprintf(path, size, "%s", answer->path ? answer->path : "");
	return true;
}
