/* SPDX-License-Identifier: ISC
 *
 * restrictions.c: lists of restrictions with which smtpd takes no mail, whatever ours does: words
 * that it does not know (451 for everybody), and none that keeps it from relaying for everybody (it
 * does not start). Which words it knows, smtpd itself tells: they are constants of the program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "cli/output.h"
#include "common/postfix.h"

#define PROGRAM_BYTES_MAX (8 << 20) /* smtpd has some 200 kB, statically linked a few MB */
#define CLASSES_DEEP_MAX 10

static const char topic[] = "postfix";

struct program {
	char *bytes;
	size_t len;
};

/* smtpd(8), or nothing where it cannot be read, or is not as it should be. */
static struct program load_program(struct doctor *x)
{
	struct program p = {.bytes = NULL};
	char path[700], directory[600];
	FILE *file;

	if (!doctor_parameter(x, "daemon_directory", directory, sizeof(directory)))
		return p;
	snprintf(path, sizeof(path), "%s/smtpd", directory);
	file = fopen(path, "re");
	if (file == NULL) {
		output_end_without_memory();
		return p;
	}
	p.bytes = output_memory(NULL, PROGRAM_BYTES_MAX);
	p.len = fread(p.bytes, 1, PROGRAM_BYTES_MAX, file);
	fclose(file);
	return p;
}

/* As a string of C, which may be the end of a longer one. */
static bool has_string(const struct program *p, const char *word)
{
	return p->bytes != NULL && memmem(p->bytes, p->len, word, strlen(word) + 1) != NULL;
}

/* What stands behind it is its argument. */
static bool takes_argument(const char *word)
{
	static const char *const heads[] = {"check_",	     "reject_rbl_",   "reject_rhsbl_",
					    "permit_dnswl_", "permit_rhswl_", "sleep"};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (strncmp(word, heads[i], strlen(heads[i])) == 0)
			return strcmp(word, "check_relay_domains") != 0;
	return false;
}

/* The first word that no smtpd of this program takes for a restriction. False: there is none. */
static bool find_unknown(struct doctor *x, const struct program *p, const char *list, char *out,
			 size_t out_size)
{
	char classes[DOCTOR_TEXT_MAX] = "";
	bool is_argument = false;
	const char *word;
	size_t len;

	doctor_parameter(x, "smtpd_restriction_classes", classes, sizeof(classes));
	while ((word = postfix_word(&list, &len)) != NULL) {
		const bool was_argument = is_argument;

		snprintf(out, out_size, "%.*s", (int)len, word);
		for (char *c = out; *c != '\0'; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 'a' - 'A' : *c);
		is_argument = !was_argument && takes_argument(out);
		/* A table is looked up as it stands there. */
		if (was_argument || strpbrk(out, ":/{=") != NULL || postfix_has_word(classes, out))
			continue;
		if (!has_string(p, out))
			return true;
	}
	return false;
}

static void examine_words(struct doctor *x, const struct program *p,
			  const struct postfix_service *s, const char *stage, const char *list)
{
	char unknown[300], mend[3000];

	if (find_unknown(x, p, list, unknown, sizeof(unknown)))
		doctor_tell(
			x, DOCTOR_PROBLEM, topic,
			doctor_by_editor(x, mend, sizeof(mend),
					 s != NULL ? "master.cf" : "main.cf"),
			"%s%s%s has \"%s\", which is no restriction that smtpd knows: no mail is "
			"taken",
			stage, s != NULL ? " of the service " : "", s != NULL ? s->name : "",
			unknown);
}

/* As smtpd looks for them before it starts. */
static bool is_closed(struct doctor *x, const char *list, int depth)
{
	static const char *const enough[] = {"reject_unauth_destination",
					     "defer_unauth_destination",
					     "check_relay_domains",
					     "reject",
					     "defer",
					     "defer_if_permit"};
	char one[300], value[DOCTOR_TEXT_MAX];
	bool is_warning = false;
	const char *word;
	size_t len;

	while ((word = postfix_word(&list, &len)) != NULL) {
		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		if (strcmp(one, "permit") == 0)
			return false;
		for (size_t i = 0; !is_warning && i < sizeof(enough) / sizeof(enough[0]); i++)
			if (strcmp(one, enough[i]) == 0)
				return true;
		is_warning = strcmp(one, "warn_if_reject") == 0;
		if (depth < CLASSES_DEEP_MAX && strpbrk(one, ":/{=") == NULL &&
		    doctor_parameter(x, "smtpd_restriction_classes", value, sizeof(value)) &&
		    postfix_has_word(value, one) &&
		    doctor_parameter(x, one, value, sizeof(value)) &&
		    is_closed(x, value, depth + 1))
			return true;
	}
	return false;
}

/* s: with those of master.cf, or NULL. */
static void examine_relaying(struct doctor *x, const struct postfix_service *s)
{
	static const char *const names[] = {"smtpd_relay_restrictions",
					    "smtpd_recipient_restrictions"};
	char value[DOCTOR_TEXT_MAX], mend[DOCTOR_TEXT_MAX];
	bool is_own = false;

	for (size_t i = 0; i < 2; i++) {
		const bool has_own = s != NULL && postfix_override(x->postfix.overrides, s,
								   names[i], value, sizeof(value));

		is_own |= has_own;
		if (!has_own && !doctor_parameter(x, names[i], value, sizeof(value)))
			return;
		if (is_closed(x, value, 0))
			return;
	}
	if (s != NULL && !is_own)
		return; /* told as main.cf's */
	doctor_tell(
		x, DOCTOR_PROBLEM, topic,
		doctor_by_value(x, mend, sizeof(mend), s, s != NULL, names[0],
				"permit_mynetworks, permit_sasl_authenticated, "
				"defer_unauth_destination"),
		"%s and %s%s%s have nothing that keeps Postfix from relaying for everybody: smtpd "
		"does not start, and no mail comes in",
		names[0], names[1], s != NULL ? " of the service " : "", s != NULL ? s->name : "");
}

void doctor_restrictions(struct doctor *x)
{
	static const char *const stages[] = {
		"smtpd_client_restrictions",	 "smtpd_helo_restrictions",
		"smtpd_sender_restrictions",	 "smtpd_relay_restrictions",
		"smtpd_recipient_restrictions",	 "smtpd_data_restrictions",
		"smtpd_end_of_data_restrictions"};
	struct program p = load_program(x);
	char value[DOCTOR_TEXT_MAX];

	/* Another way of building it, and its words are nowhere to be found. */
	if (!has_string(&p, "permit_mynetworks") || !has_string(&p, "check_policy_service"))
		p.len = 0;
	for (size_t i = 0; p.len > 0 && i < sizeof(stages) / sizeof(stages[0]); i++)
		if (doctor_parameter(x, stages[i], value, sizeof(value)))
			examine_words(x, &p, NULL, stages[i], value);
	examine_relaying(x, NULL);
	for (const char *line = x->postfix.master; *line != '\0'; line += strspn(line, "\n")) {
		struct postfix_service s;

		if (postfix_service(line, &s) && strcmp(s.command, "smtpd") == 0) {
			for (size_t i = 0; p.len > 0 && i < sizeof(stages) / sizeof(stages[0]); i++)
				if (postfix_override(x->postfix.overrides, &s, stages[i], value,
						     sizeof(value)))
					examine_words(x, &p, &s, stages[i], value);
			examine_relaying(x, &s);
		}
		line += strcspn(line, "\n");
	}
	free(p.bytes);
}
