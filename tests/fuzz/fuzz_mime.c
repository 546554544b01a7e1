/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: MIME structure. The input is the body of a multipart whose kind the first octet
 * chooses. In pieces it gives the same facts; and where the scan says that the verdict can no
 * longer change, it does not, whatever follows. Each input is asked one of the two questions, so
 * that there is time for more inputs.
 */
#include <assert.h>
#include <string.h>

#include "scan/judge.h"
#include "scan/scan.h"
#include "tests/fuzz/same.h"
#include "tests/golden/whole.h"

static const char *const kinds[] = {
	"multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b1",
	"multipart/mixed; boundary=b1",
	"multipart/signed; protocol=\"application/pgp-signature\"; boundary=b1",
	"multipart/report; report-type=delivery-status; boundary=b1",
	"multipart/alternative; boundary=\"b1\"",
	"text/plain; charset=utf-8",
	"application/pkcs7-mime; smime-type=enveloped-data",
	"message/rfc822",
};

static void begin(struct scan *s, uint8_t choice)
{
	static const char subject[] = "Content-Type";
	const char *value = kinds[choice % 8];

	scan_reset(s);
	scan_header(s, (const unsigned char *)subject, sizeof subject - 1,
		    (const unsigned char *)value, strlen(value));
	if (choice & 0x80)
		scan_header(s, (const unsigned char *)"Secure-Join", 11,
			    (const unsigned char *)"vc-request", 10);
	scan_end_of_header(s);
}

static void feed(void *scan, const unsigned char *bytes, size_t len)
{
	(void)scan_body(scan, bytes, len);
}

static void result(struct scan *s, struct judgement *out)
{
	static const struct judge_envelope envelope = {true, true};
	struct scan_facts facts;
	struct acceptance accept;

	whole_defaults(&accept);
	scan_finish(s, &facts);
	judge(&facts, &accept, &envelope, out);
}

/* Stops where the scan says that it may. */
static void with_skip(struct scan *s, const uint8_t *data, size_t size)
{
	uint64_t seed = same_seed(data, size);
	for (size_t at = 0; at < size;) {
		size_t n = same_piece(&seed, size - at);
		if (scan_body(s, data + at, n))
			return;
		at += n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scan *s;
	struct judgement whole, again;

	if (!s)
		s = scan_new();
	if (!s || size < 1)
		return 0;
	begin(s, data[0]);
	feed(s, data + 1, size - 1);
	result(s, &whole);
	if (same_seed(data, size) >> 32 & 1) {
		begin(s, data[0]);
		same_in_pieces(feed, s, data + 1, size - 1);
		result(s, &again);
		assert(whole_same(&whole, &again));
	} else {
		begin(s, data[0]);
		with_skip(s, data + 1, size - 1);
		result(s, &again);
		assert(whole.verdict == again.verdict && whole.form == again.form);
		assert(strcmp(whole.reason, again.reason) == 0);
	}
	return 0;
}
