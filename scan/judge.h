/* SPDX-License-Identifier: ISC
 *
 * judge.h: from facts to a verdict. A pure function of what was seen, what the administrator
 * accepts, and two things that only the envelope knows. Any thread.
 *
 * The form says how the ciphertext is packed, of encrypted and of partial messages
 * (max_cleartext_bytes tolerates a footer beside accepted forms only); all others have FORM_NONE.
 */
#ifndef PGPGATE_SCAN_JUDGE_H
#define PGPGATE_SCAN_JUDGE_H

#include <stdbool.h>

#include "common/verdict.h"
#include "scan/scan.h"

struct judge_envelope {
	bool is_null_sender; /* MAIL FROM:<> */
	bool is_to_self; /* the sender is the only recipient, and one of ours: a stranger may write
			    any sender */
};

/* Fills *out. Never fails. The verdict says what the message is; whether that is enough for a
 * recipient is outcome_meets() (common/outcome.h). */
void judge(const struct scan_facts *facts, const struct acceptance *accept,
	   const struct judge_envelope *envelope, struct judgement *out);

#endif
