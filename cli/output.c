/* SPDX-License-Identifier: ISC */
#include "cli/output.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <wchar.h>

#include <jansson.h>

#include "common/clock.h"
#include "common/log.h"

static bool has_colour;
static bool is_terminal;

static _Noreturn void end_without_memory(void)
{
	log_error("out of memory");
	_exit(EX_OSERR);
}

void *output_memory(void *old, size_t size)
{
	void *memory = realloc(old, size > 0 ? size : 1);

	if (memory != NULL)
		return memory;
	end_without_memory();
}

void output_end_without_memory(void)
{
	if (errno == ENOMEM)
		end_without_memory();
}

char *output_copy(const char *text)
{
	const size_t size = strlen(text) + 1;

	return memcpy(output_memory(NULL, size), text, size);
}

static void *allocate(size_t size)
{
	return output_memory(NULL, size);
}

void output_init(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	json_set_alloc_funcs(allocate, free);
	/* For wcwidth(): everything we print is UTF-8, whatever the administrator's locale. */
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		setlocale(LC_CTYPE, "");
	is_terminal = isatty(STDOUT_FILENO) == 1;
	has_colour = is_terminal && (no_color == NULL || no_color[0] == '\0') && term != NULL &&
		     strcmp(term, "dumb") != 0;
}

bool output_is_terminal(void)
{
	return is_terminal;
}

const char *output_colour(enum output_colour colour)
{
	static const char *const sequences[] = {
		[COLOUR_PLAIN] = "\033[0m",   [COLOUR_BOLD] = "\033[1m",
		[COLOUR_DIM] = "\033[2m",     [COLOUR_GREEN] = "\033[32m",
		[COLOUR_YELLOW] = "\033[33m", [COLOUR_RED] = "\033[31m",
		[COLOUR_BLUE] = "\033[34m",
	};

	return has_colour ? sequences[colour] : "";
}

enum output_colour output_verdict_colour(enum verdict v)
{
	switch (v) {
	case VERDICT_ENCRYPTED:
		return COLOUR_GREEN;
	case VERDICT_CLEARTEXT:
	case VERDICT_PARTIAL:
	case VERDICT_INVALID:
		return COLOUR_RED;
	case VERDICT_SMIME:
	case VERDICT_SIGNED:
	case VERDICT_REPORT:
	case VERDICT_HANDSHAKE:
		break;
	}
	return COLOUR_YELLOW;
}

enum output_colour output_action_colour(enum action a)
{
	switch (a) {
	case ACTION_ACCEPT:
		return COLOUR_GREEN;
	case ACTION_REFUSE:
		return COLOUR_RED;
	case ACTION_SPLIT:
	case ACTION_QUARANTINE:
	case ACTION_TAG:
	case ACTION_TEMPFAIL:
		break;
	}
	return COLOUR_YELLOW;
}

char *output_clean(char *out, size_t out_size, const char *text)
{
	size_t used = 0;

	/* Piece by piece between backslashes, so that log_escape() sees none. */
	out[0] = '\0';
	while (*text != '\0' && used + 8 < out_size) {
		size_t len = strcspn(text, "\\");

		if (len > 0) {
			log_escape(out + used, out_size - used, text, len);
			used += strlen(out + used);
			text += len;
		} else {
			out[used++] = *text++;
			out[used] = '\0';
		}
	}
	return out;
}

bool output_word(char *out, size_t out_size, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    ".@_+-/:,%=";
	char clean[OUTPUT_TEXT_MAX];
	size_t n = 0;

	if (text[0] == '-' || out_size < 8 ||
	    strcmp(output_clean(clean, sizeof(clean), text), text) != 0)
		return false;
	if (text[0] != '\0' && text[strspn(text, plain)] == '\0') {
		snprintf(out, out_size, "%s", text);
		return strlen(text) < out_size;
	}
	out[n++] = '\'';
	for (const char *c = text; *c != '\0'; c++) {
		if (n + 6 >= out_size)
			return false;
		n += (size_t)snprintf(out + n, out_size - n, *c == '\'' ? "'\\''" : "%c", *c);
	}
	snprintf(out + n, out_size - n, "'");
	return true;
}

size_t output_width(const char *text)
{
	mbstate_t state = {0};
	size_t width = 0;

	while (*text != '\0') {
		wchar_t c;
		size_t len = mbrtowc(&c, text, strlen(text), &state);
		int columns;

		if (len == 0 || len == (size_t)-1 || len == (size_t)-2) {
			memset(&state, 0, sizeof(state));
			len = 1;
			columns = 1;
		} else {
			columns = wcwidth(c);
		}
		width += columns > 0 ? (size_t)columns : 0;
		text += len;
	}
	return width;
}

void output_pad(FILE *to, const char *text, size_t width)
{
	size_t columns = output_width(text);

	fputs(text, to);
	if (columns < width)
		fprintf(to, "%*s", (int)(width - columns), "");
}

void output_pad_colour(FILE *to, enum output_colour colour, const char *text, size_t width)
{
	fputs(output_colour(colour), to);
	fputs(text, to);
	fputs(output_colour(COLOUR_PLAIN), to);
	if (output_width(text) < width)
		fprintf(to, "%*s", (int)(width - output_width(text)), "");
}

/* Bytes of text that take at most `columns`, at least one character. */
static size_t fitting(const char *text, size_t columns)
{
	char piece[8];
	size_t used = 0, at = 0;

	while (text[at] != '\0') {
		size_t len = 1;

		while (((unsigned char)text[at + len] & 0xc0) == 0x80 && len < sizeof(piece) - 1)
			len++;
		memcpy(piece, text + at, len);
		piece[len] = '\0';
		used += output_width(piece);
		if (used > columns && at > 0)
			break;
		at += len;
	}
	return at;
}

static void new_line(FILE *to, size_t indent, size_t *used)
{
	fprintf(to, "\n%*s", (int)indent, "");
	*used = indent;
}

void output_wrap(FILE *to, size_t indent, size_t used, const char *text)
{
	const size_t end = OUTPUT_COLUMNS - 1;
	bool at_start = true;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");
		char word[OUTPUT_TEXT_MAX];
		const char *rest = word;
		size_t columns;

		if (len >= sizeof(word))
			len = fitting(text, sizeof(word) / 8);
		snprintf(word, sizeof(word), "%.*s", (int)len, text);
		columns = output_width(word);
		if (!at_start && used + 1 + columns > end) {
			new_line(to, indent, &used);
			at_start = true;
		}
		if (!at_start) {
			fputc(' ', to);
			used++;
		}
		/* One that is longer than a line goes on in the next. */
		while (used + columns > end && end > indent) {
			const size_t n = used < end ? fitting(rest, end - used) : 0;

			fprintf(to, "%.*s", (int)n, rest);
			rest += n;
			columns = output_width(rest);
			new_line(to, indent, &used);
		}
		fputs(rest, to);
		used += columns;
		at_start = false;
		text += len;
		while (*text == ' ')
			text++;
	}
	fputc('\n', to);
}

char *output_number(char out[OUTPUT_NUMBER_MAX], int64_t n)
{
	char digits[OUTPUT_NUMBER_MAX];
	int len = snprintf(digits, sizeof(digits), "%llu",
			   n < 0 ? 0 - (unsigned long long)n : (unsigned long long)n);
	char *p = out;

	if (n < 0)
		*p++ = '-';
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = '\0';
	return out;
}

char *output_bytes(char out[OUTPUT_NUMBER_MAX], int64_t n)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double value = (double)n;
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1000;
		unit++;
	}
	snprintf(out, OUTPUT_NUMBER_MAX, unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s", value,
		 units[unit]);
	return out;
}

char *output_duration(char out[OUTPUT_NUMBER_MAX], int64_t seconds)
{
	static const struct {
		int64_t s;
		const char *one, *many;
	} units[] = {{86400, "day", "days"},
		     {3600, "hour", "hours"},
		     {60, "minute", "minutes"},
		     {1, "second", "seconds"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		int64_t n = seconds / units[i].s;

		if (n >= 2 || (n == 1 && seconds % units[i].s == 0) || units[i].s == 1) {
			snprintf(out, OUTPUT_NUMBER_MAX, "%lld %s", (long long)n,
				 output_plural(n, units[i].one, units[i].many));
			break;
		}
	}
	return out;
}

const char *output_plural(int64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

char *output_time(int64_t time_unix, char *out)
{
	return is_terminal ? clock_format_local(time_unix, out) : clock_format(time_unix, out);
}

json_t *output_json_text(const char *text)
{
	char escaped[OUTPUT_TEXT_MAX];
	json_t *value;

	if (text == NULL)
		return json_null();
	value = json_string(text); /* NULL when it is not UTF-8 */
	if (value == NULL)
		value = json_string(log_escape(escaped, sizeof(escaped), text, strlen(text)));
	return value;
}

json_t *output_json_time(int64_t time_unix)
{
	char text[CLOCK_TEXT_MAX];

	return time_unix == 0 ? json_null() : json_string(clock_format(time_unix, text));
}

/* Would a terminal take part of this as a command, or turn the direction of writing? */
static bool is_clean(const char *text)
{
	char piece[256];
	char clean[1100]; /* every byte escaped is 4 */

	for (size_t len; (len = strlen(text)) > 0; text += len) {
		if (len > 200) { /* cut at a character */
			for (len = 200; len > 190 && ((unsigned char)text[len] & 0xc0) == 0x80;)
				len--;
		}
		memcpy(piece, text, len);
		piece[len] = '\0';
		if (strcmp(output_clean(clean, sizeof(clean), piece), piece) != 0)
			return false;
	}
	return true;
}

void output_json(json_t *object)
{
	char *line = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);

	if (line != NULL && !is_clean(line)) {
		free(line);
		line = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
	}
	json_decref(object);
	if (line != NULL)
		puts(line);
	free(line);
}
