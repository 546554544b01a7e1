/* SPDX-License-Identifier: ISC */
#include "cli/providers.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

#define LIST_BYTES_MAX (1 << 20) /* bytes of the list */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Cuts text into lines, in place. */
static void keep_lines(struct providers *p)
{
	size_t n_lines = 1;
	char *next = p->text;

	for (const char *c = p->text; *c != '\0'; c++)
		n_lines += *c == '\n';
	p->domains = output_memory(NULL, n_lines * sizeof(*p->domains));
	while (next != NULL) {
		char *line = next;
		size_t length = strcspn(line, "\n");

		next = line[length] == '\n' ? line + length + 1 : NULL;
		line[length] = '\0';
		line += strspn(line, " \t");
		line[strcspn(line, "# \t\r")] = '\0';
		for (char *c = line; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		if (line[0] != '\0')
			p->domains[p->n++] = line;
	}
	qsort(p->domains, p->n, sizeof(*p->domains), by_name);
}

static char *read_whole(const char *path)
{
	FILE *from = fopen(path, "re");
	char *text = from != NULL ? output_memory(NULL, LIST_BYTES_MAX + 1) : NULL;
	size_t n = 0;

	if (text != NULL) {
		n = fread(text, 1, LIST_BYTES_MAX, from);
		text[n] = '\0';
		if (ferror(from) != 0 || strlen(text) != n) {
			if (ferror(from) == 0)
				errno = EINVAL; /* a NUL in it: no list */
			free(text);
			text = NULL;
		}
	}
	if (from != NULL)
		fclose(from);
	return text;
}

int providers_read(struct providers *p, const char *path, char *err, size_t err_size)
{
	memset(p, 0, sizeof(*p));
	if (path[0] == '\0') {
		p->is_known = true;
		return 0;
	}
	p->text = read_whole(path);
	if (p->text == NULL) {
		output_end_without_memory();
		snprintf(err, err_size, "%s: %s; see mail_providers in pgpgate.conf(5)", path,
			 strerror(errno));
		providers_free(p);
		return -1;
	}
	keep_lines(p);
	p->is_known = true;
	return 0;
}

bool providers_has(const struct providers *p, const char *domain)
{
	if (!p->is_known)
		return true;
	for (; domain != NULL; domain = strchr(domain, '.')) {
		domain += *domain == '.';
		if (p->n > 0 &&
		    bsearch(&domain, p->domains, p->n, sizeof(*p->domains), by_name) != NULL)
			return true;
	}
	return false;
}

void providers_free(struct providers *p)
{
	free(p->text);
	free(p->domains);
	memset(p, 0, sizeof(*p));
}
