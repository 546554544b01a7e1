/* SPDX-License-Identifier: ISC
 *
 * cms.h: the outermost type of a CMS message, RFC 5652 section 3: reads ContentInfo's object
 * identifier from the first octets and holds the outer length against what there is; of signed data
 * whether it has content of its own. Nothing deeper: see enveloped.h. Plain values, any thread.
 */
#ifndef PGPGATE_SCAN_CMS_H
#define PGPGATE_SCAN_CMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CMS_HEAD 160 /* octets that these want to see, at most */

enum cms_type { CMS_NONE, CMS_ENVELOPED, CMS_AUTH_ENVELOPED, CMS_SIGNED, CMS_OTHER };

/* head: the first octets (head_len of them, up to CMS_HEAD) of total octets. CMS_NONE: no
 * ContentInfo, or its length is not the total. */
enum cms_type cms_type(const unsigned char *head, size_t head_len, int64_t total);

/* Signed data: is what it signs elsewhere, RFC 5652 section 5.2? What it holds itself programs
 * show. */
bool cms_is_detached(const unsigned char *head, size_t len);

#endif
