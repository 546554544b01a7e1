/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: what the centre of a site says (sync/answer.h). Whatever comes, what is taken of it
 * is within the bounds that its header promises, and what was taken is taken again as it is.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sync/answer.h"

#define NOW 1800000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_feed(const struct answer *a)
{
	json_t *feed = json_loads(a->feed, 0, NULL);

	assert(json_is_array(feed) && json_array_size(feed) == a->n_feed);
	for (size_t i = 0; i < a->n_feed; i++) {
		const json_t *item = json_array_get(feed, i);

		assert(answer_item_is_good(item, NOW));
		assert(json_integer_value(json_array_get(item, 5)) <= NOW + ANSWER_AHEAD_S);
		for (size_t k = 0; k < 4; k++)
			assert(strlen(json_string_value(json_array_get(item, k))) < 512);
	}
	json_decref(feed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), err[200];
	const int64_t after_no = size > 0 ? data[0] & 7 : 0;
	struct answer a;

	assert(text != NULL);
	if (size > 0)
		memcpy(text, data + 1, size - 1);
	text[size > 0 ? size - 1 : 0] = '\0';
	if (answer_read(text, after_no, NOW, &a, err, sizeof err) == 0) {
		assert(a.no >= 0 && a.no <= ANSWER_NUMBER_MAX && a.feed_no >= 0 &&
		       a.pushed_no >= 0);
		look_at_feed(&a);
		for (size_t i = 0; i < json_array_size(a.changes) && !a.needs_snapshot; i++)
			assert(answer_number(json_array_get(a.changes, i), "no") ==
			       after_no + 1 + (int64_t)i);
	}
	answer_free(&a);
	free(text);
	return 0;
}
