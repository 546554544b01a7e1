/* SPDX-License-Identifier: ISC */
#include "sync/rule_texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct comparing {
	const struct rule_texts *theirs;
	int64_t most_told, n;
};

int rule_texts_add(struct rule_texts *t, const char *text)
{
	if (text == NULL)
		return -1;
	if (t->n == t->room) {
		const size_t room = t->room == 0 ? 1024 : 2 * t->room;
		char **more = realloc(t->text, room * sizeof more[0]);

		if (more == NULL)
			return -1;
		t->text = more;
		t->room = room;
	}
	t->text[t->n] = strdup(text);
	return t->text[t->n] != NULL ? (t->n++, 0) : -1;
}

void rule_texts_free(struct rule_texts *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->text[i]);
	free(t->text);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int compare(void *context, const struct rule *r)
{
	struct comparing *x = context;
	char text[RULE_TEXT_MAX], *key = rule_format(r, text, sizeof text);

	if (x->theirs->n > 0 && bsearch(&key, x->theirs->text, x->theirs->n,
					sizeof x->theirs->text[0], by_text) != NULL)
		return 0;
	if (x->n++ < x->most_told)
		printf("-%s\n", text);
	return 0;
}

int rule_texts_differ(struct rule_texts *t, struct db *d, int64_t most_told, int64_t *n)
{
	const struct rules_filter all = {0};
	struct comparing x = {.theirs = t, .most_told = most_told};
	int result;

	if (t->n > 0)
		qsort(t->text, t->n, sizeof t->text[0], by_text);
	result = rules_list(d, &all, compare, &x);
	*n = x.n;
	return result;
}
