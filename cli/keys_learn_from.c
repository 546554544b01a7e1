/* SPDX-License-Identifier: ISC
 *
 * keys_learn_from.c: the keys that an id on record may be of.
 */
#include "cli/keys_learn.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/certificate_split.h"
#include "cli/keys.h"
#include "cli/output.h"
#include "common/log.h"
#include "db/hashed.h"

#define BAD_MAX 200 /* that are told; then whoever made the files is to look at them first */

struct reading {
	struct learn_candidates *candidates;
	struct certificate_reader *reader;
	struct known_addresses *known;
	struct db *db;
	int64_t now_unix;
	const struct certificate_file *file;
	size_t n_bad;
};

static void add(struct learn_candidates *c, struct db *d, const char *fingerprint,
		const struct learn_source *source, bool is_old)
{
	struct learn_candidate *one;

	if (c->n == c->room) {
		c->room = c->room == 0 ? 256 : 2 * c->room;
		c->list = output_memory(c->list, c->room * sizeof(*c->list));
	}
	one = &c->list[c->n];
	memset(one, 0, sizeof(*one));
	if (key_id_of(fingerprint, &one->id) != 0)
		return;
	one->hashed_id = db_hashed(d)->has_key ? hashed_key_id(db_hashed(d), one->id) : 0;
	memcpy(one->fingerprint, fingerprint, strlen(fingerprint) + 1);
	one->source = source;
	one->is_old = is_old;
	c->n++;
}

void learn_candidates_files(struct learn_candidates *c, const char *path)
{
	if (certificate_files_read(&c->files, path, false) == 0)
		return;
	cli_error("out of memory");
	exit(EX_OSERR);
}

/* A bad certificate, or with 0 a bad file. Nonzero: enough. */
static int pass_over(struct reading *r, size_t number, const char *why)
{
	char name[OUTPUT_TEXT_MAX / 2];

	log_escape(name, sizeof(name), r->file->name, strlen(r->file->name));
	if (number > 0)
		cli_warning("%s: certificate %zu: %s; passed over", name, number, why);
	else
		cli_warning("%s: %s; passed over", name, why);
	return ++r->n_bad >= BAD_MAX;
}

static int bad_certificate(void *context, size_t number, const char *why)
{
	return pass_over(context, number, why);
}

static char *copy_of(const char *text)
{
	const size_t size = strlen(text) + 1;

	return memcpy(output_memory(NULL, size), text, size);
}

static int take_certificate(void *context, size_t number, const unsigned char *packets, size_t len,
			    unsigned version)
{
	struct reading *r = context;
	struct learn_candidates *c = r->candidates;
	struct certificate *read = output_memory(NULL, sizeof(*read));
	struct learn_source *source;
	char why[CERTIFICATE_READ_WHY_MAX];

	(void)version;
	if (certificate_read(r->reader, packets, len, r->now_unix, read, why) != 0) {
		free(read);
		return pass_over(r, number, why);
	}
	if (c->n_sources == c->sources_room) {
		c->sources_room = c->sources_room == 0 ? 64 : 2 * c->sources_room;
		c->sources = output_memory(c->sources,
					   c->sources_room * sizeof(struct learn_source *));
	}
	source = c->sources[c->n_sources++] = output_memory(NULL, sizeof(*source));
	*source = (struct learn_source){r->file->name, number, false, read->n_mailboxes, NULL};
	source->mailboxes = output_memory(NULL, (read->n_mailboxes + 1) * sizeof(char *));
	for (size_t i = 0; i < read->n_mailboxes; i++) {
		source->mailboxes[i] = copy_of(read->mailbox[i].text);
		known_addresses_add(r->known, r->db, read->mailbox[i].text);
	}
	for (size_t i = 0; i < read->n_keys; i++)
		add(c, r->db, read->key[i].fingerprint, source,
		    read->key[i].is_spare || read->key[i].state != KEY_ACTIVE);
	free(read);
	return 0;
}

/* Nonzero: enough that is bad. */
static int read_file(struct reading *r, const struct certificate_file *file)
{
	const struct certificate_sink sink = {take_certificate, bad_certificate, r};
	const size_t n_sources = r->candidates->n_sources;
	char why[CERTIFICATE_WHY_MAX];
	int n;

	r->file = file;
	if (file->bad != NULL)
		return pass_over(r, 0, file->bad);
	n = certificate_split(file->bytes, file->len, &sink, why);
	if (n < 0 && r->n_bad < BAD_MAX) {
		cli_error("out of memory");
		exit(EX_OSERR);
	}
	if (n == 1 && r->candidates->n_sources == n_sources + 1)
		r->candidates->sources[n_sources]->is_alone = true;
	return n == 0 ? pass_over(r, 0, why) : n < 0;
}

int learn_candidates_read(struct learn_candidates *c, struct db *d, const char *program,
			  int64_t now_unix, struct known_addresses *known)
{
	struct reading r = {.candidates = c, .known = known, .db = d, .now_unix = now_unix};
	char why[CERTIFICATE_READ_WHY_MAX];
	bool is_enough = false;

	r.reader = certificate_reader_new(program, why);
	if (r.reader == NULL) {
		cli_error("%s", why);
		return EX_UNAVAILABLE;
	}
	for (size_t i = 0; i < c->files.n && !is_enough; i++)
		is_enough = read_file(&r, &c->files.list[i]) != 0;
	certificate_reader_free(r.reader);
	if (!is_enough)
		return 0;
	cli_error("%zu are bad, and there may be more", r.n_bad);
	return EX_DATAERR;
}

struct keeping {
	struct learn_candidates *candidates;
	struct db *db;
	int64_t now_unix;
};

static int keep(void *context, const struct recipient_key *k)
{
	const struct keeping *keeping = context;

	add(keeping->candidates, keeping->db, k->fingerprint, NULL,
	    key_is_spare(k) || keys_state_at(k, keeping->now_unix) != KEY_ACTIVE);
	return 0;
}

int learn_candidates_kept(struct learn_candidates *c, struct db *d, int64_t now_unix)
{
	struct keeping keeping = {c, d, now_unix};

	return keys_list(d, NULL, 0, keep, &keeping) < 0 ? -1 : 0;
}

/* Of two with one id first the one that can be used, then the one from a file. */
static int order(const struct learn_candidate *a, const struct learn_candidate *b, uint64_t left,
		 uint64_t right)
{
	if (left != right)
		return left < right ? -1 : 1;
	return 2 * (a->is_old - b->is_old) + (a->source == NULL) - (b->source == NULL);
}

static int by_id(const void *a, const void *b)
{
	const struct learn_candidate *const *x = a, *const *y = b;

	return order(*x, *y, (*x)->id, (*y)->id);
}

static int by_hash(const void *a, const void *b)
{
	const struct learn_candidate *const *x = a, *const *y = b;

	return order(*x, *y, (*x)->hashed_id, (*y)->hashed_id);
}

static void sort(struct learn_candidates *c)
{
	c->by_id = output_memory(NULL, 2 * c->n * sizeof(struct learn_candidate *));
	c->by_hash = c->by_id + c->n;
	for (size_t i = 0; i < c->n; i++)
		c->by_id[i] = c->by_hash[i] = &c->list[i];
	qsort(c->by_id, c->n, sizeof(*c->by_id), by_id);
	qsort(c->by_hash, c->n, sizeof(*c->by_hash), by_hash);
}

const struct learn_candidate *learn_candidates_find(struct learn_candidates *c, uint64_t id,
						    bool is_hashed)
{
	size_t low = 0, high = c->n;

	if (c->n > 0 && c->by_id == NULL)
		sort(c);
	while (low < high) {
		const size_t middle = (low + high) / 2;

		if ((is_hashed ? c->by_hash[middle]->hashed_id : c->by_id[middle]->id) < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == c->n || (is_hashed ? c->by_hash[low]->hashed_id : c->by_id[low]->id) != id)
		return NULL;
	return is_hashed ? c->by_hash[low] : c->by_id[low];
}

void learn_candidates_free(struct learn_candidates *c)
{
	certificate_files_free(&c->files);
	for (size_t i = 0; i < c->n_sources; i++) {
		for (size_t k = 0; k < c->sources[i]->n_mailboxes; k++)
			free(c->sources[i]->mailboxes[k]);
		free(c->sources[i]->mailboxes);
		free(c->sources[i]);
	}
	free(c->sources);
	free(c->list);
	free(c->by_id);
}
