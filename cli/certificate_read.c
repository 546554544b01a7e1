/* SPDX-License-Identifier: ISC */
#include "cli/certificate_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/certificate_packet.h"
#include "common/clock.h"
#include "common/run.h"

#define GPG_MS 5000
#define OUTPUT_MAX (4u << 20)
#define FIELDS_MAX 20

struct certificate_reader {
	const char *program;
	char home[200], file[220];
	char *output;
};

struct certificate_reader *certificate_reader_new(const char *program,
						  char why[CERTIFICATE_READ_WHY_MAX])
{
	const char *const version[] = {program, "--version", NULL};
	const char *tmp = getenv("TMPDIR");
	struct certificate_reader *r = calloc(1, sizeof *r);
	char text[80];

	if (r == NULL || (r->output = malloc(OUTPUT_MAX)) == NULL) {
		free(r);
		snprintf(why, CERTIFICATE_READ_WHY_MAX, "out of memory");
		return NULL;
	}
	r->program = program;
	if (run_output(version, NULL, text, sizeof text, GPG_MS) != 0) {
		snprintf(why, CERTIFICATE_READ_WHY_MAX,
			 "%.100s does not run here: certificates are read with gpg (Debian: apt "
			 "install gpg); "
			 "`pgpgate keys add PATTERN FINGERPRINT` does without",
			 program);
		free(r->output);
		free(r);
		return NULL;
	}
	snprintf(r->home, sizeof r->home, "%.150s/pgpgate-keys-XXXXXX",
		 tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
	if (mkdtemp(r->home) == NULL) {
		snprintf(why, CERTIFICATE_READ_WHY_MAX, "%.200s: %s", r->home, strerror(errno));
		free(r->output);
		free(r);
		return NULL;
	}
	snprintf(r->file, sizeof r->file, "%s/certificate", r->home);
	return r;
}

void certificate_reader_free(struct certificate_reader *r)
{
	/* What gpg makes in a home when it only shows keys. */
	static const char *const made[] = {"certificate",
					   "pubring.kbx",
					   "pubring.kbx~",
					   "pubring.gpg",
					   "trustdb.gpg",
					   "pubring.db",
					   "public-keys.d/pubring.db",
					   "public-keys.d",
					   "common.conf"};
	char path[300];

	if (r == NULL)
		return;
	for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", r->home, made[i]);
		remove(path);
	}
	rmdir(r->home);
	free(r->output);
	free(r);
}

static int write_file(const char *path, const unsigned char *bytes, size_t len)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t done = 0;

	while (fd >= 0 && done < len) {
		const ssize_t n = write(fd, bytes + done, len - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return fd < 0 || close(fd) != 0 || done < len ? -1 : 0;
}

/* ---- gpg's colon lines (doc/DETAILS in its sources) ---- */

enum {
	FIELD_TYPE,
	FIELD_VALIDITY,
	FIELD_LENGTH,
	FIELD_ALGORITHM,
	FIELD_KEY_ID = 4,
	FIELD_CREATED = 5,
	FIELD_EXPIRES = 6,
	FIELD_TEXT = 9,
	FIELD_CLASS = 10,
	FIELD_CAPS = 11,
	FIELD_HASH = 15
};

struct revocation {
	bool is_set, is_compromised;
	int64_t time_unix;
};

struct parsing {
	struct certificate *out;
	int64_t now_unix;
	bool has_key, is_primary; /* the key that the lines are about */
	bool is_last_kept;	  /* it is the last in out->key */
	bool has_too_many;	  /* of them, or of addresses */
	size_t n_usable;	  /* keys in out->key that are no spare ones */
	int64_t primary_from_unix, primary_until_unix;
	char primary_id[20];
	bool is_shown_revoked, is_primary_shown_revoked;
	struct revocation primary, subkey;
};

static void end_key(struct parsing *p)
{
	const struct revocation *r = p->primary.is_set ? &p->primary : &p->subkey;

	/* The worse of the two. */
	if (p->primary.is_set && p->subkey.is_set && p->subkey.is_compromised)
		r = &p->subkey;
	if (p->is_last_kept) {
		size_t k = p->out->n_keys - 1;
		int64_t *until_unix = &p->out->key[k].until_unix;

		/* A subkey ends with its primary key, whatever it says of itself; gpg tells each
		 * its own end. */
		if (p->primary_until_unix != 0 &&
		    (*until_unix == 0 || p->primary_until_unix < *until_unix))
			*until_unix = p->primary_until_unix;
		if (r->is_set) {
			p->out->key[k].state = r->is_compromised ? KEY_COMPROMISED : KEY_SUPERSEDED;
			if (*until_unix == 0 || r->time_unix < *until_unix)
				*until_unix = r->time_unix;
		} else if (*until_unix != 0 && *until_unix <= p->now_unix) {
			p->out->key[k].state = KEY_EXPIRED;
		}
	}
	p->subkey = (struct revocation){.is_set = false};
	p->is_last_kept = false;
}

static int64_t number(const char *text)
{
	return strtoll(text, NULL, 10);
}

enum use { USE_NONE, USE_SPARE, USE_ENCRYPTION };

/* Lower case in the capabilities: what this key can do; upper case: what the whole certificate can.
 */
static enum use use_of(char *const field[FIELDS_MAX])
{
	const long long algorithm = number(field[FIELD_ALGORITHM]);
	const bool is_flagged = strchr(field[FIELD_CAPS], 'e') != NULL;

	/* What gpg calls invalid stays out: but a subkey of an algorithm that it does not have,
	 * whose length it gives as 0, has this letter always. That the primary key's signature
	 * binds it was checked: gpg shows none where it does not. */
	if (strchr("in", field[FIELD_VALIDITY][0] != '\0' ? field[FIELD_VALIDITY][0] : '-') != NULL)
		return is_flagged && strcmp(field[FIELD_TYPE], "sub") == 0 &&
				       strcmp(field[FIELD_LENGTH], "0") == 0 &&
				       certificate_can_encrypt((unsigned)algorithm)
			       ? USE_ENCRYPTION
			       : USE_NONE;
	if (is_flagged)
		return USE_ENCRYPTION;
	return algorithm == 1 || algorithm == 2 || algorithm == 16 || algorithm == 20 ? USE_SPARE
										      : USE_NONE;
}

static void begin_key(struct parsing *p, char *const field[FIELDS_MAX])
{
	const enum use use = use_of(field);

	end_key(p);
	p->has_key = true;
	p->is_primary = strcmp(field[FIELD_TYPE], "pub") == 0;
	p->is_shown_revoked = field[FIELD_VALIDITY][0] == 'r';
	if (p->is_primary) {
		p->primary_from_unix = number(field[FIELD_CREATED]);
		p->primary_until_unix = number(field[FIELD_EXPIRES]);
		p->is_primary_shown_revoked = p->is_shown_revoked;
		snprintf(p->primary_id, sizeof p->primary_id, "%s", field[FIELD_KEY_ID]);
	}
	if (use == USE_NONE)
		return;
	if (p->out->n_keys == CERTIFICATE_KEYS_MAX) {
		p->has_too_many = true;
		return;
	}
	memset(&p->out->key[p->out->n_keys], 0, sizeof p->out->key[0]);
	p->out->key[p->out->n_keys].from_unix = number(field[FIELD_CREATED]);
	p->out->key[p->out->n_keys].until_unix = number(field[FIELD_EXPIRES]);
	p->out->key[p->out->n_keys].is_spare = use == USE_SPARE;
	p->out->n_keys++;
	p->n_usable += use == USE_ENCRYPTION;
	p->is_last_kept = true;
	if (field[FIELD_VALIDITY][0] == 'r' &&
	    !p->primary.is_set) /* by whatever: the line that says so comes later */
		p->subkey = (struct revocation){.is_set = true,
						.time_unix = number(field[FIELD_CREATED])};
}

static void take_fingerprint(struct parsing *p, const char *text)
{
	if (p->out->fingerprint[0] == '\0')
		snprintf(p->out->fingerprint, FINGERPRINT_MAX, "%s", text);
	if (p->is_last_kept && p->out->key[p->out->n_keys - 1].fingerprint[0] == '\0')
		snprintf(p->out->key[p->out->n_keys - 1].fingerprint, FINGERPRINT_MAX, "%s", text);
}

/* RFC 9580 section 5.2.3.31: 02 is "key material has been compromised". gpg drops what the primary
 * key did not sign in its own name, and shows unchecked what somebody else did: he may be a
 * designated revoker (section 5.2.3.23), or anybody. */
static void take_revocation(struct parsing *p, char *const field[FIELDS_MAX])
{
	const char *class = field[FIELD_CLASS];
	const char *reason = strchr(class, ',');
	const struct revocation r = {.is_set = true,
				     .is_compromised = reason != NULL && strcmp(reason, ",02") == 0,
				     .time_unix = number(field[FIELD_CREATED])};

	if (strcmp(field[FIELD_KEY_ID], p->primary_id) != 0)
		return;
	if (strncmp(class, "20", 2) == 0 && p->is_primary_shown_revoked)
		p->primary = r;
	else if (strncmp(class, "28", 2) == 0 && p->is_shown_revoked)
		p->subkey = r;
}

/* "Alice <alice@example.org>", with "\x3a" for a colon. */
static void take_user_id(struct parsing *p, const char *text, char validity)
{
	const char *from = strrchr(text, '<'), *to = strrchr(text, '>');
	char plain[ADDRESS_MAX + 1];
	size_t n = 0;

	p->has_key = false;
	/* Of a revoked certificate all are: it still was theirs. */
	if ((validity == 'r' && !p->primary.is_set) || validity == 'i')
		return;
	if (p->out->n_mailboxes == CERTIFICATE_MAILBOXES_MAX) {
		p->has_too_many = true;
		return;
	}
	if (from == NULL || to == NULL || to < from) {
		from = text - 1;
		to = text + strlen(text);
	}
	for (from++; from < to && n < ADDRESS_MAX; from++) {
		char digits[3] = {0};

		if (from[0] == '\\' && from[1] == 'x' && to - from >= 4) {
			memcpy(digits, from + 2, 2);
			plain[n++] = (char)strtol(digits, NULL, 16);
			from += 3;
		} else {
			plain[n++] = *from;
		}
	}
	plain[n] = '\0';
	if (memchr(plain, '@', n) == NULL || memchr(plain, ' ', n) != NULL ||
	    memchr(plain, '\0', n) != NULL)
		return;
	address_canonical(plain, n, &p->out->mailbox[p->out->n_mailboxes]);
	if (p->out->mailbox[p->out->n_mailboxes].kind == ADDRESS_MAILBOX)
		p->out->n_mailboxes++;
}

static void parse_line(struct parsing *p, char *line)
{
	char *field[FIELDS_MAX];
	char *rest = line;
	size_t n = 0;

	while (n < FIELDS_MAX && rest != NULL)
		field[n++] = strsep(&rest, ":");
	while (n < FIELDS_MAX)
		field[n++] = line + strlen(line); /* empty */
	if (strcmp(field[0], "pub") == 0 || strcmp(field[0], "sub") == 0)
		begin_key(p, field);
	else if (strcmp(field[0], "fpr") == 0 && p->has_key)
		take_fingerprint(p, field[FIELD_TEXT]);
	else if (strcmp(field[0], "rev") == 0)
		take_revocation(p, field);
	else if (strcmp(field[0], "uid") == 0)
		take_user_id(p, field[FIELD_TEXT], field[FIELD_VALIDITY][0]);
	else if (strcmp(field[0], "sig") == 0 && strcmp(field[FIELD_HASH], "2") == 0 &&
		 strchr("1", field[FIELD_CLASS][0] != '\0' ? field[FIELD_CLASS][0] : '-') != NULL)
		p->out->has_sha1 = true;
}

int certificate_read(struct certificate_reader *r, const unsigned char *packets, size_t len,
		     int64_t now_unix, struct certificate *out, char why[CERTIFICATE_READ_WHY_MAX])
{
	const char *const argv[] = {r->program,
				    "--homedir",
				    r->home,
				    "--batch",
				    "--no-options",
				    "--no-tty",
				    "--disable-dirmngr",
				    "--no-auto-check-trustdb",
				    "--show-keys",
				    "--with-colons",
				    "--with-sig-list",
				    "--fixed-list-mode",
				    r->file,
				    NULL};
	struct parsing p = {.out = out, .now_unix = now_unix};
	char *rest = r->output, *line, when[CLOCK_TEXT_MAX];
	size_t length;
	int code;

	memset(out, 0, sizeof *out);
	if (write_file(r->file, packets, len) != 0) {
		snprintf(why, CERTIFICATE_READ_WHY_MAX, "%.200s: %s", r->file, strerror(errno));
		return -1;
	}
	code = run_output(argv, NULL, r->output, OUTPUT_MAX, GPG_MS);
	length = strlen(r->output);
	if (code < 0 || length + 1 >= OUTPUT_MAX) {
		snprintf(why, CERTIFICATE_READ_WHY_MAX,
			 code < 0 ? "gpg did not end within 5 s, or was killed"
				  : "too many signatures in it");
		return -1;
	}
	while ((line = strsep(&rest, "\n")) != NULL)
		parse_line(&p, line);
	end_key(&p);
	if (out->fingerprint[0] == '\0')
		snprintf(why, CERTIFICATE_READ_WHY_MAX,
			 "gpg reads no key in it: it is damaged, or of a kind that it does not "
			 "know");
	else if (p.has_too_many)
		snprintf(why, CERTIFICATE_READ_WHY_MAX,
			 "%.40s has more than %d keys or addresses; give what is used of it: gpg "
			 "--export-options export-minimal,export-clean --export",
			 out->fingerprint, CERTIFICATE_KEYS_MAX);
	else if (p.n_usable == 0 && p.primary_from_unix > now_unix)
		snprintf(why, CERTIFICATE_READ_WHY_MAX,
			 "%.40s was made in the future, at %s: is the clock right?",
			 out->fingerprint, clock_format(p.primary_from_unix, when));
	else if (p.n_usable == 0)
		snprintf(why, CERTIFICATE_READ_WHY_MAX, "%.40s holds no key to encrypt to",
			 out->fingerprint);
	else
		return 0;
	return -1;
}
