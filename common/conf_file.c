/* SPDX-License-Identifier: ISC */
#include "common/conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/utf8.h"

int conf_file_slurp(const char *path, char **text, size_t *len)
{
	char *buffer = malloc(CONF_FILE_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t used = 0;
	ssize_t n = -1;
	int saved_errno;

	if (buffer != NULL && fd >= 0) {
		do {
			n = read(fd, buffer + used, CONF_FILE_MAX + 1 - used);
			if (n > 0)
				used += (size_t)n;
		} while ((n > 0 && used <= CONF_FILE_MAX) || (n < 0 && errno == EINTR));
	}
	saved_errno = buffer == NULL ? ENOMEM : errno;
	if (fd >= 0)
		close(fd);
	if (n < 0 || used > CONF_FILE_MAX) {
		free(buffer);
		errno = n < 0 ? saved_errno : EFBIG;
		return -1;
	}
	buffer[used] = '\0';
	*text = buffer;
	*len = used;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void trim(const char **text, size_t *len)
{
	while (*len > 0 && is_blank(**text)) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*text)[*len - 1]))
		(*len)--;
}

static char *copy(const char *text, size_t len)
{
	char *s = malloc(len + 1);

	if (s != NULL) {
		memcpy(s, text, len);
		s[len] = '\0';
	}
	return s;
}

static int complain(char *err, size_t err_size, const char *what)
{
	snprintf(err, err_size, "%s", what);
	return -1;
}

/* What no line may hold. */
static int check_line(const char *line, size_t len, char *err, size_t err_size)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f) {
			snprintf(err, err_size,
				 "control character \\x%02X in column %zu; remove it",
				 (unsigned char)line[i], i + 1);
			return -1;
		}
	if (!utf8_is_valid(line, len))
		return complain(err, err_size, "text that is not UTF-8; save the file as UTF-8");
	return 0;
}

/* Appends a continuation line to the value of the last entry. */
static int continue_value(struct conf_file *f, const char *line, size_t len, char *err,
			  size_t err_size)
{
	struct conf_entry *last = &f->entries[f->n - 1];
	size_t old;
	char *value;

	trim(&line, &len);
	old = strlen(last->value);
	value = realloc(last->value, old + len + 2);
	if (value == NULL)
		return complain(err, err_size, "out of memory");
	last->value = value;
	if (old > 0)
		value[old++] = ' ';
	memcpy(value + old, line, len);
	value[old + len] = '\0';
	return 0;
}

static int add_entry(struct conf_file *f, const char *key, size_t key_len, const char *value,
		     size_t value_len, unsigned line, char *err, size_t err_size)
{
	struct conf_entry *entries = realloc(f->entries, (f->n + 1) * sizeof(*entries));
	struct conf_entry *e;

	if (entries == NULL)
		return complain(err, err_size, "out of memory");
	f->entries = entries;
	e = &entries[f->n];
	e->key = copy(key, key_len);
	e->value = copy(value, value_len);
	e->line = line;
	f->n++;
	if (e->key == NULL || e->value == NULL)
		return complain(err, err_size, "out of memory");
	for (size_t i = 0; i + 1 < f->n; i++)
		if (strcmp(entries[i].key, e->key) == 0) {
			snprintf(err, err_size,
				 "%s is set a second time (first in line %u); remove one", e->key,
				 entries[i].line);
			return -1;
		}
	return 0;
}

static bool is_key(const char *key, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((key[i] >= 'a' && key[i] <= 'z') || (key[i] >= 'A' && key[i] <= 'Z') ||
		      (key[i] >= '0' && key[i] <= '9') || key[i] == '_' || key[i] == '-'))
			return false;
	return len > 0 && len <= 64;
}

static int begin_entry(struct conf_file *f, const char *line, size_t len, unsigned number,
		       char *err, size_t err_size)
{
	const char *equals = memchr(line, '=', len);
	size_t key_len = equals == NULL ? len : (size_t)(equals - line);
	const char *value = equals == NULL ? line + len : equals + 1;
	size_t value_len = (size_t)(line + len - value);
	const char *key = line;
	char shown[60];

	trim(&key, &key_len);
	trim(&value, &value_len);
	if (equals == NULL || !is_key(key, key_len)) {
		log_escape(shown, sizeof(shown), line, len);
		snprintf(err, err_size, "\"%s\" is no setting; write key = value", shown);
		return -1;
	}
	return add_entry(f, key, key_len, value, value_len, number, err, err_size);
}

int conf_file_parse(const char *text, size_t len, struct conf_file *out, unsigned *line, char *err,
		    size_t err_size)
{
	memset(out, 0, sizeof(*out));
	*line = 0;
	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		size_t whole = newline == NULL ? len : (size_t)(newline - text) + 1;
		size_t line_len = newline == NULL ? len : whole - 1;
		const char *content = text;
		size_t content_len;
		int rc = 0;

		++*line;
		if (line_len > 0 && newline != NULL && text[line_len - 1] == '\r')
			line_len--;
		content_len = line_len;
		trim(&content, &content_len);
		if (check_line(text, line_len, err, err_size) != 0)
			return -1;
		if (content_len > 0 && content[0] != '#') {
			if (!is_blank(text[0]))
				rc = begin_entry(out, text, line_len, *line, err, err_size);
			else if (out->n > 0)
				rc = continue_value(out, text, line_len, err, err_size);
			else
				rc = complain(err, err_size,
					      "a continuation line with nothing before it; "
					      "remove the white space in front of the key");
		}
		if (rc != 0)
			return -1;
		text += whole;
		len -= whole;
	}
	return 0;
}

void conf_file_free(struct conf_file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->entries[i].key);
		free(f->entries[i].value);
	}
	free(f->entries);
	memset(f, 0, sizeof(*f));
}
