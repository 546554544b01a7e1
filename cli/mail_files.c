/* SPDX-License-Identifier: ISC */
#include "cli/mail_files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/mbox.h"

#define CHUNK_BYTES 65536

/* From mbox.h's sink to ours: counts, and knows the name. */
struct numbered {
	const struct mail_sink *sink;
	const char *name;
	int64_t number;
};

static void numbered_begin(void *context)
{
	struct numbered *n = context;

	n->sink->begin(n->sink->context, n->name, ++n->number);
}

static void numbered_bytes(void *context, const unsigned char *bytes, size_t len)
{
	struct numbered *n = context;

	n->sink->bytes(n->sink->context, bytes, len);
}

static void numbered_end(void *context)
{
	struct numbered *n = context;

	n->sink->end(n->sink->context);
}

/* Reads until a whole chunk is there, so that the first bytes can be looked at whatever a pipe
 * gives. */
static ssize_t read_chunk(int fd, unsigned char *chunk)
{
	size_t have = 0;

	while (have < CHUNK_BYTES) {
		ssize_t n = read(fd, chunk + have, CHUNK_BYTES - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static void read_messages(int fd, const char *name, const struct mail_sink *sink)
{
	unsigned char chunk[CHUNK_BYTES];
	ssize_t n = read_chunk(fd, chunk);
	struct numbered numbered = {.sink = sink, .name = name};
	struct mbox_sink into = {numbered_begin, numbered_bytes, numbered_end, &numbered};
	struct mbox mbox;
	bool is_mbox;

	if (n < 0) {
		sink->failed(sink->context, name, strerror(errno));
		return;
	}
	is_mbox = mbox_is_likely(chunk, (size_t)n);
	if (is_mbox)
		mbox_init(&mbox, &into);
	else
		sink->begin(sink->context, name, 0);
	while (n > 0) {
		if (is_mbox)
			mbox_feed(&mbox, chunk, (size_t)n);
		else
			sink->bytes(sink->context, chunk, (size_t)n);
		n = read_chunk(fd, chunk);
	}
	if (is_mbox)
		mbox_finish(&mbox);
	else
		sink->end(sink->context);
	if (n < 0)
		sink->failed(sink->context, name, strerror(errno));
}

void mail_files_read(struct mail_opener *o, const struct mail_sink *sink)
{
	struct mail_opened file;

	while (mail_opener_next(o, &file)) {
		if (file.why[0] != '\0')
			sink->failed(sink->context, file.name, file.why);
		else
			read_messages(file.fd, file.name, sink);
		if (file.fd >= 0)
			close(file.fd);
	}
}
