# SPDX-License-Identifier: ISC
"""Golden cases for rules 29 to 32, S/MIME, and the hidden subject. Rows as in cases_mime.py."""

from mimeparts import *
from pgppackets import *

DATA = message()
ARMOR = armor(DATA)
SIG = armor(signature(), kind="SIGNATURE")
SIG_PART = part(SIG, 'Content-Type: application/pgp-signature; name="signature.asc"\n'
                     "Content-Description: OpenPGP digital signature\n")
SIGNED_TYPE = 'multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"; boundary="b1"'
MEET = text("Meet me at eight.\n")
SIGNED = "signed - signed"
NONE = "cleartext - no-openpgp"
INLINE = "encrypted pgp-inline ok"
MIXED = "encrypted pgp-mixed ok"


def signed(first, second=SIG_PART, content=SIGNED_TYPE, more=(), **kw):
    return mail(multi(first, second, *more, **kw), content)


def clearsigned(body="Meet me at eight.\n", sig=SIG, headers="Hash: SHA256\n"):
    return cat("-----BEGIN PGP SIGNED MESSAGE-----\n", headers, "\n", body, sig)


def inline(*pieces):
    return mail(cat(*pieces), "text/plain; charset=utf-8")


def mixed(*parts, **kw):
    return mail(multi(*parts, **kw), 'multipart/mixed; boundary="b1"')


RULE_29 = [
    ("r29-signed", 29, SIGNED, signed(MEET), "PGP/MIME, signed"),
    ("r29-signed-preamble", 29, SIGNED, signed(MEET, preamble="This is an OpenPGP/MIME signed message (RFC 4880 and 3156)\n"),
     "with a known preamble"),
    ("r29-signed-preamble-text", 29, NONE, signed(MEET, preamble="Call me!\n"), "text in the preamble is not covered"),
    ("r29-signed-epilogue-text", 29, NONE, signed(MEET, epilogue="Call me!\n"), "text in the epilogue is not covered"),
    ("r29-signed-nested", 29, SIGNED, signed(nested("mixed", MEET, text("<p>x</p>", "text/html"))), "a multipart, signed"),
    ("r29-signed-three-parts", 29, NONE, signed(MEET, more=(text("Call me!\n"),)), "a third part is not covered"),
    ("r29-signed-one-part", 29, NONE, mail(multi(MEET), SIGNED_TYPE), "no signature"),
    ("r29-signed-wrong-order", 29, NONE, signed(SIG_PART, MEET), "the signature first"),
    ("r29-signed-no-protocol", 29, NONE, signed(MEET, content='multipart/signed; boundary="b1"'), "no protocol"),
    ("r29-signed-other-type", 29, NONE, signed(MEET, text(SIG)), "the signature is called text"),
    ("r29-signed-text-signature", 29, NONE, signed(MEET, part("none\n", "Content-Type: application/pgp-signature\n")),
     "text for a signature"),
    ("r29-signed-text-beside-signature", 29, NONE, signed(MEET, part(
        cat("Call me\n", SIG), "Content-Type: application/pgp-signature\n")), "text beside the signature"),
    ("r29-signed-literal-signature", 29, NONE, signed(MEET, part(
        armor(literal(), kind="SIGNATURE"), "Content-Type: application/pgp-signature\n")), "a literal packet for a signature"),
    ("r29-signed-two-signatures", 29, SIGNED, signed(MEET, part(
        armor(signature() + signature("second"), kind="SIGNATURE"), "Content-Type: application/pgp-signature\n")),
     "two signature packets"),
    ("r29-signed-prose-signature", 29, NONE, signed(MEET, part(armor(signature(notation=b"Meet me at the old bridge. " * 30), kind="SIGNATURE"),
                                                              "Content-Type: application/pgp-signature\n")), "a signature that is mostly text"),
    ("r29-signed-in-mixed", 29, NONE, mixed(nested("signed", MEET, SIG_PART, params='; protocol="application/pgp-signature"'),
                                            text("list footer\n")), "a mailing list's footer beside"),
    ("r29-smime-signed", 29, NONE, signed(
        MEET, part(b64(cms(SIGNED_DATA, noise(90))), "Content-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n"),
        'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="b1"'), "S/MIME, signed"),
    ("r29-clearsigned", 29, SIGNED, inline(clearsigned()), "a clearsigned text"),
    ("r29-clearsigned-space", 29, SIGNED, inline("\n \n", clearsigned(), "\n\n"), "white space around"),
    ("r29-clearsigned-no-hash", 29, SIGNED, inline(clearsigned(headers="")), "no Hash header"),
    ("r29-clearsigned-dashes", 29, SIGNED, inline(clearsigned("- -----BEGIN PGP MESSAGE-----\n- --\n")), "dash-escaped lines"),
    ("r29-clearsigned-before", 29, NONE, inline("Call me!\n", clearsigned()), "text before"),
    ("r29-clearsigned-after", 29, NONE, inline(clearsigned(), "Call me!\n"), "text after"),
    ("r29-clearsigned-two", 29, "cleartext - no-openpgp", inline(clearsigned(), clearsigned()), "two clearsigned texts"),
    ("r29-clearsigned-no-signature", 29, NONE, inline(clearsigned(sig=b"")), "no signature"),
    ("r29-clearsigned-bad-signature", 29, NONE, inline(clearsigned(sig=armor(literal(), kind="SIGNATURE"))), "a literal packet for a signature"),
    ("r29-clearsigned-part", 29, SIGNED, mixed(text(clearsigned())), "clearsigned text as the only part, as FlowCrypt writes"),
    ("r29-clearsigned-part-empty", 29, SIGNED, mixed(text(clearsigned()), text("\n")), "clearsigned text, and an empty part"),
    ("r29-clearsigned-part-readable", 29, NONE, mixed(text(clearsigned()), text("Call me!\n")), "clearsigned text, and a readable part"),
    ("r29-clearsigned-html", 29, NONE, mail(clearsigned(), "text/html"), "clearsigned text called HTML"),
    ("r29-clearsigned-beside-ciphertext", 29, "partial + readable-part", mixed(text(ARMOR), text(clearsigned())), "clearsigned text beside ciphertext"),
]

ENCRYPTED_PART = nested("encrypted", control(), part(ARMOR, OCTETS), params='; protocol="application/pgp-encrypted"')
CMS_SIG = "Content-Type: %s; name=smime.p7s\nContent-Transfer-Encoding: base64\n"
RULE_30 = [
    ("r30-signed-encrypted", 30, "encrypted pgp-mixed ok", signed(ENCRYPTED_PART), "PGP/MIME encryption, signed outside"),
    ("r30-signed-inline", 30, "encrypted pgp-inline ok", signed(text(ARMOR)), "an armored text, signed outside"),
    ("r30-signed-encrypted-smime", 30, "encrypted pgp-mixed ok", signed(
        ENCRYPTED_PART, part(b64(detached()), CMS_SIG % "application/pkcs7-signature"),
        'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="b1"'), "signed outside with S/MIME"),
    ("r30-signed-encrypted-smime-x", 30, "encrypted pgp-mixed ok", signed(
        ENCRYPTED_PART, part(b64(detached()), CMS_SIG % "application/x-pkcs7-signature"),
        'multipart/signed; protocol="application/x-pkcs7-signature"; micalg=sha-256; boundary="b1"'), "the same, x-"),
    ("r30-signed-encrypted-smime-streamed", 30, "encrypted pgp-mixed ok", signed(
        ENCRYPTED_PART, part(b64(detached(is_streamed=True)), CMS_SIG % "application/pkcs7-signature"),
        'multipart/signed; protocol="application/pkcs7-signature"; boundary="b1"'), "the same as Java's programs write it"),
    ("r30-smime-signature-content", 30, "partial + readable-part", signed(
        ENCRYPTED_PART, part(b64(detached(b"Meet me at eight.\r\n" * 20)), CMS_SIG % "application/pkcs7-signature"),
        'multipart/signed; protocol="application/pkcs7-signature"; boundary="b1"'), "one that holds a text itself"),
    ("r30-smime-signature-content-streamed", 30, "partial + readable-part", signed(
        ENCRYPTED_PART, part(b64(detached(b"Meet me at eight.\r\n" * 20, is_streamed=True)), CMS_SIG % "application/pkcs7-signature"),
        'multipart/signed; protocol="application/pkcs7-signature"; boundary="b1"'), "the same, streamed"),
    ("r30-smime-signature-data", 30, "partial + readable-part", signed(
        ENCRYPTED_PART, part(b64(cms(CMS_DATA, noise(90))), CMS_SIG % "application/pkcs7-signature"),
        'multipart/signed; protocol="application/pkcs7-signature"; boundary="b1"'), "CMS data for a signature"),
    ("r30-smime-signature-text", 30, "partial + readable-part", signed(
        ENCRYPTED_PART, part(b64("Meet me at eight.\n"), CMS_SIG % "application/pkcs7-signature"),
        'multipart/signed; protocol="application/pkcs7-signature"; boundary="b1"'), "text for an S/MIME signature"),
    ("r30-smime-signature-prose", 30, "partial + readable-part", signed(
        ENCRYPTED_PART, part(b64(cms(SIGNED_DATA, b"Meet me at the old bridge at eight. " * 20)), CMS_SIG % "application/pkcs7-signature"),
        'multipart/signed; protocol="application/pkcs7-signature"; boundary="b1"'), "prose within CMS signed-data"),
    ("r30-smime-signature-8bit", 30, "partial + readable-part", signed(
        ENCRYPTED_PART, part(cms(SIGNED_DATA, noise(90)), "Content-Type: application/pkcs7-signature\nContent-Transfer-Encoding: binary\n"),
        'multipart/signed; protocol="application/pkcs7-signature"; boundary="b1"'), "a signature that no base64 protects", {"lines": "exact"}),
    ("r30-smime-signature-cr-boundary", 30, "partial + readable-part", signed(
        ENCRYPTED_PART, part(cms(SIGNED_DATA, noise(90) + b"\r--b1\r\rMeet me at eight.\r--b1\r" + noise(90)),
                             "Content-Type: application/pkcs7-signature\nContent-Transfer-Encoding: binary\n"),
        'multipart/signed; protocol="application/pkcs7-signature"; boundary="b1"'),
     "a part in it for programs to which CR ends a line", {"lines": "exact"}),
    ("r30-signature-charset", 30, "invalid - bad-charset", signed(ENCRYPTED_PART, part(SIG, "Content-Type: application/pgp-signature; charset=utf-7\n")),
     "a character set in which the signature's base64 can be words"),
    ("r30-signature-charset-usual", 30, "encrypted pgp-mixed ok", signed(ENCRYPTED_PART, part(SIG, "Content-Type: application/pgp-signature; charset=utf-8\n")),
     "a usual character set"),
    ("r30-signed-third", 30, "partial + readable-part", signed(ENCRYPTED_PART, more=(MEET,)), "a third part, readable"),
    ("r30-signed-text-signature", 30, "partial + readable-part", signed(
        ENCRYPTED_PART, part("none\n", "Content-Type: application/pgp-signature\n")), "text for a signature"),
    ("r30-smime-signature-in-mixed", 30, "partial + readable-part", mixed(
        text(ARMOR), part(b64(cms(SIGNED_DATA, noise(90))), CMS_SIG % "application/pkcs7-signature")),
     "an S/MIME signature outside multipart/signed"),
    ("r30-signed-preamble", 30, "partial + text-outside", signed(ENCRYPTED_PART, preamble="Call me!\n"), "text in the preamble"),
]

SMIME = 'application/pkcs7-mime; name="smime.p7m"'
SMIME_CTE = "Content-Transfer-Encoding: base64\n"


def smime(data, content=SMIME + "; smime-type=enveloped-data", **kw):
    return mail(b64(data), "Content-Type: %s\n%s" % (content, SMIME_CTE), **kw)


ENVELOPED = cms(ENVELOPED_DATA, noise(300))
CHUNKED = (enveloped(b"x").split(der(0x80, b"x"))[0])
CHUNKED = (CHUNKED[:CHUNKED.index(der(0x06, CMS_DATA)) - 2] + b"\x30\x80" + CHUNKED[CHUNKED.index(der(0x06, CMS_DATA)):] + b"\xa0\x80"
           + der(0x04, noise(120, "one")) + der(0x04, noise(80, "two")) + b"\0\0" * 2)
INDEFINITE = b"\x30\x80" + der(0x06, ENVELOPED_DATA) + b"\xa0\x80\x30\x80\x02\x01\0" + CHUNKED + b"\0\0" * 3
IS_SMIME = "smime - smime"
RULE_SMIME = [
    ("smime-enveloped", 0, IS_SMIME, smime(ENVELOPED), "enveloped-data", {"meets": "no"}),
    ("smime-enveloped-accepted", 0, IS_SMIME, smime(ENVELOPED), "enveloped-data, accepted", {"accept_smime": "yes", "meets": "yes"}),
    ("smime-x", 0, IS_SMIME, smime(ENVELOPED, "application/x-pkcs7-mime; smime-type=enveloped-data"), "x-pkcs7-mime"),
    ("smime-no-type", 0, IS_SMIME, smime(ENVELOPED, SMIME), "smime-type is optional"),
    ("smime-comment", 0, NONE, smime(ENVELOPED, SMIME + " (x)"), "a comment in the type: ruby's mail shows it as text"),
    ("smime-charset", 0, NONE, smime(ENVELOPED, SMIME + "; charset=utf-7"), "a character set in which base64 can be words"),
    ("smime-charset-usual", 0, IS_SMIME, smime(ENVELOPED, SMIME + "; charset=us-ascii"), "a usual character set"),
    ("smime-oid-then-text", 0, NONE, smime(der(0x30, der(0x06, ENVELOPED_DATA), der(0xA0, b"\x01" + noise(100) + b"Meet me at eight."))),
     "the object identifier, and then anything"),
    ("smime-no-recipients", 0, NONE, smime(der(0x30, der(0x06, ENVELOPED_DATA), der(0xA0, der(0x30, der(0x02, b"\0"), der(0x31), der(
        0x30, der(0x06, CMS_DATA), der(0x30, der(0x06, b"\x60")), der(0x80, noise(100))))))), "enveloped-data for nobody"),
    ("smime-late-text", 0, NONE, smime(cms(ENVELOPED_DATA, noise(9000) + b"Meet me at the old church at eight, and bring the money")), "a sentence far behind in it"),
    ("smime-indefinite", 0, IS_SMIME, smime(INDEFINITE), "indefinite lengths, as openssl writes with -stream"),
    ("smime-auth-enveloped", 0, IS_SMIME, smime(cms(AUTH_ENVELOPED_DATA, noise(200)), SMIME + "; smime-type=authEnveloped-data"),
     "authEnveloped-data"),
    ("smime-auth-no-type", 0, IS_SMIME, smime(cms(AUTH_ENVELOPED_DATA, noise(200)), SMIME), "authEnveloped-data without smime-type"),
    ("smime-type-case", 0, IS_SMIME, smime(ENVELOPED, SMIME + "; smime-type=Enveloped-Data"), "letter case of smime-type"),
    ("smime-type-disagrees", 0, NONE, smime(ENVELOPED, SMIME + "; smime-type=signed-data"), "smime-type says signed-data"),
    ("smime-signed", 0, NONE, smime(cms(SIGNED_DATA, noise(200)), SMIME + "; smime-type=signed-data"), "signed-data is readable"),
    ("smime-signed-called-enveloped", 0, NONE, smime(cms(SIGNED_DATA, noise(200))), "signed-data called enveloped-data"),
    ("smime-data", 0, NONE, smime(cms(CMS_DATA, b"Meet me at eight.")), "data called enveloped-data"),
    ("smime-prose", 0, NONE, smime(cms(ENVELOPED_DATA, b"Meet me at the old bridge at eight. " * 20)), "prose within enveloped-data"),
    ("smime-text", 0, NONE, smime(b"Meet me at eight.\n"), "text called enveloped-data"),
    ("smime-empty", 0, "cleartext - no-body", smime(b""), "nothing called enveloped-data"),
    ("smime-in-multipart", 0, NONE, mixed(part(b64(ENVELOPED), "Content-Type: " + SMIME + "\n" + SMIME_CTE)),
     "enveloped-data as a part is not the whole body"),
    ("smime-octet-stream", 0, NONE, smime(ENVELOPED, 'application/octet-stream; name="smime.p7m"'), "enveloped-data under another type"),
]

NULL = {"sender": "<>", "meets": "yes"}
NO = {"sender": "<>", "meets": "no"}
DSN_TEXT = text("Your message could not be delivered.\n", "text/plain; charset=us-ascii")
DSN_FIELDS = ("Reporting-MTA: dns; mx.receiver.example\n\nFinal-Recipient: rfc822; bob@receiver.example\n"
              "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 unknown\n")
DSN = part(DSN_FIELDS, "Content-Type: message/delivery-status\n")
MDN = part("Reporting-UA: pigeon; 1.0\nFinal-Recipient: rfc822;bob@receiver.example\n"
           "Original-Message-ID: <x@sender.example>\nDisposition: manual-action/MDN-sent-manually; displayed\n",
           "Content-Type: message/disposition-notification\n")
RETURNED = part(cat(fields(), "\n", "Meet me at eight.\n"), "Content-Type: message/rfc822\n")
RETURNED_HEADERS = part(fields(), "Content-Type: text/rfc822-headers\n")
RETURNED_PGP = part(pgp_mime(ARMOR, boundary="b9", content=ENCRYPTED.replace("b1", "b9")), "Content-Type: message/rfc822\n")
REPORT = "report - report"


def report(*parts, kind="delivery-status", params=None, **kw):
    params = "; report-type=%s" % kind if params is None else params
    return mail(multi(*parts, **kw), 'multipart/report%s; boundary="b1"' % params)


def again(piece, old, new):
    return piece.replace(old.encode(), new.encode())


RULE_31 = [
    ("r31-html-alternative", 31, NONE, report(nested("alternative", DSN_TEXT, text("<p>Meet me</p>\n", "text/html")), DSN), "HTML beside the text", NO),
    ("r31-html", 31, NONE, report(text("<p>Meet me</p>\n", "text/html"), DSN), "HTML in place of the text", NO),
    ("r31-program", 31, NONE, report(nested("mixed", DSN_TEXT, part(b64(noise(40)), "Content-Type: application/x-msdownload; name=\"a.exe\"\n"
                                                                  "Content-Transfer-Encoding: base64\n")), DSN), "a program beside the text", NO),
    ("r31-text-large", 31, REPORT, report(text("x" * 64 + "\n", "text/plain")[:-65] + b"x" * 4096 + b"\n", DSN), "a text of 4,096 octets", NULL),
    ("r31-text-too-large", 31, NONE, report(text("", "text/plain") + b"x" * 4097 + b"\n", DSN), "a text of 4,097 octets", NO),
    ("r31-fields-too-large", 31, NONE, report(DSN_TEXT, part(DSN_FIELDS + "X-A: %s\n" % ("x" * 900) * 10, "Content-Type: message/delivery-status\n")), "too many fields", NO),
    ("r31-header-too-large", 31, NONE, report(DSN_TEXT, DSN, part(fields() + "X-A: %s\n" % ("x" * 900) * 20, "Content-Type: text/rfc822-headers\n")), "too large a returned header", NO),
    ("r31-preamble-text", 31, NONE, report(DSN_TEXT, DSN, preamble="Meet me at eight.\n"), "text before the first part", NO),
    ("r31-preamble-postfix", 31, REPORT, report(DSN_TEXT, DSN, preamble="This is a MIME-encapsulated message.\n\n"), "what Postfix writes before the first part", NULL),
    ("r31-no-header", 31, REPORT, report(part("The original message was received at Mon, 2 Nov 2026 10:11:12 +0100\n"), DSN, RETURNED,
                                         preamble="This is a MIME-encapsulated message\n\n"), "Sendmail: the first part has no header", NULL),
    ("r31-no-header-field", 31, NONE, report(part("Content-Transfer-Encoding: base64\n\nTWVldCBtZSBhdCBlaWdodC4K\n"), DSN, RETURNED),
     "no header, and lines that some take for it", {"sender": "<>"}),
    ("r31-no-header-version", 31, "invalid - ambiguous-mime", mail(multi(part("Version: 1"), text(ARMOR)), 'multipart/report; report-type=delivery-status; boundary="b1"'),
     "a control part that some take for the header"),
    ("r31-no-header-short-field", 31, "invalid - ambiguous-mime", mail(multi(part("Subject: the text"), text(ARMOR)), 'multipart/report; report-type=delivery-status; boundary="b1"'),
     "a field that is one without its line end, too"),
    ("r31-no-header-empty", 31, "invalid - ambiguous-mime", mail(multi(part("\n"), text(ARMOR)), 'multipart/report; report-type=delivery-status; boundary="b1"'),
     "an empty text of no report"),
    ("r31-no-header-dash", 31, "invalid - ambiguous-mime", mail(multi(part("--\n"), text(ARMOR)), 'multipart/report; report-type=delivery-status; boundary="b1"'),
     "a text that counts as empty, in no report"),
    ("r31-no-header-pgp", 31, "invalid - ambiguous-mime", report(part(ARMOR), DSN, RETURNED), "OpenPGP in such a part", {"sender": "<>"}),
    ("r31-no-header-second", 31, NONE, report(DSN_TEXT, DSN, part("Subject: Numbers\n\nMeet me at eight.\n")), "the third part has no header", {"sender": "<>"}),
    ("r31-dsn", 31, REPORT, report(DSN_TEXT, DSN, RETURNED), "a bounce that returns the message", NULL),
    ("r31-dsn-not-null", 31, NONE, report(DSN_TEXT, DSN, RETURNED), "the same from a sender", {"sender": "eve@sender.example"}),
    ("r31-dsn-headers-only", 31, REPORT, report(DSN_TEXT, DSN, RETURNED), "a returned message, and accept_reports = headers",
     {"sender": "<>", "accept_reports": "headers", "meets": "no"}),
    ("r31-dsn-headers-ciphertext", 31, REPORT, report(DSN_TEXT, DSN, RETURNED_PGP), "returned ciphertext, and accept_reports = headers",
     {"sender": "<>", "accept_reports": "headers", "meets": "yes"}),
    ("r31-dsn-headers-headers", 31, REPORT, report(DSN_TEXT, DSN, RETURNED_HEADERS), "returned headers, and accept_reports = headers",
     {"sender": "<>", "accept_reports": "headers", "meets": "yes"}),
    ("r31-dsn-no", 31, REPORT, report(DSN_TEXT, DSN, RETURNED_HEADERS), "a bounce, and accept_reports = no",
     {"sender": "<>", "accept_reports": "no", "meets": "no"}),
    ("r31-dsn-headers", 31, REPORT, report(DSN_TEXT, DSN, RETURNED_HEADERS), "a bounce that returns headers", NULL),
    ("r31-dsn-ciphertext", 31, REPORT, report(DSN_TEXT, DSN, RETURNED_PGP), "a bounce that returns ciphertext", NULL),
    ("r31-dsn-two-parts", 31, REPORT, report(DSN_TEXT, DSN), "a bounce that returns nothing", NULL),
    ("r31-dsn-one-part", 31, NONE, report(DSN_TEXT), "a report without report", NO),
    ("r31-dsn-four-parts", 31, NONE, report(DSN_TEXT, DSN, RETURNED_HEADERS, MEET), "a fourth part", NO),
    ("r31-dsn-third-text", 31, REPORT, report(DSN_TEXT, DSN, text("Subject: numbers\n")), "the third part is text: Facebook, Oracle", NULL),
    ("r31-dsn-third-text-headers", 31, REPORT, report(DSN_TEXT, DSN, MEET), "the same, and accept_reports = headers",
     {"sender": "<>", "accept_reports": "headers", "meets": "no"}),
    ("r31-dsn-third-text-armor", 31, REPORT, report(DSN_TEXT, DSN, text(ARMOR[:200])), "a text that returns the beginning of an encrypted mail", NULL),
    ("r31-dsn-third-html", 31, NONE, report(DSN_TEXT, DSN, text("<b>numbers</b>\n", "text/html")), "the third part is HTML", NO),
    ("r31-dsn-headers-and-body", 31, REPORT, report(DSN_TEXT, DSN, part(cat(fields(), "\n", "Meet me at eight.\n"), "Content-Type: text/rfc822-headers\n")),
     "a header and a body behind it, and accept_reports = headers", {"sender": "<>", "accept_reports": "headers", "meets": "no"}),
    ("r31-dsn-headers-and-blank", 31, REPORT, report(DSN_TEXT, DSN, part(cat(fields(), "\n\n \n"), "Content-Type: text/rfc822-headers\n")),
     "a header and empty lines behind it", {"sender": "<>", "accept_reports": "headers", "meets": "yes"}),
    ("r31-dsn-headers-and-ciphertext", 31, REPORT, report(DSN_TEXT, DSN, again(RETURNED_PGP, "message/rfc822", "text/rfc822-headers")),
     "a header and ciphertext behind it", {"sender": "<>", "accept_reports": "headers", "meets": "yes"}),
    ("r31-dsn-rfc822-headers", 31, REPORT, report(DSN_TEXT, DSN, part(fields(), "Content-Type: message/rfc822-headers\n")),
     "message/rfc822-headers", NULL),
    ("r31-dsn-global", 31, REPORT, report(DSN_TEXT, again(DSN, "message/delivery-status", "message/global-delivery-status"),
                                          again(RETURNED, "message/rfc822", "message/global")), "RFC 6533 types", NULL),
    ("r31-dsn-global-headers", 31, REPORT, report(DSN_TEXT, again(DSN, "message/delivery-status", "message/global-delivery-status"),
                                                  again(RETURNED_HEADERS, "text/rfc822-headers", "message/global-headers")),
     "RFC 6533 types, headers", NULL),
    ("r31-dsn-no-type", 31, REPORT, report(DSN_TEXT, DSN, RETURNED, params=""), "no report-type: the second part decides", NULL),
    ("r31-mdn", 31, REPORT, report(DSN_TEXT, MDN, kind="disposition-notification"), "a disposition notification", NULL),
    ("r31-mdn-not-null", 31, NONE, report(DSN_TEXT, MDN, kind="disposition-notification"), "the same from a sender",
     {"sender": "eve@sender.example"}),
    ("r31-mdn-global", 31, REPORT, report(DSN_TEXT, again(MDN, "message/disposition", "message/global-disposition"),
                                          kind="disposition-notification"), "RFC 6533, disposition", NULL),
    ("r31-mdn-case", 31, REPORT, report(DSN_TEXT, MDN, kind='"Disposition-Notification"'), "letter case of report-type", NULL),
    ("r31-mismatch", 31, NONE, report(DSN_TEXT, MDN, RETURNED), "report-type and second part disagree", NO),
    ("r31-second-text", 31, NONE, report(DSN_TEXT, MEET, RETURNED), "the second part is text", NO),
    ("r31-feedback", 31, NONE, report(DSN_TEXT, part("Feedback-Type: abuse\n", "Content-Type: message/feedback-report\n"), RETURNED,
                                      kind="feedback-report"), "an abuse report", NO),
    ("r31-fields-text", 31, NONE, report(DSN_TEXT, part("Meet me at eight.\n", "Content-Type: message/delivery-status\n"), RETURNED),
     "text in place of the fields", NO),
    ("r31-fields-empty", 31, NONE, report(DSN_TEXT, part("\n", "Content-Type: message/delivery-status\n"), RETURNED), "no fields", NO),
    ("r31-fields-no-action", 31, "cleartext - no-openpgp", report(DSN_TEXT, part(DSN_FIELDS.replace("Action: failed\n", ""),
                                                               "Content-Type: message/delivery-status\n"), RETURNED), "no Action field", NO),
    ("r31-mdn-no-disposition", 31, "cleartext - no-openpgp", report(DSN_TEXT, part("Final-Recipient: rfc822;bob@receiver.example\n",
                                                                 "Content-Type: message/disposition-notification\n"),
                                                  kind="disposition-notification"), "no Disposition field", NO),
    ("r31-mixed", 31, REPORT, mixed(DSN_TEXT, DSN, RETURNED_HEADERS, preamble="This is a MIME-encapsulated message.\n\n"), "OpenSMTPD's, a multipart/mixed", NULL),
    ("r31-mixed-ciphertext", 31, REPORT, mixed(DSN_TEXT, DSN, again(RETURNED_PGP, "message/rfc822", "text/rfc822-headers")),
     "the same with ciphertext behind the header", {"sender": "<>", "accept_reports": "headers", "meets": "yes"}),
    ("r31-mixed-not-null", 31, NONE, mixed(DSN_TEXT, DSN, RETURNED_HEADERS), "the same from a sender", {"sender": "eve@sender.example"}),
    ("r31-mixed-two", 31, NONE, mixed(DSN_TEXT, DSN), "two parts in a multipart/mixed", NO),
    ("r31-mixed-text", 31, NONE, mixed(DSN_TEXT, DSN, MEET), "a text as the third", NO),
    ("r31-mixed-html", 31, NONE, mixed(text("<p>x</p>", "text/html"), DSN, RETURNED_HEADERS), "HTML as the first", NO),
    ("r31-mixed-mdn", 31, NONE, mixed(DSN_TEXT, MDN, RETURNED_HEADERS), "a disposition notification in a multipart/mixed", NO),
    ("r31-inside-mixed", 31, NONE, mixed(nested("report", DSN_TEXT, DSN, RETURNED, params="; report-type=delivery-status")),
     "a report within a multipart", NO),
    ("r31-preamble", 31, "report - report", report(DSN_TEXT, DSN, RETURNED, preamble="This is a MIME-encapsulated message.\n\n"),
     "Postfix writes this preamble", NULL),
    ("r31-null-text", 31, NONE, inline("Meet me at eight.\n"), "the null sender alone makes no report", NO),
    ("r31-encrypted-null", 31, "encrypted pgp-mime ok", pgp_mime(ARMOR), "ciphertext from the null sender is ciphertext", NULL),
]

JOIN = "Secure-Join: %s\nSecure-Join-Invitenumber: abcdefgh\n"


def join(header, body, subtype="mixed", more=(), kind="text/plain; charset=utf-8"):
    return mail(multi(text(body, kind), *more), "%sContent-Type: multipart/%s; boundary=\"b1\"\n" % (header, subtype),
                subject="Message from alice")


SETUP_TEXT = text("This is the Autocrypt Setup Message used to transfer your secret key between clients.\n")
SETUP = part(armor(skesk4() + seipd1(n=300), headers=[("Passphrase-Format", "numeric9x4"), ("Passphrase-Begin", "17")]),
             'Content-Type: application/autocrypt-setup\nContent-Disposition: attachment; filename="autocrypt-setup-message.html"\n')
SELF = {"sender": "alice@sender.example", "recipient": "alice@sender.example"}


def setup(*parts, header="Autocrypt-Setup-Message: v1\n"):
    return mail(multi(*parts), header + 'Content-Type: multipart/mixed; boundary="b1"\n', subject="Autocrypt Setup Message",
                recipient="Alice <alice@sender.example>")


HANDSHAKE = "handshake - handshake"
RULE_32 = [
    ("r32-vc-request", 32, HANDSHAKE, join(JOIN % "vc-request", "Secure-Join: vc-request\n"), "a SecureJoin request for a contact", {"meets": "no"}),
    ("r32-vg-request", 32, HANDSHAKE, join(JOIN % "vg-request", "Secure-Join: vg-request\n"), "a SecureJoin request for a group"),
    ("r32-vc-accepted", 32, HANDSHAKE, join(JOIN % "vc-request", "Secure-Join: vc-request\n"), "a SecureJoin request, accepted",
     {"accept_handshakes": "yes", "meets": "yes"}),
    ("r32-vc-auth-required", 32, NONE, join(JOIN % "vc-auth-required", "Secure-Join: vc-auth-required\n"), "another step, which is encrypted"),
    ("r32-mismatch", 32, NONE, join(JOIN % "vc-request", "Secure-Join: vg-request\n"), "header and text disagree"),
    ("r32-other-text", 32, NONE, join(JOIN % "vc-request", "Secure-Join: vc-request\nMeet me at eight.\n"), "text after the request"),
    ("r32-no-header", 32, NONE, join("", "Secure-Join: vc-request\n"), "no header"),
    ("r32-vc-request-case", 32, HANDSHAKE, join(JOIN % "vc-request", "secure-join: vc-request\n"), "letter case of the text: relays ignore it, and some clients write it small"),
    ("r32-two-parts", 32, NONE, join(JOIN % "vc-request", "Secure-Join: vc-request\n", more=(MEET,)), "a second part"),
    ("r32-not-mixed", 32, NONE, mail("Secure-Join: vc-request\n", JOIN % "vc-request" + "Content-Type: text/plain\n"), "no multipart"),
    ("r32-part-header", 32, NONE, mail(multi(part("Secure-Join: vc-request\n", "Content-Type: text/plain\nX-Note: " + "Meet me " * 140 + "\n")),
                                       JOIN % "vc-request" + 'Content-Type: multipart/mixed; boundary="b1"\n'), "a text in the part's header"),
    ("r32-html", 32, NONE, join(JOIN % "vc-request", "Secure-Join: vc-request\n", kind="text/html"), "an HTML part"),
    ("r32-preamble", 32, NONE, mail(multi(text("Secure-Join: vc-request\n"), preamble="Meet me\n"),
                                    JOIN % "vc-request" + 'Content-Type: multipart/mixed; boundary="b1"\n'), "text in the preamble"),
    ("r32-setup", 32, HANDSHAKE, setup(SETUP_TEXT, SETUP), "an Autocrypt setup message to oneself", SELF),
    ("r32-setup-to-other", 32, "invalid - password-only", setup(SETUP_TEXT, SETUP), "an Autocrypt setup message to another",
     {"sender": "alice@sender.example", "recipient": "bob@receiver.example"}),
    ("r32-setup-no-header", 32, "invalid - password-only", setup(SETUP_TEXT, SETUP, header=""), "no header", SELF),
    ("r32-setup-v2", 32, "invalid - password-only", setup(SETUP_TEXT, SETUP, header="Autocrypt-Setup-Message: v2\n"), "another version", SELF),
    ("r32-setup-third", 32, "invalid - password-only", setup(SETUP_TEXT, SETUP, MEET), "a third part", SELF),
    ("r32-setup-text", 32, "cleartext - no-openpgp", setup(SETUP_TEXT, part("Meet me\n", "Content-Type: application/autocrypt-setup\n")),
     "text in place of the setup", SELF),
    ("r32-setup-html", 32, HANDSHAKE, setup(SETUP_TEXT, SETUP.replace(b"\n\n", b"\n\n<html><body><p>This is the Autocrypt setup file.</p><pre>\n", 1)
                                            + b"</pre></body></html>\n"), "the file is HTML around armor, as the standard has it", SELF),
    ("r32-setup-long", 32, "invalid - password-only", setup(text("Meet me at eight. " * 600 + "\n"), SETUP), "a long text", SELF),
    ("r32-setup-literal", 32, "invalid - not-encrypted", setup(SETUP_TEXT, part(armor(literal()), "Content-Type: application/autocrypt-setup\n")),
     "a literal packet in place of the setup", SELF),
]

HIDE = {"hidden_subject": "yes", "meets": "yes"}
SHOW = {"hidden_subject": "yes", "meets": "no"}
HIDDEN = "encrypted pgp-mime ok"
SHOWN = "partial pgp-mime readable-subject"
SUBJECT = [
    ("subject-shown", 0, SHOWN, pgp_mime(ARMOR), "a readable subject, and hidden_subject", SHOW),
    ("subject-space-before-colon", 0, SHOWN, pgp_mime(ARMOR).replace(b"Subject: ", b"Subject : "), "a blank before the colon of a readable subject", SHOW),
    ("subject-tab-before-colon", 0, SHOWN, pgp_mime(ARMOR).replace(b"Subject: ", b"Subject\t: "), "a tab there", SHOW),
    ("subject-not-asked", 0, HIDDEN, pgp_mime(ARMOR), "a readable subject, and hidden_subject = no"),
    ("subject-dots", 0, HIDDEN, pgp_mime(ARMOR, subject="..."), "...", HIDE),
    ("subject-brackets", 0, HIDDEN, pgp_mime(ARMOR, subject="[...]"), "[...]", HIDE),
    ("subject-encrypted-message", 0, HIDDEN, pgp_mime(ARMOR, subject="Encrypted Message"), "Encrypted Message", HIDE),
    ("subject-pep", 0, HIDDEN, pgp_mime(ARMOR, subject="=?utf-8?Q?p=E2=89=A1p?="), "what pEp writes", HIDE),
    ("subject-pep-more", 0, SHOWN, pgp_mime(ARMOR, subject="=?utf-8?Q?p=E2=89=A1p_at_eight?="), "the same, and more", SHOW),
    ("subject-none", 0, HIDDEN, mail(pgp_mime(ARMOR).split(b"\n\n", 1)[1], ENCRYPTED).replace(
        b"Subject: Numbers for the third quarter\n", b""), "no Subject", HIDE),
    ("subject-empty", 0, "encrypted pgp-mime ok", pgp_mime(ARMOR, subject=""), "an empty Subject", HIDE),
    ("subject-more-dots", 0, SHOWN, pgp_mime(ARMOR, subject="... at eight"), "dots, and more", SHOW),
    ("subject-re", 0, "partial pgp-mime readable-subject", pgp_mime(ARMOR, subject="Re: ..."), "an answer's dots", SHOW),
    ("subject-two", 0, SHOWN, pgp_mime(ARMOR, "Subject: Meet me\nContent-Type: " + ENCRYPTED + "\n", subject="..."),
     "a second, readable Subject", SHOW),
    ("subject-cleartext", 0, NONE, inline("Meet me at eight.\n"), "cleartext is cleartext", SHOW),
]

CASES = RULE_29 + RULE_30 + RULE_SMIME + RULE_31 + RULE_32 + SUBJECT
