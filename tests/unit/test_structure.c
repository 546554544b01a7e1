/* SPDX-License-Identifier: ISC */
#include "scan/structure.h"

#include "tests/unit/unit.h"

static struct structure structure;
static struct header header;

static void begin(const char *content_type, bool is_root)
{
	header_reset(&header);
	header_field(&header, (const unsigned char *)"Content-Type", 12,
		     (const unsigned char *)content_type, strlen(content_type));
	structure_begin(&structure, &header, is_root);
}

static void content(const char *text)
{
	structure_content(&structure, (const unsigned char *)text, strlen(text));
}

static char seen[200];

static void note(void *context, const struct scan_part *part)
{
	(void)context;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s=%s ", part->path,
		 part->type);
}

static void begin_message(void)
{
	structure_reset(&structure);
	seen[0] = '\0';
}

static void structure_parts_are_numbered_and_told(void **state)
{
	(void)state;
	begin_message();
	structure.hooks.observer = note;
	begin("multipart/mixed; boundary=a", true);
	structure_boundary(&structure, 0, false);
	begin("text/plain", false);
	content("one");
	structure_boundary(&structure, 0, false);
	begin("multipart/alternative; boundary=b", false);
	structure_boundary(&structure, 1, false);
	begin("text/html", false);
	content("two");
	structure_boundary(&structure, 1, true);
	structure_boundary(&structure, 0, true);
	structure_finish(&structure);
	assert_string_equal(seen,
			    "1=text/plain 2.1=text/html 2=multipart/alternative =multipart/mixed ");
	assert_string_equal(structure.state.facts.fault.reason, "");
	assert_int_equal(structure.state.facts.cleartext_bytes, 6);
	assert_string_equal(structure.state.facts.readable.reason, "readable-part");
}

static void structure_outer_boundary_ends_what_is_within(void **state)
{
	(void)state;
	begin_message();
	begin("multipart/mixed; boundary=a", true);
	structure_boundary(&structure, 0, false);
	begin("multipart/mixed; boundary=b", false);
	structure_boundary(&structure, 1, false);
	begin("text/plain", false);
	structure_boundary(&structure, 0, true);
	structure_finish(&structure);
	assert_string_equal(structure.state.facts.fault.reason, "truncated");
	assert_string_equal(structure.state.facts.fault.detail, "part 1: no closing boundary line");
}

static void structure_reset_keeps_hooks_and_nothing_else(void **state)
{
	(void)state;
	begin_message();
	structure.hooks.observer = note;
	structure.state.has_setup_header = true;
	begin("text/plain", true);
	content("one");
	structure_finish(&structure);
	assert_int_equal(structure.state.facts.cleartext_bytes, 3);
	structure_reset(&structure);
	assert_ptr_equal(structure.hooks.observer, note);
	for (size_t i = 0; i < sizeof(structure.state); i++)
		assert_int_equal(((const unsigned char *)&structure.state)[i], 0);
}

static void structure_document_that_is_the_body_is_final_when_it_is_readable(void **state)
{
	(void)state;
	begin_message();
	begin("text/html", true);
	content("\n");
	assert_false(structure.state.is_final);
	content("<q>\n");
	assert_true(structure.state.is_final);
}

static void structure_claim_with_a_fault_is_final(void **state)
{
	(void)state;
	begin_message();
	begin("multipart/encrypted; boundary=a", true);
	assert_false(structure.state.is_final);
	structure_fault(&structure, "ambiguous-mime", "a test");
	assert_true(structure.state.is_final);
	assert_string_equal(structure.state.facts.fault.reason, "ambiguous-mime");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structure_parts_are_numbered_and_told),
		cmocka_unit_test(structure_outer_boundary_ends_what_is_within),
		cmocka_unit_test(structure_reset_keeps_hooks_and_nothing_else),
		cmocka_unit_test(structure_document_that_is_the_body_is_final_when_it_is_readable),
		cmocka_unit_test(structure_claim_with_a_fault_is_final),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
