/* SPDX-License-Identifier: Apache-2.0 */
#include "model/local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/util.h"

struct local_place {
	uint8_t address[16];
	uint8_t family;
	uint32_t netns;
};

static const uint8_t any[16];

static bool is_any(const uint8_t address[16])
{
	return memcmp(address, any, sizeof any) == 0;
}

/* Whether its own address tells where it is: what is link-local may be on every link. */
static bool has_place(const struct session *session)
{
	return !is_any(session->laddr) && !address_is_link_local(session->family, session->laddr);
}

static int compare_addresses(const struct local_place *a, const struct local_place *b)
{
	return COMPARE(a->family, b->family) ?: memcmp(a->address, b->address, sizeof a->address);
}

static int compare_places(const void *a, const void *b)
{
	const struct local_place *left = a, *right = b;

	return compare_addresses(left, right) ?: COMPARE(left->netns, right->netns);
}

static const struct session *session_at(const struct local *local, uint32_t index)
{
	return &local->rows->rows[index].session;
}

static int compare_ports(const struct session *a, uint32_t netns, uint16_t port)
{
	return COMPARE(a->netns, netns) ?: COMPARE(a->lport, port);
}

static int compare_listeners(const void *a, const void *b, void *of)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	const struct session *session = session_at(of, right);

	return compare_ports(session_at(of, left), session->netns, session->lport) ?: COMPARE(left, right);
}

static void sort_places(struct local *local)
{
	size_t count = 0;

	qsort(local->places, local->place_count, sizeof *local->places, compare_places);
	for (size_t i = 0; i < local->place_count; i++)
		if (!i || compare_places(&local->places[i], &local->places[count - 1]) != 0)
			local->places[count++] = local->places[i];
	local->place_count = count;
}

int local_find(struct local *local, const struct rows *rows)
{
	*local = (struct local){
		.rows = rows,
		.places = malloc((rows->count + 1) * sizeof *local->places),
		.listeners = malloc((rows->count + 1) * sizeof *local->listeners),
	};
	if (!local->places || !local->listeners)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++) {
		const struct session *session = &rows->rows[i].session;
		struct local_place *place = &local->places[local->place_count];

		if (session->socket.state == SOCKET_LISTEN)
			local->listeners[local->listener_count++] = (uint32_t)i;
		if (!has_place(session))
			continue;
		*place = (struct local_place){ .family = session->family, .netns = session->netns };
		memcpy(place->address, session->laddr, sizeof place->address);
		local->place_count++;
	}
	sort_places(local);
	qsort_r(local->listeners, local->listener_count, sizeof *local->listeners, compare_listeners, local);
	return 0;
}

void local_fini(struct local *local)
{
	free(local->places);
	free(local->listeners);
	*local = (struct local){ 0 };
}

/* The place of the first listener on a port of a namespace, or of what is behind it. */
static size_t first_listener(const struct local *local, uint32_t netns, uint16_t port)
{
	size_t low = 0, high = local->listener_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_ports(session_at(local, local->listeners[middle]), netns, port) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool listens_at(const struct local *local, size_t i, uint32_t netns, uint16_t port)
{
	return i < local->listener_count &&
	       compare_ports(session_at(local, local->listeners[i]), netns, port) == 0;
}

bool local_serves(const struct local *local, const struct session *session)
{
	return listens_at(
	    local, first_listener(local, session->netns, session->lport), session->netns, session->lport);
}

/* Whether what is sent to its remote address stays in its namespace, whoever has that elsewhere. */
static bool stays(const struct session *session)
{
	return address_is_loopback(session->family, session->raddr) ||
	       (memcmp(session->raddr, session->laddr, sizeof session->raddr) == 0 &&
	           !is_any(session->raddr));
}

uint32_t local_netns(const struct local *local, const struct session *session)
{
	struct local_place key = { .family = session->family };
	size_t low = 0, high = local->place_count;

	if (stays(session))
		return session->netns;
	memcpy(key.address, session->raddr, sizeof key.address);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_places(&local->places[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	uint32_t found = 0, namespaces = 0;

	for (; low < local->place_count && compare_addresses(&local->places[low], &key) == 0; low++) {
		if (local->places[low].netns == session->netns)
			return session->netns;
		found = local->places[low].netns;
		namespaces++;
	}
	return namespaces == 1 ? found : 0;
}

/* 0: it does not take what is sent to that address. The nearer, the greater: what is bound to it goes before all addresses. */
static int fit(const struct session *listener, const struct session *session)
{
	if (!is_any(listener->laddr))
		return listener->family == session->family &&
		               memcmp(listener->laddr, session->raddr, sizeof session->raddr) == 0
		           ? 3
		           : 0;
	/* One for all addresses of IPv6 takes those of IPv4, too, unless it was told not to. */
	return listener->family == session->family ? 2 : session->family == 4;
}

/* The nearer of two listeners, of alike ones that whose queue is full; `than` may be NULL. */
static const struct row *nearer(
    const struct row *listener, const struct row *than, const struct session *session)
{
	int fits = fit(&listener->session, session) * 2,
	    than_fits = than ? fit(&than->session, session) * 2 : 0;

	fits += fits && socket_is_full(&listener->session.socket);
	than_fits += than && socket_is_full(&than->session.socket);
	return fits > than_fits ? listener : than;
}

const struct row *local_listener(const struct local *local, const struct session *session)
{
	uint32_t netns = local_netns(local, session);
	const struct row *found = NULL;

	for (size_t i = first_listener(local, netns, session->rport);
	     netns && listens_at(local, i, netns, session->rport); i++)
		found = nearer(&local->rows->rows[local->listeners[i]], found, session);
	return found;
}

/* As local_netns. */
static uint32_t look_up_netns(const struct rows *rows, const struct session *session)
{
	uint32_t found = 0;
	bool certain = true;

	if (stays(session))
		return session->netns;
	for (size_t i = 0; i < rows->count; i++) {
		const struct session *other = &rows->rows[i].session;

		if (!has_place(other) || other->family != session->family ||
		    memcmp(other->laddr, session->raddr, sizeof other->laddr) != 0)
			continue;
		if (other->netns == session->netns)
			return session->netns;
		certain = certain && (!found || other->netns == found);
		found = other->netns;
	}
	return certain ? found : 0;
}

const struct row *local_look_up_listener(const struct rows *rows, const struct session *session)
{
	uint32_t netns = look_up_netns(rows, session);
	const struct row *found = NULL;

	for (size_t i = 0; netns && i < rows->count; i++) {
		const struct session *other = &rows->rows[i].session;

		if (other->socket.state == SOCKET_LISTEN && compare_ports(other, netns, session->rport) == 0)
			found = nearer(&rows->rows[i], found, session);
	}
	return found;
}
