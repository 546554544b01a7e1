/* SPDX-License-Identifier: ISC */
#include "scan/transfer.h"

#include "scan/text.h"

#define PIECE 4096 /* octets of encoded text decoded at a time */

void transfer_begin(struct transfer *t, enum encoding encoding, transfer_sink *sink, void *context)
{
	t->wrong = NULL;
	t->encoding = encoding;
	t->sink = sink;
	t->context = context;
	base64_reset(&t->base64);
	t->state = TRANSFER_QP_TEXT;
	t->high = 0;
	t->n_blanks = 0;
	t->n_out = 0;
}

static void feed_base64(struct transfer *t, const unsigned char *bytes, size_t len)
{
	unsigned char out[PIECE / 4 * 3 + 6];

	while (len > 0) {
		size_t piece = len < PIECE ? len : PIECE, n_out;
		size_t taken = base64_decode(&t->base64, bytes, piece, out, &n_out);

		if (n_out > 0)
			t->sink(t->context, out, n_out);
		bytes += taken;
		len -= taken;
		if (taken < piece) {
			if (!text_is_space(*bytes))
				t->wrong = "a character that is not base64";
			bytes++;
			len--;
		}
	}
}

/* Decoded octets are gathered, since each call of the sink has its price. */
static void flush(struct transfer *t)
{
	if (t->n_out > 0)
		t->sink(t->context, t->out, t->n_out);
	t->n_out = 0;
}

static void emit(struct transfer *t, unsigned char octet)
{
	if (t->n_out == sizeof(t->out))
		flush(t);
	t->out[t->n_out++] = octet;
}

/* What came before the fault is handed on before it is known, however the input was cut. */
static void set_wrong(struct transfer *t, const char *what)
{
	flush(t);
	t->wrong = what;
}

static int hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = text_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 2045 section 6.7 rule 3: blanks at the end of a line are not part of the text. */
static void keep_blank(struct transfer *t, unsigned char c)
{
	if (t->n_blanks < sizeof(t->blanks))
		t->blanks[t->n_blanks++] = c;
	else
		set_wrong(t, "a run of blanks too long for quoted-printable");
}

static void qp_text(struct transfer *t, unsigned char c)
{
	if (text_is_blank(c) || c == '\r') {
		keep_blank(t, c);
		return;
	}
	if (c == '\n')
		t->n_blanks = 0;
	for (size_t i = 0; i < t->n_blanks; i++)
		emit(t, t->blanks[i]);
	t->n_blanks = 0;
	if (c == '=')
		t->state = TRANSFER_QP_EQUALS;
	else
		emit(t, c);
}

static void qp_octet(struct transfer *t, unsigned char c)
{
	int digit;

	switch (t->state) {
	case TRANSFER_QP_TEXT:
		qp_text(t, c);
		return;
	case TRANSFER_QP_EQUALS:
		digit = hex_value(c);
		if (digit >= 0) {
			t->high = (unsigned char)digit;
			t->state = TRANSFER_QP_HIGH;
			return;
		}
		if (text_is_blank(c) || c == '\r') {
			t->state = TRANSFER_QP_SOFT;
			return;
		}
		break;
	case TRANSFER_QP_HIGH:
		digit = hex_value(c);
		if (digit >= 0) {
			emit(t, (unsigned char)(t->high << 4 | digit));
			t->state = TRANSFER_QP_TEXT;
			return;
		}
		break;
	case TRANSFER_QP_SOFT:
		if (text_is_blank(c) || c == '\r')
			return;
		break;
	}
	if (c != '\n' || t->state == TRANSFER_QP_HIGH) {
		set_wrong(t, "'=' without two hexadecimal digits");
		t->state = TRANSFER_QP_TEXT;
		qp_text(t, c);
		return;
	}
	t->state = TRANSFER_QP_TEXT; /* a soft line break: nothing */
}

/* The length of the run in front that stands for itself: most of quoted-printable text. Blanks at
 * its end may be those of a line's end, and are left out. */
static size_t plain_run(const unsigned char *bytes, size_t len)
{
	size_t i = 0;

	while (i < len && bytes[i] != '=' && (bytes[i] >= ' ' || bytes[i] == '\t'))
		i++;
	while (i > 0 && text_is_blank(bytes[i - 1]))
		i--;
	return i;
}

static void feed_quoted_printable(struct transfer *t, const unsigned char *bytes, size_t len)
{
	while (len > 0) {
		size_t n = 0;

		if (t->state == TRANSFER_QP_TEXT && t->n_blanks == 0)
			n = plain_run(bytes, len);
		if (n > 0) {
			flush(t);
			t->sink(t->context, bytes, n);
		} else {
			qp_octet(t, *bytes);
			n = 1;
		}
		bytes += n;
		len -= n;
	}
	flush(t);
}

void transfer_feed(struct transfer *t, const unsigned char *bytes, size_t len)
{
	if (len == 0)
		return;
	if (t->encoding == ENCODING_BASE64)
		feed_base64(t, bytes, len);
	else if (t->encoding == ENCODING_QUOTED_PRINTABLE)
		feed_quoted_printable(t, bytes, len);
	else
		t->sink(t->context, bytes, len);
}

void transfer_finish(struct transfer *t)
{
	if (t->encoding == ENCODING_BASE64 && !base64_is_complete(&t->base64))
		t->wrong = "base64 that ends within a group of four";
	/* "=" as the very last character is a soft line break before the boundary. */
	if (t->encoding == ENCODING_QUOTED_PRINTABLE && t->state == TRANSFER_QP_HIGH)
		t->wrong = "'=' without two hexadecimal digits";
}
