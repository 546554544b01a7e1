/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the policy request parser. The first byte says how the rest is cut; cut or not, the
 * result is the same, and it is what a plain reader of whole lines (below) finds.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "policyd/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum request_result feed(struct request_parser *p, const uint8_t *data, size_t size,
				size_t piece, size_t *used)
{
	enum request_result result = REQUEST_MORE;

	request_reset(p);
	*used = 0;
	while (*used < size && result == REQUEST_MORE) {
		size_t n = piece < size - *used ? piece : size - *used;
		size_t taken;

		result = request_feed(p, data + *used, n, &taken);
		assert(taken > 0 && taken <= n);
		*used += taken;
	}
	return result;
}

struct field {
	const char *name;
	char *value;
	size_t size;
	bool may_cut;
};

/* What a client wrote comes as it is; what the mail server itself writes has none. */
static bool may_hold_control(const uint8_t *name, size_t name_len, const struct field *fields,
			     size_t n_fields)
{
	for (size_t i = 0; i < n_fields; i++)
		if (strlen(fields[i].name) == name_len &&
		    memcmp(fields[i].name, name, name_len) == 0)
			return fields[i].may_cut;
	return true;
}

/* One line "name=value" or the beginning of one, without its end. False: no parser may go on after
 * it. */
static bool read_line(const uint8_t *line, size_t len, bool is_whole, const struct field *fields,
		      size_t n_fields)
{
	const uint8_t *equals = memchr(line, '=', len);
	size_t name_len = equals ? (size_t)(equals - line) : len;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\0')
			return false;
		if ((line[i] < 0x20 || line[i] == 0x7f) &&
		    !(i > name_len && may_hold_control(line, name_len, fields, n_fields)))
			return false;
	}
	if (name_len > REQUEST_NAME_MAX || (equals && name_len == 0) || (is_whole && !equals))
		return false;
	for (size_t i = 0; equals && i < n_fields; i++) {
		const struct field *f = &fields[i];
		size_t value_len = len - name_len - 1;

		if (strlen(f->name) != name_len || memcmp(f->name, line, name_len) != 0)
			continue;
		if (value_len >= f->size && !f->may_cut)
			return false;
		memcpy(f->value, equals + 1, value_len < f->size ? value_len : f->size - 1);
	}
	return true;
}

/* What these octets are, and into *r what they say. */
static enum request_result read_plainly(const uint8_t *data, size_t size, struct request *r)
{
	const struct field fields[] = {
		{"request", r->type, sizeof r->type, false},
		{"protocol_state", r->protocol_state, sizeof r->protocol_state, false},
		{"instance", r->instance, sizeof r->instance, false},
		{"sender", r->sender, sizeof r->sender, true},
		{"recipient", r->recipient, sizeof r->recipient, true},
		{"client_address", r->client_address, sizeof r->client_address, false},
		{"client_name", r->client_name, sizeof r->client_name, true},
		{"sasl_username", r->sasl_username, sizeof r->sasl_username, true},
		{"size", r->size, sizeof r->size, false},
	};
	struct {
		const uint8_t *name;
		size_t len;
	} seen[REQUEST_ATTRIBUTES_MAX];
	size_t n_seen = 0;

	memset(r, 0, sizeof *r);
	for (size_t at = 0; at < size;) {
		const uint8_t *line = data + at, *lf = memchr(line, '\n', size - at);
		size_t len = lf ? (size_t)(lf - line) : size - at;
		const uint8_t *equals = memchr(line, '=', len);

		if (lf && len == 0)
			return strcmp(r->type, "smtpd_access_policy") == 0 ? REQUEST_COMPLETE
									   : REQUEST_MALFORMED;
		if (!read_line(line, len, lf != NULL, fields, sizeof fields / sizeof fields[0]))
			return REQUEST_MALFORMED;
		if (equals) {
			size_t name_len = (size_t)(equals - line);

			for (size_t i = 0; i < n_seen; i++) {
				if (seen[i].len == name_len &&
				    memcmp(seen[i].name, line, name_len) == 0)
					return REQUEST_MALFORMED;
			}
			if (n_seen == REQUEST_ATTRIBUTES_MAX)
				return REQUEST_MALFORMED;
			seen[n_seen].name = line;
			seen[n_seen++].len = name_len;
		}
		at += len + 1;
	}
	return REQUEST_MORE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request_parser whole, cut;
	static struct request plain;
	size_t used_whole, used_cut, piece;
	enum request_result result;

	if (size < 1 || size > REQUEST_BYTES_MAX)
		return 0;
	piece = (size_t)data[0] + 1;
	data++;
	size--;
	result = feed(&whole, data, size, size + 1, &used_whole);
	assert(result == feed(&cut, data, size, piece, &used_cut));
	assert(used_whole == used_cut);
	assert(memcmp(&whole.request, &cut.request, sizeof whole.request) == 0);
	assert(read_plainly(data, used_whole, &plain) == result);
	if (result == REQUEST_COMPLETE)
		assert(memcmp(&whole.request, &plain, sizeof plain) == 0);
	if (result == REQUEST_MALFORMED)
		assert(read_plainly(data, used_whole - 1, &plain) == REQUEST_MORE);
	return 0;
}
