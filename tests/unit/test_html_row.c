/* SPDX-License-Identifier: ISC */
#include "scan/html_row.h"

#include "tests/unit/unit.h"

static struct html_rows r;

static void text(const char *t)
{
	html_row_text(&r, (const unsigned char *)t, strlen(t));
}

static bool line(const char *tags, const char *letters, size_t n_spaces, enum html_row_kind kind)
{
	html_row_put(&r, tags);
	text(letters);
	for (size_t i = 0; i < n_spaces; i++)
		html_row_space(&r, "nbsp", 4);
	return html_row_end(&r, kind);
}

/* How many lines, the even ones such, the odd ones such, before it is a picture; 1000: any. */
static unsigned lines(enum html_row_kind kind, const char *even, const char *odd, size_t n_even,
		      size_t n_odd)
{
	const char *letters = kind == HTML_ROW_EMPTY ? "" : "text";

	html_row_begin(&r, 0);
	for (unsigned i = 0; i < 1000; i++)
		if (!line(i % 2 ? odd : even, letters, i % 2 ? n_odd : n_even, kind))
			return i;
	return 1000;
}

static void row_lines_that_are_alike_are_free(void **state)
{
	(void)state;
	assert_int_equal(lines(HTML_ROW_DATA, "<p>", "<p>", 0, 0), 1000);
	assert_int_equal(lines(HTML_ROW_DATA, "<p>", "<p>", 7, 7), 1000);
	assert_int_equal(lines(HTML_ROW_EMPTY, "<p>", "<p>", 7, 7), 1000);
	assert_int_equal(lines(HTML_ROW_EMPTY, "<p>", "<div>", 0, 0), 1000); /* nothing shows */
	/* blanks in markup are one */
	assert_int_equal(lines(HTML_ROW_DATA, "<p a=b \n c>", "<p a=b c>", 0, 0), 1000);
}

static void row_lines_that_are_not_are_few(void **state)
{
	(void)state;
	assert_int_equal(lines(HTML_ROW_DATA, "<p>", "<p><b>", 0, 0), 16);
	assert_int_equal(lines(HTML_ROW_DATA, "<p>", "<p>", 0, 1), 16);
	assert_int_equal(lines(HTML_ROW_EMPTY, "<p>", "<p>", 1, 2), 16);
	assert_int_equal(lines(HTML_ROW_EMPTY, "<p>", "<p>", 4, 8), 11); /* blanks cost, too */
	assert_int_equal(lines(HTML_ROW_EMPTY, "<p>", "<div>", 1, 1), 16);
	assert_int_equal(lines(HTML_ROW_HEADER, "<p>", "<p><b>", 0, 0), 64);
}

static void row_other_white_space_is_unlike(void **state)
{
	(void)state;
	html_row_begin(&r, 0);
	for (unsigned i = 0; i < 16; i++) {
		html_row_space(&r, i % 2 ? "emsp" : "nbsp", 4);
		assert_true(html_row_end(&r, HTML_ROW_EMPTY));
	}
	html_row_space(&r, "nbsp", 4);
	assert_false(html_row_end(&r, HTML_ROW_EMPTY));
}

/* A row that does not fit is unlike one that begins likewise. */
static void row_that_is_too_long_is_unlike(void **state)
{
	static char tags[HTML_ROW_MAX + 2];

	(void)state;
	memset(tags, 'p', HTML_ROW_MAX + 1);
	assert_int_equal(lines(HTML_ROW_DATA, tags, tags, 0, 0), 16);
	tags[HTML_ROW_MAX - 1] = '\0';
	assert_int_equal(lines(HTML_ROW_DATA, tags, tags, 0, 0), 1000);
}

static unsigned drawn(const struct html_paint *paint, bool is_canvas)
{
	html_row_begin(&r, 0);
	for (unsigned i = 0; i < 1000; i++) {
		html_row_draw(&r, paint, is_canvas);
		if (!html_row_is_plain(&r))
			return i;
	}
	return 1000;
}

static void row_tags_that_draw_are_few(void **state)
{
	(void)state;
	assert_int_equal(drawn(&(struct html_paint){0}, false), 1000);
	assert_int_equal(drawn(&(struct html_paint){.is_styled = true}, false), 32);
	assert_int_equal(drawn(&(struct html_paint){.has_ground = true}, false), 16);
	assert_int_equal(drawn(&(struct html_paint){.has_ground = true}, true), 1000);
	assert_int_equal(drawn(&(struct html_paint){.is_underlined = true}, false), 16);
	assert_int_equal(drawn(&(struct html_paint){.bars = 1}, false), 16);
	assert_int_equal(drawn(&(struct html_paint){.lines = 1}, false), 4);
}

/* The same in each line costs once. */
static void row_tags_that_draw_alike_are_free(void **state)
{
	(void)state;
	html_row_begin(&r, 0);
	for (unsigned i = 0; i < 1000; i++) {
		html_row_draw(&r, &(struct html_paint){.has_ground = true, .bars = 3}, false);
		assert_true(line("<p>", "text", 0, HTML_ROW_DATA));
	}
}

static void row_blanks_show_where_they_are_kept(void **state)
{
	(void)state;
	html_row_begin(&r, 0);
	for (unsigned i = 0; i < 100; i++) {
		text(i % 2 ? " \r" : "\t  ");
		html_row_text_end(&r, true);
		assert_true(html_row_end(&r, HTML_ROW_EMPTY));
	}
	html_row_draw(&r, &(struct html_paint){.keeps_blanks = true}, false);
	for (unsigned i = 0; i < 16; i++) {
		text(i % 2 ? " \r" : "\t  ");
		html_row_text_end(&r, true);
		assert_true(html_row_end(&r, HTML_ROW_EMPTY));
	}
	text("\t  ");
	assert_false(html_row_end(&r, HTML_ROW_EMPTY));
}

/* Lines of 60 letters that may be broken behind the first `even`, or `odd`. */
static unsigned broken(unsigned even, unsigned odd)
{
	html_row_begin(&r, 0);
	for (unsigned i = 0; i < 1000; i++) {
		for (unsigned n = 0; n < 60; n++) {
			if (n == (i % 2 ? odd : even))
				html_row_place(&r);
			text("A");
		}
		if (!html_row_end(&r, HTML_ROW_DATA))
			return i;
	}
	return 1000;
}

static void row_carriage_return_may_end_a_line(void **state)
{
	(void)state;
	html_row_begin(&r, 0);
	for (unsigned i = 0; i < 100; i++) {
		text("A\r\r");
		html_row_text_end(&r, true);
		assert_true(html_row_end(&r, HTML_ROW_DATA));
	}
	assert_int_equal(html_row_used(&r), 4); /* of the first line */
	text("\rA\rA");
	assert_int_equal(html_row_used(&r), 12);
}

/* Eight times white space as `even` has it, and as `odd`. */
static unsigned used_by(bool keeps_blanks, const char *even, const char *odd)
{
	html_row_begin(&r, 0);
	html_row_draw(&r, &(struct html_paint){.keeps_blanks = keeps_blanks}, false);
	for (unsigned i = 0; i < 16; i++) {
		html_row_space(&r, "nbsp", 4);
		text(i % 2 ? odd : even);
		html_row_text_end(&r, false);
		html_row_space(&r, "nbsp", 4);
		html_row_end(&r, HTML_ROW_EMPTY);
	}
	return html_row_used(&r);
}

static void row_blanks_within_a_line_are_one(void **state)
{
	(void)state;
	assert_int_equal(used_by(false, " ", "\t \f"), 4);
	assert_int_equal(used_by(false, "", " "), 16 * 4);
	assert_int_equal(used_by(false, "A", " A  A"), 16 * 4);
	assert_int_equal(used_by(false, "A", "A A"), 4); /* all of it is seen */
	assert_int_equal(used_by(true, " ", "  "), 16 * 4 + 8);
	assert_int_equal(used_by(true, "A\rA", "A\r\rA"), 16 * 8);
}

static void row_texts_of_a_message_share(void **state)
{
	(void)state;
	html_row_begin(&r, 62);
	assert_true(html_row_is_plain(&r));
	html_row_draw(&r, &(struct html_paint){.is_styled = true}, false);
	assert_true(html_row_is_plain(&r));
	html_row_draw(&r, &(struct html_paint){.is_styled = true}, false);
	assert_false(html_row_is_plain(&r));
}

static void row_places_are_alike(void **state)
{
	(void)state;
	assert_int_equal(broken(30, 30), 1000);
	assert_int_equal(broken(30, 40), 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_lines_that_are_alike_are_free),
		cmocka_unit_test(row_lines_that_are_not_are_few),
		cmocka_unit_test(row_other_white_space_is_unlike),
		cmocka_unit_test(row_that_is_too_long_is_unlike),
		cmocka_unit_test(row_tags_that_draw_are_few),
		cmocka_unit_test(row_tags_that_draw_alike_are_free),
		cmocka_unit_test(row_blanks_show_where_they_are_kept),
		cmocka_unit_test(row_places_are_alike),
		cmocka_unit_test(row_carriage_return_may_end_a_line),
		cmocka_unit_test(row_blanks_within_a_line_are_one),
		cmocka_unit_test(row_texts_of_a_message_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
