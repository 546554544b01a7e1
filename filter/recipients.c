/* SPDX-License-Identifier: ISC */
#include "filter/recipients.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ALLOCATION 4 /* most mail has one recipient */

static int grow(struct recipients *r)
{
	size_t wanted = r->allocated == 0 ? FIRST_ALLOCATION : r->allocated * 2;
	struct recipient *list = reallocarray(r->list, wanted, sizeof *list);

	if (list == NULL)
		return -1;
	r->list = list;
	r->allocated = wanted;
	return 0;
}

int recipients_add(struct recipients *r, const struct address *address,
		   const struct policy_answer *answer)
{
	struct recipient *one;

	if (r->n == r->allocated && grow(r) != 0)
		return -1;
	one = &r->list[r->n];
	memset(one, 0, sizeof *one);
	one->address = strdup(address->text);
	if (one->address == NULL)
		return -1;
	one->local_len = (uint16_t)address->local_len;
	one->address_kind = (unsigned char)address->kind;
	one->is_routed = address->is_routed;
	one->has_added_domain = address->has_added_domain;
	recipients_update(one, answer);
	r->n++;
	return 0;
}

void recipients_update(struct recipient *r, const struct policy_answer *answer)
{
	r->requirement = (unsigned char)answer->requirement;
	r->demand = (unsigned char)answer->demand;
	r->source = (unsigned char)answer->source;
	r->rule_id = answer->rule_id;
	r->expects_bounce = answer->expects_bounce;
	if (answer->help_url[0] != '\0') {
		char *url = strdup(answer->help_url);

		if (url != NULL) {
			free(r->help_url);
			r->help_url = url;
		}
	}
}

void recipients_address(const struct recipient *r, struct address *out)
{
	memset(out, 0, sizeof *out);
	out->kind = (enum address_kind)r->address_kind;
	out->is_routed = r->is_routed;
	out->has_added_domain = r->has_added_domain;
	out->local_len = r->local_len;
	/* It came out of such a buffer, so it fits. */
	memcpy(out->text, r->address, strlen(r->address) + 1);
}

bool recipients_is_trustworthy(const struct recipient *r)
{
	struct address a;

	recipients_address(r, &a);
	return address_is_trustworthy(&a);
}

bool recipients_may_differ(const struct recipients *r)
{
	for (size_t i = 1; i < r->n; i++) {
		if (r->list[i].demand != r->list[0].demand ||
		    r->list[i].requirement != r->list[0].requirement)
			return true;
	}
	/* Two ratchets, both open so far, may part when From: says who wrote. */
	return r->n > 1 && (r->list[0].requirement == REQUIREMENT_RATCHET ||
			    r->list[0].demand == REQUIREMENT_OWN_KEY);
}

void recipients_reset(struct recipients *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->list[i].address);
		free(r->list[i].help_url);
	}
	free(r->list);
	memset(r, 0, sizeof *r);
}
