/* SPDX-License-Identifier: ISC
 *
 * pgpgate doctor: looks for what is wrong between Postfix, the daemons and the database, and says how to mend it. Exit 1
 * if anything is. It changes nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/doctor.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"

static const struct {
	const char *name;
	const char *sign;
	enum output_colour colour;
} states[] = {
	[DOCTOR_OK] = {"ok", "ok  ", COLOUR_GREEN},
	[DOCTOR_NOTE] = {"note", "note", COLOUR_BLUE},
	[DOCTOR_PROBLEM] = {"problem", "MEND", COLOUR_RED},
	[DOCTOR_SKIPPED] = {"skipped", "skip", COLOUR_DIM},
};

void doctor_tell(struct doctor *x, enum doctor_state state, const char *topic, const char *mend,
		 const char *format, ...)
{
	char text[OUTPUT_TEXT_MAX], clean[2 * OUTPUT_TEXT_MAX];
	va_list arguments;
	json_t *o;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	x->n_problems += state == DOCTOR_PROBLEM;
	if (x->cli->json) {
		o = json_object();
		json_object_set_new(o, "topic", output_json_text(topic));
		json_object_set_new(o, "state", output_json_text(states[state].name));
		json_object_set_new(o, "text", output_json_text(text));
		json_object_set_new(o, "mend", output_json_text(mend));
		output_json(o);
		return;
	}
	printf("%s%s%s  ", output_colour(states[state].colour), states[state].sign,
	       output_colour(COLOUR_PLAIN));
	output_pad(stdout, topic, 10);
	output_wrap(stdout, 16, 16, output_clean(clean, sizeof(clean), text));
	if (mend != NULL)
		printf("                %s%s%s\n", output_colour(COLOUR_BOLD),
		       output_clean(clean, sizeof(clean), mend), output_colour(COLOUR_PLAIN));
}

static void examine_settings(struct doctor *x)
{
	const struct settings *s = x->settings;

	doctor_tell(x, DOCTOR_OK, "settings", NULL, "%s",
		    s->path != NULL ? s->path : "all defaults, no file");
	if (!s->enforce)
		doctor_tell(x, DOCTOR_NOTE, "settings", NULL,
			    "enforce = no: mail is judged and logged, nothing is refused");
	if (s->accept_on_database_error)
		doctor_tell(
			x, DOCTOR_NOTE, "settings", NULL,
			"on_database_error = accept: while the database fails, cleartext passes");
	for (size_t i = 0; i < s->n_local_clients; i++)
		if (s->local_clients[i].prefix_bits < 96 + 8 && s->local_requirement < REQUIREMENT_SIGNED)
			doctor_tell(x, DOCTOR_PROBLEM, "settings",
				    NULL, "local_clients holds a network so wide that strangers count as ours");
}

int cmd_doctor(struct cli *cli, int argc, char **argv)
{
	struct doctor *x = calloc(1, sizeof(*x));
	char **operands;
	int n_problems;

	if (x == NULL) {
		cli_error("out of memory");
		return EX_OSERR;
	}
	const struct option_spec specs[] = {
		{"postfix-config", 0, "DIR", OPTION_TEXT, &x->postfix.config_directory,
		 "where main.cf and master.cf are, as in postconf -c; default: Postfix's own"},
	};
	if (options_parse(cli, argc, argv, specs,
			  OPTIONS_N(specs), "Looks, and changes nothing; sees most as root. Exit status: 0 nothing is wrong, 1 something is.",
			  &operands) != 0)
		cli_misuse(cli, "takes no operand");
	x->cli = cli;
	x->settings = open_settings(cli);
	open_pause_notice(x->settings);
	examine_settings(x);
	doctor_database(x);
	doctor_postfix(x);
	doctor_daemons(x);
	doctor_aliases(x);
	doctor_bounces(x);
	n_problems = x->n_problems;
	if (!cli->json) {
		if (n_problems == 0)
			printf("\nNothing is wrong.\n");
		else
			printf("\n%d %s to mend.\n", n_problems,
			       output_plural(n_problems, "thing", "things"));
	}
	db_close(x->db);
	settings_unref(x->settings);
	free(x);
	return n_problems > 0;
}
