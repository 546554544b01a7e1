/* SPDX-License-Identifier: ISC
 *
 * tell.c: what an examination found, as lines for people or as JSON.
 */
#include <stdarg.h>
#include <stdio.h>

#include "cli/doctor/doctor.h"
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
	if (state == DOCTOR_PROBLEM   ? x->n_problems == 0
	    : state == DOCTOR_SKIPPED ? x->n_problems + x->n_skipped == 0
				      : state == DOCTOR_NOTE && mend != NULL && x->first[0] == '\0')
		snprintf(x->first, sizeof(x->first), "%.290s", text);
	x->n_problems += state == DOCTOR_PROBLEM;
	x->n_skipped += state == DOCTOR_SKIPPED;
	x->n_notes += state == DOCTOR_NOTE && mend != NULL;
	if (x->is_nagios)
		return;
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
