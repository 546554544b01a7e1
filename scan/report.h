/* SPDX-License-Identifier: ISC
 *
 * report.h: the machine-readable part of a multipart/report: are its lines header fields, with
 * those that such a report must have? RFC 3464 section 2 (delivery status), RFC 8098 section 3.1
 * (disposition). Lines go in; fixed memory, one thread.
 */
#ifndef PGPGATE_SCAN_REPORT_H
#define PGPGATE_SCAN_REPORT_H

#include <stdbool.h>
#include <stddef.h>

enum report_kind { REPORT_NONE, REPORT_DELIVERY_STATUS, REPORT_DISPOSITION };

struct report {
	bool is_malformed;
	bool has_field; /* a continuation line may follow */
	bool has_recipient, has_action, has_status, has_disposition;
};

void report_reset(struct report *r);
void report_line(struct report *r, const unsigned char *line, size_t len);
bool report_is_well_formed(const struct report *r, enum report_kind kind);

#endif
