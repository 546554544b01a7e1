/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/conf_edit.h"

static void test_text_with_a_setting(void **state)
{
	static const struct {
		const char *label, *text, *key, *value, *want;
	} rows[] = {
		{"an empty file", "", "enforce", "yes", "enforce = yes\n"},
		{"in its place", "a = 1\nenforce = no\nb = 2\n", "enforce", "yes",
		 "a = 1\nenforce = yes\nb = 2\n"},
		{"without a last newline", "a = 1\nenforce=no", "enforce", "yes",
		 "a = 1\nenforce = yes\n"},
		{"not there, without a last newline", "a = 1", "enforce", "yes",
		 "a = 1\nenforce = yes\n"},
		{"an empty value", "enforce = no\n", "enforce", "", "enforce =\n"},
		{"what continues it goes", "x = 1\n  # no\n\n\t2\n# of b\nb = 2\n", "x", "3",
		 "x = 3\n# of b\nb = 2\n"},
		{"behind the comment that shows it", "# words\n#x = 1\n#y = 2\n", "x", "3",
		 "# words\n#x = 1\nx = 3\n#y = 2\n"},
		{"the line, not the comment", "#x = 1\nx = 2\n", "x", "3", "#x = 1\nx = 3\n"},
		{"a comment within what continues another", "a = 1,\n#x = 1\n\n  2\nb = 1\n", "x",
		 "3", "a = 1,\n#x = 1\n\n  2\nb = 1\nx = 3\n"},
		{"another key that begins so", "xy = 1\nx_y = 2\n", "x", "3",
		 "xy = 1\nx_y = 2\nx = 3\n"},
		{"twice", "x = 1\na = 1\nx = 2,\n 3\nb = 1\n", "x", "3", "x = 3\na = 1\nb = 1\n"},
		{"CR LF", "x = 1\r\n \r\n 2\r\nb = 1\r\n", "x", "3", "x = 3\nb = 1\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char *got = conf_edit_text(rows[i].text, rows[i].key, rows[i].value);

		assert_non_null(got);
		CHECK_ROW_TEXT(rows[i].label, got, rows[i].want);
		free(got);
	}
}

static void read_back(const char *path, char out[100])
{
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	out[fread(out, 1, 99, f)] = '\0';
	fclose(f);
}

static void test_file_keeps_owner_mode_and_link(void **state)
{
	char folder[] = "/tmp/pgpgate-test-XXXXXX", file[64], link[64], err[300], text[100];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/real", folder);
	snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(symlink("real", link), 0);
	assert_int_equal(conf_edit_replace(file, "x = 1\n", err, sizeof(err)), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(chmod(file, 0640), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(file, 12345, 12346), 0);
	assert_int_equal(conf_edit_replace(link, "x = 2\n", err, sizeof(err)), 0);
	read_back(file, text);
	assert_string_equal(text, "x = 2\n");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, geteuid() == 0 ? 12345 : geteuid());
	unlink(link);
	unlink(file);
	assert_int_equal(rmdir(folder), 0); /* nothing else is left */
	assert_int_equal(conf_edit_replace(file, "x = 1\n", err, sizeof(err)), -1);
	assert_non_null(strstr(err, "No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_with_a_setting),
		cmocka_unit_test(test_file_keeps_owner_mode_and_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
