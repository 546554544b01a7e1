/* SPDX-License-Identifier: ISC
 *
 * See bench_mail.h.
 */
#include "tests/bench/bench_mail.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

static char *read_file(const char *path, size_t *len)
{
	struct stat st;
	FILE *f = fopen(path, "re");
	char *text;

	if (!f || fstat(fileno(f), &st) != 0)
		err(EX_NOINPUT, "%s", path);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		err(EX_OSERR, "%s", path);
	*len = fread(text, 1, (size_t)st.st_size, f);
	if (ferror(f))
		err(EX_IOERR, "%s", path);
	fclose(f);
	text[*len] = '\0';
	return text;
}

/* Takes one line, without its end, off *p. NULL at the end of the text. */
static char *take_line(char **p, char *end)
{
	char *line = *p, *newline;

	if (line >= end)
		return NULL;
	newline = memchr(line, '\n', (size_t)(end - line));
	*p = newline ? newline + 1 : end;
	if (newline) {
		*newline = '\0';
		if (newline > line && newline[-1] == '\r')
			newline[-1] = '\0';
	}
	return line;
}

static char *copy(const char *text)
{
	char *c = strdup(text);

	if (!c)
		err(EX_OSERR, "memory");
	return c;
}

/* Adds a line of the header: a field, or the continuation of the last one. 0, or -1 if it is
 * neither. */
static int add_header_line(struct mail *m, const char *line)
{
	const char *colon = strchr(line, ':');
	char **value;

	if ((*line == ' ' || *line == '\t') && m->n_fields > 0) {
		value = &m->field[m->n_fields - 1].value;
		*value = realloc(*value, strlen(*value) + strlen(line) + 2);
		if (!*value)
			err(EX_OSERR, "memory");
		strcat(strcat(*value, "\n"), line);
		return 0;
	}
	if (!colon || m->n_fields == MAIL_FIELDS_MAX)
		return -1;
	m->field[m->n_fields].name = strndup(line, (size_t)(colon - line));
	m->field[m->n_fields++].value = copy(colon + 1);
	return 0;
}

struct mail *mail_load(const char *path)
{
	size_t len;
	char *text = read_file(path, &len), *p = text, *line;
	struct mail *m = calloc(1, sizeof(*m));

	if (!m)
		err(EX_OSERR, "memory");
	while ((line = take_line(&p, text + len)) != NULL && *line) {
		m->size_bytes += strlen(line) + 2;
		if (add_header_line(m, line) != 0)
			errx(EX_DATAERR, "%s: not a header line: %.60s", path, line);
	}
	if (m->n_fields == 0)
		errx(EX_DATAERR, "%s: no header", path);
	m->body = malloc(2 * (size_t)(text + len - p) + 1);
	if (!m->body)
		err(EX_OSERR, "memory");
	for (unsigned char last = 0; p < text + len; last = (unsigned char)*p++) {
		if (*p == '\n' && last != '\r')
			m->body[m->body_len++] = '\r';
		m->body[m->body_len++] = (unsigned char)*p;
	}
	m->size_bytes += 2 + m->body_len;
	free(text);
	return m;
}

void mail_free(struct mail *m)
{
	for (size_t i = 0; i < m->n_fields; i++) {
		free(m->field[i].name);
		free(m->field[i].value);
	}
	free(m->body);
	free(m);
}
