/* SPDX-License-Identifier: ISC */
#include "common/verdict.h"

#include <assert.h>
#include <string.h>

static const char *const verdict_names[VERDICT_COUNT] = {
	[VERDICT_CLEARTEXT] = "cleartext", [VERDICT_ENCRYPTED] = "encrypted",
	[VERDICT_SMIME] = "smime",	   [VERDICT_SIGNED] = "signed",
	[VERDICT_PARTIAL] = "partial",	   [VERDICT_INVALID] = "invalid",
	[VERDICT_REPORT] = "report",	   [VERDICT_HANDSHAKE] = "handshake",
};

static const char *const form_names[FORM_COUNT] = {
	[FORM_NONE] = "none",		[FORM_PGP_MIME] = "pgp-mime",
	[FORM_PGP_MIXED] = "pgp-mixed", [FORM_PGP_INLINE] = "pgp-inline",
	[FORM_PGP_HTML] = "pgp-html",
};

static const char *const requirement_names[REQUIREMENT_COUNT] = {
	[REQUIREMENT_EXEMPT] = "exempt",     [REQUIREMENT_OBSERVE] = "observe",
	[REQUIREMENT_SIGNED] = "signed",     [REQUIREMENT_ENCRYPTED] = "encrypted",
	[REQUIREMENT_RATCHET] = "ratchet",   [REQUIREMENT_OWN_KEY] = "own-key",
	[REQUIREMENT_READABLE] = "readable",
};

static const char *const container_names[CONTAINER_COUNT] = {
	[CONTAINER_MDC] = "mdc",
	[CONTAINER_AEAD] = "aead",
	[CONTAINER_OCB] = "ocb",
	[CONTAINER_SED] = "sed",
};

static const char *const action_names[ACTION_COUNT] = {
	[ACTION_ACCEPT] = "accept", [ACTION_REFUSE] = "refuse",
	[ACTION_SPLIT] = "split",   [ACTION_QUARANTINE] = "quarantine",
	[ACTION_TAG] = "tag",	    [ACTION_TEMPFAIL] = "tempfail",
};

static int index_of(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

const char *verdict_name(enum verdict v)
{
	assert((unsigned)v < VERDICT_COUNT);
	return verdict_names[v];
}

const char *form_name(enum form f)
{
	assert((unsigned)f < FORM_COUNT);
	return form_names[f];
}

const char *requirement_name(enum requirement r)
{
	assert((unsigned)r < REQUIREMENT_COUNT);
	return requirement_names[r];
}

const char *action_name(enum action a)
{
	assert((unsigned)a < ACTION_COUNT);
	return action_names[a];
}

const char *container_name(enum container c)
{
	assert((unsigned)c < CONTAINER_COUNT);
	return container_names[c];
}

const char *policy_source_name(enum policy_source source)
{
	static const char *const names[] = {"rule", "default", "exempt_recipients", "history"};

	return names[source];
}

int verdict_from_name(const char *name, enum verdict *out)
{
	int i = index_of(verdict_names, VERDICT_COUNT, name);

	if (i < 0)
		return -1;
	*out = (enum verdict)i;
	return 0;
}

int form_from_name(const char *name, enum form *out)
{
	int i = index_of(form_names, FORM_COUNT, name);

	if (i < 0)
		return -1;
	*out = (enum form)i;
	return 0;
}

int requirement_from_name(const char *name, enum requirement *out)
{
	int i = index_of(requirement_names, REQUIREMENT_COUNT, name);

	if (i < 0)
		return -1;
	*out = (enum requirement)i;
	return 0;
}

int action_from_name(const char *name, enum action *out)
{
	int i = index_of(action_names, ACTION_COUNT, name);

	if (i < 0)
		return -1;
	*out = (enum action)i;
	return 0;
}

int container_from_name(const char *name, enum container *out)
{
	int i = index_of(container_names, CONTAINER_COUNT, name);

	if (i < 0)
		return -1;
	*out = (enum container)i;
	return 0;
}

bool judgement_has_more_keys(const struct judgement *j)
{
	return j->n_session_keys > j->n_key_ids || j->n_messages > KEY_IDS_MAX;
}
