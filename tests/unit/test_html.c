/* SPDX-License-Identifier: ISC */
#include "scan/html.h"

#include "tests/unit/unit.h"

struct got {
	char text[4096]; /* "|": a line end, "/": an edge */
	size_t len;
};

static void take(void *context, enum html_event event, const unsigned char *bytes, size_t len)
{
	struct got *g = context;

	if (event == HTML_STYLE)
		return;
	if (event != HTML_TEXT) {
		bytes = (const unsigned char *)(event == HTML_LINE_END ? "|" : "/");
		len = 1;
	}
	assert_true(g->len + len < sizeof(g->text));
	memcpy(g->text + g->len, bytes, len);
	g->len += len;
	g->text[g->len] = '\0';
}

/* Reads html in pieces of `piece` octets; true if all of it is in the subset. */
static bool reads(const char *html, size_t piece, struct got *g)
{
	const size_t size = strlen(html);
	struct html h;

	memset(g, 0, sizeof(*g));
	html_begin(&h, take, g, 0);
	h.may_link = true;
	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		if (html_feed(&h, (const unsigned char *)html + at, n) < n) {
			assert_int_equal(html_feed(&h, (const unsigned char *)"x", 1), 0);
			assert_false(html_finish(&h));
			return false;
		}
	}
	return html_finish(&h);
}

#define META "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">"

static const struct {
	const char *label, *html, *text; /* text NULL: not in the subset */
} rows[] = {
	{"nothing", "", ""},
	{"no markup", "a\nb\n\nc", "a|b||c"},
	{"CR LF", "a\r\nb", "a\r|b"},
	{"break", "a<br>b<BR/>c<br />d<br clear=\"all\">", NULL},
	{"breaks", "a<br>b<BR/>c<br />d", "a|b|c|d"},
	{"a line end behind a break", "a<br>\nb<br>\n\nc", "a|b|c"},
	{"paragraphs", "<div>a</div>\n<p>b</p>", "/a//b/"},
	{"within pre", "<pre>a\n\nb<br>\nc</pre>\nd", "/a||b||c/d"},
	{"pre within pre", "<pre>a<pre></pre>b\nc</pre>", "/a//b|c/"},
	{"a pre end too much", "</pre>a\nb", "/a|b"},
	{"references", "a&nbsp;&#160;&#xA0;&#8203;&#xFEFF;b", "a     b"},
	{"characters",
	 "a\xc2\xa0\xa0\xe2\x80\x8b\xef\xbb\xbf"
	 "b",
	 "a    b"},
	{"Gmail's nothing", "<div dir=\"ltr\"><br></div>\n", "/|/"},
	{"Apple Mail's nothing",
	 "<html><head><meta http-equiv=\"content-type\" content=\"text/html; "
	 "charset=us-ascii\"></head>"
	 "<body style=\"overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: "
	 "after-white-space;\"></body></html>",
	 "//////"},
	{"Thunderbird",
	 "<!DOCTYPE html>\n<html>\n<head>\n" META "\n<title></title></head>"
	 "<body text=\"#000000\" bgcolor=\"#FFFFFF\"><p>a<br>\n</p>\n"
	 "<pre class=\"moz-signature\" cols=72></pre></body></html>",
	 NULL},
	{"Thunderbird without columns",
	 "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" "
	 "\"http://www.w3.org/TR/html4/loose.dtd\">"
	 "<html><head>" META
	 "<title> </title></head><body text='#000000' bgcolor=#FFFFFF><p>a</p></body></html>",
	 "// ///a///"},
	{"Outlook",
	 "<html xmlns:o=\"urn:schemas-microsoft-com:office:office\" "
	 "xmlns=\"http://www.w3.org/TR/REC-html40\"><head><meta name=Generator "
	 "content=\"Microsoft Word 15 (filtered medium)\"></head><body lang=EN-US link=\"#0563C1\" "
	 "vlink=purple style='word-wrap:break-word'><div class=WordSection1><p "
	 "class=MsoNormal><span "
	 "style='font-size:10.0pt;font-family:\"Courier "
	 "New\";color:black'>a<o:p></o:p></span></p></div>"
	 "</body></html>",
	 "//////a////"},
	{"a link", "Comment: <a href=\"https://x.test/\" target=\"_blank\">https://x.test</a>",
	 "Comment: https://x.test"},
	/* what may not be */
	{"letters beyond ASCII", "\xc3\xbc", NULL},
	{"half a no-break space", "\xc2", NULL},
	{"half of it, then a tag", "\xc2<br>", NULL},
	{"NUL is seen", "\x80", NULL},
	{"comment", "<!-- a -->", NULL},
	{"comment in DOCTYPE's place", "<!doctype a>", NULL},
	{"DOCTYPE too late", "<p></p><!doctype html>", NULL},
	{"CDATA", "<![CDATA[a]]>", NULL},
	{"instruction", "<?xml version=\"1.0\"?>", NULL},
	{"script", "<script></script>", NULL},
	{"style", "<style></style>", NULL},
	{"image", "<img>", NULL},
	{"image in a value", "<p class=\"<img>\">", NULL},
	{"unknown tag", "<plaintext>", NULL},
	{"unknown attribute", "<p title=\"red\">", NULL},
	{"event", "<p onload=\"red\">", NULL},
	{"unknown word", "<p class=\"zqcanary\">", NULL},
	{"a word as colour", "<p style=\"color:#cafes\">", NULL},
	{"a number below zero", "<p style=\"text-indent:-9ch\">", NULL},
	{"what is cut off", "<p style=\"overflow:hidden\">", NULL},
	{"address in a style", "<p style=\"background:url(http://x)\">", NULL},
	{"refresh", "<meta http-equiv=\"refresh\" content=\"0\">", NULL},
	{"value without end", "<p class=\"red>", NULL},
	{"text in a value without quotes", "<p class=red'>", NULL},
	{"attributes without a blank", "<p class=\"red\"style=\"red\">", NULL},
	{"attribute without a value", "<p class>", NULL},
	{"attribute of an end", "</p class=\"red\">", NULL},
	{"backslash", "<p class=\"red\\\">", NULL},
	{"tag without end", "<p", NULL},
	{"tag in a tag", "<p<p>>", NULL},
	{"blank before the name", "< p>", NULL},
	{"other references", "&lt;", NULL},
	{"letter as reference", "&#97;", NULL},
	{"reference without end", "&nbsp", NULL},
	{"ampersand", "a & b", NULL},
	{"title", "<title>a</title>", NULL},
	{"tag in a title", "<title><p></title>", NULL},
	{"title without end", "<title>", NULL},
	{"link with other text", "<a href=\"https://x.test\">https://y.test</a>", NULL},
	{"link with less text", "<a href=\"https://x.test\">https://x</a>", NULL},
	{"link with more text", "<a href=\"https://x.test\">https://x.test now</a>", NULL},
	{"link with a tag", "<a href=\"https://x.test\">https:<br>//x.test</a>", NULL},
	{"link without end", "<a href=\"https://x.test\">https://x.test", NULL},
	{"link to nowhere", "<a>x</a>", NULL},
	{"link with a query", "<a href=\"https://x.test?q=a\">https://x.test?q=a</a>", NULL},
	{"two addresses", "<a href=\"https://x.test\" href=\"https://y.test\">https://y.test</a>",
	 NULL},
};

static void html_is_read_or_not(void **state)
{
	static struct got g;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		for (size_t piece = 1; piece < 70; piece += piece < 4 ? 1 : 13) {
			bool is_read = reads(rows[i].html, piece, &g);

			CHECK_ROW(rows[i].label, is_read == (rows[i].text != NULL));
			if (is_read)
				CHECK_ROW_TEXT(rows[i].label, g.text, rows[i].text);
		}
	}
}

static void html_link_only_where_it_may_stand(void **state)
{
	static const char link[] = "<a href=\"https://x.test\">https://x.test</a>";
	static struct got g;
	struct html h;

	(void)state;
	html_begin(&h, take, &g, 0);
	assert_true(html_feed(&h, (const unsigned char *)link, sizeof(link) - 1) <
		    sizeof(link) - 1);
}

/* How many times `tag` fits in front of `text`. */
static size_t count_tags(const char *tag, const char *text)
{
	static struct got g;
	struct html h;
	size_t n = 0;

	memset(&g, 0, sizeof(g));
	html_begin(&h, take, &g, 0);
	html_feed(&h, (const unsigned char *)text, strlen(text));
	for (; n < 100000 && html_feed(&h, (const unsigned char *)tag, strlen(tag)) == strlen(tag);
	     n++)
		g.len = 0;
	return n;
}

static void html_markup_is_bounded_by_the_text(void **state)
{
	(void)state;
	assert_int_equal(count_tags("<br>", ""), HTML_MARKUP_MAX / 4);
	assert_int_equal(count_tags("<br>", "0123456789"), (HTML_MARKUP_MAX + 20) / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(html_is_read_or_not),
		cmocka_unit_test(html_link_only_where_it_may_stand),
		cmocka_unit_test(html_markup_is_bounded_by_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
