/* SPDX-License-Identifier: ISC */
#include "scan/enveloped.h"

#include <string.h>

/* The elements up to the content, in order. */
static const struct element {
	unsigned char tag, other_tag;
	bool is_entered; /* its content is the next elements; else it is passed over */
	bool is_optional;
	uint64_t max;
} elements[] = {
	{.tag = 0x30, .is_entered = true},		      /* ContentInfo */
	{.tag = 0x06, .max = ENVELOPED_ALGORITHM_MAX},	      /* contentType */
	{.tag = 0xa0, .is_entered = true},		      /* content */
	{.tag = 0x30, .is_entered = true},		      /* EnvelopedData */
	{.tag = 0x02, .max = 1},			      /* version */
	{.tag = 0xa0, .max = 65536, .is_optional = true},     /* originatorInfo */
	{.tag = 0x31, .max = ENVELOPED_RECIPIENTS_MAX},	      /* recipientInfos */
	{.tag = 0x30, .is_entered = true},		      /* encryptedContentInfo */
	{.tag = 0x06, .max = ENVELOPED_ALGORITHM_MAX},	      /* contentType */
	{.tag = 0x30, .max = ENVELOPED_ALGORITHM_MAX},	      /* algorithm */
	{.tag = 0x80, .other_tag = 0xa0, .is_entered = true}, /* encryptedContent */
};
#define N_ELEMENTS (sizeof(elements) / sizeof(elements[0]))

void enveloped_reset(struct enveloped *e)
{
	memset(e, 0, sizeof(*e));
}

/* Octets of tag and length, X.690 section 8.1, as far as they are known. */
static size_t head_need(const struct enveloped *e)
{
	if (e->head_have < 2 || e->head[1] <= 0x80)
		return 2;
	return 2 + (e->head[1] & 0x7fu);
}

/* Tag and length are complete: is it the element that must come? */
static void take_head(struct enveloped *e)
{
	const struct element *element = &elements[e->step];
	uint64_t len = e->head[1];

	e->head_have = 0;
	if (element->is_optional && e->head[0] != element->tag)
		element = &elements[++e->step];
	if (e->head[0] != element->tag &&
	    (!element->other_tag || e->head[0] != element->other_tag)) {
		e->is_wrong = true;
		return;
	}
	if (len > 0x80) {
		len = 0;
		for (size_t i = 0; i < (e->head[1] & 0x7fu); i++)
			len = len << 8 | e->head[2 + i];
	} else if (len == 0x80) { /* indefinite: of what is entered, and is constructed */
		e->is_wrong = !element->is_entered || !(e->head[0] & 0x20);
	}
	e->step++;
	if (element->is_entered)
		return;
	e->is_wrong |= len == 0 || len > element->max;
	e->skip = len;
}

static void feed_content(struct enveloped *e, const unsigned char *bytes, size_t len)
{
	while (len > 0 && !e->is_wrong) {
		size_t n = ciphertext_feed(&e->sample, bytes, len);

		bytes += n;
		len -= n;
		e->has_content = true;
		if (!ciphertext_is_full(&e->sample))
			return;
		e->is_wrong = ciphertext_looks_like(&e->sample) != NULL;
		ciphertext_next(&e->sample);
	}
}

void enveloped_feed(struct enveloped *e, const unsigned char *bytes, size_t len)
{
	while (len > 0 && !e->is_wrong) {
		if (e->skip > 0) {
			size_t n = len < e->skip ? len : (size_t)e->skip;

			e->skip -= n;
			bytes += n;
			len -= n;
		} else if (e->step == N_ELEMENTS) {
			feed_content(e, bytes, len);
			return;
		} else {
			e->head[e->head_have++] = *bytes++;
			len--;
			if (head_need(e) > sizeof(e->head))
				e->is_wrong = true;
			else if (e->head_have >= 2 && e->head_have == head_need(e))
				take_head(e);
		}
	}
}

bool enveloped_is_proper(const struct enveloped *e)
{
	return !e->is_wrong && e->has_content && !ciphertext_looks_like(&e->sample);
}
