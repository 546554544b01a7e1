/* SPDX-License-Identifier: ISC */
#include "common/settings_keys.h"

_Static_assert(sizeof(enum requirement) == sizeof(int), "settings_parse_word writes an int");

#define MEMBER(member) .offset = offsetof(struct settings, member)
#define NO_MEMBER .offset = 0
#define DEFAULT_FORMS "pgp-mime, pgp-mixed, pgp-inline, pgp-html"
#define DEFAULT_CONTAINERS "mdc, aead, ocb"
#define DEFAULT_ACTIONS                                                               \
	"exempt=DUNNO, observe=DUNNO, signed=DUNNO, encrypted=DUNNO, ratchet=DUNNO, " \
	"own-key=DUNNO, "                                                             \
	"readable=DUNNO"

/* Words in the order of their enum. */
static const char *const requirements[] = {"exempt",  "observe", "signed",   "encrypted",
					   "ratchet", "own-key", "readable", NULL};
static const char *const reports[] = {"no", "headers", "yes", NULL};
static const char *const bounces[] = {"report", "reply", NULL};
static const char *const mixed[] = {"split", "refuse", NULL};
static const char *const refusals[] = {"refuse", "quarantine", "tag", NULL};
static const char *const database_errors[] = {"tempfail", "accept", NULL};
static const char *const hidden[] = {"accept", "observe", "refuse", NULL};
static const char *const syncs[] = {"process", "power", NULL};
static const char *const address_logs[] = {"full", "hashed", NULL};

/* clang-format off */
const struct settings_key settings_keys[] = {
	{"filter_socket", "local:/var/spool/postfix/pgpgate/filter.sock", settings_parse_socket,
	 MEMBER(filter_socket)},
	{"policy_socket", "local:/var/spool/postfix/pgpgate/policy.sock", settings_parse_socket,
	 MEMBER(policy_socket)},
	{"socket_umask", "007", settings_parse_umask, NO_MEMBER},
	{"user", "pgpgate", settings_parse_user, NO_MEMBER},
	{"database", "sqlite:/var/lib/pgpgate/pgpgate.db", settings_parse_database, NO_MEMBER},
	{"enforce", "yes", settings_parse_bool, MEMBER(enforce)},
	{"default_requirement", "encrypted", settings_parse_word,
	 MEMBER(default_requirement), .words = requirements},
	{"local_requirement", "observe", settings_parse_word,
	 MEMBER(local_requirement), .words = requirements},
	{"local_clients", "$mynetworks", settings_parse_clients, NO_MEMBER},
	{"protected_domains", "", settings_parse_domains, NO_MEMBER},
	{"unqualified_domain", "", settings_parse_domain, MEMBER(unqualified_domain)},
	{"exempt_recipients", "postmaster@, abuse@", settings_parse_recipients, NO_MEMBER},
	{"policy_actions", DEFAULT_ACTIONS, settings_parse_actions, NO_MEMBER},
	{"postfix_config", "", settings_parse_path, MEMBER(postfix_config)},
	{"recipient_delimiter", "+", settings_parse_delimiter, NO_MEMBER},
	{"accept_forms", DEFAULT_FORMS, settings_parse_forms, NO_MEMBER},
	{"accept_containers", DEFAULT_CONTAINERS, settings_parse_containers, NO_MEMBER},
	{"accept_smime", "no", settings_parse_bool, MEMBER(accept.smime)},
	{"accept_password_only", "no", settings_parse_bool, MEMBER(accept.password_only)},
	{"accept_legacy_encryption", "no", settings_parse_bool, MEMBER(accept.legacy_encryption)},
	{"accept_reports", "headers", settings_parse_word, MEMBER(accept.reports), .words = reports},
	{"accept_bounces", "reply", settings_parse_word, MEMBER(accept_bounces), .words = bounces},
	{"accept_handshakes", "no", settings_parse_bool, MEMBER(accept.handshakes)},
	{"max_cleartext_bytes", "0", settings_parse_bytes, MEMBER(accept.max_cleartext_bytes),
	 .min = 0, .max = INT64_C(1) << 30},
	{"hidden_subject", "no", settings_parse_bool, MEMBER(accept.hidden_subject)},
	{"mixed_recipients", "split", settings_parse_word, MEMBER(mixed_recipients), .words = mixed},
	{"reply_window", "0", settings_parse_duration, MEMBER(reply_window_s)},
	{"on_refusal", "refuse", settings_parse_word, MEMBER(on_refusal), .words = refusals},
	{"refuse_code", "550 5.7.1", settings_parse_refuse_code, NO_MEMBER},
	{"refuse_text", "Your message was not delivered. OpenPGP-encrypted mail required", settings_parse_refuse_text, NO_MEMBER},
	{"help_url", "", settings_parse_url, MEMBER(help_url)},
	{"contact", "postmaster@", settings_parse_contact, NO_MEMBER},
	{"key_url", "", settings_parse_key_url, MEMBER(key_url)},
	{"show_keys", "yes", settings_parse_bool, MEMBER(show_keys)},
	{"key_grace", "30d", settings_parse_duration, MEMBER(key_grace_s)},
	{"hidden_recipients", "accept", settings_parse_word, MEMBER(hidden_recipients), .words = hidden},
	{"add_header", "no", settings_parse_bool, MEMBER(add_header)},
	{"on_database_error", "tempfail", settings_parse_choice,
	 MEMBER(accept_on_database_error), .words = database_errors},
	{"verdict_sync", "process", settings_parse_word, MEMBER(verdict_sync), .words = syncs},
	{"journal_max", "1073741824", settings_parse_bytes, MEMBER(journal_max_bytes),
	 .min = 1 << 20, .max = INT64_C(1) << 40},
	{"verdict_retention", "90d", settings_parse_duration, MEMBER(verdict_retention_s)},
	{"pair_retention", "400d", settings_parse_duration, MEMBER(pair_retention_s)},
	{"log_addresses", "full", settings_parse_choice, MEMBER(hash_addresses), .words = address_logs},
	{"mail_providers", "/usr/share/pgpgate/providers", settings_parse_path, MEMBER(mail_providers)},
	{"max_connections", "1000", settings_parse_number, MEMBER(max_connections),
	 .min = 1, .max = 100000},
	{"metrics_listen", "", settings_parse_listen, MEMBER(metrics_listen)},
	{"centre", "", settings_parse_connection, MEMBER(centre)},
	{"centre_admin", "", settings_parse_connection, MEMBER(centre_admin)},
	{"host_name", "", settings_parse_host_name, MEMBER(host_name)},
	{"stale_after", "5s", settings_parse_duration, MEMBER(stale_after_s)},
	{"stale_refusal", "4h", settings_parse_duration, MEMBER(stale_refusal_s)},
	{"unpushed_max", "14d", settings_parse_duration, MEMBER(unpushed_max_s)},
};
/* clang-format on */

const size_t settings_keys_count = sizeof(settings_keys) / sizeof(settings_keys[0]);
