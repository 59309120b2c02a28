/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the user who called, sudo or not: a child that has become that user reads and writes them, as this process
 * becomes another one. It does nothing but what struct writer_file says: new files in the working directory, and the settings.
 */
#ifndef TCPTOP_WRITER_H
#define TCPTOP_WRITER_H

#include <stddef.h>
#include <sys/types.h>

struct error;
struct writer;

enum writer_file {
	WRITER_TEXT,     /* tcptop-YYYYmmdd-HHMMSS.txt, a new one */
	WRITER_JSON,     /* the same .jsonl */
	WRITER_SETTINGS, /* $XDG_CONFIG_HOME/tcptop/settings, or in ~/.config; replaced as a whole */
};

enum {
	WRITER_SETTINGS_MAX = 4096, /* bytes of settings; a longer file is none */
	WRITER_NAME_SIZE = 256,
};

/*
 * Starts the child. To be called before root is given up and before threads are started. 0 or -errno with *error;
 * *writer is for writer_close, which takes NULL.
 */
int writer_open(struct writer **writer, struct error *error);
void writer_close(struct writer *writer);

/* The child, until writer_close; 0 with NULL. */
pid_t writer_process(const struct writer *writer);

/*
 * Writes a file and waits for it for a second. name: its name, or its path. 0, or -errno: -ETIMEDOUT when it is still being
 * written; -EPIPE when the child is gone.
 */
int writer_write(struct writer *writer, enum writer_file file, const char *bytes, size_t size,
    char name[WRITER_NAME_SIZE]);

/*
 * Reads the settings into the buffer, of WRITER_SETTINGS_MAX + 1 bytes, with a NUL after them. The length, or -errno: -ENOENT there
 * are none; -EFBIG too long; -EINVAL no regular file.
 */
int writer_read_settings(struct writer *writer, char *buffer, char name[WRITER_NAME_SIZE]);

#endif
