/* SPDX-License-Identifier: Apache-2.0 */
/* The settings and the files of the user who called. */
#ifndef TCPTOP_USER_FILES_H
#define TCPTOP_USER_FILES_H

struct options;
struct writer;

struct user_files {
	struct writer *writer; /* NULL: files cannot be written */
	char notice[160];      /* what of the settings was ignored; "": nothing */
};

/*
 * Starts the writer, and takes into the options what the settings say and the command line does not. For the screen alone; nothing
 * that fails here is an error. To be called while root, before the options are used.
 */
void user_files_open(struct user_files *files, struct options *options);
void user_files_close(struct user_files *files);

#endif
