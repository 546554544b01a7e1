/* SPDX-License-Identifier: ISC */
#include "scan/phrases.h"

#include <string.h>

#include "scan/text.h"

/* Steps of a comparison: more than any known text takes. It bounds the work on one that is none. */
#define STEPS_MAX 20000

/* A sentence: text in small letters, white space as one blank; "(a|b|)" is a, b, or nothing; '<'
 * and '>' are parentheses in the text. */
static const char *const preamble[] = {
	/* Thunderbird, Enigmail, GPGMail, PHPMailer, Lotus, Sendmail, Postfix, Stalwart, RT,
	   OpenSSL, mpack, ... */
	"this is (a |an )(multi-part |multipart |multi part |)"
	"(mime |mime-formatted |mime formatted |mime-encapsulated |mime encapsulated |mime-encoded "
	"|mime encoded |"
	"openpgp/mime |pgp/mime |s/mime |mime gnupg-encrypted |mime gnupg-signed |mime "
	"gnupg-processed |"
	"cryptographically |)(encrypted |signed |multi-part |multipart |)"
	"message( in mime format| in mime-format| with multiple parts in mime format| sent by "
	"reportbug|)"
	"( <rfc 2400 and 3156>| <rfc 2440 and 3156>| <rfc 4880 and 3156>| <rfc 9580 and 3156>| "
	"<rfc 3156>| <rfc 2015>|)"
	"(...|.|)",
	"this message is in mime format( and has been pgp encrypted| and has been pgp signed|)(.|)",
	"(openpgp/mime|pgp/mime|s/mime) message (<automatically encrypted by "
	"stalwart>|<encrypted>|<signed>)(.|)",
	/* Alpine, Pine */
	"the first part should be readable text, while the remaining parts are likely unreadable "
	"without "
	"mime-aware (tools|software).",
	"send mail to mime@docserver.cac.washington.edu for more info.",
	/* Courier, Zend, CodeIgniter, Blat */
	"if you (see|can see|read|can read|are reading) this(| text| message)(,|) (it means that "
	"|it means |then |)"
	"(your|that your) "
	"(e-mail or usenet |e-mail |email |mail |usenet "
	"|)(software|reader|client|program|application|agent) "
	"(does not|may not|cannot|can't|doesn't) (support|understand|handle|display) "
	"(this format|mime|the mime format|mime format|mime messages|mime-formatted messages|mime "
	"formatted messages|"
	"mime encrypted messages|mime signed messages|mime-encoded messages|multipart messages).",
	"your (e-mail |email |mail |)(software|reader|client|program|application|agent) (does "
	"not|may not|cannot) "
	"(support|understand|handle) (this format|mime|mime messages|mime-formatted messages).",
	/* Exchange, Mail::Sender */
	"since your mail reader does not understand this format, some or all of this message may "
	"not be legible.",
	"you may not be able to read some parts of this message.",
	/* reports of Windows' own SMTP server, MDaemon, ZMailer */
	"portions of this message may be unreadable without a mime-capable mail program.",
	"the following data may contain sections which represent base64 encoded file attachments.",
	"these sections will be unreadable without mime aware tools.",
	"seek your system administrator if you need help extracting any files which may be "
	"embedded "
	"within this message.",
	"this is multipart mime message.",
	/* GroupWise */
	"if you are reading this text, you may want to consider changing to a mail reader or "
	"gateway that "
	"understands how to properly handle mime multipart messages.",
	/* mpack */
	"decode it with \"munpack\" or any other mime reading software.",
	"mpack/munpack is available via anonymous ftp in ftp.andrew.cmu.edu:pub/mpack/",
	/* sendEmail */
	"to properly display this message you need a mime-version 1.0 compliant email program.",
	/* Courier's mimegpg */
	"the internet standard for mime pgp messages, rfc 2015, was published in 1996.",
	"to open this message correctly you will need to install e-mail or usenet software that "
	"supports modern "
	"internet standards.",
};

/* What RFC 3156's own control part has in its header, where a program writes it below. */
static const char *const control[] = {
	"version: 1",
	"content-description: (pgp/mime |pgpmime |openpgp/mime |pgp mime |)(version|versions) "
	"(identification|information)",
	"content-type: application/pgp-encrypted(; charset=utf-8|; charset=\"utf-8\"|; "
	"charset=us-ascii|"
	"; name=\"pgpmime version identification\"|; name=\"version.txt\"|; name=version.txt|;|)",
	"content-transfer-encoding: (7bit|8bit|binary|quoted-printable|base64)",
	"content-disposition: (inline|attachment)(; filename=\"version.txt\"|; "
	"filename=version.txt|)",
	"mime-version: 1.0",
};

struct matcher {
	const char *const *sentences;
	unsigned n;
	unsigned used; /* bit mask: sentences on the way to here */
	unsigned steps;
};

static bool match_sentences(struct matcher *m, const char *text);

static bool is_same(char pattern, char text)
{
	return pattern == (text == '('			? '<'
			   : text == ')'		? '>'
			   : text == '<' || text == '>' ? '\0'
							: text);
}

/* Does the text go on with the rest of a sentence, and is what follows made of others? */
static bool match_rest(struct matcher *m, const char *pattern, const char *text)
{
	const char *choice, *after;

	if (++m->steps > STEPS_MAX)
		return false;
	for (; *pattern != '('; pattern++, text++) {
		if (*pattern == '\0')
			return *text == '\0' || (*text == ' ' && match_sentences(m, text + 1));
		if (*text == '\0' || !is_same(*pattern, *text) || ++m->steps > STEPS_MAX)
			return false;
	}
	after = strchr(pattern, ')') + 1;
	for (choice = pattern + 1; choice < after;
	     choice++) { /* one of the choices, and then what is behind them */
		const char *t = text;

		for (; *choice != '|' && *choice != ')' && *t && is_same(*choice, *t);
		     choice++, t++)
			m->steps++;
		if ((*choice == '|' || *choice == ')') && match_rest(m, after, t))
			return true;
		choice += strcspn(choice, "|)");
	}
	return false;
}

/* Is the text made of sentences that were not met yet? */
static bool match_sentences(struct matcher *m, const char *text)
{
	for (unsigned i = 0; i < m->n; i++) {
		bool is_match;

		if (m->used & 1u << i)
			continue;
		m->used |= 1u << i;
		is_match = match_rest(m, m->sentences[i], text);
		if (is_match)
			return true;
		m->used &= ~(1u << i);
	}
	return false;
}

/* Small letters, one blank for all white space together, none at the ends. Octets beyond ASCII and
 * controls are in no sentence. */
static bool normalise(const unsigned char *text, size_t len, char out[PHRASES_MAX + 1])
{
	size_t n = 0;
	bool is_blank = true;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = text_lower(text[i]);

		if (!text_is_space(c) && (c < ' ' || c >= 0x7f))
			return false;
		if (n == PHRASES_MAX)
			return false;
		if (!text_is_space(c))
			out[n++] = (char)c;
		else if (!is_blank)
			out[n++] = ' ';
		is_blank = text_is_space(c);
	}
	if (n > 0 && is_blank)
		n--;
	out[n] = '\0';
	return n > 0;
}

static bool matches(struct matcher *m, const unsigned char *text, size_t len)
{
	char normal[PHRASES_MAX + 1];

	return normalise(text, len, normal) && match_sentences(m, normal);
}

bool phrases_is_preamble(const unsigned char *text, size_t len)
{
	struct matcher m = {preamble, sizeof(preamble) / sizeof(preamble[0]), 0, 0};

	return matches(&m, text, len);
}

bool phrases_is_control(const unsigned char *text, size_t len)
{
	struct matcher m = {control, sizeof(control) / sizeof(control[0]), 0, 0};

	return matches(&m, text, len) && (m.used & 1u); /* the first is its version */
}
