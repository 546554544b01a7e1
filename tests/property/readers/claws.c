/* SPDX-License-Identifier: ISC
 *
 * claws.c: what Claws Mail shows of a message; see talk.h. Its parser is no library, but the
 * program exports it to plugins: this is loaded before it (LD_PRELOAD), takes the place of its
 * main() and asks. So there is no window and no display.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "talk.h"

/* Of a part, what its package's procmime.h (4.1) has at the beginning. */
struct part {
	int content;
	char *data;
	int is_temporary;
	void *node;
	int type;
	char *subtype;
};

extern struct part *procmime_scan_file(const char *path);
extern struct part *procmime_mimeinfo_next(struct part *part);
extern void procmime_mimeinfo_free_all(struct part **part);
extern char *procmime_get_content_type_str(int type, const char *subtype);
extern char *procmime_get_part_as_string(struct part *part, int has_nul);
extern int procmime_scan_text_content(struct part *part, int (*take)(const char *, void *),
				      void *context);
extern void g_free(void *memory);

static int add_line(const char *line, void *context)
{
	(void)context;
	talk_add(line, strlen(line));
	return 0;
}

/* As it is, and as it is shown: in UTF-8. HTML and enriched text are not: there the lines of armor
 * are one, and nobody would find its headers. */
static void show(struct part *part)
{
	char *type = procmime_get_content_type_str(part->type, part->subtype);
	char *raw = procmime_get_part_as_string(part, 1);

	if (raw && strncmp(type, "multipart/", 10) != 0)
		talk_leaf(type, raw, strlen(raw));
	if (strncmp(type, "text/", 5) == 0 && strcmp(type, "text/html") != 0 &&
	    strcmp(type, "text/enriched") != 0) {
		talk_leaf(type, "", 0);
		(void)procmime_scan_text_content(part, add_line, NULL);
	}
	g_free(raw);
	g_free(type);
}

static void show_file(const char *path)
{
	struct part *root = procmime_scan_file(path);

	for (struct part *part = root; part; part = procmime_mimeinfo_next(part))
		if (part != root)
			show(part);
	if (root)
		procmime_mimeinfo_free_all(&root);
}

static int take_place(int argc, char **argv, char **environment)
{
	char path[4096];

	(void)argc, (void)argv, (void)environment;
	snprintf(path, sizeof path, "%s/message.eml", getenv("HOME"));
	while (talk_next()) {
		FILE *f = fopen(path, "wb");

		if (!f || fwrite(talk_message, 1, talk_len, f) != talk_len || fclose(f) != 0)
			return EXIT_FAILURE;
		show_file(path);
		talk_answer();
	}
	return 0;
}

int __libc_start_main(int (*main_)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void), void (*end)(void), void *stack)
{
	int (*start)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
		     void (*)(void), void *) = dlsym(RTLD_NEXT, "__libc_start_main");

	(void)main_;
	return start(take_place, argc, argv, init, fini, end, stack);
}
