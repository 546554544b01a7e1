/* SPDX-License-Identifier: ISC
 *
 * noise.c: how often is real ciphertext refused by the rules that count? Reads ciphertext from
 * standard input and asks each rule of rules 17 and 27 of pgpgate-verdicts(7), in samples of every
 * size that it has a bound for:
 *
 *     openssl enc -aes-256-ctr -pass pass:x -pbkdf2 -in /dev/zero | tests/property/noise 10000000
 *
 * judges so many lines of 64 characters, 48 octets each, and half as many again of key ids and
 * fingerprints: of keys whose 32 octets are those of the ciphertext, by the hashes of RFC 9580
 * section 5.5.4, since that is all that makes an id. One row a rule: what it is, samples,
 * refused, and how near the nearest came. Exit 1 if more than one in a million samples is refused,
 * but for the rule of 16 octets, whose chance is 8 in a million. By hand and in `./runtests long`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "scan/ciphertext.h"
#include "scan/spread.h"
#include "scan/wording.h"

#define LINE 64
#define OCTETS 48
#define LINES_AT_ONCE 4096 /* 262,144 characters: ARMOR_WORDING_MAX */

struct row {
	const char *what;
	size_t octets; /* of a sample; 0: not by octets */
	unsigned long samples, refused;
};

static struct row sizes[] = {
	{"rule 27, text among so many octets", 64, 0, 0},
	{"", 128, 0, 0},
	{"", 256, 0, 0},
	{"", 512, 0, 0},
	{"", 1024, 0, 0},
	{"", 2048, 0, 0},
	{"", 4096, 0, 0},
};
static struct row shorts[] = {
	{"rule 27, short session keys of unknown kind", 16, 0, 0},
	{"", 24, 0, 0},
	{"", 32, 0, 0},
	{"", 48, 0, 0},
};
#define SIZES 7
static struct row ids[3][SIZES] = {{{.what = "rule 27, key ids of so many octets in all"}},
				   {{.what = "rule 27, fingerprints of version 4"}},
				   {{.what = "rule 27, fingerprints of version 6"}}};
static struct row evens[] = {
	{"rule 17, spread of so many characters", 256, 0, 0},
	{"", 320, 0, 0},
	{"", 512, 0, 0},
	{"", 768, 0, 0},
	{"", 262144, 0, 0},
};
static struct row runs = {"rule 27, a run of text, over lines", 0, 0, 0};
static struct row words = {"rule 17, words in a block of 262,144 characters", 0, 0, 0};
static struct row small = {"rule 17, words in a block of 4,096 characters", 0, 0, 0};
static struct row spread = {"rule 17, words in the lines of a message", 0, 0, 0};
static int most_words, most_spread;
static unsigned long n_ids;

static void weigh_octets(const unsigned char *octets, size_t len)
{
	static struct ciphertext c;

	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		for (size_t at = 0; at + sizes[k].octets <= len; at += sizes[k].octets) {
			ciphertext_reset(&c);
			ciphertext_feed(&c, octets + at, sizes[k].octets);
			sizes[k].samples++;
			sizes[k].refused += ciphertext_looks_like(&c) != NULL;
		}
	}
	for (size_t k = 0; k < sizeof(shorts) / sizeof(shorts[0]); k++) {
		for (size_t at = 0; at + shorts[k].octets <= len; at += shorts[k].octets) {
			ciphertext_reset(&c);
			ciphertext_feed(&c, octets + at, shorts[k].octets);
			shorts[k].samples++;
			shorts[k].refused += ciphertext_is_short_text(&c);
		}
	}
}

#define MATERIAL 32 /* octets of a public key */

/* Key ids and fingerprints, as session keys name them one behind the other. */
static void weigh_ids(const unsigned char *octets, size_t len)
{
	static unsigned char out[3][LINES_AT_ONCE * OCTETS];
	static const size_t each[3] = {8, SHA1_DIGEST_SIZE, SHA256_DIGEST_SIZE};
	static const unsigned char curve[] = {0x12, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x97,
					      0x55, 0x01, 0x05, 0x01, 0x01, 0x07, 0x40};
	const size_t n = len / MATERIAL;
	static struct ciphertext c;

	for (size_t i = 0; i < n; i++) {
		unsigned char key[64] = {0x99, 0, 56, 4, 0x65, 1, 2, 3};
		struct sha1_ctx sha1;
		struct sha256_ctx sha256;
		unsigned char *fingerprint = out[1] + i * SHA1_DIGEST_SIZE;

		memcpy(key + 8, curve, sizeof(curve));
		memcpy(key + 8 + sizeof(curve), octets + i * MATERIAL, MATERIAL);
		sha1_init(&sha1);
		sha1_update(&sha1, 8 + sizeof(curve) + MATERIAL, key);
		sha1_digest(&sha1, SHA1_DIGEST_SIZE, fingerprint);
		memcpy(out[0] + i * 8, fingerprint + 12, 8);
		sha256_init(&sha256);
		sha256_update(&sha256, 5, (const unsigned char *)"\x9b\0\0\0\x2a");
		sha256_update(&sha256, 10, (const unsigned char *)"\6\x65\1\2\3\x19\0\0\0\x20");
		sha256_update(&sha256, MATERIAL, octets + i * MATERIAL);
		sha256_digest(&sha256, SHA256_DIGEST_SIZE, out[2] + i * SHA256_DIGEST_SIZE);
	}
	for (size_t kind = 0; kind < 3; kind++) {
		for (size_t k = 0; k < SIZES; k++) {
			struct row *r = &ids[kind][k];

			r->octets = sizes[k].octets;
			for (size_t at = 0; at + r->octets <= n * each[kind]; at += r->octets) {
				ciphertext_reset(&c);
				ciphertext_feed(&c, out[kind] + at, r->octets);
				r->samples++;
				r->refused += ciphertext_looks_like(&c) != NULL;
			}
		}
	}
	n_ids += n;
}

/* Blocks of so many characters. */
static void weigh_spread(const unsigned char *chars, size_t n_lines)
{
	static struct spread s;

	for (size_t k = 0; k < sizeof(evens) / sizeof(evens[0]); k++) {
		const size_t lines = evens[k].octets / LINE;

		for (size_t n = 0; n + lines <= n_lines; n += lines) {
			spread_reset(&s);
			spread_feed(&s, chars + n * LINE, lines, LINE, LINE, true);
			evens[k].samples++;
			evens[k].refused += spread_finish(&s);
		}
	}
}

static void watch_runs(const unsigned char *octets, size_t len)
{
	static struct ciphertext c;

	for (size_t at = 0; at + OCTETS <= len; at += OCTETS) {
		ciphertext_next(&c);
		ciphertext_feed(&c, octets + at, OCTETS);
		runs.samples++;
		runs.refused += c.has_run;
		c.has_run = false;
	}
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static void weigh_lines(const unsigned char *chars, size_t n_lines, bool is_new_message)
{
	static struct wording_lines lines;
	struct wording w;

	wording_reset(&w);
	words.samples++;
	wording_look_at_lines(&w, NULL, 0, chars, n_lines, LINE, LINE);
	words.refused += w.is_text;
	for (size_t n = 0; n < n_lines; n++) {
		if (n % 64 == 0)
			wording_reset(&w);
		wording_feed(&w, chars + n * LINE, LINE);
		most_words = larger(most_words, larger(w.lower, w.upper));
		if (n % 64 == 63) {
			small.samples++;
			small.refused += w.is_text;
		}
	}
	if (is_new_message)
		memset(&lines, 0, sizeof(lines));
	for (size_t n = 0; n < n_lines; n++) {
		spread.samples++;
		spread.refused += wording_weigh_line(&lines, chars + n * LINE, LINE);
		most_spread = larger(most_spread, lines.sum);
		if (lines.is_text)
			memset(&lines, 0, sizeof(lines));
	}
}

static void encode(const unsigned char *octets, size_t len, unsigned char *out)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i + 3 <= len; i += 3) {
		*out++ = (unsigned char)alphabet[octets[i] >> 2];
		*out++ = (unsigned char)alphabet[(octets[i] & 3) << 4 | octets[i + 1] >> 4];
		*out++ = (unsigned char)alphabet[(octets[i + 1] & 15) << 2 | octets[i + 2] >> 6];
		*out++ = (unsigned char)alphabet[octets[i + 2] & 63];
	}
}

static bool say(const struct row *r, unsigned long per_million)
{
	printf("%-48s %6zu %12lu samples %4lu refused\n", r->what ? r->what : "", r->octets,
	       r->samples, r->refused);
	return r->refused * 1000000 <= per_million * r->samples;
}

int main(int argc, char **argv)
{
	static unsigned char octets[LINES_AT_ONCE * OCTETS], chars[LINES_AT_ONCE * LINE];
	unsigned long n_lines = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000, done = 0;
	bool is_good = true;

	for (unsigned long batch = 0; done < n_lines; batch++, done += LINES_AT_ONCE) {
		if (fread(octets, 1, sizeof(octets), stdin) < sizeof(octets)) {
			fprintf(stderr, "noise: the input ends early\n");
			return 1;
		}
		encode(octets, sizeof(octets), chars);
		weigh_octets(octets, sizeof(octets));
		watch_runs(octets, sizeof(octets));
		weigh_ids(octets, sizeof(octets));
		weigh_spread(chars, LINES_AT_ONCE);
		weigh_lines(chars, LINES_AT_ONCE, batch % 50 == 0);
	}
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
		is_good &= say(&sizes[k], 1);
	is_good &= say(&shorts[0], 12) && say(&shorts[1], 1) && say(&shorts[2], 1) &&
		   say(&shorts[3], 1);
	is_good &= say(&runs, 1) && say(&words, 1) && say(&small, 1) && say(&spread, 1);
	for (size_t kind = 0; kind < 3; kind++)
		for (size_t k = 0; k < SIZES; k++)
			is_good &= say(&ids[kind][k], 1);
	for (size_t k = 0; k < sizeof(evens) / sizeof(evens[0]); k++)
		is_good &= say(&evens[k], 1);
	printf("%lu key ids, and as many fingerprints of each version\n", n_ids);
	printf("nearest to %d nats: words %.1f; to %d: words in lines %.1f\n", WORDING_NATS,
	       most_words / 16.0, WORDING_LINES_NATS, most_spread / 16.0);
	printf("noise: %lu lines of ciphertext, %s\n", done,
	       is_good ? "refused as seldom as stated" : "REFUSED TOO OFTEN");
	printf("%d passed, %d failed, 0 skipped\n", is_good, !is_good);
	return is_good ? 0 : 1;
}
