/* SPDX-License-Identifier: Apache-2.0 */
#include "model/how.h"

#include <stddef.h>

#include "base/util.h"

const char *connection_end_name(enum connection_end end)
{
	static const char *const names[END_COUNT] = {
		[END_UNKNOWN] = "unknown",
		[END_CLOSED] = "closed by us",
		[END_CLOSED_REMOTE] = "closed by remote",
		[END_RESET] = "reset by us",
		[END_RESET_REMOTE] = "reset by remote",
		[END_TIMED_OUT] = "timed out",
		[END_UNREACHABLE] = "unreachable",
		[END_ABORTED] = "aborted",
		[END_REFUSED] = "refused",
		[END_GIVEN_UP] = "given up",
		[END_NO_PORT] = "no free port",
	};

	return names[end < END_COUNT ? end : END_UNKNOWN];
}

const char *life_owner_name(enum life_owner owner)
{
	static const char *const names[] = {
		[LIFE_OWNER_CALLED] = "connect",
		[LIFE_OWNER_LISTENER] = "listen",
		[LIFE_OWNER_CLOSED] = "close",
		[LIFE_OWNER_WALK] = "open file",
		[LIFE_OWNER_TRAFFIC] = "traffic",
	};

	return owner < COUNT_OF(names) ? names[owner] : NULL;
}
