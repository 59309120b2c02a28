/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a filter, as they are typed one byte after the other: what is said of them, and what rows they leave. */
#include <arpa/inet.h>
#include <stdbool.h>

#include "base/util.h"
#include "fuzz.h"
#include "model/rows.h"
#include "table/column.h"
#include "table/match.h"

enum { ROWS = 4 };

static void fill_rows(struct row rows[ROWS])
{
	static const struct {
		const char *comm, *laddr, *raddr, *ifname;
		uint16_t lport, rport;
		uint32_t pid;
	} facts[ROWS] = {
		{ "nginx", "10.0.0.5", "203.0.113.84", "", 443, 51312, 1874 },
		{ "node-18", "192.168.7.1", "192.168.7.1", "", 1000, 8443, 4430 },
		{ "a", "fe80::1", "fe80::2:443", "eth0", 22, 65535, 1 },
		{ "\xffUPPER local", "2001:db8::beef", "::ffff", "", 0, 80, 4000000000u },
	};

	for (size_t i = 0; i < ROWS; i++) {
		struct session *session = &rows[i].session;

		session->family = strchr(facts[i].laddr, ':') ? 6 : 4;
		inet_pton(session->family == 4 ? AF_INET : AF_INET6, facts[i].laddr, session->laddr);
		inet_pton(session->family == 4 ? AF_INET : AF_INET6, facts[i].raddr, session->raddr);
		session->lport = facts[i].lport;
		session->rport = facts[i].rport;
		session->pid = session->uid = facts[i].pid;
		session->ifindex = facts[i].ifname[0] ? 7 : 0;
		strcpy(session->comm, facts[i].comm);
		strcpy(session->ifname, facts[i].ifname);
		rows[i].members = 1;
	}
}

static bool is_within(const struct match *match, const char *text)
{
	return text >= match->text && text < match->text + sizeof match->text;
}

static void check_words(const struct match *match)
{
	char said[MATCH_SAID_SIZE];
	const char *what = match_say_fault(match, said, sizeof said);

	HOLDS(match->word_count <= MATCH_WORDS_MAX);
	HOLDS((what != NULL) == (match->fault != MATCH_FINE));
	HOLDS(!what || strlen(what) < sizeof said);
	for (size_t i = 0; i < match->word_count; i++) {
		const struct pattern *pattern = &match->words[i].pattern;

		HOLDS(is_within(match, pattern->text) && is_within(match, pattern->text + pattern->length));
		HOLDS(pattern->length == strlen(pattern->text) && pattern->length > 0);
		HOLDS(!strchr(pattern->text, ' '));
		for (size_t at = 0; at < COUNT_OF(pattern->networks); at++) {
			const struct network *network = &pattern->networks[at];

			HOLDS(network->family == 0 || network->family == 4 || network->family == 6);
			HOLDS(network->bits <= (network->family == 4 ? 32 : 128));
			HOLDS(!network->family || !network->port || is_within(match, network->port));
		}
	}
}

/* Upper case is another spelling of the same words, and matches the same rows. */
static void check_spelling(const struct match *match, const char *text, const struct row rows[ROWS])
{
	static const struct column_context numbers;
	static struct match other;
	char *upper = strdup(text);

	HOLDS(upper);
	for (char *c = upper; *c; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c + 'A' - 'a') : *c;
	match_set(&other, upper);
	HOLDS(other.word_count == match->word_count && other.fault == match->fault);
	for (size_t i = 0; i < match->word_count; i++) {
		HOLDS(other.words[i].looks == match->words[i].looks);
		HOLDS(other.words[i].absent == match->words[i].absent);
		HOLDS(strcmp(other.words[i].pattern.text, match->words[i].pattern.text) == 0);
	}
	for (size_t i = 0; i < ROWS; i++)
		HOLDS(match_row(match, &rows[i], &numbers) == match_row(&other, &rows[i], &numbers));
	free(upper);
}

/* A "!word" alone has the rows that the word alone has not. */
static void check_absence(const char *text, const struct row rows[ROWS])
{
	static const struct column_context numbers;
	static struct match present, absent;
	char word[64];

	snprintf(word, sizeof word, "!%.*s", (int)strcspn(text, " "), text);
	match_set(&absent, word);
	match_set(&present, word + 1);
	if (word[1] == '!' || present.word_count != 1 || absent.word_count != 1)
		return;
	for (size_t i = 0; i < ROWS; i++)
		HOLDS(match_row(&present, &rows[i], &numbers) != match_row(&absent, &rows[i], &numbers));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct column_context numbers;
	static struct match before, after;
	static struct row rows[ROWS];
	char *text = fuzz_text(bytes, size);
	size_t length = strlen(text);

	fill_rows(rows);
	match_set(&after, text);
	check_words(&after);
	check_spelling(&after, text, rows);
	check_absence(text, rows);
	/* What was typed before had all rows of what is there now, if that is what is relied upon. */
	for (size_t end = 1; end < length && end < MATCH_TEXT_MAX; end++) {
		char typed[MATCH_TEXT_MAX + 1];

		snprintf(typed, sizeof typed, "%.*s", (int)end, text);
		match_set(&before, typed);
		for (size_t i = 0; i < ROWS && match_narrows(&before, &after); i++)
			HOLDS(
			    !match_row(&after, &rows[i], &numbers) || match_row(&before, &rows[i], &numbers));
	}
	free(text);
	return 0;
}
