/* SPDX-License-Identifier: Apache-2.0 */
/* How a connection ended, and how its owner is known, by their names. */
#ifndef TCPTOP_HOW_H
#define TCPTOP_HOW_H

#include "model/life.h"

enum connection_end {
	END_UNKNOWN,
	END_CLOSED, /* this side closed first */
	END_CLOSED_REMOTE,
	END_RESET,        /* this side sent a reset, */
	END_RESET_REMOTE, /* or got one */
	END_TIMED_OUT,    /* no answer, of the remote or to keepalives */
	END_UNREACHABLE,
	END_ABORTED,  /* by who may: ss --kill, an address that is gone */
	END_REFUSED,  /* this and what follows: it was never established */
	END_GIVEN_UP, /* closed while it was connecting */
	END_NO_PORT,  /* no local port was free: nothing was sent */
	END_COUNT
};

/* As JSON and the screen have it: "closed by us". */
const char *connection_end_name(enum connection_end end);

/* As JSON has it: "connect", "listener", "close", "open file"; NULL: unknown. */
const char *life_owner_name(enum life_owner owner);

#endif
