/* SPDX-License-Identifier: ISC
 *
 * pgpgate config: the settings in force, in the syntax of pgpgate.conf(5).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "common/closest.h"

static void print_setting(const struct cli *cli, const char *name, const char *value,
			  const char *in_default)
{
	/* Lists may be long, and what is printed may become a configuration again: nothing is cut. */
	const size_t room = 4 * strlen(value) + 16;
	char *clean = malloc(room);
	json_t *o;

	if (clean == NULL) {
		cli_error("out of memory");
		exit(EX_OSERR);
	}
	if (cli->json) {
		o = json_object();
		json_object_set_new(o, "name", output_json_text(name));
		json_object_set_new(o, "value", output_json_text(value));
		json_object_set_new(o, "default", output_json_text(in_default));
		output_json(o);
	} else {
		printf("%s =%s%s\n", name, value[0] != '\0' ? " " : "",
		       output_clean(clean, room, value));
	}
	free(clean);
}

static bool is_wanted(char **names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return n == 0;
}

static void check_names(const struct cli *cli, char **names, int n)
{
	for (int i = 0; i < n; i++) {
		const char *closest;
		size_t k;

		for (k = 0; k < settings_count() && strcmp(settings_name(k), names[i]) != 0; k++)
			;
		if (k < settings_count())
			continue;
		closest = closest_word(names[i], settings_name, settings_count());
		if (closest != NULL)
			cli_misuse(cli, "no setting '%s' (is '%s' meant?)", names[i], closest);
		cli_misuse(cli, "no setting '%s'", names[i]);
	}
}

int cmd_config(struct cli *cli, int argc, char **argv)
{
	bool only_defaults = false, only_different = false;
	const struct option_spec specs[] = {
		{NULL, 'd', NULL, OPTION_FLAG, &only_defaults, "the defaults"},
		{NULL, 'n', NULL, OPTION_FLAG, &only_different, "only what differs from the defaults"},
	};
	char **names;
	int n = options_parse(cli, argc, argv, specs, OPTIONS_N(specs), NULL, &names);
	struct settings *s = NULL;

	if (only_defaults && only_different)
		cli_misuse(cli, "-d and -n exclude each other");
	check_names(cli, names, n);
	/* -d must answer when the file is wrong: that is when one looks. */
	if (!only_defaults)
		s = open_settings(cli);
	for (size_t i = 0; i < settings_count(); i++) {
		const char *in_default = settings_default(i);
		const char *value = s != NULL ? settings_value(s, i) : in_default;

		if (is_wanted(names, n, settings_name(i)) &&
		    !(only_different && strcmp(value, in_default) == 0))
			print_setting(cli, settings_name(i), value, in_default);
	}
	if (s != NULL)
		open_pause_notice(s);
	settings_unref(s);
	return 0;
}
