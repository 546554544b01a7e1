/* SPDX-License-Identifier: ISC
 *
 * running.c: what the daemons that run say of themselves (status.h), against this program and the
 * file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "cli/output.h"
#include "common/clock.h"
#include "common/daemon.h"
#include "common/status.h"

#define STEP_S_MAX 300 /* a leap second, or a slow reader of the two clocks, is no step */

/* The settings that differ, and what it takes: *needs_restart, or a reload. Returns how many. */
static int differing(struct doctor *x, const char *text, char *names, size_t names_size,
		     bool *needs_restart)
{
	size_t used = 0;
	int n = 0;

	*needs_restart = false;
	for (size_t i = 0; i < settings_count(); i++) {
		const char *name = settings_name(i);
		char key[100], *value = output_memory(NULL, STATUS_BYTES_MAX);
		bool is_same = true;

		snprintf(key, sizeof(key), "override.%s", name);
		if (!status_value(text, key, value, STATUS_BYTES_MAX)) {
			snprintf(key, sizeof(key), "setting.%s", name);
			is_same = !status_value(text, key, value, STATUS_BYTES_MAX) ||
				  strcmp(value, settings_value(x->settings, i)) == 0;
		}
		if (!is_same) {
			n++;
			*needs_restart |= daemon_needs_restart(name);
			if (used + 2 * strlen(name) + 200 < names_size)
				used += (size_t)snprintf(names + used, names_size - used,
							 "%s%s = %.60s", used > 0 ? ", " : "", name,
							 value);
		}
		free(value);
	}
	return n;
}

static void examine_settings(struct doctor *x, const char *topic, const char *program,
			     const char *text)
{
	char names[600] = "", mend[200], *networks = status_networks(x->settings),
	     *theirs = output_memory(NULL, STATUS_BYTES_MAX);
	bool needs_restart;
	const int n = differing(x, text, names, sizeof(names), &needs_restart);

	if (n > 0) {
		snprintf(mend, sizeof(mend), "systemctl %s %s",
			 needs_restart ? "restart" : "reload", program);
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
			    "%s runs with other settings than the file has: %s", program, names);
	} else if (networks != NULL && status_value(text, "postfix", theirs, STATUS_BYTES_MAX) &&
		   x->settings->postfix->is_known && strcmp(networks, theirs) != 0) {
		snprintf(mend, sizeof(mend), "systemctl reload %s", program);
		doctor_tell(
			x, DOCTOR_PROBLEM, topic, mend,
			"%s has other networks or domains of Postfix than main.cf says now: %.300s",
			program, theirs);
	} else {
		doctor_tell(x, DOCTOR_OK, topic, NULL, "%s runs with these settings", program);
	}
	free(networks);
	free(theirs);
}

/* Since the daemon read its settings the clock was set: both of its clocks went together until
 * then. */
static void examine_clock(struct doctor *x, const char *program, const char *text)
{
	char value[40], mend[200], by[OUTPUT_NUMBER_MAX];
	int64_t step_s;

	if (!status_value(text, "booted", value, sizeof(value)))
		return;
	step_s = clock_booted_unix() - strtoll(value, NULL, 10);
	if (step_s < STEP_S_MAX && step_s > -STEP_S_MAX)
		return;
	snprintf(mend, sizeof(mend), "timedatectl set-ntp true && systemctl reload %s", program);
	doctor_tell(
		x, DOCTOR_PROBLEM, "clock", mend,
		"this machine's clock was set %s by %s since %s read its settings: rules that end, "
		"a pause and the record go by it",
		step_s > 0 ? "forward" : "back", output_duration(by, step_s > 0 ? step_s : -step_s),
		program);
}

static void examine_running(struct doctor *x, const char *topic, const char *program)
{
	char why[1500], value[1000], mend[200];
	char *text = status_read(x->settings, program, why, sizeof(why));

	if (text == NULL) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "which settings %s has: %s", program,
			    why);
		return;
	}
	if (status_value(text, "version", value, sizeof(value)) &&
	    strcmp(value, PACKAGE_VERSION) != 0) {
		snprintf(mend, sizeof(mend), "systemctl restart %s", program);
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
			    "%s that runs is version %s, and this is %s", program, value,
			    PACKAGE_VERSION);
	}
	if (status_value(text, "error", value, sizeof(value)) && value[0] != '\0') {
		snprintf(mend, sizeof(mend), "systemctl reload %s", program);
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
			    "%s could not read its configuration, and goes on with what it had: %s",
			    program, value);
	}
	examine_clock(x, program, text);
	examine_settings(x, topic, program, text);
	free(text);
}

void doctor_running(struct doctor *x)
{
	examine_running(x, "filter", "pgpgate-filter");
	if (x->postfix.uses_policy || !x->postfix.is_there)
		examine_running(x, "policyd", "pgpgate-policyd");
}
