/* SPDX-License-Identifier: Apache-2.0 */
/* What conditions leave: together they may leave nothing. */
#ifndef TCPTOP_CONDITION_LEFT_H
#define TCPTOP_CONDITION_LEFT_H

struct conditions;
struct error;

/*
 * Can anything pass all of them at once, and be of *family: 0 both, 4 or 6? One of the connection's ends, and one moment of a
 * task: it has one user, one name, one cgroup. *family becomes the one that can, where just one can. 0, -ENOMEM, or -EINVAL with
 * *error, EXIT_CODE_USAGE, that names two values which contradict each other.
 */
int conditions_check(const struct conditions *conditions, int *family, struct error *error);

#endif
