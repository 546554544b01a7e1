/* SPDX-License-Identifier: ISC
 *
 * c_client.c: what c-client (UW IMAP, Alpine, PHP's imap) would show of a message; see talk.h.
 */
#include <c-client/c-client.h>

#include "talk.h"

/* The library asks its program to define these. */
void mm_searched(MAILSTREAM *s, unsigned long n)
{
	(void)s;
	(void)n;
}
void mm_exists(MAILSTREAM *s, unsigned long n)
{
	(void)s;
	(void)n;
}
void mm_expunged(MAILSTREAM *s, unsigned long n)
{
	(void)s;
	(void)n;
}
void mm_flags(MAILSTREAM *s, unsigned long n)
{
	(void)s;
	(void)n;
}
void mm_notify(MAILSTREAM *s, char *t, long e)
{
	(void)s;
	(void)t;
	(void)e;
}
void mm_list(MAILSTREAM *s, int d, char *n, long a)
{
	(void)s;
	(void)d;
	(void)n;
	(void)a;
}
void mm_lsub(MAILSTREAM *s, int d, char *n, long a)
{
	(void)s;
	(void)d;
	(void)n;
	(void)a;
}
void mm_status(MAILSTREAM *s, char *m, MAILSTATUS *st)
{
	(void)s;
	(void)m;
	(void)st;
}
void mm_log(char *t, long e)
{
	(void)t;
	(void)e;
}
void mm_dlog(char *t)
{
	(void)t;
}
void mm_login(NETMBX *m, char *u, char *p, long t)
{
	(void)m;
	(void)u;
	(void)p;
	(void)t;
}
void mm_critical(MAILSTREAM *s)
{
	(void)s;
}
void mm_nocritical(MAILSTREAM *s)
{
	(void)s;
}
long mm_diskerror(MAILSTREAM *s, long e, long r)
{
	(void)s;
	(void)e;
	(void)r;
	return NIL;
}
void mm_fatal(char *t)
{
	(void)t;
}

static char *text; /* CR LF, as the library wants it */

static void show(BODY *body, size_t base)
{
	unsigned char *bytes = (unsigned char *)text + base + body->contents.offset;
	unsigned long len = body->contents.text.size;
	char type[256];

	if (body->type == TYPEMULTIPART) {
		for (PART *p = body->nested.part; p; p = p->next)
			show(&p->body, base);
		return;
	}
	if (base + body->contents.offset + len > strlen(text))
		return;
	snprintf(type, sizeof type, "%s/%s", body_types[body->type],
		 body->subtype ? body->subtype : "");
	if (body->type == TYPEMESSAGE) {
		talk_leaf(type, bytes, len);
		if (body->nested.msg && body->nested.msg->body)
			show(body->nested.msg->body, base);
		return;
	}
	void *decoded = NULL;
	if (body->encoding == ENCBASE64)
		decoded = rfc822_base64(bytes, len, &len);
	else if (body->encoding == ENCQUOTEDPRINTABLE)
		decoded = rfc822_qprint(bytes, len, &len);
	talk_leaf(type, decoded ? decoded : bytes, len);
	SIZEDTEXT raw = {decoded ? (unsigned char *)decoded : bytes, len}, converted = {NULL, 0};
	for (PARAMETER *p = body->parameter; p; p = p->next)
		if (!compare_cstring((unsigned char *)p->attribute, (unsigned char *)"charset") &&
		    utf8_text(&raw, p->value, &converted, NIL) && converted.data != raw.data) {
			talk_leaf(type, converted.data, converted.size);
			fs_give((void **)&converted.data);
		}
	fs_give(&decoded);
}

static void show_message(void)
{
	size_t n = 0;
	char *blank;
	STRING s;
	ENVELOPE *envelope = NIL;
	BODY *body = NIL;
	static char host[] = "example";

	text = (char *)talk_room(text, talk_len * 2 + 5);
	for (size_t i = 0; i < talk_len; i++) {
		if (talk_message[i] == '\n' && (i == 0 || talk_message[i - 1] != '\r'))
			text[n++] = '\r';
		text[n++] = talk_message[i] ? talk_message[i] : (char)0x80;
	}
	text[n] = 0;
	blank = strstr(text, "\r\n\r\n");
	if (!blank)
		return;
	blank += 4;
	INIT(&s, mail_string, blank, strlen(blank));
	rfc822_parse_msg_full(&envelope, &body, text, (unsigned long)(blank - text - 2), &s, host,
			      0, 0);
	if (body)
		show(body, (size_t)(blank - text));
	mail_free_envelope(&envelope);
	mail_free_body(&body);
}

int main(void)
{
	while (talk_next()) {
		show_message();
		talk_answer();
	}
	return 0;
}
