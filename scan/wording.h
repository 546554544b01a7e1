/* SPDX-License-Identifier: ISC
 *
 * wording.h: do base64 characters spell words? English in base64's alphabet ("meet+me+at+eight")
 * decodes to octets that look random, so it is looked for in the characters themselves. Each next
 * one is weighed by how much likelier it is in English than in noise; the best run decides.
 *
 * The chance that noise is taken for words is bounded by arithmetic: a likelihood ratio of
 * WORDING_NATS is reached from a given character on with a chance of at most exp(-WORDING_NATS)
 * (Ville's inequality), for lower and upper case each; that is 1 in 40,000,000 for a million
 * characters of ciphertext. Of English with anything between the words some 30 characters are
 * enough, without anything some 40. Other languages of Europe need half as many again, capitals
 * amid words hide more.
 *
 * Fixed memory, any chunking, one thread.
 */
#ifndef PGPGATE_SCAN_WORDING_H
#define PGPGATE_SCAN_WORDING_H

#include <stdbool.h>
#include <stddef.h>

#define WORDING_NATS 32
#define WORDING_LINES_NATS 45 /* of what lines have beyond noise */

struct wording {
	int lower, upper; /* logarithms of the likelihood ratio of the best run that ends here */
	unsigned char previous;
	bool is_text;
};

/* Ready for the first character. */
void wording_reset(struct wording *w);

/* Characters of the base64 alphabet. True: there are words in them, or were. */
bool wording_feed(struct wording *w, const unsigned char *chars, size_t len);

/* Words of few letters, some in each line or each block, are too short a run alone: what the best
 * run of each line has beyond the best that noise has (2 nats more than the logarithm of the places
 * where one may begin) is summed up over lines. With a line's excess exponential at most (Ville
 * again), exp(0.7 * excess) has an expectation below exp(0.7 * 0.4), which is what a line is
 * charged; so noise passes the bound from a given line on with a chance of at most exp(-0.7 * 45),
 * that is 2 in 100,000,000,000,000: 4 in 1,000,000,000 for a message of 200,000 lines that are
 * looked at. Of English, 16 letters in each of 7 lines are enough, or 10 in each of 30. */
struct wording_lines {
	int sum;
	bool is_text;
};

/* One line of a block, or a piece of a long one. True: there are words in the lines, or were. */
bool wording_weigh_line(struct wording_lines *w, const unsigned char *chars, size_t len);

/* Both at once, several times as fast: as wording_feed() with the n_chars characters of each of
 * n_lines lines, and as wording_weigh_line() with each of the first n_alone of them. A line begins
 * every stride octets. n_chars > 0. Once there are words w->lower and w->upper say nothing any
 * more. */
void wording_look_at_lines(struct wording *w, struct wording_lines *lines, size_t n_alone,
			   const unsigned char *chars, size_t n_lines, size_t n_chars,
			   size_t stride);

#endif
