/* SPDX-License-Identifier: ISC */
#include "scan/multipart.h"

#include <string.h>

enum multipart multipart_kind(const char *type)
{
	if (strcmp(type, "multipart/encrypted") == 0)
		return MULTIPART_ENCRYPTED;
	if (strcmp(type, "multipart/signed") == 0)
		return MULTIPART_SIGNED;
	if (strcmp(type, "multipart/report") == 0)
		return MULTIPART_REPORT;
	if (strcmp(type, "multipart/digest") == 0)
		return MULTIPART_DIGEST;
	if (strcmp(type, "multipart/mixed") == 0)
		return MULTIPART_MIXED;
	return MULTIPART_OTHER;
}

bool multipart_is_pgp_mime(const struct level *l)
{
	return l->kind == MULTIPART_ENCRYPTED && l->has_protocol && l->is_closed &&
	       l->n_parts == 2 && l->part[0].type == LEAF_PGP_CONTROL && !l->part[0].is_multipart &&
	       (l->part[0].class == PART_CONTROL || l->part[0].class == PART_EMPTY) &&
	       l->part[1].class == PART_CIPHERTEXT && !l->part[1].is_multipart &&
	       l->part[1].n_armored == 1 && l->part[1].type != LEAF_HTML;
}

bool multipart_is_pgp_signed(const struct level *l)
{
	return l->kind == MULTIPART_SIGNED && l->has_protocol && l->is_closed && l->n_parts == 2 &&
	       l->part[1].type == LEAF_PGP_SIGNATURE && l->part[1].class == PART_SIGNATURE;
}

bool multipart_is_report(const struct level *l)
{
	const struct part *status = &l->part[1], *returned = &l->part[2];

	if (!l->is_closed || l->n_parts < 2 || l->n_parts > 3)
		return false;
	/* OpenSMTPD writes the three parts of a delivery report and calls them mixed. */
	if (l->kind != MULTIPART_REPORT &&
	    (l->kind != MULTIPART_MIXED || l->n_parts != 3 ||
	     status->type != LEAF_DELIVERY_STATUS || l->part[0].type != LEAF_TEXT_PLAIN ||
	     returned->type == LEAF_TEXT_PLAIN))
		return false;
	if (l->part[0].type != LEAF_TEXT_PLAIN || l->part[0].is_multipart ||
	    l->part[0].visible_bytes > REPORT_TEXT_MAX)
		return false;
	if (!status->is_report_fields || status->visible_bytes > REPORT_FIELDS_MAX)
		return false;
	if (l->n_parts == 3 && returned->type == LEAF_HEADERS &&
	    returned->visible_bytes > REPORT_HEADER_MAX)
		return false;
	if (l->report_type[0] && strcmp(l->report_type, status->type == LEAF_DELIVERY_STATUS
								? "delivery-status"
								: "disposition-notification") != 0)
		return false;
	/* Facebook and Oracle return a message's header as plain text. */
	return l->n_parts == 2 || returned->is_embedded || returned->type == LEAF_HEADERS ||
	       returned->type == LEAF_TEXT_PLAIN;
}

bool multipart_is_cms_signed_ciphertext(const struct level *l)
{
	return l->kind == MULTIPART_SIGNED && l->n_parts == 2 &&
	       l->part[0].class == PART_CIPHERTEXT && l->part[1].class == PART_CMS_SIGNATURE;
}
