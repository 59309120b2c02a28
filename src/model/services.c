/* SPDX-License-Identifier: Apache-2.0 */
#include "model/services.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "model/cause.h"
#include "model/how.h"

void services_init(struct services *services)
{
	*services = (struct services){ 0 };
}

void services_fini(struct services *services)
{
	free(services->items);
	services_init(services);
}

double service_fresh_per_s(const struct services *services, const struct service *service)
{
	return services->span_ns ? service->fresh * ((double)NS_PER_S / (double)services->span_ns) : 0;
}

static int compare_ports(const struct session *a, const struct session *b)
{
	return COMPARE(a->netns, b->netns) ?: COMPARE(a->lport, b->lport);
}

static int compare_services(const void *a, const void *b)
{
	const struct service *left = a, *right = b;

	return compare_ports(&left->session, &right->session)
	           ?: session_compare_key(&left->session, &right->session);
}

static int compare_to_port(const void *session, const void *service)
{
	return compare_ports(session, &((const struct service *)service)->session);
}

static struct service *find(const struct services *services, const struct session *session)
{
	if (!services->count)
		return NULL;
	return bsearch(session, services->items, services->count, sizeof *services->items, compare_to_port);
}

static void add_ends(struct services *services, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->connection_count; i++) {
		const struct connection *connection = &snapshot->connections[i];
		struct service *service =
		    connection->session.accepted == ANSWER_YES ? find(services, &connection->session) : NULL;

		if (!service)
			continue;
		struct service_ends *ends = &service->later;

		ends->ended++;
		ends->resets += connection->end == END_RESET || connection->end == END_RESET_REMOTE;
		ends->timed_out += connection->end == END_TIMED_OUT;
	}
}

/* Those that listen now; what several have in common with one port is added up. 0 or -ENOMEM. */
static int take_listeners(struct services *now, const struct snapshot *snapshot)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < snapshot->session_count; i++)
		count += snapshot->sessions[i].socket.state == SOCKET_LISTEN;
	now->items = calloc(count + 1, sizeof *now->items);
	if (!now->items)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *session = &snapshot->sessions[i];

		if (session->socket.state == SOCKET_LISTEN)
			now->items[now->count++] = (struct service){
				.session = *session,
				.listeners = 1,
				.backlog = session->socket.backlog,
				.backlog_max = session->socket.backlog_max,
				.drops_told = session->socket.drops,
			};
	}
	qsort(now->items, now->count, sizeof *now->items, compare_services);
	for (size_t i = 0; i < now->count; i++) {
		struct service *before = kept ? &now->items[kept - 1] : NULL, *service = &now->items[i];

		if (before && compare_ports(&before->session, &service->session) == 0) {
			before->listeners++;
			before->backlog += service->backlog;
			before->backlog_max += service->backlog_max;
			before->drops_told += service->drops_told;
		} else {
			now->items[kept++] = *service;
		}
	}
	now->count = kept;
	return 0;
}

static int compare_connections(const void *a, const void *b)
{
	return session_compare_connection(
	    *(const struct session *const *)a, *(const struct session *const *)b);
}

/* A connection that several processes have used is one. 0 or -ENOMEM. */
static int count_open(struct services *now, const struct snapshot *snapshot)
{
	const struct session **open = reallocarray(NULL, snapshot->session_count + 1, sizeof *open);
	size_t count = 0;

	if (!open)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *session = &snapshot->sessions[i];
		uint8_t state = session->socket.state;

		if (session->pid && state && state != SOCKET_LISTEN && state != SOCKET_SYN_SENT &&
		    state != SOCKET_CLOSE && session->accepted != ANSWER_NO && find(now, session))
			open[count++] = session;
	}
	qsort(open, count, sizeof *open, compare_connections);
	for (size_t i = 0; i < count; i++) {
		struct service *service = find(now, open[i]);

		if (i && session_compare_connection(open[i - 1], open[i]) == 0)
			continue;
		service->open++;
	}
	free(open);
	return 0;
}

/* Those that have come are those that are there now, and that have ended, but for those that were there before. */
static void count_fresh(struct service *service, const struct service *was)
{
	int64_t fresh = (int64_t)service->open + service->backlog + service->ends.ended + was->ahead -
	                was->open - was->backlog;

	service->fresh = fresh > 0 ? (uint32_t)fresh : 0;
	service->ahead = fresh < 0 ? fresh : 0;
}

static void add_up(struct service_ends *sum, const struct service_ends *ends)
{
	sum->ended += ends->ended;
	sum->resets += ends->resets;
	sum->timed_out += ends->timed_out;
}

/* What has ended since the pass before is of what listened then. */
static void compare_to_before(struct services *now, const struct services *before)
{
	for (size_t i = 0; i < now->count; i++) {
		static const struct service none;
		struct service *service = &now->items[i];
		const struct service *was = find(before, &service->session) ?: &none;

		service->ends = was->later;
		service->all = was->all;
		add_up(&service->all, &was->later);
		/* when one of several listeners has gone, so have its drops */
		if (now->span_ns && service->drops_told > was->drops_told)
			service->drops = service->drops_told - was->drops_told;
		service->all_drops = was->all_drops + service->drops;
		if (now->span_ns)
			count_fresh(service, was);
	}
}

int services_add(struct services *services, const struct snapshot *snapshot)
{
	/* a pass before that nobody took in does not tell what has come since */
	struct services now = { .span_ns = services->items ? snapshot->sockets.passed_ns : 0 };

	if (!snapshot->sockets.follows || !snapshot->notes_connections) {
		services_fini(services);
		return 0;
	}
	add_ends(services, snapshot);
	if (!snapshot->sockets.cpu_ns)
		return 0;
	int err = take_listeners(&now, snapshot);

	err = err ?: count_open(&now, snapshot);
	if (err) {
		services_fini(&now);
		return err;
	}
	compare_to_before(&now, services);
	services_fini(services);
	*services = now;
	return now.span_ns != 0;
}
