/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the fields that decide structure. What comes out fits and ends with NUL; lines and
 * whole fields are read alike; CR LF folds as LF folds.
 */
#include <assert.h>
#include <string.h>

#include "scan/field.h"
#include "scan/header.h"
#include "tests/fuzz/same.h"

static void check_type(const struct content_type *t)
{
	assert(memchr(t->type, 0, sizeof t->type));
	assert(memchr(t->protocol, 0, sizeof t->protocol));
	assert(memchr(t->report_type, 0, sizeof t->report_type));
	assert(memchr(t->smime_type, 0, sizeof t->smime_type));
	assert(t->boundary_len <= BOUNDARY_MAX);
	assert(!memchr(t->boundary, '\n', t->boundary_len));
}

static void fields(const uint8_t *data, size_t size)
{
	struct content_type type, folded;
	const char *ambiguity = NULL;
	static unsigned char crlf[8192];
	char name[32], version[FIELD_VERSION_MAX];
	size_t n = 0, other_bytes = 0;

	memset(&type, 0, sizeof type);
	memset(&folded, 0, sizeof folded);
	field_content_type(data, size, &type);
	check_type(&type);
	(void)field_encoding(data, size, &ambiguity, name, &other_bytes);
	assert(memchr(name, 0, sizeof name) && other_bytes <= size);
	assert(type.name_characters <= size && type.other_bytes <= 4 * size);
	field_mime_version(data, size, &ambiguity, version);
	assert(memchr(version, 0, sizeof version));
	(void)field_is_hidden_subject(data, size);
	if (size > sizeof crlf / 2 || memchr(data, '\r', size))
		return;
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n')
			crlf[n++] = '\r';
		crlf[n++] = data[i];
	}
	field_content_type(crlf, n, &folded);
	assert((type.ambiguity == NULL) == (folded.ambiguity == NULL));
	assert(!strcmp(type.type, folded.type) && type.boundary_len == folded.boundary_len);
	assert(!memcmp(type.boundary, folded.boundary, type.boundary_len));
}

static void lines(const uint8_t *data, size_t size)
{
	static struct header h;

	header_reset(&h);
	while (size > 0) {
		const uint8_t *lf = memchr(data, '\n', size);
		size_t len = lf ? (size_t)(lf - data) : size;
		size_t kept = len < HEADER_LINE_MAX ? len : HEADER_LINE_MAX;

		if (!header_line(&h, data, kept, len))
			break;
		size -= lf ? len + 1 : len;
		data += lf ? len + 1 : len;
	}
	header_end(&h);
	check_type(&h.type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fields(data, size);
	lines(data, size);
	return 0;
}
