/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: words in base64. Whole, in pieces, and many lines side by side, the answer is the
 * same.
 */
#include <assert.h>
#include <string.h>

#include "scan/wording.h"
#include "tests/fuzz/same.h"

#define WIDTH 64
#define STRIDE (WIDTH + 1)
#define LINES 64

static void feed(void *parser, const unsigned char *bytes, size_t len)
{
	wording_feed(parser, bytes, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char chars[LINES * WIDTH], lines[LINES * STRIDE];
	struct wording whole, pieces, beside;
	struct wording_lines sums = {0}, one_by_one = {0};
	size_t n_lines;

	if (size > sizeof(chars))
		size = sizeof(chars);
	for (size_t i = 0; i < size; i++)
		chars[i] = strchr(alphabet, data[i]) && data[i]
				   ? data[i]
				   : (unsigned char)alphabet[data[i] % 64];
	n_lines = size / WIDTH;
	for (size_t i = 0; i < n_lines; i++) {
		memcpy(lines + i * STRIDE, chars + i * WIDTH, WIDTH);
		lines[i * STRIDE + WIDTH] = '\n';
	}
	wording_reset(&whole);
	wording_feed(&whole, chars, n_lines * WIDTH);
	wording_reset(&pieces);
	same_in_pieces(feed, &pieces, chars, n_lines * WIDTH);
	wording_reset(&beside);
	wording_look_at_lines(&beside, &sums, n_lines, lines, n_lines, WIDTH, STRIDE);
	for (size_t i = 0; i < n_lines; i++)
		wording_weigh_line(&one_by_one, lines + i * STRIDE, WIDTH);
	assert(sums.sum == one_by_one.sum && sums.is_text == one_by_one.is_text);
	assert(whole.is_text == pieces.is_text && whole.is_text == beside.is_text);
	if (!whole.is_text)
		assert(whole.lower == beside.lower && whole.upper == beside.upper);
	return 0;
}
