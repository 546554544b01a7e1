/* SPDX-License-Identifier: ISC */
#include "policyd/request.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct attribute {
	const char *name;
	size_t name_len;
	size_t offset, size;
	bool may_cut;
};

#define ATTRIBUTE(name_, field, may_cut_)                                  \
	{                                                                  \
		name_, sizeof(name_) - 1, offsetof(struct request, field), \
			sizeof(((struct request *)0)->field), may_cut_     \
	}

static const struct attribute attributes[] = {
	ATTRIBUTE("request", type, false),
	ATTRIBUTE("protocol_state", protocol_state, false),
	ATTRIBUTE("instance", instance, false),
	ATTRIBUTE("sender", sender, true),
	ATTRIBUTE("recipient", recipient, true),
	ATTRIBUTE("client_address", client_address, false),
	ATTRIBUTE("client_name", client_name, true),
	ATTRIBUTE("sasl_username", sasl_username, true),
	ATTRIBUTE("size", size, false),
};

void request_reset(struct request_parser *p)
{
	memset(p, 0, sizeof *p);
}

bool request_is_empty(const struct request_parser *p)
{
	return p->n_bytes == 0;
}

static enum request_result malformed(struct request_parser *p, const char *why)
{
	p->why_malformed = why;
	return REQUEST_MALFORMED;
}

/* Of a name, which is followed by zeros. Two with the same hash only make a hostile request
 * malformed. */
static uint64_t hash(const char name[REQUEST_NAME_MAX], size_t len)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < len; i += sizeof h) {
		uint64_t some;

		memcpy(&some, name + i, sizeof some);
		h = (h ^ some) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	return h;
}

/* Notes the hash. True: it was there before. The most are told by a bit. */
static bool was_seen(struct request_parser *p, uint64_t h)
{
	uint64_t *bits = &p->seen_bits[h >> 62];
	const uint64_t bit = UINT64_C(1) << (h & 63);

	for (size_t i = 0; (*bits & bit) != 0 && i < p->n_attributes; i++)
		if (p->seen[i] == h)
			return true;
	*bits |= bit;
	return false;
}

/* The '=': which attribute is it? */
static enum request_result end_of_name(struct request_parser *p)
{
	uint64_t h = hash(p->name, p->name_len);

	if (p->name_len == 0)
		return malformed(p, "a line without a name");
	if (was_seen(p, h))
		return malformed(p, "an attribute given twice");
	if (p->n_attributes == REQUEST_ATTRIBUTES_MAX)
		return malformed(p, "too many attributes");
	p->seen[p->n_attributes++] = h;

	p->is_in_value = true;
	p->value = NULL;
	p->value_len = 0;
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
		const struct attribute *a = &attributes[i];

		if (a->name_len == p->name_len && memcmp(a->name, p->name, p->name_len) == 0) {
			p->value = (char *)&p->request + a->offset;
			p->value_size = a->size;
			p->may_cut = a->may_cut;
			break;
		}
	}
	return REQUEST_MORE;
}

static enum request_result end_of_line(struct request_parser *p)
{
	if (p->is_in_value) {
		/* Values were zeroed by request_reset(), so they end in a NUL. */
		p->is_in_value = false;
		memset(p->name, 0, sizeof p->name);
		p->name_len = 0;
		return REQUEST_MORE;
	}
	if (p->name_len > 0)
		return malformed(p, "a line without '='");
	if (p->request.type[0] == '\0')
		return malformed(p, "no request attribute");
	if (strcmp(p->request.type, "smtpd_access_policy") != 0)
		return malformed(p, "a request that is not smtpd_access_policy");
	return REQUEST_COMPLETE;
}

static bool may_hold_control(const struct request_parser *p)
{
	return p->is_in_value && (p->value == NULL || p->may_cut);
}

static enum request_result feed_byte(struct request_parser *p, unsigned char c)
{
	if (c == '\n')
		return end_of_line(p);
	/* What a client put into MAIL, RCPT or HELO comes as it is, and hanging up would cost smtpd
	 * a second for each recipient: such an address is a doubtful one. No client writes names,
	 * or the rest. */
	if (c == '\0' || ((c < 0x20 || c == 0x7f) && !may_hold_control(p)))
		return malformed(p, "a control octet");
	if (!p->is_in_value) {
		if (c == '=')
			return end_of_name(p);
		if (p->name_len == sizeof p->name)
			return malformed(p, "an attribute name that is too long");
		p->name[p->name_len++] = (char)c;
		return REQUEST_MORE;
	}
	if (p->value == NULL)
		return REQUEST_MORE;
	if (p->value_len + 1 < p->value_size)
		p->value[p->value_len++] = (char)c;
	else if (!p->may_cut)
		return malformed(p, "a value that is too long");
	return REQUEST_MORE;
}

static bool is_plain(unsigned char c, bool is_in_value)
{
	return c >= 0x20 && c != 0x7f && (is_in_value || c != '=');
}

/* How many at the front are plain; 16 at once where the machine can. */
static size_t count_plain(const unsigned char *bytes, size_t len, bool is_in_value)
{
	size_t n = 0;

#ifdef __SSE2__
	const __m128i sign = _mm_set1_epi8((char)0x80), least = _mm_set1_epi8((char)(0x20 ^ 0x80));
	const __m128i del = _mm_set1_epi8(0x7f), equals = _mm_set1_epi8(is_in_value ? 0x7f : '=');

	for (; n + 16 <= len; n += 16) {
		const __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(bytes + n));
		const __m128i is_control = _mm_cmplt_epi8(_mm_xor_si128(c, sign), least);
		const __m128i is_other = _mm_or_si128(_mm_cmpeq_epi8(c, del),
						      _mm_cmpeq_epi8(c, equals));
		const unsigned found = (unsigned)_mm_movemask_epi8(
			_mm_or_si128(is_control, is_other));

		if (found != 0)
			return n + (unsigned)__builtin_ctz(found);
	}
#endif
	while (n < len && is_plain(bytes[n], is_in_value))
		n++;
	return n;
}

/* Takes octets that mean nothing but themselves, as many as feed_byte() would take one by one:
 * nearly all of a request. Returns how many. */
static size_t feed_plain(struct request_parser *p, const unsigned char *bytes, size_t len)
{
	const bool is_kept = !p->is_in_value || p->value != NULL;
	size_t room = sizeof p->name - p->name_len, n, n_kept;

	if (p->is_in_value)
		room = is_kept ? p->value_size - 1 - p->value_len : 0;
	if (is_kept && len > room && !(p->is_in_value && p->may_cut))
		len = room;
	n = count_plain(bytes, len, p->is_in_value);
	n_kept = !is_kept ? 0 : n < room ? n : room;
	if (n_kept == 0)
		return n;
	if (p->is_in_value) {
		memcpy(p->value + p->value_len, bytes, n_kept);
		p->value_len += n_kept;
	} else {
		memcpy(p->name + p->name_len, bytes, n_kept);
		p->name_len += n_kept;
	}
	return n;
}

enum request_result request_feed(struct request_parser *p, const unsigned char *bytes, size_t len,
				 size_t *n_used)
{
	enum request_result result = REQUEST_MORE;
	size_t i = 0;

	while (i < len && result == REQUEST_MORE) {
		const size_t left = p->n_bytes < REQUEST_BYTES_MAX ? REQUEST_BYTES_MAX - p->n_bytes
								   : 0;
		const size_t n = feed_plain(p, bytes + i, len - i < left ? len - i : left);

		p->n_bytes += n;
		i += n;
		if (i == len)
			break;
		if (p->n_bytes++ == REQUEST_BYTES_MAX)
			result = malformed(p, "over 64 KiB");
		else
			result = feed_byte(p, bytes[i]);
		i++;
	}
	*n_used = i;
	return result;
}
