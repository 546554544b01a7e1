/* SPDX-License-Identifier: ISC */
#include "cli/suggestions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/tally.h"
#include "common/address.h"

#define ADDRESSES_MAX 20 /* in one command */
#define WHOLE_DOMAIN_MIN 3
#define OF_EACH_KIND 5 /* at the least, before one kind takes the rest */

static const char *const titles[SUGGEST_KINDS] = {
	[SUGGEST_REQUIRE] = "Recipients that could demand encryption",
	[SUGGEST_OWN_KEY] = "Recipients that could demand mail to their own keys",
	[SUGGEST_EXEMPT] = "Senders that are refused day after day: if they are wanted",
	[SUGGEST_OBSERVE] = "Recipients that get no encrypted mail: observe them first",
	[SUGGEST_FORGET] = "Rules that decide nothing",
};
static const char *const kind_names[SUGGEST_KINDS] = {"require", "own-key", "exempt", "observe",
						      "forget"};

void suggestions_add(struct suggestions *s, enum suggestion_kind kind, int64_t weight,
		     const char *command, const char *evidence)
{
	if (s->n == s->room) {
		const size_t room = s->room == 0 ? 64 : 2 * s->room;

		s->list = output_memory(s->list, room * sizeof(*s->list));
		s->room = room;
	}
	s->list[s->n++] = (struct suggestion){kind, output_copy(command), output_copy(evidence),
					      weight};
}

bool suggestions_word(const struct settings *s, const char *text, bool is_sender, char *out,
		      size_t out_size)
{
	struct pattern p;
	char err[300];

	return strncmp(text, "h:", 2) != 0 &&
	       pattern_parse(text, s->recipient_delimiter, is_sender, &p, err, sizeof(err)) == 0 &&
	       output_word(out, out_size, p.text);
}

static int by_domain(const void *a, const void *b)
{
	const struct sum *x = *(const struct sum *const *)a, *y = *(const struct sum *const *)b;
	const int order = strcmp(tally_domain(x->key), tally_domain(y->key));

	if (order != 0)
		return order;
	if (x->n_messages != y->n_messages)
		return x->n_messages < y->n_messages ? 1 : -1;
	return strcmp(x->key, y->key);
}

static size_t count_domain(const struct sums *all, const char *domain)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += strcmp(tally_domain(all->list[i]->key), domain) == 0;
	return n;
}

static void suggest_words(struct suggestions *s, const struct suggestion_addresses *a,
			  const char *words, size_t n_recipients, int64_t n_messages)
{
	const size_t size = strlen(a->command_before) + strlen(words) + strlen(a->command_after) +
			    1;
	char *command = output_memory(NULL, size);
	char evidence[OUTPUT_TEXT_MAX], number[OUTPUT_NUMBER_MAX], of[OUTPUT_NUMBER_MAX];

	snprintf(command, size, "%s%s%s", a->command_before, words, a->command_after);
	if (n_recipients == 1)
		snprintf(evidence, sizeof(evidence), "%s messages: %s",
			 output_number(number, n_messages), a->evidence);
	else
		snprintf(evidence, sizeof(evidence), "%s messages to %s recipients: %s",
			 output_number(number, n_messages),
			 output_number(of, (int64_t)n_recipients), a->evidence);
	suggestions_add(s, a->kind, n_messages, command, evidence);
	free(command);
}

/* Those of one domain, from first to end. */
static void suggest_domain(struct suggestions *s, const struct suggestion_addresses *a,
			   const struct sum **found, size_t first, size_t end,
			   const struct sums *all)
{
	char words[ADDRESSES_MAX * (2 * ADDRESS_MAX + 8)], word[2 * ADDRESS_MAX];
	const char *domain = tally_domain(found[first]->key);
	size_t used = 0, n = 0;
	int64_t n_messages = 0;

	if (a->may_name_domain && end - first >= WHOLE_DOMAIN_MIN &&
	    count_domain(all, domain) == end - first &&
	    suggestions_word(a->settings, domain, false, word, sizeof(word))) {
		for (size_t i = first; i < end; i++)
			n_messages += found[i]->n_messages;
		suggest_words(s, a, word, end - first, n_messages);
		return;
	}
	for (size_t i = first; i < end; i++) {
		if (suggestions_word(a->settings, found[i]->key, false, word, sizeof(word))) {
			used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s",
						 n == 0 ? "" : " ", word);
			n_messages += found[i]->n_messages;
			n++;
		}
		if (n == ADDRESSES_MAX || (i + 1 == end && n > 0)) {
			suggest_words(s, a, words, n, n_messages);
			used = n = 0;
			n_messages = 0;
		}
	}
}

void suggestions_for(struct suggestions *s, const struct suggestion_addresses *a,
		     const struct sum **found, size_t n_found, const struct sums *all)
{
	size_t first = 0;

	if (n_found > 0)
		qsort(found, n_found, sizeof(*found), by_domain);
	for (size_t i = 1; i <= n_found; i++) {
		if (i < n_found &&
		    strcmp(tally_domain(found[i]->key), tally_domain(found[first]->key)) == 0)
			continue;
		suggest_domain(s, a, found, first, i, all);
		first = i;
	}
}

static int by_weight(const void *a, const void *b)
{
	const struct suggestion *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return strcmp(x->command, y->command);
}

/* How many of each kind: some of each, then what room is left in order. */
static void share(const struct suggestions *s, int64_t n_max, int64_t n_of[SUGGEST_KINDS],
		  int64_t shown[SUGGEST_KINDS])
{
	int64_t room = n_max;

	memset(n_of, 0, SUGGEST_KINDS * sizeof(*n_of));
	for (size_t i = 0; i < s->n; i++)
		n_of[s->list[i].kind]++;
	for (int k = 0; k < SUGGEST_KINDS; k++) {
		shown[k] = n_of[k] < OF_EACH_KIND ? n_of[k] : OF_EACH_KIND;
		if (shown[k] > room)
			shown[k] = room;
		room -= shown[k];
	}
	for (int k = 0; k < SUGGEST_KINDS; k++) {
		const int64_t more = n_max == 0			 ? n_of[k] - shown[k]
				     : n_of[k] - shown[k] < room ? n_of[k] - shown[k]
								 : room;

		shown[k] = n_max == 0 ? n_of[k] : shown[k] + more;
		room -= more;
	}
}

static void print_json(const struct suggestion *one)
{
	json_t *o = json_object();

	json_object_set_new(o, "kind", output_json_text(kind_names[one->kind]));
	json_object_set_new(o, "command", output_json_text(one->command));
	json_object_set_new(o, "evidence", output_json_text(one->evidence));
	output_json(o);
}

/* Words within 80 columns: `first` before them, `next` at the beginning of each further line, `end`
 * at the end of each line that goes on. */
static void print_words(const char *text, const char *first, const char *next, const char *end)
{
	size_t used = strlen(first);
	bool at_start = true;

	fputs(first, stdout);
	while (*text != '\0') {
		const size_t length = strcspn(text, " ");
		char *word = output_memory(NULL, length + 1);
		size_t columns;

		memcpy(word, text, length);
		word[length] = '\0';
		columns = output_width(word);
		if (!at_start && used + 1 + columns + strlen(end) > OUTPUT_COLUMNS - 1) {
			printf("%s\n%s", end, next);
			used = strlen(next);
			at_start = true;
		}
		printf("%s%.*s", at_start ? "" : " ", (int)length, text);
		used += columns + !at_start;
		at_start = false;
		text += length + (text[length] == ' ');
		free(word);
	}
	putchar('\n');
}

static void print_text(const struct suggestion *one)
{
	const size_t size = 4 * (strlen(one->command) + strlen(one->evidence)) + 1;
	char *clean = output_memory(NULL, size);

	fputs(output_colour(COLOUR_DIM), stdout);
	print_words(output_clean(clean, size, one->evidence), "# ", "#   ", "");
	fputs(output_colour(COLOUR_PLAIN), stdout);
	/* A shell takes these lines as one. */
	print_words(output_clean(clean, size, one->command), "", "    ", " \\");
	free(clean);
}

void suggestions_print(struct suggestions *s, bool as_json, int64_t n_max)
{
	int64_t n_of[SUGGEST_KINDS], shown[SUGGEST_KINDS], at[SUGGEST_KINDS] = {0};
	char number[OUTPUT_NUMBER_MAX];

	if (s->n > 0)
		qsort(s->list, s->n, sizeof(*s->list), by_weight);
	share(s, n_max, n_of, shown);
	for (size_t i = 0; i < s->n; i++) {
		const enum suggestion_kind k = s->list[i].kind;

		if (at[k]++ >= shown[k])
			continue;
		if (as_json) {
			print_json(&s->list[i]);
			continue;
		}
		if (at[k] == 1)
			printf("%s## %s%s\n\n", output_colour(COLOUR_BOLD), titles[k],
			       output_colour(COLOUR_PLAIN));
		print_text(&s->list[i]);
		if (at[k] == shown[k] && n_of[k] > shown[k])
			printf("# and %s more: pgpgate suggest -n 0\n",
			       output_number(number, n_of[k] - shown[k]));
		putchar('\n');
	}
}

void suggestions_free(struct suggestions *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->list[i].command);
		free(s->list[i].evidence);
	}
	free(s->list);
	memset(s, 0, sizeof(*s));
}
