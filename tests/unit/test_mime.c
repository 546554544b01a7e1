/* SPDX-License-Identifier: ISC */
#include "scan/mime.h"

#include "tests/unit/unit.h"

/* The parts of a message as the observer hears of them: "path type finding;" with words for
 * findings. */
struct tree {
	char text[2048];
};

static void note(void *context, const struct scan_part *part)
{
	struct tree *t = context;
	size_t used = strlen(t->text);

	snprintf(t->text + used, sizeof(t->text) - used, "%s %s: %s; ",
		 part->path[0] ? part->path : "body", part->type, part->finding);
}

struct row {
	const char *label, *type, *body, *tree, *fault;
	bool has_outside_text; /* preamble or epilogue */
};

#define MIXED "multipart/mixed; boundary=b"

static const struct row rows[] = {
	{"one part", MIXED, "--b\nX: y\n\nhi\n--b--\n",
	 "1 text/plain: readable: 2 bytes; body multipart/mixed: readable; ", "", false},
	{"CR LF", MIXED, "--b\r\nX: y\r\n\r\nhi\r\n--b--\r\n",
	 "1 text/plain: readable: 2 bytes; body multipart/mixed: readable; ", "", false},
	{"blanks after the boundary", MIXED, "--b \t\nX: y\n\nhi\n--b-- \n",
	 "1 text/plain: readable: 2 bytes; body multipart/mixed: readable; ", "", false},
	{"no line end at the end", MIXED, "--b\nX: y\n\nhi\n--b--",
	 "1 text/plain: readable: 2 bytes; body multipart/mixed: readable; ", "", false},
	{"boundary goes on", MIXED, "--b\nX: y\n\nhi\n--bc\n--b--\n",
	 "1 text/plain: readable: 6 bytes; body multipart/mixed: readable; ", "ambiguous-mime",
	 false},
	{"boundary and a dash", MIXED, "--b\nX: y\n\nhi\n--b-\n--b--\n",
	 "1 text/plain: readable: 6 bytes; body multipart/mixed: readable; ", "ambiguous-mime",
	 false},
	{"closing boundary goes on", MIXED, "--b\nX: y\n\nhi\n--b--x\n--b--\n",
	 "1 text/plain: readable: 8 bytes; body multipart/mixed: readable; ", "ambiguous-mime",
	 false},
	{"boundary in other case", MIXED, "--b\nX: y\n\nhi\n--B\n--b--\n",
	 "1 text/plain: readable: 5 bytes; body multipart/mixed: readable; ", "ambiguous-mime",
	 false},
	{"boundary and a form feed", MIXED, "--b\nX: y\n\nhi\n--b\f\n--b--\n",
	 "1 text/plain: readable: 5 bytes; body multipart/mixed: readable; ", "ambiguous-mime",
	 false},
	{"one dash", MIXED, "--b\nX: y\n\nhi\n-b\n--b--\n",
	 "1 text/plain: readable: 4 bytes; body multipart/mixed: readable; ", "", false},
	{"no header", MIXED, "--b\n\nhi\n--b--\n",
	 "1 text/plain: readable: 2 bytes; body multipart/mixed: readable; ", "ambiguous-mime",
	 false},
	{"header only", MIXED, "--b\nContent-Type: image/png\n--b--\n",
	 "1 image/png: empty; body multipart/mixed: empty; ", "", false},
	{"header cut by the end", MIXED, "--b\nContent-Type: image/png",
	 "1 image/png: empty; body multipart/mixed: empty; ", "truncated", false},
	{"boundary at the very end", MIXED, "--b\nX: y\n\nhi\n--b",
	 "1 text/plain: readable: 2 bytes; 2 text/plain: empty; body multipart/mixed: readable; ",
	 "truncated", false},
	{"no close", MIXED, "--b\nX: y\n\nhi\n",
	 "1 text/plain: readable: 2 bytes; body multipart/mixed: readable; ", "truncated", false},
	{"never a boundary", MIXED, "hi\n--c\n", "body multipart/mixed: readable: 5 bytes; ", "",
	 false},
	{"never a boundary, encrypted", "multipart/encrypted; boundary=b", "hi\n",
	 "body multipart/encrypted: readable: 2 bytes; ", "bad-structure", false},
	{"no boundary parameter", "multipart/mixed", "hi\n", "body text/plain: readable: 2 bytes; ",
	 "", false},
	{"preamble and epilogue", MIXED, "before\n--b\nX: y\n\nhi\n--b--\nafter\n--b\n",
	 "1 text/plain: readable: 2 bytes; body multipart/mixed: readable; ", "", true},
	{"known preamble", MIXED,
	 "This is a multi-part message in MIME format.\n--b\nX: y\n\nhi\n--b--\n\n",
	 "1 text/plain: readable: 2 bytes; body multipart/mixed: readable; ", "", false},
	{"message without a body", MIXED,
	 "--b\nContent-Type: message/external-body; access-type=URL\n\n--b--\n",
	 "1 message/external-body: readable: 0 bytes; body multipart/mixed: readable; ", "", false},
	{"CR CR LF after a boundary", MIXED, "--b\r\r\nX: y\r\n\r\nhi\r\n--b--\r\n",
	 "1 text/plain: readable: 2 bytes; body multipart/mixed: readable; ", "ambiguous-mime",
	 false},
	{"nested", MIXED,
	 "--b\nContent-Type: multipart/digest; boundary=c\n\n--c\nX: y\n\nSubject: "
	 "x\n--c--\n--b\nX: y\n\nhi\n--b--\n",
	 "1.1 message/rfc822: readable: 9 bytes; 1 multipart/digest: readable; "
	 "2 text/plain: readable: 2 bytes; body multipart/mixed: readable; ",
	 "", false},
	{"digest with a type", "multipart/digest; boundary=b",
	 "--b\nContent-Type: text/html\n\nhi\n--b--\n",
	 "1 text/html: readable: 2 bytes; body multipart/digest: readable; ", "", false},
	{"nested, cut by the outer", MIXED,
	 "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\nX: y\n\nhi\n--b--\n",
	 "1.1 text/plain: readable: 2 bytes; 1 multipart/mixed: readable; body multipart/mixed: "
	 "readable; ",
	 "truncated", false},
	{"nested, never a boundary", MIXED,
	 "--b\nContent-Type: multipart/mixed; boundary=c\n\nhi\n--b--\n",
	 "1 multipart/mixed: readable: 2 bytes; body multipart/mixed: readable; ", "", false},
	{"nested, the same boundary", MIXED,
	 "--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\nX: y\n\nhi\n--b--\n",
	 "1.1 text/plain: readable: 2 bytes; 1 multipart/mixed: readable; body multipart/mixed: "
	 "readable; ",
	 "ambiguous-mime", false},
	{"encoding on a multipart", MIXED,
	 "--b\nContent-Type: multipart/mixed; boundary=c\nContent-Transfer-Encoding: "
	 "base64\n\n--c\nX: y\n\nhi\n--c--\n"
	 "--b--\n",
	 "1.1 text/plain: readable: 2 bytes; 1 multipart/mixed: readable; body multipart/mixed: "
	 "readable; ",
	 "bad-encoding", false},
	{"base64 part", MIXED, "--b\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n--b--\n",
	 "1 text/plain: readable: 5 bytes; body multipart/mixed: readable; ", "", false},
	{"bad base64 part", MIXED, "--b\nContent-Transfer-Encoding: base64\n\naGVsbG8\n--b--\n",
	 "1 text/plain: readable: 3 bytes; body multipart/mixed: readable; ", "bad-encoding",
	 false},
	{"line end belongs to the boundary", MIXED,
	 "--b\nContent-Type: application/x\nContent-Transfer-Encoding: binary\n\nhi\n\n\n--b--\n",
	 "1 application/x: readable: 2 bytes; body multipart/mixed: readable; ", "", false},
	{"type that cannot be read", MIXED, "--b\nContent-Type: image\n\nhi\n--b--\n",
	 "1 text/plain: readable: 2 bytes; body multipart/mixed: readable; ", "ambiguous-mime",
	 false},
};

static void run(struct mime *m, const char *type, const char *body, size_t len, size_t step)
{
	mime_reset(m);
	header_field(&m->header, (const unsigned char *)"Content-Type", 12,
		     (const unsigned char *)type, strlen(type));
	mime_begin(m);
	for (size_t at = 0; at < len; at += step)
		mime_feed(m, (const unsigned char *)body + at, len - at < step ? len - at : step);
	mime_finish(m);
}

static void mime_tree_is_the_same_however_it_is_cut(void **state)
{
	static struct mime m;
	struct tree tree;

	(void)state;
	m.structure.hooks.observer = note;
	m.structure.hooks.observer_context = &tree;
	for (size_t step = 1; step < 500; step = step * 2 + 1) {
		for (size_t i = 0; i < ROWS(rows); i++) {
			const struct row *r = &rows[i];

			tree.text[0] = '\0';
			run(&m, r->type, r->body, strlen(r->body), step);
			CHECK_ROW_TEXT(r->label, tree.text, r->tree);
			CHECK_ROW_TEXT(r->label, m.structure.state.facts.fault.reason, r->fault);
			CHECK_ROW(r->label, (strcmp(m.structure.state.facts.readable.reason,
						    "text-outside") == 0) == r->has_outside_text);
		}
	}
}

static void mime_boundary_lines_that_are_too_long(void **state)
{
	static struct mime m;
	static char body[8192];
	size_t n = (size_t)snprintf(body, sizeof(body), "--b\nX: y\n\nhi\n");

	(void)state;
	n += (size_t)snprintf(body + n, sizeof(body) - n, "--b--%2000s\n--b--\n", "");
	for (size_t step = 1; step < 9000; step = step * 9 + 1) {
		run(&m, MIXED, body, n, step);
		assert_string_equal(m.structure.state.facts.fault.reason, "ambiguous-mime");
	}
	n = (size_t)snprintf(body, sizeof(body), "--b\nX: y\n\nhi\n--x%2000s\n--b--\n", "");
	for (size_t step = 1; step < 9000; step = step * 9 + 1) {
		run(&m, MIXED, body, n, step);
		assert_string_equal(m.structure.state.facts.fault.reason, "");
		assert_int_equal(m.structure.state.facts.cleartext_bytes, 5);
	}
}

static void mime_bounds_of_depth_and_number(void **state)
{
	static struct mime m;
	static char body[1100 * 20];
	size_t n = 0;

	(void)state;
	for (int depth = 15; depth <= 16; depth++) {
		n = 0;
		for (int i = 0; i < depth; i++)
			n += (size_t)sprintf(body + n,
					     "--%c\nContent-Type: multipart/mixed; boundary=%c\n\n",
					     'b' + i, 'c' + i);
		n += (size_t)sprintf(body + n, "--%c\nX: y\n\nhi\n", 'b' + depth);
		for (int i = depth; i >= 0; i--)
			n += (size_t)sprintf(body + n, "--%c--\n", 'b' + i);
		run(&m, MIXED, body, n, 100);
		assert_string_equal(m.structure.state.facts.fault.reason,
				    depth < 16 ? "" : "too-deep");
	}
	for (int parts = 999; parts <= 1000; parts++) {
		n = 0;
		for (int i = 0; i < parts; i++)
			n += (size_t)sprintf(body + n, "--b\nX: y\n\nx\n");
		n += (size_t)sprintf(body + n, "--b--\n");
		run(&m, MIXED, body, n, 100);
		assert_string_equal(m.structure.state.facts.fault.reason,
				    parts < 1000 ? "" : "too-many-parts");
	}
}

static void mime_part_headers_beyond_their_allowance_are_readable(void **state)
{
	static struct mime m;
	static char body[20000];
	size_t n;

	(void)state;
	for (size_t size = 257; size <= 258; size++) { /* the colon is not counted */
		n = (size_t)snprintf(body, sizeof(body), "--b\nX-A-Long-Description: ");
		while (n < 4 + size)
			body[n++] = 'x';
		n += (size_t)sprintf(body + n, "\n\n--b--\n");
		run(&m, MIXED, body, n, 100);
		assert_string_equal(m.structure.state.facts.readable.reason,
				    size > 257 ? "part-headers" : "");
	}
	for (int parts = 8; parts <= 9; parts++) {
		n = 0;
		for (int i = 0; i < parts; i++)
			n += (size_t)sprintf(body + n, "--b\nX: %0*d\n\n", 257 - 3, 0);
		n += (size_t)sprintf(body + n, "--b--\n");
		run(&m, MIXED, body, n, 100);
		assert_string_equal(m.structure.state.facts.readable.reason,
				    parts > 8 ? "part-headers" : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mime_tree_is_the_same_however_it_is_cut),
		cmocka_unit_test(mime_boundary_lines_that_are_too_long),
		cmocka_unit_test(mime_bounds_of_depth_and_number),
		cmocka_unit_test(mime_part_headers_beyond_their_allowance_are_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
