/* SPDX-License-Identifier: ISC */
#include "scan/html_attribute.h"
#include "scan/html_style.h"

#include "tests/unit/unit.h"

static const struct {
	const char *style;
	bool is_plain;
} styles[] = {
	{"", true},
	{" ; ", true},
	{"color:black", true},
	{"color: rgb(0, 0, 0);", true},
	{"color:rgb(0,0,0) !important", true},
	{"color:#0563c1;text-decoration:none", true},
	{"font-family:&quot;courier new&quot;,monospace", true},
	{"font-family: 'courier new', monospace; font-size: 10.0pt", true},
	{"font: 12px/1.5 arial, sans-serif", true},
	{"font: 400 12pt arial", true},
	{"font-size:1.2em;line-height:normal", true},
	{"line-height:107%;margin:0in 0in 8pt 36.0pt", true},
	{"margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex", true},
	{"background-color: rgb(255, 255, 255)", true},
	{"background:transparent", true},
	{"background-color: rgba(0, 0, 0, 0)", true},
	{"white-space: pre-wrap; word-break: break-word", true},
	{"display: inline !important; float: none", true},
	{"border: 0px none black", true},
	{"border:none;padding:0cm", true},
	{"max-width: 600px; width: 100%", true},
	{"-webkit-text-stroke-width: 0px; orphans: 2; widows: auto", true},
	{"letter-spacing: normal; text-indent: 0px; text-transform: none", true},
	{"mso-fareast-language:en-us", true},
	/* text that is hidden */
	{"color:white", false},
	{"color:#eeeeee", false},
	{"color:transparent", false},
	{"color:rgba(0,0,0,0.1)", false},
	{"font-size:0", false},
	{"font-size:1px", false},
	{"font: 1px arial", false},
	{"display:none", false},
	{"visibility:hidden", false},
	{"opacity:0", false},
	{"background-color:black", false},
	{"background:#333", false},
	{"background:rgba(0,0,0,0.4)", false},
	{"background:rgba(0,0,0,0.001)", false},
	{"margin-left:999px", false},
	{"margin-left:-9px", false},
	{"text-indent:-9ch", false},
	{"max-height:1px", false},
	{"overflow:hidden", false},
	{"clip:auto", false},
	{"-webkit-text-security:none", false},
	/* text that is laid over other text, or beside it */
	{"line-height:0", false},
	{"line-height:0.1", false},
	{"line-height:1px", false},
	{"position:absolute", false},
	{"float:left", false},
	{"display:inline-block", false},
	{"display:table-cell", false},
	{"width:1ch", false},
	{"max-width:1em", false},
	{"column-count:2", false},
	{"vertical-align:9px", false},
	{"transform:none", false},
	{"letter-spacing:99px", false},
	/* other letters than there are */
	{"text-transform:lowercase", false},
	{"font-family:symbol", false},
	{"font-family:wingdings", false},
	{"font-variant:small-caps", false},
	{"unicode-bidi:bidi-override", false},
	{"writing-mode:none", false},
	{"content:none", false},
	/* what is fetched, and what is none */
	{"background:url(http://x)", false},
	{"background-image:url(x)", false},
	{"behavior:none", false},
	{"meet me at eight", false},
	{"color:meetme", false},
	{"color", false},
	{"color:#cafes", false},
	{"meet:none", false},
	{"color:rgb(1,2,3", false},
	{"color:rgb(1,2)", false},
	{"color:rgb(256,0,0)", false},
	{"font-size:12pt12", false},
	{"/* meet me */color:red", false},
	/* lines whose width is not read */
	{"border-left:9px solid", false},
	{"border-width:1in", false},
	{"border:calc(1px) solid", false},
	{"border:1e-3px solid", false},
	{"border:0e0px solid", false},
	{"border:.00001px solid", false},
	{"border-left-width:5px", false},
	{"border-image:none", false},
	{"border-block:1px solid", false},
	{"outline-width:5px", false},
	{"outline-style:solid", false},
	{"column-rule:1px solid", false},
	{"text-decoration-thickness:5px", false},
	{"text-decoration:line-through", false},
	{"text-decoration:overline", false},
	{"-webkit-border-start:1px solid", false},
	{"-moz-outline:1px solid", false},
	{"box-shadow:1px 1px", false},
	{"all:inherit", false},
};

static void style_is_plain_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		struct html_paint paint = {0};
		char value[200];

		snprintf(value, sizeof(value), "%s", styles[i].style);
		if (html_style_is_plain(value, &paint) != styles[i].is_plain)
			fail_msg("\"%s\" should %sbe plain", styles[i].style,
				 styles[i].is_plain ? "" : "not ");
	}
}

/* What it draws: "g" a ground, "u" an underline, "b" a line at the left, "l" another line, "w" that
 * white space may show. */
static void assert_draws(const char *style, const char *want)
{
	struct html_paint paint = {0};
	char value[200], got[10] = "";

	snprintf(value, sizeof(value), "%s", style);
	assert_true(html_style_is_plain(value, &paint));
	assert_true(paint.is_styled);
	snprintf(got, sizeof(got), "%s%s%.*s%.*s%s", paint.has_ground ? "g" : "",
		 paint.is_underlined ? "u" : "", (int)paint.bars, "bb", (int)paint.lines, "ll",
		 paint.keeps_blanks ? "w" : "");
	if (strcmp(got, want) != 0)
		fail_msg("\"%s\" should draw \"%s\", not \"%s\"", style, want, got);
}

static void style_tells_what_it_draws(void **state)
{
	(void)state;
	assert_draws("color:black", "");
	assert_draws("background-color:#fff", "g");
	assert_draws("background:inherit", "g");
	assert_draws("background-color:inherit", "g");
	assert_draws("background:rgba(255,255,255,0.4)", "g");
	assert_draws("background:rgba(0,0,0,0)", "");
	assert_draws("border:initial;background:initial", "");
	assert_draws("background:transparent;text-decoration:none", "");
	assert_draws("text-decoration:underline", "u");
	assert_draws("text-decoration:inherit", "u");
	assert_draws("text-decoration-line:inherit", "u");
	assert_draws("border-left:1px solid black", "b");
	assert_draws("border-left:0.001px solid black", "b");
	assert_draws("border-left:.0001pt solid black", "b");
	assert_draws("border-left:inherit", "b");
	assert_draws("border-left:none", "");
	assert_draws("border-left:5px solid;border-top:5px solid", "bl");
	assert_draws("outline:thin dotted", "l");
	assert_draws("outline:inherit !important", "l");
	assert_draws("outline:auto", "l");
	assert_draws("outline:0 auto", "l");
	assert_draws("border:0 solid black", "");
	assert_draws("border:0 solid black;border-width:0px", "");
	assert_draws("border:0 solid black;border-width:1px", "l");
	assert_draws("border:0 solid black;border-width:0 0 1px", "l");
	assert_draws("border:0 solid black;border-width:initial", "l");
	assert_draws("border:0 solid black;border-width:medium", "l");
	assert_draws("border:0 solid black;border-width:unset", "l");
	assert_draws("border:0 solid black;border-width:0 .001px", "l");
	assert_draws("border:inherit", "l");
	assert_draws("border-style:inherit", "l");
	assert_draws("border:none;border-style:none;outline:none", "");
	assert_draws("white-space:pre-wrap", "w");
	assert_draws("white-space:normal", "w"); /* within what keeps them */
}

static const struct {
	const char *tag, *name, *value;
	bool is_plain;
} attributes[] = {
	{"p", "class", "msonormal", true},
	{"p", "class", "x_x_msonormal  x_plaintext", true},
	{"div", "class", "m_-8123456789012gmail_quote", true},
	{"div", "class", "ydp1a2b3cyahoo-style-wrap", true},
	{"div", "class", "meet me", false},
	{"div", "class", "x_meet", false},
	{"div", "class", "m_1meet", false},
	{"div", "id", "appendonsend", true},
	{"div", "id", "meetmeateight", false},
	{"div", "data-setdir", "false", true},
	{"div", "data-marker", "__sig_pre__", true},
	{"div", "data-meet", "1", false},
	{"body", "bgcolor", "#ffffff", true},
	{"body", "bgcolor", "black", false},
	{"body", "bgcolor", "#eee", true},
	{"body", "bgcolor", "rgb(255,255,255)", false}, /* some other colour to HTML */
	{"body", "bgcolor", "rgba(0,0,0,0)", false},
	{"body", "text", "windowtext", false},
	{"body", "text", "#000000", true},
	{"body", "text", "white", false},
	{"font", "color", "red", true},
	{"font", "face", "arial, helvetica", true},
	{"font", "face", "wingdings", false},
	{"font", "size", "+1", true},
	{"font", "size", "0", false},
	{"font", "size", "12", false},
	{"p", "dir", "rtl", true},
	{"p", "lang", "en-us", true},
	{"p", "lang", "meet me", false},
	{"blockquote", "type", "cite", true},
	{"blockquote", "cite", "http://x", false},
	{"meta", "content", "text/html; charset=utf-8", true},
	{"meta", "content", "0; url=http://x", false},
	{"meta", "http-equiv", "refresh", false},
	{"div", "content", "text/html", false},
	{"html", "xmlns:o", "urn:schemas-microsoft-com:office:office", true},
	{"html", "xmlns:o", "meet me", false},
	{"p", "title", "red", false},
	{"p", "onload", "red", false},
	{"p", "style", "color:red", true},
	{"p", "style", "color:white", false},
};

static void attribute_is_plain_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		struct html_paint paint = {0};
		char value[200];

		snprintf(value, sizeof(value), "%s", attributes[i].value);
		if (html_attribute_is_plain(attributes[i].tag, attributes[i].name, value, &paint) !=
		    attributes[i].is_plain)
			fail_msg("%s=\"%s\" should %sbe plain", attributes[i].name,
				 attributes[i].value, attributes[i].is_plain ? "" : "not ");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(style_is_plain_or_not),
		cmocka_unit_test(style_tells_what_it_draws),
		cmocka_unit_test(attribute_is_plain_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
