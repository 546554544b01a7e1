/* SPDX-License-Identifier: ISC */
#include "db/record/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/log.h"
#include "db/record/checksum.h"

#define SEGMENT_BYTES_MAX (4 << 20)
#define SEGMENT_BYTES_MIN (64 << 10)
#define SEGMENTS_AT_MOST 64 /* of journal_max: each is an open file */
#define VECTORS 512	    /* below IOV_MAX */
#define VOID_BYTES 9

int journal_init(struct journal *j, struct settings *s)
{
	memset(j, 0, sizeof *j);
	/* Sequences of a stream are never used again, so that no two streams may have one name. */
	if (getrandom(&j->stream, sizeof j->stream, 0) != (ssize_t)sizeof j->stream)
		return -1;
	j->voided_room = JOURNAL_VOIDED_ROOM;
	j->voided = malloc(j->voided_room * sizeof j->voided[0]);
	if (j->voided == NULL)
		return -1;
	j->files.settings = settings_ref(s);
	j->files.mode = DB_WRITE;
	j->files.lock_fd = -1;
	snprintf(j->files.path, sizeof j->files.path, "%s", s->database_path);
	j->next_sequence = 1;
	j->next_number = 1;
	j->segment_bytes = s->journal_max_bytes / SEGMENTS_AT_MOST;
	if (j->segment_bytes < SEGMENT_BYTES_MIN)
		j->segment_bytes = SEGMENT_BYTES_MIN;
	else if (j->segment_bytes > SEGMENT_BYTES_MAX)
		j->segment_bytes = SEGMENT_BYTES_MAX;
	pthread_mutex_init(&j->append_lock, NULL);
	pthread_mutex_init(&j->lock, NULL);
	return 0;
}

void journal_destroy(struct journal *j)
{
	while (j->first != NULL) {
		struct journal_segment *gone = j->first;

		j->first = gone->next;
		close(gone->fd);
		free(gone);
	}
	free(j->voided);
	settings_unref(j->files.settings);
	pthread_mutex_destroy(&j->lock);
	pthread_mutex_destroy(&j->append_lock);
}

/* ---- appending ---- */

static int fail(char *err, const struct journal *j, const char *text)
{
	snprintf(err, DB_ERROR_MAX, "%.250s: journal: %s", j->files.path, text);
	return -1;
}

static int roll(struct journal *j, const struct settings *s, char *err)
{
	struct journal_segment *made = calloc(1, sizeof *made);

	if (made == NULL)
		return fail(err, j, "out of memory");
	made->name = (struct journal_header){.stream = j->stream, .number = j->next_number};
	made->fd = journal_files_create(&j->files, &made->name);
	if (made->fd >= 0 && s->verdict_sync == SYNC_POWER &&
	    journal_files_sync_names(&j->files) != 0) {
		journal_files_remove(&j->files, &made->name);
		close(made->fd);
		made->fd = -1;
	}
	if (made->fd < 0) {
		snprintf(err, DB_ERROR_MAX, "%s", db_error(&j->files));
		free(made);
		return -1;
	}
	j->next_number++;
	j->must_roll = false;
	made->bytes = made->published_bytes = JOURNAL_HEADER_BYTES;
	pthread_mutex_lock(&j->lock);
	if (j->last != NULL)
		j->last->next = made;
	else
		j->first = made;
	j->last = made;
	j->bytes += JOURNAL_HEADER_BYTES;
	pthread_mutex_unlock(&j->lock);
	return 0;
}

/* All of v[] at an offset. 0 or -1 with errno. Changes v. */
static int write_all(int fd, struct iovec *v, size_t n, off_t offset)
{
	while (n > 0) {
		ssize_t done = pwritev(fd, v, (int)n, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			if (done == 0)
				errno = ENOSPC;
			return -1;
		}
		offset += done;
		while (n > 0 && (size_t)done >= v->iov_len) {
			done -= (ssize_t)v->iov_len;
			v++;
			n--;
		}
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + done;
			v->iov_len -= (size_t)done;
		}
	}
	return 0;
}

/* Writes the entries behind the last segment's end, VECTORS / 2 at a time. *bytes: how many octets.
 * 0 or -1. */
static int write_entries(struct journal *j, struct journal_entry *list, int64_t *bytes)
{
	unsigned char heads[VECTORS / 2][JOURNAL_RECORD_BYTES];
	struct iovec v[VECTORS];
	uint64_t sequence = j->next_sequence;

	*bytes = 0;
	while (list != NULL) {
		int64_t some = 0;
		size_t n = 0;

		for (; list != NULL && n < VECTORS / 2; list = list->next, n++) {
			list->sequence = sequence++;
			journal_write_record(j->stream, list->sequence, list->payload_len,
					     list->payload_checksum, heads[n]);
			v[2 * n] = (struct iovec){heads[n], JOURNAL_RECORD_BYTES};
			v[2 * n + 1] = (struct iovec){list->payload, list->payload_len};
			some += (int64_t)(JOURNAL_RECORD_BYTES + list->payload_len);
		}
		if (write_all(j->last->fd, v, 2 * n, (off_t)(j->last->bytes + *bytes)) != 0)
			return -1;
		*bytes += some;
	}
	return 0;
}

static int64_t bytes_of(const struct journal_entry *list)
{
	int64_t n = 0;

	for (; list != NULL; list = list->next)
		n += (int64_t)(JOURNAL_RECORD_BYTES + list->payload_len);
	return n;
}

/* Memory is most likely short when something has to be voided: so there is room for as many as can
 * be under way, and more of it is asked for long before it is needed. False: there is none left. */
static bool has_room(struct journal *j)
{
	if (j->n_voided >= j->voided_room / 2) {
		uint64_t *more = realloc(j->voided, 2 * j->voided_room * sizeof more[0]);

		if (more != NULL) {
			j->voided = more;
			j->voided_room *= 2;
		}
	}
	return j->n_voided < j->voided_room;
}

/* Under the lock. They come nearly in order; those that the files have stay in front. */
static void add_voided(struct journal *j, uint64_t sequence)
{
	size_t at = j->n_voided;

	if (!has_room(j)) {
		log_error("out of memory: a message was answered with a temporary failure, and the "
			  "record will not say so");
		return;
	}
	while (at > j->n_voids_written && j->voided[at - 1] > sequence) {
		j->voided[at] = j->voided[at - 1];
		at--;
	}
	j->voided[at] = sequence;
	j->n_voided++;
}

/* Half a record must not stand before whole ones, and a disk tells of a failed sync only once. */
static int take_back(struct journal *j, const struct settings *s, const struct journal_entry *list,
		     char *err)
{
	const int why = errno;

	j->must_roll = s->verdict_sync == SYNC_POWER;
	if (ftruncate(j->last->fd, (off_t)j->last->bytes) != 0) {
		/* They stay, whole perhaps: their numbers must not come again, and nobody may take
		 * them for true. */
		j->must_roll = true;
		pthread_mutex_lock(&j->lock);
		for (; list != NULL; list = list->next)
			add_voided(j, j->next_sequence++);
		pthread_mutex_unlock(&j->lock);
	}
	return fail(err, j, strerror(why));
}

/* What is written to a file without a name is gone with this process. What is in it already is
 * moved all the same. */
static void look_for_last(struct journal *j)
{
	struct stat st;

	if (j->last == NULL || j->must_roll || fstat(j->last->fd, &st) != 0 || st.st_nlink > 0)
		return;
	log_warning(
		"%s: journal: somebody removed the segment that was written; on with another one",
		j->files.path);
	j->must_roll = true;
}

static int append(struct journal *j, const struct settings *s, struct journal_entry *list,
		  char *err)
{
	const int64_t wanted = bytes_of(list);
	int64_t bytes;

	look_for_last(j);
	if (journal_bytes(j) + wanted > s->journal_max_bytes)
		return fail(err, j,
			    "full: the database must take what waits in it first (journal_max)");
	if ((j->last == NULL || j->must_roll ||
	     (j->last->bytes > JOURNAL_HEADER_BYTES &&
	      j->last->bytes + wanted > j->segment_bytes)) &&
	    roll(j, s, err) != 0)
		return -1;
	if (write_entries(j, list, &bytes) != 0 ||
	    (s->verdict_sync == SYNC_POWER && fdatasync(j->last->fd) != 0))
		return take_back(j, s, list, err);
	for (; list != NULL; list = list->next)
		j->next_sequence++;
	pthread_mutex_lock(&j->lock);
	j->last->bytes += bytes;
	j->last->last_sequence = j->next_sequence - 1;
	j->bytes += bytes;
	pthread_mutex_unlock(&j->lock);
	return 0;
}

/* Under append_lock: what was voided and is not in the files yet. Failing, it is tried again. */
static void write_voids(struct journal *j, const struct settings *s)
{
	char err[DB_ERROR_MAX];

	for (;;) {
		unsigned char payload[VOID_BYTES] = {JOURNAL_VOID};
		struct journal_entry entry = {.payload = payload, .payload_len = sizeof payload};
		uint64_t sequence = 0;

		pthread_mutex_lock(&j->lock);
		if (j->n_voids_written < j->n_voided)
			sequence = j->voided[j->n_voids_written];
		pthread_mutex_unlock(&j->lock);
		if (sequence == 0)
			return;
		journal_put(payload + 1, sequence, 8);
		entry.payload_checksum = checksum(0, payload, sizeof payload);
		if (append(j, s, &entry, err) != 0)
			return;
		pthread_mutex_lock(&j->lock);
		/* The writer may have forgotten it meanwhile. */
		if (j->n_voids_written < j->n_voided && j->voided[j->n_voids_written] == sequence)
			j->n_voids_written++;
		pthread_mutex_unlock(&j->lock);
	}
}

int journal_append(struct journal *j, const struct settings *s, struct journal_entry *list,
		   char *err)
{
	int result;

	pthread_mutex_lock(&j->append_lock);
	write_voids(j, s);
	result = append(j, s, list, err);
	pthread_mutex_unlock(&j->append_lock);
	return result;
}

void journal_publish(struct journal *j)
{
	pthread_mutex_lock(&j->append_lock);
	pthread_mutex_lock(&j->lock);
	for (struct journal_segment *s = j->first; s != NULL; s = s->next)
		s->published_bytes = s->bytes;
	j->published = j->next_sequence - 1;
	pthread_mutex_unlock(&j->lock);
	pthread_mutex_unlock(&j->append_lock);
}

void journal_void(struct journal *j, uint64_t sequence)
{
	pthread_mutex_lock(&j->lock);
	add_voided(j, sequence);
	pthread_mutex_unlock(&j->lock);
	/* Whoever appends just now may be held by the disk: we have waited long enough. */
	if (pthread_mutex_trylock(&j->append_lock) == 0) {
		write_voids(j, j->files.settings);
		pthread_mutex_unlock(&j->append_lock);
	}
}

/* ---- the writer's ---- */

uint64_t journal_published(struct journal *j)
{
	uint64_t published;

	pthread_mutex_lock(&j->lock);
	published = j->published;
	pthread_mutex_unlock(&j->lock);
	return published;
}

struct journal_segment *journal_segment_after(struct journal *j, uint64_t after, int64_t *limit)
{
	struct journal_segment *s;

	pthread_mutex_lock(&j->lock);
	s = j->first;
	while (s != NULL && s->next != NULL && s->last_sequence <= after)
		s = s->next;
	if (s != NULL)
		*limit = s->published_bytes;
	if (after >= j->published)
		s = NULL;
	pthread_mutex_unlock(&j->lock);
	return s;
}

uint64_t journal_end_of(struct journal *j, const struct journal_segment *s, uint64_t *last_written)
{
	uint64_t end;

	pthread_mutex_lock(&j->lock);
	*last_written = s->last_sequence < j->published ? s->last_sequence : j->published;
	end = s->next != NULL ? *last_written : j->published;
	pthread_mutex_unlock(&j->lock);
	return end;
}

bool journal_is_voided(struct journal *j, uint64_t sequence)
{
	bool is_voided = false;

	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i < j->n_voided && !is_voided; i++)
		is_voided = j->voided[i] == sequence;
	pthread_mutex_unlock(&j->lock);
	return is_voided;
}

int64_t journal_bytes(struct journal *j)
{
	int64_t bytes;

	pthread_mutex_lock(&j->lock);
	bytes = j->bytes + j->other_bytes;
	pthread_mutex_unlock(&j->lock);
	return bytes;
}

/* Under the lock: voids of verdicts that nobody reads again have done their work. */
static void forget_voided(struct journal *j, uint64_t up_to)
{
	size_t kept = 0, kept_written = 0;

	for (size_t i = 0; i < j->n_voided; i++) {
		if (j->voided[i] <= up_to)
			continue;
		kept_written += i < j->n_voids_written;
		j->voided[kept++] = j->voided[i];
	}
	j->n_voided = kept;
	j->n_voids_written = kept_written;
}

void journal_forget_voids(struct journal *j, uint64_t covered)
{
	pthread_mutex_lock(&j->lock);
	forget_voided(j, covered);
	pthread_mutex_unlock(&j->lock);
}

void journal_forget(struct journal *j, struct db *d, uint64_t moved, bool all)
{
	struct journal_segment *gone = NULL, **end = &gone;

	pthread_mutex_lock(&j->lock);
	while (j->first != NULL && (all || j->first != j->last) &&
	       j->first->last_sequence <= moved) {
		forget_voided(j, j->first->last_sequence);
		*end = j->first;
		end = &j->first->next;
		j->first = j->first->next;
		*end = NULL;
		if (j->first == NULL)
			j->last = NULL;
	}
	pthread_mutex_unlock(&j->lock);
	while (gone != NULL) {
		struct journal_segment *s = gone;

		gone = s->next;
		/* One that cannot be removed is left without a lock: somebody will find that all of
		 * it was moved. */
		journal_files_remove(d, &s->name);
		close(s->fd);
		pthread_mutex_lock(&j->lock);
		j->bytes -= s->bytes;
		pthread_mutex_unlock(&j->lock);
		free(s);
	}
}
