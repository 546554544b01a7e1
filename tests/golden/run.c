/* SPDX-License-Identifier: ISC
 *
 * run.c: judges the golden messages: tests/mail/NAME.eml must get what NAME.verdict beside it says.
 *
 *     run [-n SPLITS] [-v] DIR [NAME...]
 *
 * Each message is judged as it is, with LF and with CR LF (unless its verdict says `lines: exact`);
 * and each of these whole, byte by byte, and cut at random in SPLITS ways (fixed seeds, 8 if not
 * said). All runs of the same bytes must agree in everything, the details too. -v prints every
 * verdict. Exit 1 if one is wrong.
 */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/outcome.h"
#include "tests/golden/whole.h"

struct buffer {
	unsigned char *bytes;
	size_t len;
};

struct expected {
	char verdict[32], form[32], reason[REASON_MAX]; /* "" is not said */
	char sender[128], recipient[128];
	char meets[8]; /* would a recipient who demands encryption get it? "yes", "no", "" */
	bool is_exact;
	struct acceptance accept;
};

static unsigned n_runs, n_failed;
static int n_splits = 8;
static bool is_verbose;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static struct buffer read_file(const char *path)
{
	struct buffer b = {NULL, 0};
	FILE *f = fopen(path, "rb");
	if (!f)
		die("%s: cannot read", path);
	for (size_t room = 65536;; room *= 2) {
		b.bytes = realloc(b.bytes, room + 1);
		if (!b.bytes)
			die("out of memory");
		b.len += fread(b.bytes + b.len, 1, room - b.len, f);
		if (b.len < room)
			break;
	}
	fclose(f);
	b.bytes[b.len] = 0;
	return b;
}

static bool yes(const char *value)
{
	return strcmp(value, "yes") == 0;
}

static void set(struct expected *e, const char *path, const char *key, const char *value)
{
	if (!strcmp(key, "verdict"))
		snprintf(e->verdict, sizeof e->verdict, "%s", value);
	else if (!strcmp(key, "form"))
		snprintf(e->form, sizeof e->form, "%s", value);
	else if (!strcmp(key, "reason"))
		snprintf(e->reason, sizeof e->reason, "%s", value);
	else if (!strcmp(key, "sender"))
		snprintf(e->sender, sizeof e->sender, "%s", value);
	else if (!strcmp(key, "recipient"))
		snprintf(e->recipient, sizeof e->recipient, "%s", value);
	else if (!strcmp(key, "meets"))
		snprintf(e->meets, sizeof e->meets, "%s", value);
	else if (!strcmp(key, "accept_reports"))
		e->accept.reports = yes(value)		   ? REPORTS_YES
				    : !strcmp(value, "no") ? REPORTS_NO
							   : REPORTS_HEADERS;
	else if (!strcmp(key, "lines"))
		e->is_exact = !strcmp(value, "exact");
	else if (!strcmp(key, "accept_smime"))
		e->accept.smime = yes(value);
	else if (!strcmp(key, "accept_password_only"))
		e->accept.password_only = yes(value);
	else if (!strcmp(key, "accept_legacy_encryption"))
		e->accept.legacy_encryption = yes(value);
	else if (!strcmp(key, "accept_handshakes"))
		e->accept.handshakes = yes(value);
	else if (!strcmp(key, "hidden_subject"))
		e->accept.hidden_subject = yes(value);
	else if (!strcmp(key, "max_cleartext_bytes"))
		e->accept.max_cleartext_bytes = strtoll(value, NULL, 10);
	else
		die("%s: unknown line \"%s:\"", path, key);
}

static void read_expected(const char *path, struct expected *e)
{
	struct buffer b = read_file(path);
	char *rest = (char *)b.bytes, *line;

	memset(e, 0, sizeof *e);
	whole_defaults(&e->accept);
	while ((line = strsep(&rest, "\n"))) {
		char *colon = strstr(line, ": ");
		if (line[0] == 0 || line[0] == '#')
			continue;
		if (!colon)
			die("%s: no colon in \"%s\"", path, line);
		*colon = 0;
		set(e, path, line, colon + 2);
	}
	if (!e->verdict[0])
		die("%s: says no verdict", path);
	free(b.bytes);
}

/* The same message with another line end. */
static struct buffer with_line_ends(const struct buffer *b, bool crlf)
{
	struct buffer out = {malloc(b->len * 2 + 1), 0};
	if (!out.bytes)
		die("out of memory");
	for (size_t i = 0; i < b->len; i++) {
		bool is_pair = b->bytes[i] == '\r' && i + 1 < b->len && b->bytes[i + 1] == '\n';
		if (is_pair)
			continue;
		if (crlf && b->bytes[i] == '\n')
			out.bytes[out.len++] = '\r';
		out.bytes[out.len++] = b->bytes[i];
	}
	return out;
}

static bool is_expected(const struct expected *e, const struct judgement *j)
{
	return (!strcmp(e->verdict, "any") || !strcmp(e->verdict, verdict_name(j->verdict))) &&
	       (!e->form[0] || !strcmp(e->form, form_name(j->form))) &&
	       (!e->reason[0] || !strcmp(e->reason, j->reason)) &&
	       (!e->meets[0] ||
		yes(e->meets) == outcome_meets(j, REQUIREMENT_ENCRYPTED, &e->accept));
}

static bool run_cuts(struct whole *w, const char *name, const char *lines, const struct buffer *b,
		     const struct expected *e)
{
	struct judge_envelope envelope = {!strcmp(e->sender, "<>"),
					  e->sender[0] && !strcmp(e->sender, e->recipient)};
	struct judgement first;

	for (int i = 0; i < n_splits + 2; i++) {
		uint64_t seed = i == 0 ? WHOLE_UNCUT : i == 1 ? WHOLE_BYTES : (uint64_t)i * 7919;
		struct judgement j;
		whole_judge(w, b->bytes, b->len, seed, &e->accept, &envelope, NULL, &j);
		n_runs++;
		if (i == 0) {
			first = j;
			if (is_verbose)
				printf("%s %s: %s %s %s (%s)\n", name, lines,
				       verdict_name(j.verdict), form_name(j.form), j.reason,
				       j.detail);
		}
		if (is_expected(e, &j) && whole_same(&first, &j))
			continue;
		printf("FAIL %s, %s, %s: %s %s %s (%s), expected %s %s %s%s%s\n", name, lines,
		       i == 0	? "whole"
		       : i == 1 ? "byte by byte"
				: "split",
		       verdict_name(j.verdict), form_name(j.form), j.reason, j.detail, e->verdict,
		       e->form[0] ? e->form : "any", e->reason[0] ? e->reason : "any",
		       e->meets[0] ? ", meets: " : "", e->meets);
		return false;
	}
	return true;
}

static void run_message(struct whole *w, const char *dir, const char *name)
{
	char path[4096];
	struct expected e;

	snprintf(path, sizeof path, "%s/%s.verdict", dir, name);
	read_expected(path, &e);
	snprintf(path, sizeof path, "%s/%s.eml", dir, name);
	struct buffer b = read_file(path);
	bool ok = run_cuts(w, name, "as it is", &b, &e);
	for (int crlf = 0; ok && !e.is_exact && crlf < 2; crlf++) {
		struct buffer changed = with_line_ends(&b, crlf);
		ok = run_cuts(w, name, crlf ? "CR LF" : "LF", &changed, &e);
		free(changed.bytes);
	}
	free(b.bytes);
	n_failed += !ok;
}

static int is_verdict_file(const struct dirent *d)
{
	size_t len = strlen(d->d_name);
	return len > 8 && !strcmp(d->d_name + len - 8, ".verdict");
}

/* Somebody listens, as in `check --explain`: every finding is put into words. */
static void hear(void *context, const struct scan_part *part)
{
	size_t *n_words = context;

	*n_words += part->finding[0] != '\0';
}

int main(int argc, char **argv)
{
	struct whole w;
	size_t n_words = 0;
	unsigned n = 0;
	int option;

	while ((option = getopt(argc, argv, "n:v")) != -1) {
		if (option == 'n')
			n_splits = atoi(optarg);
		else if (option == 'v')
			is_verbose = true;
		else
			die("usage: run [-n SPLITS] [-v] DIR [NAME...]");
	}
	if (optind >= argc)
		die("usage: run [-n SPLITS] [-v] DIR [NAME...]");
	whole_init(&w);
	scan_observe(w.scan, hear, &n_words);
	const char *dir = argv[optind++];
	for (; optind < argc; optind++, n++)
		run_message(&w, dir, argv[optind]);
	if (n == 0) {
		struct dirent **entries;
		int count = scandir(dir, &entries, is_verdict_file, alphasort);
		if (count < 0)
			die("%s: cannot read", dir);
		for (; (int)n < count; n++) {
			entries[n]->d_name[strlen(entries[n]->d_name) - 8] = 0;
			run_message(&w, dir, entries[n]->d_name);
			free(entries[n]);
		}
		free(entries);
	}
	whole_free(&w);
	printf("golden mail: %u messages, %u runs (line ends, cuts), %zu findings told\n", n,
	       n_runs, n_words);
	printf("%u passed, %u failed, 0 skipped\n", n - n_failed, n_failed);
	return n_failed || n == 0;
}
