/* SPDX-License-Identifier: ISC */
#include "policyd/request.h"

#include <string.h>

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

/* FNV-1a. Two names with the same hash only make a hostile request malformed. */
static uint64_t hash(const char *text, size_t len)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 1099511628211u;
	return h;
}

/* The '=': which attribute is it? */
static enum request_result end_of_name(struct request_parser *p)
{
	uint64_t h = hash(p->name, p->name_len);

	if (p->name_len == 0)
		return malformed(p, "a line without a name");
	for (size_t i = 0; i < p->n_attributes; i++) {
		if (p->seen[i] == h)
			return malformed(p, "an attribute given twice");
	}
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
		}
	}
	return REQUEST_MORE;
}

static enum request_result end_of_line(struct request_parser *p)
{
	if (p->is_in_value) {
		/* Values were zeroed by request_reset(), so they end in a NUL. */
		p->is_in_value = false;
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

/* Takes octets that mean nothing but themselves, as many as feed_byte() would take one by one:
 * nearly all of a request. Returns how many. */
static size_t feed_plain(struct request_parser *p, const unsigned char *bytes, size_t len)
{
	const bool is_kept = !p->is_in_value || p->value != NULL;
	size_t room = sizeof p->name - p->name_len, n = 0, n_kept;

	if (p->is_in_value)
		room = is_kept ? p->value_size - 1 - p->value_len : 0;
	if (is_kept && len > room && !(p->is_in_value && p->may_cut))
		len = room;
	while (n < len && bytes[n] >= 0x20 && bytes[n] != 0x7f &&
	       (p->is_in_value || bytes[n] != '='))
		n++;
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
