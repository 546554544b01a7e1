/* SPDX-License-Identifier: ISC
 *
 * cms.h: the outermost type of a CMS message, RFC 5652 section 3: reads ContentInfo's object
 * identifier from the first octets and holds the outer length against what there is. Nothing
 * deeper: see enveloped.h. Plain values, any thread.
 */
#ifndef PGPGATE_SCAN_CMS_H
#define PGPGATE_SCAN_CMS_H

#include <stddef.h>
#include <stdint.h>

#define CMS_HEAD 48 /* octets that cms_type() wants to see, at most */

enum cms_type { CMS_NONE, CMS_ENVELOPED, CMS_AUTH_ENVELOPED, CMS_SIGNED, CMS_OTHER };

/* head: the first octets (head_len of them, up to CMS_HEAD) of total octets. CMS_NONE: no
 * ContentInfo, or its length is not the total. */
enum cms_type cms_type(const unsigned char *head, size_t head_len, int64_t total);

#endif
