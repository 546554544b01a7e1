/* SPDX-License-Identifier: ISC
 *
 * wkd.c: a Web Key Directory that `keys export` wrote, against the keys of now: what is missing
 * there, old, not to be read by a web server, or of nobody any more.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "cli/output.h"
#include "cli/wkd_tree.h"
#include "common/clock.h"

#define NAMED_MAX 20

static const char topic[] = "wkd", closed[] = "is closed to a web server";

struct known {
	char domain[ADDRESS_MAX + 1], hash[WKD_HASH_MAX];
};

struct looking {
	struct doctor *x;
	int dir;
	int64_t n_wrong, n_left; /* left: files of nobody here */
	struct known *known;	 /* addresses that have a file */
	size_t n, room;
};

/* May everybody read it, and each folder on the way? NULL, or the first that they may not. path is
 * written to, and put back. */
static const char *closed_part(int dir, char *path)
{
	struct stat st;

	for (char *at = strchr(path, '/');; at = strchr(at + 1, '/')) {
		if (at != NULL)
			*at = '\0';
		if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (st.st_mode & (S_ISDIR(st.st_mode) ? S_IXOTH : S_IROTH)) == 0)
			return path;
		if (at == NULL)
			return NULL;
		*at = '/';
	}
}

/* NULL, or what is wrong with it. */
static const char *compare(int dir, const char *path, const struct wkd_entry *e)
{
	const int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const char *wrong = NULL;
	unsigned char *bytes;
	struct stat st;

	if (fd <
	    0) /* doctor reads as the user of the daemons, who are others here as a web server is */
		return errno == ENOENT ? "is missing" : errno == EACCES ? closed : strerror(errno);
	bytes = output_memory(NULL, e->len + 1);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != (off_t)e->len ||
	    read(fd, bytes, e->len + 1) != (ssize_t)e->len || memcmp(bytes, e->bytes, e->len) != 0)
		wrong = "is not what is kept here now";
	free(bytes);
	close(fd);
	return wrong;
}

static void complain(struct looking *l, const char *path, const char *address, const char *wrong)
{
	char mend[3000], quoted[2000];

	if (++l->n_wrong > NAMED_MAX)
		return;
	doctor_by_pgpgate(l->x, mend, sizeof(mend), "keys export --wkd %s",
			  doctor_quote(quoted, sizeof(quoted), l->x->wkd));
	doctor_tell(l->x, DOCTOR_PROBLEM, topic, mend, "%.200s of %.320s %s", path, address, wrong);
}

static int compare_known(const void *a, const void *b)
{
	const struct known *left = a, *right = b;
	const int order = strcmp(left->domain, right->domain);

	return order != 0 ? order : strcmp(left->hash, right->hash);
}

/* Files of a domain that are of nobody here; l->known is sorted. */
static void count_left(struct looking *l, const char *domain)
{
	const struct wkd_entry e = {.domain = domain};
	char path[WKD_PATH_MAX];
	struct dirent *entry;
	struct known wanted;
	DIR *directory;
	int fd;

	wkd_tree_path(&e, WKD_ADVANCED, "", path);
	fd = openat(l->dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (directory == NULL)
		output_end_without_memory();
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		snprintf(wanted.domain, sizeof(wanted.domain), "%s", domain);
		snprintf(wanted.hash, sizeof(wanted.hash), "%.*s", WKD_HASH_MAX - 1, entry->d_name);
		l->n_left += entry->d_name[0] != '.' &&
			     (strlen(entry->d_name) >= WKD_HASH_MAX ||
			      bsearch(&wanted, l->known, l->n, sizeof(*l->known), compare_known) ==
				      NULL);
	}
	if (directory != NULL)
		closedir(directory);
}

static void look_for_left(struct looking *l)
{
	if (l->n > 0)
		qsort(l->known, l->n, sizeof(*l->known), compare_known);
	for (size_t i = 0; i < l->n; i++)
		if (i == 0 || strcmp(l->known[i].domain, l->known[i - 1].domain) != 0)
			count_left(l, l->known[i].domain);
}

static int see_entry(void *context, const struct wkd_entry *e)
{
	struct looking *l = context;
	char path[WKD_PATH_MAX];

	if (l->n == l->room) {
		const size_t room = l->room == 0 ? 64 : 2 * l->room;

		l->known = output_memory(l->known, room * sizeof(*l->known));
		l->room = room;
	}
	snprintf(l->known[l->n].domain, sizeof(l->known[0].domain), "%s", e->domain);
	memcpy(l->known[l->n++].hash, e->hash, sizeof(e->hash));
	for (enum wkd_method m = WKD_ADVANCED; m <= WKD_DIRECT; m++) {
		const char *wrong = compare(l->dir, wkd_tree_path(e, m, e->hash, path), e);
		const char *part = wrong == NULL ? closed_part(l->dir, path) : NULL;

		if (wrong != NULL || part != NULL) {
			complain(l, part != NULL ? part : path, e->address,
				 part != NULL ? closed : wrong);
			break;
		}
	}
	return 0;
}

static void see_unnamed(void *context, const char *address, const char *fingerprint)
{
	struct looking *l = context;

	doctor_tell(l->x, DOCTOR_NOTE, topic, NULL,
		    "%s is not published: no user id of %s names it", address, fingerprint);
}

void doctor_wkd(struct doctor *x)
{
	struct looking l = {.x = x, .dir = open(x->wkd, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	const struct wkd_teller teller = {see_entry, see_unnamed, &l};
	char clean[OUTPUT_TEXT_MAX], mend[3000], quoted[2000];

	if (l.dir < 0) {
		doctor_by_pgpgate(x, mend, sizeof(mend), "keys export --wkd %s",
				  doctor_quote(quoted, sizeof(quoted), x->wkd));
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend, "%s: %s",
			    output_clean(clean, sizeof(clean), x->wkd), strerror(errno));
		return;
	}
	if (wkd_tree_tell(x->db, clock_now_unix(), &teller) != 0) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "the keys cannot be read");
	} else {
		look_for_left(&l);
		if (l.n_wrong > NAMED_MAX)
			doctor_tell(x, DOCTOR_PROBLEM, topic, NULL,
				    "%" PRId64 " more of its files are wrong",
				    l.n_wrong - NAMED_MAX);
		if (l.n_left > 0)
			doctor_tell(x, DOCTOR_NOTE, topic, NULL,
				    "%" PRId64 " files of it are of nobody who has a key here: "
				    "senders still encrypt to those",
				    l.n_left);
		if (l.n_wrong == 0)
			doctor_tell(x, DOCTOR_OK, topic, NULL, "%zu addresses", l.n);
	}
	free(l.known);
	close(l.dir);
}
