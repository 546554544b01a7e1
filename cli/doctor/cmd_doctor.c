/* SPDX-License-Identifier: ISC
 *
 * pgpgate doctor: looks for what is wrong between Postfix, the daemons and the database, and says
 * how to mend it. Exit 1 if anything is. It changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "cli/options.h"
#include "cli/output.h"
#include "common/conf_file.h"

#define ERRORS_MAX 20 /* in one file */
#define NOT_ALL_SEEN 3

static void examine_settings(struct doctor *x)
{
	const struct settings *s = x->settings;

	/* Not with an error told: what was loaded then is a copy without that line. */
	if (x->n_problems == 0)
		doctor_tell(x, DOCTOR_OK, "settings", NULL, "%s",
			    s->path != NULL ? s->path : "all defaults, no file");
	if (!s->enforce)
		doctor_tell(x, DOCTOR_NOTE, "settings", NULL,
			    "enforce = no: mail is judged and logged, nothing is refused; before "
			    "you write yes, exempt the "
			    "addresses that machines and strangers write to in cleartext: those of "
			    "rua= and ruf= (DMARC) "
			    "and of _smtp._tls (TLS-RPT), security@, feedback loops");
	if (s->accept_on_database_error)
		doctor_tell(
			x, DOCTOR_NOTE, "settings", NULL,
			"on_database_error = accept: while the database fails, cleartext passes");
}

/* The file without the line that is wrong, and what continues it; the next error is then to be
 * seen, too. */
static bool blank_line(char *text, unsigned line)
{
	char *at = text;

	for (unsigned i = 1; i < line && at != NULL; i++) {
		at = strchr(at, '\n');
		at = at != NULL ? at + 1 : NULL;
	}
	if (at == NULL || *at == '\0')
		return false;
	do {
		const size_t len = strcspn(at, "\n");

		memset(at, '#', len);
		at += len + (at[len] == '\n');
	} while (*at == ' ' || *at == '\t');
	return true;
}

/* Writes text where settings_load() can read it. */
static int put_aside(const char *text)
{
	const int fd = memfd_create("pgpgate.conf", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The settings but for what is wrong with them: each error is told, and ends no other examination.
 */
static struct settings *load_settings(struct doctor *x)
{
	const struct cli *cli = x->cli;
	char err[1024], path[64], *text = NULL;
	size_t len;
	struct settings *s = settings_load(cli->config_path, !cli->config_is_explicit,
					   cli->overrides, cli->n_overrides, err, sizeof(err));

	for (int i = 0; s == NULL && i < ERRORS_MAX; i++) {
		const size_t path_len = strlen(i == 0 ? cli->config_path : path);
		const char *told = strncmp(err, i == 0 ? cli->config_path : path, path_len) == 0
					   ? err + path_len
					   : "";
		const unsigned line = told[0] == ':' ? (unsigned)strtoul(told + 1, NULL, 10) : 0;
		char mend[1200], quoted[1100], number[20];
		int fd;

		snprintf(number, sizeof(number), "%u", line);
		/* Only a person knows what was meant. */
		snprintf(mend, sizeof(mend), "${EDITOR:-vi}%s%s %s", line > 0 ? " +" : "",
			 line > 0 ? number : "",
			 doctor_quote(quoted, sizeof(quoted), cli->config_path));
		doctor_tell(x, DOCTOR_PROBLEM, "settings", mend,
			    "%s%s; the daemons keep what they had, and do not start",
			    told[0] != '\0' ? cli->config_path : "", told[0] != '\0' ? told : err);
		if (line == 0 ||
		    (text == NULL && conf_file_slurp(cli->config_path, &text, &len) != 0) ||
		    !blank_line(text, line) || (fd = put_aside(text)) < 0)
			break;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		s = settings_load(path, false, cli->overrides, cli->n_overrides, err, sizeof(err));
		close(fd);
	}
	free(text);
	return s != NULL ? s
			 : settings_load("/nonexistent/pgpgate.conf", true, NULL, 0, err,
					 sizeof(err));
}

static void examine(struct doctor *x)
{
	x->settings = load_settings(x);
	if (x->settings == NULL)
		exit(EX_OSERR);
	if (x->postfix.config_directory == NULL && x->settings->postfix_config[0] != '\0')
		x->postfix.config_directory = x->settings->postfix_config;
	examine_settings(x);
	doctor_database(x);
	doctor_postconf(x);
	doctor_ours(x);
	doctor_postfix(x);
	doctor_sandbox(x);
	doctor_daemons(x);
	doctor_running(x);
	doctor_aliases(x);
	doctor_bounces(x);
	doctor_keys(x);
	doctor_site(x);
}

/* The last line. */
static void conclude(const struct doctor *x)
{
	if (x->n_problems > 0)
		printf("\n%d %s to mend.\n", x->n_problems,
		       output_plural(x->n_problems, "thing", "things"));
	else if (x->n_skipped > 0)
		printf("\nNothing was found, but %d %s could not be looked at.\n", x->n_skipped,
		       output_plural(x->n_skipped, "thing", "things"));
	else if (x->postfix.is_silent)
		printf("\nNothing else is wrong, but Postfix does not run.\n");
	else if (x->postfix.has_others)
		printf("\nNothing is wrong with this instance of Postfix.\n");
	else
		printf("\nNothing is wrong.\n");
}

static int exit_status(const struct doctor *x)
{
	return x->n_problems > 0 ? 1 : x->n_skipped > 0 ? NOT_ALL_SEEN : 0;
}

/* As monitoring plugins end: 0 OK, 1 warning, 2 critical, 3 unknown. */
static int conclude_nagios(const struct doctor *x)
{
	char clean[2 * sizeof(x->first)];

	output_clean(clean, sizeof(clean), x->first);
	if (x->n_problems > 0)
		printf("PGPGATE CRITICAL - %d to mend: %s\n", x->n_problems, clean);
	else if (x->n_skipped > 0)
		printf("PGPGATE UNKNOWN - %d not looked at: %s\n", x->n_skipped, clean);
	else if (x->n_notes > 0)
		printf("PGPGATE WARNING - %s\n", clean);
	else
		printf("PGPGATE OK - nothing is wrong\n");
	return x->n_problems > 0 ? 2 : x->n_skipped > 0 ? 3 : x->n_notes > 0 ? 1 : 0;
}

/* It becomes part of a command of SMTP. */
static void check_address(struct cli *cli, const char *address)
{
	if (address != NULL &&
	    (strchr(address, '@') == NULL || strpbrk(address, "<>\r\n \t") != NULL ||
	     strlen(address) > ADDRESS_MAX))
		cli_misuse(cli, "\"%s\" is no address to be tried", address);
}

int cmd_doctor(struct cli *cli, int argc, char **argv)
{
	struct doctor *x = calloc(1, sizeof(*x));
	const char *probe = NULL, *probe_data = NULL, *smtp = NULL;
	char **operands;
	int code;

	if (x == NULL) {
		cli_error("out of memory");
		return EX_OSERR;
	}
	const struct option_spec specs[] = {
		{"postfix-config", 0, "DIR", OPTION_TEXT, &x->postfix.config_directory,
		 "where main.cf and master.cf are, as in postconf -c; default: postfix_config"},
		{"probe", 0, "ADDRESS", OPTION_TEXT, &probe,
		 "speak SMTP to smtpd, up to this recipient"},
		{"probe-data", 0, "ADDRESS", OPTION_TEXT, &probe_data,
		 "send it a cleartext message, which it must refuse"},
		{"smtp", 0, "HOST:PORT", OPTION_TEXT, &smtp,
		 "where smtpd is; default: the first of master.cf"},
		{"wkd", 0, "DIR", OPTION_TEXT, &x->wkd,
		 "a Web Key Directory that `keys export` wrote: is it what it should be now?"},
		{"nagios", 0, NULL, OPTION_FLAG, &x->is_nagios, "one line, and 0, 1, 2 or 3"},
	};
	if (options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
			  "Looks, and changes nothing; sees most as root. Exit status: 0 nothing "
			  "is wrong, 1 something is, 3 not all could be looked at.",
			  &operands) != 0)
		cli_misuse(cli, "takes no operand");
	check_address(cli, probe);
	check_address(cli, probe_data);
	x->cli = cli;
	examine(x);
	if (probe != NULL)
		doctor_probe(x, probe, false, smtp);
	if (probe_data != NULL)
		doctor_probe(x, probe_data, true, smtp);
	code = x->is_nagios ? conclude_nagios(x) : exit_status(x);
	if (!x->is_nagios && !cli->json)
		conclude(x);
	db_close(x->db);
	settings_unref(x->settings);
	free(x->postfix.parameters);
	free(x);
	return code;
}
