/* SPDX-License-Identifier: ISC
 *
 * daemon_options.c: the options that both daemons share, and the configuration behind them
 * (daemon.h).
 */
#include "common/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/socket.h"
#include "common/status.h"

#define CONFIG_ERROR_MAX 1024

/* Keys that hold from the start to the end of a process. */
static const char *const fixed_keys[] = {
	"filter_socket", "policy_socket", "socket_umask",   "user",   "database",
	"verdict_sync",	 "log_addresses", "metrics_listen", "centre", "host_name"};
#define FIXED_KEYS_COUNT (sizeof(fixed_keys) / sizeof(fixed_keys[0]))

static void usage(FILE *to, const char *program)
{
	fprintf(to,
		"usage: %s [-fnvVh] [-c FILE] [-o KEY=VALUE] [-p SOCKET]\n"
		"       [-u USER[:GROUP]] [-P PIDFILE]\n"
		"  -c FILE          configuration; default:\n"
		"                   %s\n"
		"  -o KEY=VALUE     override one setting; may be repeated\n"
		"  -p SOCKET        listen here: local:/path, inet:port@host, inet6:port@host\n"
		"  -u USER[:GROUP]  become this user when started as root\n"
		"  -f               stay in the foreground and log to standard error\n"
		"  -n               check the configuration and exit\n"
		"  -P PIDFILE       write the process id there\n"
		"  -v               log more\n"
		"  -V, -h           version, this help\n",
		program, settings_default_path());
}

static void die(const char *program, int code, const char *what)
{
	fprintf(stderr, "%s: %s\n", program, what);
	exit(code);
}

static void *allocated(const char *program, void *memory)
{
	if (memory == NULL)
		die(program, EX_OSERR, "out of memory");
	return memory;
}

/* A path that still holds when the daemon has gone to "/". */
static const char *absolute(const char *program, const char *path)
{
	char *directory;
	char *joined = NULL;

	if (path[0] == '/')
		return path;
	directory = getcwd(NULL, 0);
	if (directory == NULL)
		die(program, EX_OSERR, "the current directory is not known; give an absolute path");
	if (asprintf(&joined, "%s/%s", directory, path) < 0)
		joined = NULL;
	free(directory);
	return allocated(program, joined);
}

static void add_override(struct daemon_options *o, const char *key, const char *value)
{
	char *text = NULL;

	o->overrides = allocated(
		o->program, realloc(o->overrides, (o->n_overrides + 1) * sizeof(*o->overrides)));
	if (key != NULL && asprintf(&text, "%s=%s", key, value) < 0)
		text = NULL;
	o->overrides[o->n_overrides++] = key == NULL ? value
						     : (const char *)allocated(o->program, text);
}

static void take_option(int option, const char *socket_key, struct daemon_options *o)
{
	switch (option) {
	case 'c':
		o->config_path = absolute(o->program, optarg);
		o->config_is_explicit = true;
		break;
	case 'o':
		add_override(o, NULL, optarg);
		break;
	case 'p':
		add_override(o, socket_key, optarg);
		break;
	case 'u':
		add_override(o, "user", optarg);
		break;
	case 'f':
		o->foreground = true;
		break;
	case 'n':
		o->check_only = true;
		break;
	case 'P':
		o->pid_file = absolute(o->program, optarg);
		break;
	case 'v':
		o->verbose++;
		break;
	case 'V':
		printf("%s %s\n", o->program, PACKAGE_VERSION);
		exit(fflush(stdout) == 0 ? EX_OK : EX_IOERR);
	case 'h':
		usage(stdout, o->program);
		exit(fflush(stdout) == 0 ? EX_OK : EX_IOERR);
	default: /* getopt() has said what is wrong */
		usage(stderr, o->program);
		exit(EX_USAGE);
	}
}

struct settings *daemon_options(int argc, char **argv, const char *program, const char *socket_key,
				struct daemon_options *out)
{
	char err[CONFIG_ERROR_MAX];
	struct settings *s;
	int option;

	socket_bound_lookups();
	memset(out, 0, sizeof(*out));
	out->program = program;
	out->config_path = settings_default_path();
	while ((option = getopt(argc, argv, "c:o:p:u:fnP:vVh")) != -1)
		take_option(option, socket_key, out);
	if (optind < argc) {
		fprintf(stderr, "%s: takes no arguments, only options\n", program);
		usage(stderr, program);
		exit(EX_USAGE);
	}
	s = settings_load(out->config_path, !out->config_is_explicit, out->overrides,
			  out->n_overrides, err, sizeof(err));
	if (s == NULL)
		die(program, EX_CONFIG, err);
	if (out->check_only) {
		settings_unref(s);
		exit(EX_OK);
	}
	return s;
}

bool daemon_needs_restart(const char *name)
{
	for (size_t i = 0; i < FIXED_KEYS_COUNT; i++)
		if (strcmp(fixed_keys[i], name) == 0)
			return true;
	return false;
}

/* How many fixed keys differ; each is given as "key=old value" in kept[] (malloc()ed). -1: no
 * memory. */
static int differing(const struct settings *old, const struct settings *new, char *kept[])
{
	int n = 0;

	for (size_t i = 0; i < settings_count(); i++) {
		const char *value = settings_value(old, i);

		if (!daemon_needs_restart(settings_name(i)) ||
		    strcmp(value, settings_value(new, i)) == 0)
			continue;
		log_warning("%s cannot change while the daemon runs: restart it", settings_name(i));
		if (asprintf(&kept[n], "%s=%s", settings_name(i), value) < 0) {
			kept[n] = NULL;
			return -1;
		}
		n++;
	}
	return n;
}

/* Loads with the daemon's own overrides and n more. */
static struct settings *load_with(const struct daemon_options *o, char *const *more, size_t n,
				  char *err, size_t err_size)
{
	const char **overrides = calloc(o->n_overrides + n + 1, sizeof(*overrides));
	struct settings *s;

	if (overrides == NULL) {
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < o->n_overrides; i++)
		overrides[i] = o->overrides[i];
	for (size_t i = 0; i < n; i++)
		overrides[o->n_overrides + i] = more[i];
	s = settings_load(o->config_path, !o->config_is_explicit, overrides, o->n_overrides + n,
			  err, err_size);
	free(overrides);
	return s;
}

struct settings *daemon_reload(const struct daemon_options *o, const struct settings *old)
{
	char err[CONFIG_ERROR_MAX] = "out of memory";
	char *kept[FIXED_KEYS_COUNT] = {NULL};
	char notice[80];
	struct settings *s;
	int n;

	snprintf(notice, sizeof(notice), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)clock_monotonic_ms() * 1000);
	daemon_notify(notice);
	s = load_with(o, NULL, 0, err, sizeof(err));
	n = s == NULL ? 0 : differing(old, s, kept);
	if (n != 0) {
		settings_unref(s);
		s = n < 0 ? NULL : load_with(o, kept, (size_t)n, err, sizeof(err));
	}
	for (size_t i = 0; i < FIXED_KEYS_COUNT; i++)
		free(kept[i]);
	if (s == NULL)
		log_error("configuration not changed: %s", err);
	if (s == NULL)
		status_write(old, o->overrides, o->n_overrides, err);
	else if (settings_ask_postfix(s, old, err, sizeof(err)) != 0)
		log_warning("%s", err);
	if (s != NULL) {
		status_write(s, o->overrides, o->n_overrides, NULL);
		log_info("configuration reread");
	}
	daemon_notify("READY=1");
	return s;
}
