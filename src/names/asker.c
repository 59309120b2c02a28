/* SPDX-License-Identifier: Apache-2.0 */
#include "names/asker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/descriptors.h"
#include "base/util.h"

#define CONNECTIONS (ASKER_SUBJECTS * RESOLVER_THREADS)
#define LIFELINE CONNECTIONS /* carries nothing: its end is the parent's */
#define SOCKETS (CONNECTIONS + 1)
#define STACK_BYTES (512 * 1024) /* the modules of NSS use alloca */
#define PATIENCE_MS 40000        /* three name servers, each asked twice for five seconds, are done */
#define END_TRIES 100
#define END_TRY_US 2000

struct question {
	uint32_t number;
	uint8_t key[RESOLVER_KEY_SIZE];
};

struct reply {
	uint32_t number;
	uint32_t answer; /* enum resolver_answer */
	char name[RESOLVER_NAME_SIZE];
};

/* Of the parent. One question at a time. */
struct connection {
	bool is_taken;
	bool owes; /* a reply that was not waited for */
	uint32_t number;
};

struct asker {
	pthread_mutex_t lock;
	unsigned shares;
	pid_t child; /* 0: there is none (any more) */
	bool has_ended;
	bool is_told; /* to end */
	int sockets[SOCKETS];
	struct connection connections[CONNECTIONS];
};

/* ---- the process ---- */

struct served {
	int socket;
	enum resolver_answer (*ask)(const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE]);
};

static void *serve(void *argument)
{
	const struct served *served = argument;
	struct question question;

	while (recv(served->socket, &question, sizeof question, 0) == sizeof question) {
		struct reply reply = { .number = question.number };

		reply.answer = served->ask(question.key, reply.name);
		if (send(served->socket, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply)
			break;
	}
	return NULL;
}

static int compare_sockets(const void *a, const void *b)
{
	return COMPARE(*(const int *)a, *(const int *)b);
}

/* Neither the kernel's tables nor files nor the terminal are its business; the reader of a pipe is to see its end. */
static void close_others(const int sockets[SOCKETS])
{
	int kept[SOCKETS], next = 0;

	memcpy(kept, sockets, sizeof kept);
	qsort(kept, SOCKETS, sizeof *kept, compare_sockets);
	for (size_t i = 0; i < SOCKETS; i++) {
		descriptors_close(next, kept[i] - 1);
		next = kept[i] + 1;
	}
	descriptors_close(next, INT32_MAX);
}

/* Signals of the terminal do not end it: it does when its parent has, which kills it even where it is stopped. */
static _Noreturn void run(const int sockets[SOCKETS], const struct asker_services *services, pid_t parent)
{
	static const int ignored[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGTSTP };
	struct served served[CONNECTIONS];
	pthread_attr_t attributes;
	pthread_t thread;
	char byte;

	for (size_t i = 0; i < COUNT_OF(ignored); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "tcptop-names");
	if (getppid() != parent)
		_exit(0);
	close_others(sockets);
	confine_calls(CONFINE_NAMES); /* what it cannot be, its parent cannot either, and tells */
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	for (size_t i = 0; i < CONNECTIONS; i++) {
		served[i] = (struct served){ sockets[i], services->ask[i / RESOLVER_THREADS] };
		if (pthread_create(&thread, &attributes, serve, &served[i]) != 0)
			close(sockets[i]); /* that thread of the parent's finds nobody */
	}
	while (recv(sockets[LIFELINE], &byte, sizeof byte, 0) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* ---- the parent ---- */

static void close_sockets(const int sockets[SOCKETS])
{
	for (size_t i = 0; i < SOCKETS; i++)
		if (sockets[i] >= 0)
			close(sockets[i]);
}

/* 0 or -errno. */
static int start(struct asker *asker, const struct asker_services *services)
{
	int theirs[SOCKETS], err = 0;
	pid_t parent = getpid();

	memset(theirs, -1, sizeof theirs);
	for (size_t i = 0; i < SOCKETS && !err; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
			err = -errno;
			break;
		}
		asker->sockets[i] = pair[0];
		theirs[i] = pair[1];
	}
	if (!err) {
		asker->child = fork();
		if (asker->child == 0)
			run(theirs, services, parent);
		err = asker->child < 0 ? -errno : 0;
	}
	close_sockets(theirs);
	return err;
}

struct asker *asker_start(const struct asker_services *services)
{
	struct asker *asker = calloc(1, sizeof *asker);

	if (!asker)
		return NULL;
	pthread_mutex_init(&asker->lock, NULL);
	memset(asker->sockets, -1, sizeof asker->sockets);
	asker->shares = 1;
	if (start(asker, services) != 0) {
		asker->child = 0;
		asker->has_ended = true;
	}
	return asker;
}

pid_t asker_process(const struct asker *asker)
{
	return asker ? asker->child : 0;
}

struct asker *asker_share(struct asker *asker)
{
	pthread_mutex_lock(&asker->lock);
	asker->shares++;
	pthread_mutex_unlock(&asker->lock);
	return asker;
}

void asker_drop(struct asker *asker)
{
	if (!asker)
		return;
	pthread_mutex_lock(&asker->lock);
	unsigned shares = --asker->shares;

	pthread_mutex_unlock(&asker->lock);
	if (shares)
		return;
	close_sockets(asker->sockets);
	pthread_mutex_destroy(&asker->lock);
	free(asker);
}

void asker_end(struct asker *asker)
{
	if (!asker)
		return;
	pthread_mutex_lock(&asker->lock);
	pid_t child = asker->child;

	asker->child = 0;
	asker->is_told = true;
	for (size_t i = 0; i < SOCKETS; i++)
		if (asker->sockets[i] >= 0)
			shutdown(asker->sockets[i], SHUT_RDWR);
	pthread_mutex_unlock(&asker->lock);
	/* One that is stopped ends with this process. */
	for (int i = 0; child && i < END_TRIES && waitpid(child, NULL, WNOHANG) == 0; i++)
		usleep(END_TRY_US);
}

bool asker_has_ended(struct asker *asker)
{
	pthread_mutex_lock(&asker->lock);
	bool has_ended = asker->has_ended && !asker->is_told;

	if (has_ended && asker->child && waitpid(asker->child, NULL, WNOHANG) != 0)
		asker->child = 0;
	pthread_mutex_unlock(&asker->lock);
	return has_ended;
}

/* There are as many as threads that ask. -1: none is free, or nobody is there. */
static int take(struct asker *asker, enum asker_subject subject)
{
	int taken = -1;

	pthread_mutex_lock(&asker->lock);
	for (int i = 0; i < RESOLVER_THREADS && taken < 0 && !asker->has_ended && !asker->is_told; i++) {
		int index = (int)subject * RESOLVER_THREADS + i;

		if (!asker->connections[index].is_taken)
			taken = index;
	}
	if (taken >= 0)
		asker->connections[taken].is_taken = true;
	pthread_mutex_unlock(&asker->lock);
	return taken;
}

/* err: -EPIPE when nobody is at the other end. */
static void give_back(struct asker *asker, int index, int err)
{
	pthread_mutex_lock(&asker->lock);
	asker->connections[index].is_taken = false;
	asker->has_ended |= err == -EPIPE;
	pthread_mutex_unlock(&asker->lock);
}

/* 0, -ETIMEDOUT or -EPIPE. */
static int receive(int socket, struct connection *connection, struct reply *reply)
{
	struct pollfd event = { .fd = socket, .events = POLLIN };
	int ready;

	do
		ready = poll(&event, 1, PATIENCE_MS);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return -ETIMEDOUT;
	if (ready < 0 || recv(socket, reply, sizeof *reply, MSG_DONTWAIT) != sizeof *reply ||
	    reply->number != connection->number)
		return -EPIPE;
	reply->name[sizeof reply->name - 1] = '\0';
	connection->owes = false;
	return 0;
}

enum resolver_answer asker_ask(struct asker *asker, enum asker_subject subject,
    const uint8_t key[RESOLVER_KEY_SIZE], char name[RESOLVER_NAME_SIZE])
{
	int index = take(asker, subject);
	struct question question = { 0 };
	struct reply reply = { .answer = ANSWER_LATER };

	if (index < 0)
		return ANSWER_LATER;
	struct connection *connection = &asker->connections[index];
	int socket = asker->sockets[index];
	int err = connection->owes ? receive(socket, connection, &reply) : 0;

	if (!err) {
		question.number = ++connection->number;
		memcpy(question.key, key, sizeof question.key);
		if (send(socket, &question, sizeof question, MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof question)
			err = -EPIPE;
	}
	if (!err) {
		connection->owes = true;
		err = receive(socket, connection, &reply);
	}
	give_back(asker, index, err);
	if (err || (reply.answer == ANSWER_NAME && !reply.name[0]))
		return ANSWER_LATER;
	if (reply.answer == ANSWER_NAME)
		memcpy(name, reply.name, RESOLVER_NAME_SIZE);
	return reply.answer == ANSWER_NAME || reply.answer == ANSWER_NONE ? reply.answer : ANSWER_LATER;
}
