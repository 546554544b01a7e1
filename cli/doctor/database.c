/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "cli/open.h"
#include "cli/output.h"
#include "common/clock.h"
#include "common/socket.h"
#include "db/verdicts.h"

#define BEHIND_S_MAX 60
#define CHECK_BYTES_MAX \
	500000000 /* a larger file takes longer than a look should: `pgpgate db check` */
#define DB_PATH_SHOWN_MAX 4096
#define FREE_BYTES_MIN 200000000
#define WAL_BYTES_MAX 200000000 /* far beyond what a checkpoint leaves */

static const char topic[] = "database";

/* FILE: the newest backup; only the administrator knows where it is. */
static const char *by_restore(const struct doctor *x, char *out, size_t out_size, const char *what)
{
	char command[1200];

	doctor_by_pgpgate(x, command, sizeof(command), "db %s", what);
	snprintf(out, out_size,
		 "systemctl stop pgpgate-filter pgpgate-policyd && %s && systemctl start "
		 "pgpgate-filter pgpgate-policyd",
		 command);
	return out;
}

static void tell_complaint(void *context, const char *complaint)
{
	char mend[1500];

	doctor_tell(context, DOCTOR_PROBLEM, topic,
		    by_restore(context, mend, sizeof(mend), "restore FILE"), "%s", complaint);
}

/* Why it cannot be opened, and what to do. */
static void tell_failure(struct doctor *x, const struct db *d)
{
	char mend[1500] = "";
	const char *text = d != NULL ? db_error(d) : "out of memory";

	switch (d != NULL ? db_failure(d) : DB_OK) {
	case DB_ABSENT:
		doctor_by_pgpgate(x, mend, sizeof(mend), "db init");
		break;
	case DB_TOO_OLD:
		by_restore(x, mend, sizeof(mend), "migrate");
		break;
	case DB_TOO_NEW:
		snprintf(mend, sizeof(mend), "apt-get update && apt-get install pgpgate");
		break;
	case DB_BROKEN:
	case DB_NOT_OURS:
		by_restore(x, mend, sizeof(mend), "restore FILE");
		break;
	case DB_FULL:
		snprintf(mend, sizeof(mend), "df -h %s", x->settings->database_path);
		break;
	case DB_NETWORK_FS:
		doctor_by_setting(x, mend, sizeof(mend), "database",
				  "sqlite:/var/lib/pgpgate/pgpgate.db");
		break;
	case DB_NO_PERMISSION:
		if (geteuid() != 0 && getuid() != 0)
			doctor_by_pgpgate(x, mend, sizeof(mend), "doctor # as root");
		break;
	case DB_OK:
	case DB_BUSY:
		break;
	}
	doctor_tell(x, DOCTOR_PROBLEM, topic, mend[0] != '\0' ? mend : NULL, "%s", text);
}

/* The user of the settings; NULL when it does not exist, which is told, or when none is set. */
static const struct passwd *examine_user(struct doctor *x, bool *is_missing)
{
	const struct passwd *owner;
	char user[64], mend[200];

	snprintf(user, sizeof(user), "%.*s", (int)strcspn(x->settings->user, ":"),
		 x->settings->user);
	owner = user[0] != '\0' ? getpwnam(user) : NULL;
	*is_missing = user[0] != '\0' && owner == NULL;
	if (*is_missing) {
		snprintf(mend, sizeof(mend),
			 "useradd --system --user-group --home-dir /var/lib/pgpgate "
			 "--no-create-home --shell /usr/sbin/nologin %s",
			 user);
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
			    "the user %s of the configuration does not exist", user);
	}
	return owner;
}

/* The commands for path and what lies beside it. Root types them, in a directory where the user may
 * have planted a link for root to follow: so what can be done as that user is, and nothing is given
 * away that a link leads to. */
static void file_mend(char *out, size_t out_size, const char *path, const struct passwd *owner,
		      uid_t has, const char *mode)
{
	if (owner == NULL)
		snprintf(out, out_size, "chmod %s %s*", mode, path);
	else if (has == owner->pw_uid)
		snprintf(out, out_size, "runuser -u %s -- chmod %s %s*", owner->pw_name, mode,
			 path);
	else
		snprintf(out, out_size, "chown -h %s: %s* && runuser -u %s -- chmod %s %s*",
			 owner->pw_name, path, owner->pw_name, mode, path);
}

/* bits: the rights of others that stand for what is wanted, 6 of a file, 3 of a folder. */
static bool has_rights(const struct stat *st, const struct passwd *who, unsigned bits)
{
	if (st->st_uid == who->pw_uid)
		return (st->st_mode & (bits << 6)) == bits << 6;
	return st->st_gid == who->pw_gid && (st->st_mode & (bits << 3)) == bits << 3;
}

/* What SQLite makes beside a database has the mode that this had then, and keeps it: so each is
 * looked at, and all are mended at once. */
static bool examine_writing(struct doctor *x, const char *path, const char *quoted,
			    const struct passwd *owner)
{
	static const struct {
		const char *suffix;
		unsigned bits;
	} beside[] = {{"", 6}, {"-wal", 6}, {"-shm", 6}, {".lock", 6}, {".key", 4}};
	char mend[2 * DB_PATH_SHOWN_MAX + 700], one[DB_PATH_SHOWN_MAX + 10];
	struct stat st;

	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		const unsigned bits = beside[i].bits;

		snprintf(one, sizeof(one), "%s%s", path, beside[i].suffix);
		if (lstat(one, &st) != 0 || !S_ISREG(st.st_mode) || has_rights(&st, owner, bits))
			continue;
		if (st.st_uid != owner->pw_uid) {
			snprintf(mend, sizeof(mend), "chown -h %s: %s*", owner->pw_name, quoted);
			doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
				    "%s does not belong to %s: the daemons cannot %s it", one,
				    owner->pw_name, (bits & 2) != 0 ? "write" : "read");
			return false;
		}
		file_mend(mend, sizeof(mend), quoted, owner, st.st_uid, "u+rw");
		strcat(mend, " && systemctl restart pgpgate-filter pgpgate-policyd");
		doctor_tell(
			x, DOCTOR_PROBLEM, topic, mend,
			"%s (mode %04o) may not be written by %s: verdicts wait in the journal, "
			"and no rule can be changed",
			one, (unsigned)(st.st_mode & 07777), owner->pw_name);
		return true;
	}
	return true;
}

static bool examine_file(struct doctor *x, const char *path, const struct passwd *owner)
{
	char mend[2 * DB_PATH_SHOWN_MAX + 600];
	char quoted[DB_PATH_SHOWN_MAX + 100];
	struct stat st;

	doctor_quote(quoted, sizeof(quoted), path);
	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) /* opening it tells */
		return true;
	if ((st.st_mode & 0007) != 0) {
		file_mend(mend, sizeof(mend), quoted, owner, st.st_uid, "o=");
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
			    "%s is open to everyone on this machine (mode %04o)", path,
			    (unsigned)(st.st_mode & 07777));
	}
	return owner == NULL || examine_writing(x, path, quoted, owner);
}

/* The group of what is the user's: the one that the settings name, or its own. Returns out. */
static const char *group_of(const struct settings *s, const struct passwd *owner, char *out,
			    size_t out_size)
{
	const char *colon = strchr(s->user, ':');
	const struct group *own = owner != NULL ? getgrgid(owner->pw_gid) : NULL;

	snprintf(out, out_size, "%s",
		 colon != NULL ? colon + 1
		 : own != NULL ? own->gr_name
			       : s->user);
	return out;
}

/* The folder and the file, before anybody else than root opens them. False: opening it makes no
 * sense. */
static bool examine_place(struct doctor *x, const struct passwd *owner)
{
	const char *path = x->settings->database_path;
	const int user_len = (int)strcspn(x->settings->user, ":"),
		  folder_len = (int)(strrchr(path, '/') - path);
	char folder[1100], mend[6000], quoted[2200], group[100], init[1200];
	struct stat st;

	snprintf(folder, sizeof(folder), "%.*s", folder_len > 0 ? folder_len : 1, path);
	doctor_quote(quoted, sizeof(quoted), folder);
	if (stat(folder, &st) != 0) {
		const int why = errno;

		doctor_by_pgpgate(x, init, sizeof(init), "db init");
		snprintf(mend, sizeof(mend), "install -d -o %.*s -g %s -m 2770 %s && %s", user_len,
			 x->settings->user, group_of(x->settings, owner, group, sizeof(group)),
			 quoted, init);
		doctor_tell(x, why == EACCES ? DOCTOR_SKIPPED : DOCTOR_PROBLEM, topic,
			    why == ENOENT && user_len > 0 ? mend : NULL, "%s: %s", folder,
			    strerror(why));
		return false;
	}
	if (owner != NULL && !has_rights(&st, owner, 3)) {
		snprintf(mend, sizeof(mend), "chown -h %s: %s && chmod 2770 %s", owner->pw_name,
			 quoted, quoted);
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
			    "%s (mode %04o) does not belong to %s, or may not be written: the "
			    "daemons cannot write there",
			    folder, (unsigned)(st.st_mode & 07777), owner->pw_name);
		examine_file(x, path, owner); /* they were given away together, and come back so */
		return false;
	}
	return examine_file(x, path, owner);
}

static void examine_sizes(struct doctor *x, const struct db_status *s)
{
	char a[OUTPUT_NUMBER_MAX], b[OUTPUT_NUMBER_MAX], holder[80], prune[1200], mend[2600];
	char when[CLOCK_TEXT_MAX];

	if (s->free_bytes < FREE_BYTES_MIN || s->free_bytes < s->file_bytes / 10) {
		doctor_by_pgpgate(x, prune, sizeof(prune), "db prune --older-than 90d");
		doctor_by_pgpgate(x, mend, sizeof(mend), "db compact");
		snprintf(mend + strlen(mend), sizeof(mend) - strlen(mend), " && %s", prune);
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
			    "only %s are free where the database %s (%s) is: a full disk stops all "
			    "mail; make room there",
			    output_bytes(a, s->free_bytes), s->path,
			    output_bytes(b, s->file_bytes));
	}
	if (s->wal_bytes > WAL_BYTES_MAX) {
		const bool is_held = db_wal_holder(x->db, holder, sizeof(holder));

		snprintf(mend, sizeof(mend), "kill %ld",
			 is_held ? strtol(holder + strcspn(holder, "0123456789"), NULL, 10) : 0L);
		doctor_tell(
			x, DOCTOR_PROBLEM, topic,
			is_held ? mend : "systemctl restart pgpgate-filter pgpgate-policyd",
			"the write-ahead log has grown to %s: %s%s", output_bytes(a, s->wal_bytes),
			is_held ? holder : "nobody gets to write it back",
			is_held ? " reads an old state, so that it cannot be written back" : "");
	}
	if (s->last_verdict_unix > clock_now_unix() + 300)
		doctor_tell(x, DOCTOR_PROBLEM, "clock", "timedatectl set-ntp true",
			    "the newest verdict is of %s, in the future: this machine's clock is "
			    "behind, or was ahead until now, and no mail has come since",
			    output_time(s->last_verdict_unix, when));
}

/* A filter that runs and can write is a second behind. */
static void examine_journal(struct doctor *x)
{
	char number[OUTPUT_NUMBER_MAX], bytes[OUTPUT_NUMBER_MAX], when[CLOCK_TEXT_MAX], mend[1200];
	struct verdicts_lag lag;

	if (verdicts_get_lag(x->db, &lag) != 0) {
		doctor_tell(x, DOCTOR_PROBLEM, "journal",
			    doctor_by_pgpgate(x, mend, sizeof(mend), "db check"), "%s",
			    db_error(x->db));
		return;
	}
	if (lag.n_records > 0 && lag.oldest_unix < clock_now_unix() - BEHIND_S_MAX)
		doctor_tell(x, DOCTOR_PROBLEM, "journal", "systemctl restart pgpgate-filter",
			    "%s %s in the journal (%s) since %s: the filter moves them into the "
			    "database; if it runs, its log says why they are not taken",
			    output_number(number, lag.n_records),
			    output_plural(lag.n_records, "verdict waits", "verdicts wait"),
			    output_bytes(bytes, lag.bytes), clock_format(lag.oldest_unix, when));
	else if (lag.bytes > x->settings->journal_max_bytes / 2)
		doctor_tell(x, DOCTOR_PROBLEM, "journal",
			    doctor_by_setting(x, mend, sizeof(mend), "journal_max", "%lld",
					      2 * (long long)x->settings->journal_max_bytes),
			    "the journal has %s of the %s of journal_max: when it is full, "
			    "on_database_error holds",
			    output_bytes(number, lag.bytes),
			    output_bytes(bytes, x->settings->journal_max_bytes));
	else
		doctor_tell(x, DOCTOR_OK, "journal", NULL, "%s; %s %s for the database",
			    output_bytes(bytes, lag.bytes), output_number(number, lag.n_records),
			    output_plural(lag.n_records, "verdict waits", "verdicts wait"));
}

/* The group of the directory of our socket, which root has made Postfix's where Postfix connects to
 * it; (gid_t)-1: there is none. Its owner could only have given it to a group of his. */
static gid_t postfix_group(const struct settings *s, const struct passwd *owner)
{
	char folder[sizeof(((struct socket_address *)0)->path)], err[300];
	struct socket_address a;
	struct stat st;

	if (owner == NULL || socket_parse(s->filter_socket, &a, err, sizeof(err)) != 0 ||
	    !a.is_unix)
		return (gid_t)-1;
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(a.path, '/') - a.path), a.path);
	if (lstat(folder, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != owner->pw_uid ||
	    st.st_gid == 0)
		return (gid_t)-1;
	return st.st_gid;
}

/* From here on, with all that comes after, as the user of the settings. Tables of Postfix with a
 * password in them are often for its group alone: so that is kept, as no other right is. Without a
 * user that one could be: as nobody, for then no database is looked at. 0, or there is none to be
 * looked at. */
static int become_user(struct doctor *x, const struct passwd *owner, bool is_missing)
{
	if (!is_missing)
		return open_try_user(x->settings, postfix_group(x->settings, owner));
	open_leave_root();
	return -1;
}

void doctor_database(struct doctor *x)
{
	struct db_status s;
	struct db *d;
	char size[OUTPUT_NUMBER_MAX], rules[OUTPUT_NUMBER_MAX], verdicts[OUTPUT_NUMBER_MAX];
	char folder[1100];
	bool is_missing = false;
	int n_complaints = 0;
	const struct passwd *owner = examine_user(x, &is_missing);
	const bool is_openable = examine_place(x, owner);

	if (become_user(x, owner, is_missing) != 0 || !is_openable)
		return;
	snprintf(folder, sizeof(folder), "%.*s",
		 (int)(strrchr(x->settings->database_path, '/') - x->settings->database_path),
		 x->settings->database_path);
	doctor_room(x, folder[0] != '\0' ? folder : "/");
	d = db_open(x->settings, DB_READ);
	if (d == NULL || db_failure(d) != DB_OK) {
		tell_failure(x, d);
		db_close(d);
		return;
	}
	x->db = d;
	if (!x->is_nagios)
		open_show_pause(d);
	if (db_get_status(d, &s) != 0) {
		tell_failure(x, d);
		return;
	}
	examine_sizes(x, &s);
	examine_journal(x);
	if (s.file_bytes <= CHECK_BYTES_MAX)
		n_complaints = db_check(d, tell_complaint, x);
	if (n_complaints < 0)
		tell_failure(x, d);
	else if (n_complaints == 0)
		doctor_tell(x, DOCTOR_OK, topic, NULL, "%s: %s, %s %s, about %s %s%s", s.path,
			    output_bytes(size, s.file_bytes), output_number(rules, s.n_rules),
			    output_plural(s.n_rules, "rule", "rules"),
			    output_number(verdicts, s.n_verdicts),
			    output_plural(s.n_verdicts, "verdict", "verdicts"),
			    s.file_bytes <= CHECK_BYTES_MAX
				    ? ", undamaged"
				    : "; `pgpgate db check` looks for damage");
}
