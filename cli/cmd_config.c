/* SPDX-License-Identifier: ISC
 *
 * pgpgate config: the settings in force, in the syntax of pgpgate.conf(5); with --set, one of them
 * in the file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/conf_edit.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "common/closest.h"
#include "common/conf_file.h"
#include "common/daemon.h"

static void print_setting(const struct cli *cli, const char *name, const char *value,
			  const char *in_default)
{
	/* Lists may be long, and what is printed may become a configuration again: nothing is cut.
	 */
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

/* ---- --set ---- */

/* KEY=VALUE or "KEY = VALUE", taken apart. */
static void take_apart(const struct cli *cli, const char *text, char key[100], const char **value)
{
	const char *equals = strchr(text, '=');
	char *name = key;

	if (equals == NULL || strpbrk(text, "\r\n") != NULL)
		cli_misuse(cli, "--set wants KEY=VALUE, on one line");
	snprintf(key, 100, "%.*s", (int)(equals - text), text);
	key[strcspn(key, " \t")] = '\0';
	check_names(cli, &name, 1);
	*value = equals + 1 + strspn(equals + 1, " \t");
}

/* Is it right by itself, whatever else the file holds? */
static bool is_valid(const char *key, const char *value, char *err, size_t err_size)
{
	char *text = malloc(strlen(key) + strlen(value) + 2);
	const char *overrides[] = {text};
	struct settings *s;

	if (text == NULL) {
		snprintf(err, err_size, "out of memory");
		return false;
	}
	sprintf(text, "%s=%s", key, value);
	s = settings_load("/nonexistent/pgpgate.conf", true, overrides, 1, err, err_size);
	free(text);
	settings_unref(s);
	return s != NULL;
}

/* What is wrong with the text as a file: "" for nothing. Its name in err is not that of the file.
 */
static void look_at_text(const char *text, char *err, size_t err_size)
{
	const int fd = memfd_create("pgpgate.conf", MFD_CLOEXEC);
	const size_t len = strlen(text);
	struct settings *s = NULL;
	char path[64];

	snprintf(err, err_size, "it cannot be looked at");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd >= 0 && write(fd, text, len) == (ssize_t)len)
		s = settings_load(path, false, NULL, 0, err, err_size);
	if (s != NULL)
		err[0] = '\0';
	if (fd >= 0)
		close(fd);
	settings_unref(s);
}

static int set(const struct cli *cli, const char *key_value)
{
	char key[100], err[1024], *text = NULL, *edited;
	const char *value;
	size_t len = 0;
	struct settings *before;
	int code = EX_CONFIG;

	take_apart(cli, key_value, key, &value);
	if (!is_valid(key, value, err, sizeof(err))) {
		cli_error("%s", strncmp(err, "-o ", 3) == 0 ? err + 3 : err);
		return EX_CONFIG;
	}
	if (access(cli->config_path, F_OK) == 0 &&
	    conf_file_slurp(cli->config_path, &text, &len) != 0) {
		cli_error("%s: %s", cli->config_path, strerror(errno));
		return EX_NOINPUT;
	}
	if (text != NULL && strlen(text) != len) {
		cli_error("%s is no text", cli->config_path);
		free(text);
		return EX_CONFIG;
	}
	before = settings_load(cli->config_path, true, NULL, 0, err, sizeof(err));
	edited = conf_edit_text(text != NULL ? text : "", key, value);
	if (edited != NULL)
		look_at_text(edited, err, sizeof(err));
	if (edited == NULL)
		cli_error("out of memory");
	else if (err[0] != '\0' && before != NULL) /* it does not fit the others */
		cli_error("%s = %s: %s", key, value, err);
	else if (conf_edit_replace(cli->config_path, edited, err, sizeof(err)) != 0)
		cli_error("%s", err);
	else
		code = 0;
	if (code == 0)
		printf("%s: %s = %s; `systemctl %s pgpgate-filter pgpgate-policyd` puts it into "
		       "force\n",
		       cli->config_path, key, value,
		       daemon_needs_restart(key) ? "restart" : "reload");
	settings_unref(before);
	free(edited);
	free(text);
	return code;
}

int cmd_config(struct cli *cli, int argc, char **argv)
{
	bool only_defaults = false, only_different = false;
	const char *key_value = NULL;
	const struct option_spec specs[] = {
		{NULL, 'd', NULL, OPTION_FLAG, &only_defaults, "the defaults"},
		{NULL, 'n', NULL, OPTION_FLAG, &only_different,
		 "only what differs from the defaults"},
		{"set", 0, "KEY=VALUE", OPTION_TEXT, &key_value,
		 "write it into the file, in the place of the line that is there"},
	};
	char **names;
	int n = options_parse(cli, argc, argv, specs, OPTIONS_N(specs), NULL, &names);
	struct settings *s = NULL;

	if (only_defaults && only_different)
		cli_misuse(cli, "-d and -n exclude each other");
	if (key_value != NULL && (n > 0 || only_defaults || only_different))
		cli_misuse(cli, "--set stands alone");
	if (key_value != NULL)
		return set(cli, key_value);
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
