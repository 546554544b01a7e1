/* SPDX-License-Identifier: ISC */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "common/utf8.h"

/* A line: the longest verdict line names eight recipients of 320 bytes, escaped. */
#define LINE_MAX_BYTES 8192
#define PREFIX_MAX_BYTES 128 /* priority and name */

/* Set by log_open() before there are threads, read only afterwards. */
static const char *log_ident = "pgpgate";
static bool log_to_stderr = true;
static atomic_bool log_is_echoed; /* ends while threads run */
static bool log_with_priority;
static int log_verbose;

/* systemd.exec(5): the device and inode of the journal's stream; a shell started below a service
 * has the variable too, and its standard error may be something else. */
static bool is_journal(int fd)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return text != NULL && sscanf(text, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_open(const char *ident, bool to_stderr, int verbose)
{
	log_ident = ident;
	log_to_stderr = to_stderr;
	log_with_priority = to_stderr && is_journal(STDERR_FILENO);
	log_verbose = verbose;
	closelog();
	if (!to_stderr)
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void log_echo(bool on)
{
	log_is_echoed = on;
}

/* A last line of defence for a caller that forgot log_escape(): one line stays one line. */
static void mask_controls(char *line)
{
	for (; *line != '\0'; line++)
		if ((unsigned char)*line < 0x20 || *line == 0x7f)
			*line = '?';
}

/* One write() a line, so that lines of several threads and processes do not mix. */
static void write_line(const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nobody is left to be told */
		line += n;
		len -= (size_t)n;
	}
}

__attribute__((format(printf, 2, 0))) static void log_line(int priority, const char *format,
							   va_list arguments)
{
	char line[PREFIX_MAX_BYTES + LINE_MAX_BYTES + 1];
	char *text;
	int saved_errno = errno;
	int len, prefix_len;

	/* The journal knows the name, and would show it twice. */
	if (log_with_priority)
		prefix_len = snprintf(line, PREFIX_MAX_BYTES, "<%d>", priority);
	else
		prefix_len = snprintf(line, PREFIX_MAX_BYTES, "%.100s: ", log_ident);
	text = line + prefix_len;
	len = vsnprintf(text, LINE_MAX_BYTES, format, arguments);
	mask_controls(text);
	if (!log_to_stderr)
		syslog(LOG_MAIL | priority, "%s", text);
	if (len >= 0 && (log_to_stderr || log_is_echoed)) {
		len = len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES - 1;
		text[len] = '\n';
		write_line(line, (size_t)(prefix_len + len + 1));
	}
	errno = saved_errno;
}

#define LOG_FUNCTION(name, priority)                             \
	void name(const char *format, ...)                       \
	{                                                        \
		va_list arguments;                               \
                                                                 \
		if ((priority) == LOG_DEBUG && log_verbose == 0) \
			return;                                  \
		va_start(arguments, format);                     \
		log_line((priority), format, arguments);         \
		va_end(arguments);                               \
	}

LOG_FUNCTION(log_error, LOG_ERR)
LOG_FUNCTION(log_warning, LOG_WARNING)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)

/* Writes the escaped form of the first unit of text (a character, or one bad byte) to piece.
 * Returns how many bytes of text it stands for. */
static size_t escape_unit(const unsigned char *text, size_t len, char piece[20], size_t *piece_len)
{
	uint32_t codepoint;
	size_t n;

	if (text[0] >= ' ' && text[0] < 0x7f && text[0] != '\\') {
		piece[0] = (char)text[0];
		*piece_len = 1;
		return 1;
	}
	n = utf8_decode(text, len, &codepoint);
	if (n == 1 && codepoint == '\\') {
		memcpy(piece, "\\\\", 2);
		*piece_len = 2;
		return 1;
	}
	if (n > 0 && !utf8_is_deceptive(codepoint)) {
		memcpy(piece, text, n);
		*piece_len = n;
		return n;
	}
	if (n == 0)
		n = 1;
	*piece_len = 0;
	for (size_t i = 0; i < n; i++)
		*piece_len += (size_t)snprintf(piece + *piece_len, 5, "\\x%02X", text[i]);
	return n;
}

char *log_escape(char *out, size_t out_size, const char *text, size_t text_len)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t room = out_size - 1;
	size_t used = 0;
	size_t cut = 0; /* the last place where "..." still fits */

	while (text_len > 0) {
		char piece[20];
		size_t piece_len;
		size_t n = escape_unit(bytes, text_len, piece, &piece_len);

		if (used + piece_len > room) {
			memcpy(out + cut, "...", 3);
			used = cut + 3;
			break;
		}
		memcpy(out + used, piece, piece_len);
		used += piece_len;
		if (used + 3 <= room)
			cut = used;
		bytes += n;
		text_len -= n;
	}
	out[used] = '\0';
	return out;
}
