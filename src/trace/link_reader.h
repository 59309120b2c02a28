/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the counters of all interfaces of this network namespace in each interval, and finds TCP's part of them. It
 * takes no privilege and no file system, so that it goes on when root has been given up. The tracer's thread calls
 * it, as the kernel may keep a caller waiting while interfaces are made or removed.
 */
#ifndef TCPTOP_LINK_READER_H
#define TCPTOP_LINK_READER_H

struct link_reader;
struct links;
struct snapshot;

/* NULL when out of memory. Reads for the first time. Where the kernel cannot be asked, there are no links. */
struct link_reader *link_reader_open(void);
/* Safe with NULL. */
void link_reader_close(struct link_reader *reader);

/*
 * Appends the interfaces that are up or moved something, with what they moved since the last reading. One that is new
 * since then only counts from now on: it may have come from another namespace, counters and all.
 */
void link_reader_read(struct link_reader *reader, struct links *links);

/*
 * Adds the payload of the snapshot's sessions to the links that they use, or to what is unplaced: sessions of other
 * network namespaces, "other sessions", and those with an address that no interface has alone. Of links without an
 * address, and of those that carry other interfaces (VLANs), TCP's part is not known.
 */
void link_reader_place(struct link_reader *reader, struct snapshot *snapshot);

#endif
