/* SPDX-License-Identifier: ISC */
#include "scan/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "scan/finding.h"

/* "2.1": the present part, or the part whose multipart is level[n_levels - 1]. */
static void write_path(const struct structure *s, unsigned n_levels, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < n_levels && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%u", i ? "." : "",
					 s->level[i].n_parts);
}

void notes_set(const struct structure *s, struct finding *f, unsigned n_levels, const char *reason,
	       const char *format, ...)
{
	char path[PATH_MAX_BYTES], what[DETAIL_MAX];
	va_list args;

	if (finding_is_set(f))
		return;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	write_path(s, n_levels, path, sizeof(path));
	if (path[0])
		finding_set(f, reason, "part %s: %s", path, what);
	else
		finding_set(f, reason, "body: %s", what);
}

void notes_settle(struct structure *s)
{
	if (finding_is_set(&s->state.facts.fault) && s->state.facts.has_claim)
		s->state.is_final = true;
}

void notes_claim(struct structure *s, unsigned n_levels, const char *what)
{
	s->state.facts.has_claim = true;
	notes_set(s, &s->state.facts.claim, n_levels, "claim", "%s", what);
	notes_settle(s);
}

void notes_fault(struct structure *s, unsigned n_levels, const char *reason, const char *what)
{
	notes_set(s, &s->state.facts.fault, n_levels, reason, "%s", what);
	notes_settle(s);
}

void notes_readable(struct structure *s, unsigned n_levels, const char *reason, int64_t bytes,
		    const char *what)
{
	s->state.n_readable++;
	s->state.facts.cleartext_bytes += bytes > 0 ? bytes : 1; /* readable is never nothing */
	notes_set(s, &s->state.facts.readable, n_levels, reason, "%s (%lld bytes)", what,
		  (long long)bytes);
}

void notes_observe(struct structure *s, unsigned depth, bool is_multipart, const char *type,
		   const char *encoding, const char *text)
{
	char path[PATH_MAX_BYTES], safe_type[FIELD_TYPE_MAX * 4];
	struct scan_part part = {
		.path = path,
		.depth = depth,
		.is_multipart = is_multipart,
		.type = safe_type,
		.encoding = encoding,
		.finding = text,
	};

	if (!s->hooks.observer)
		return;
	write_path(s, depth, path, sizeof(path));
	log_escape(safe_type, sizeof(safe_type), type, strlen(type));
	s->hooks.observer(s->hooks.observer_context, &part);
}
