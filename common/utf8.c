/* SPDX-License-Identifier: ISC */
#include "common/utf8.h"

#include <string.h>

size_t utf8_decode(const unsigned char *bytes, size_t len, uint32_t *codepoint)
{
	static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t need;
	uint32_t value;

	if (len == 0)
		return 0;
	if (bytes[0] < 0x80) {
		*codepoint = bytes[0];
		return 1;
	}
	if ((bytes[0] & 0xe0) == 0xc0) {
		need = 2;
		value = bytes[0] & 0x1f;
	} else if ((bytes[0] & 0xf0) == 0xe0) {
		need = 3;
		value = bytes[0] & 0x0f;
	} else if ((bytes[0] & 0xf8) == 0xf0) {
		need = 4;
		value = bytes[0] & 0x07;
	} else {
		return 0;
	}
	if (len < need)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (bytes[i] & 0x3f);
	}
	if (value < smallest[need] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*codepoint = value;
	return need;
}

bool utf8_is_valid(const char *text, size_t len)
{
	const unsigned char *bytes = (const unsigned char *)text;
	uint32_t codepoint;

	while (len > 0) {
		size_t n = utf8_decode(bytes, len, &codepoint);

		if (n == 0)
			return false;
		bytes += n;
		len -= n;
	}
	return true;
}

bool utf8_is_deceptive(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

char *utf8_trim_end(char *text)
{
	const size_t len = strlen(text);
	size_t at = len;
	uint32_t codepoint;

	while (at > 0 && ((unsigned char)text[at - 1] & 0xc0) == 0x80)
		at--;
	if (at > 0 && (unsigned char)text[at - 1] >= 0xc0 &&
	    utf8_decode((const unsigned char *)text + at - 1, len - at + 1, &codepoint) == 0)
		text[at - 1] = '\0';
	return text;
}
