# SPDX-License-Identifier: ISC
"""Golden cases for rules 1 to 12 and 33: header fields, MIME structure, transfer encodings.

A row: name, rule, expected "verdict form reason", message, what it shows; then settings, if any. The name
begins with the rule's number. "-" for the form is none,
"+" the form of the ciphertext that is beside cleartext: pgp-mixed if RFC 3156's parts are there, else pgp-inline.
"""

from mimeparts import *
from pgppackets import armor, message, noise, packet, signature

ARMOR = armor(message())
OTHER = armor(message("other"))
SIG = armor(signature(), kind="SIGNATURE")
MIME = "encrypted pgp-mime ok"
MIXED = "encrypted pgp-mixed ok"
INLINE = "encrypted pgp-inline ok"
AMBIGUOUS = "invalid - ambiguous-mime"
OUTSIDE = "partial + text-outside"
READABLE = "partial + readable-part"
NONE = "cleartext - no-openpgp"
TYPE = "Content-Type: " + ENCRYPTED + "\n"
INLINE_TEXT = text(ARMOR)
MULTI = 'multipart/mixed; boundary="b1"'
BINARY = part(b64(message("binary")), "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n")


def content(value, **kw):
    """PGP/MIME with this Content-Type."""
    return pgp_mime(ARMOR, value, **kw)


def boundary_is(boundary):
    """PGP/MIME with this boundary, quoted."""
    return content('multipart/encrypted; protocol="application/pgp-encrypted"; boundary="%s"' % boundary, boundary=boundary)


def second(header, body=ARMOR):
    """PGP/MIME whose second part has this header."""
    return pgp_mime(None, second=part(body, header))


def mixed(*parts, **kw):
    return mail(multi(*parts, **kw), MULTI)


def deep(levels, inner):
    """inner below this many multiparts, the message's own included."""
    for i in range(levels - 1, 0, -1):
        inner = part(multi(inner, boundary="d%d." % i), 'Content-Type: multipart/mixed; boundary="d%d."\n' % i)
    return mixed(INLINE_TEXT, inner)


RULE_1 = [
    ("r01-plain", 1, MIME, content(ENCRYPTED), "the plainest PGP/MIME"),
    ("r01-two-content-type", 1, AMBIGUOUS, content(TYPE + "Content-Type: text/plain\n"),
     "two Content-Type fields"),
    ("r01-two-content-type-text-first", 1, AMBIGUOUS, content("Content-Type: text/plain\n" + TYPE),
     "two Content-Type fields, the other order"),
    ("r01-two-content-type-same", 1, AMBIGUOUS, content(TYPE + TYPE), "two equal Content-Type fields"),
    ("r01-two-content-type-case", 1, AMBIGUOUS, content(TYPE + "content-TYPE: text/plain\n"),
     "field names know no case"),
    ("r01-two-content-type-part", 1, AMBIGUOUS, second(OCTETS + "Content-Type: text/plain\n"),
     "two Content-Type fields in a part"),
    ("r01-two-encodings", 1, AMBIGUOUS,
     second(OCTETS + "Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n"),
     "two transfer encodings in a part"),
    ("r01-one-encoding", 1, MIME, second(OCTETS + "Content-Transfer-Encoding: 7bit\n"),
     "one transfer encoding"),
    ("r01-two-encodings-top", 1, AMBIGUOUS,
     content(TYPE + "Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: 7bit\n"),
     "two transfer encodings in the message's header"),
    ("r01-two-mime-version", 1, MIME, content(TYPE + "Mime-version: 1.0\n"), "two MIME-Version fields that say the same"),
    ("r01-three-mime-version", 1, MIME, content(TYPE + "MIME-Version: 1.0 (Mail 16.0 \\(3826\\))\nmime-version:\n 1.0\n"),
     "three that say the same but for comments and folds"),
    ("r01-two-mime-version-part", 1, MIME, second(OCTETS + "MIME-Version: 1.0\nMIME-Version: 1.0\n"),
     "two equal MIME-Version fields in a part"),
    ("r01-two-mime-version-differ", 1, AMBIGUOUS, content(TYPE + "MIME-Version: 1.1\n"), "two MIME-Version fields that differ"),
    ("r01-two-mime-version-empty", 1, AMBIGUOUS, content(TYPE + "MIME-Version:\n"), "a second MIME-Version without a version"),
    ("r01-two-mime-version-text", 1, AMBIGUOUS, content(TYPE + "MIME-Version: 1.0 now\n"), "a second MIME-Version with more in it"),
    ("r01-one-mime-version-part", 1, MIME, second(OCTETS + "MIME-Version: 1.0\n"),
     "MIME-Version in a part"),
    ("r01-two-dispositions", 1, MIME, second(OCTETS + "Content-Disposition: attachment\n"),
     "other fields may come twice"),
    ("r01-two-subjects", 1, MIME, content(TYPE + "Subject: again\nX-Loop: a\nX-Loop: a\n"),
     "other fields of the message may come twice"),
    ("r01-two-boundaries", 1, AMBIGUOUS, content(ENCRYPTED + '; boundary="b2"'), "two boundary parameters"),
    ("r01-two-boundaries-same", 1, AMBIGUOUS, content(ENCRYPTED + "; Boundary=b1"),
     "two equal boundary parameters"),
    ("r01-two-protocols", 1, AMBIGUOUS, content(ENCRYPTED + '; protocol="application/pgp-encrypted"'),
     "two protocol parameters"),
    ("r01-boundary-2231-section", 1, AMBIGUOUS,
     content('multipart/encrypted; protocol="application/pgp-encrypted"; boundary*0="b"; boundary*1="1"'),
     "RFC 2231 sections of boundary"),
    ("r01-boundary-2231-charset", 1, AMBIGUOUS,
     content("multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary*=us-ascii''b1"),
     "RFC 2231 charset on boundary"),
    ("r01-boundary-and-2231", 1, AMBIGUOUS, content(ENCRYPTED + "; boundary*0=b2"),
     "boundary, and its RFC 2231 form"),
    ("r01-protocol-2231", 1, AMBIGUOUS,
     content('multipart/encrypted; protocol*0="application/pgp-encrypted"; boundary="b1"'),
     "RFC 2231 form of protocol"),
    ("r01-boundary-encoded-word", 1, AMBIGUOUS, content(ENCRYPTED.replace("b1", "=?us-ascii?Q?b1?="), boundary="=?us-ascii?Q?b1?="),
     "a boundary that RFC 2047 would decode"),
    ("r01-boundary-encoded-word-inside", 1, AMBIGUOUS, boundary_is("b =?us-ascii?Q?1?= c"), "an encoded word within a boundary"),
    ("r01-boundary-encoded-word-begun", 1, AMBIGUOUS, boundary_is("b=?1"), "=? within a boundary"),
    ("r01-boundary-two-blanks", 1, AMBIGUOUS, boundary_is("b  1"), "two blanks in a row in a boundary"),
    ("r01-boundary-folded", 1, AMBIGUOUS, content('multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b\n  1"',
                                                  boundary="b  1"), "a boundary that is folded"),
    ("r01-boundary-folded-one", 1, AMBIGUOUS, content('multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b\n 1"',
                                                      boundary="b 1"), "a boundary that is folded at its only blank"),
    ("r01-boundary-on-text", 1, AMBIGUOUS, mail(ARMOR, 'text/plain; boundary="b1"'), "a boundary on a text that is armor"),
    ("r01-boundary-on-text-part", 1, AMBIGUOUS, mixed(text(ARMOR, 'text/plain; charset=utf-8; boundary=x')), "a boundary on a part that is armor"),
    ("r01-boundary-on-text-cleartext", 1, NONE, mail("Meet me\n", 'text/plain; boundary="b1"'), "a boundary on a text, and no claim"),
    ("r01-boundary-question", 1, MIME, content(ENCRYPTED.replace("b1", "b-?=1"), boundary="b-?=1"),
     "a boundary with ?= in it, as JavaScript mailers write"),
    ("r01-backslash-multipart", 1, AMBIGUOUS, content(ENCRYPTED + '; name="a\\"; boundary=b2; x="'),
     "an escaped quote in a multipart's parameter: some take what follows for a boundary"),
    ("r01-backslash-name", 1, MIME, second('Content-Type: application/octet-stream; name="the \\"third\\".asc"\n'),
     "escaped quotes in the name of a part that is no multipart"),
    ("r01-field-like-boundary", 1, AMBIGUOUS, second(OCTETS + "--b2: x\n"), "a line in a part's header that begins as a boundary line"),
    ("r01-field-dash", 1, MIME, second(OCTETS + "X--Note: x\n"), "dashes within a field's name"),
    ("r01-name-2231", 1, MIME, second("Content-Type: application/octet-stream; name*=utf-8''a.asc\n"),
     "RFC 2231 on other parameters is common"),
    ("r01-space-before-colon", 1, AMBIGUOUS, content("Content-Type : " + ENCRYPTED + "\n"),
     "white space before the colon of Content-Type"),
    ("r01-tab-before-colon-encoding", 1, AMBIGUOUS, content(TYPE + "Content-Transfer-Encoding\t: 7bit\n"),
     "a tab before the colon of Content-Transfer-Encoding"),
    ("r01-space-before-colon-version", 1, AMBIGUOUS, content(TYPE + "MIME-Version : 1.0\n", version=False),
     "white space before the colon of MIME-Version"),
    ("r01-space-before-colon-other", 1, MIME, content(TYPE + "X-Mailer : pigeon\n"),
     "white space before the colon of another field of the message"),
    ("r01-space-before-colon-part", 1, AMBIGUOUS, second(OCTETS + "X-Mailer : pigeon\n"),
     "white space before the colon of any field of a part"),
    ("r01-lone-cr-subject", 1, AMBIGUOUS, content(ENCRYPTED, subject="one\rtwo"),
     "a lone CR in a field of the message"),
    ("r01-lone-cr-mbox-line", 1, AMBIGUOUS, cat("From alice@sender.example Mon Nov  2 10:11:12 2026\rMeet me at eight.\n", content(ENCRYPTED)),
     "a lone CR in an mbox line, of which Postfix makes a field"),
    ("r01-lone-cr-type", 1, AMBIGUOUS, content(ENCRYPTED + ";\r charset=x"), "a lone CR in Content-Type"),
    ("r01-white-line", 1, AMBIGUOUS, content("multipart/encrypted;\n \t\n protocol=\"application/pgp-encrypted\"; boundary=b1"),
     "a line of white space within a structural field, which libetpan takes for the header's end"),
    ("r01-white-line-last", 1, AMBIGUOUS, content(TYPE + " \n"), "a line of white space at the end of one"),
    ("r01-white-line-other", 1, MIME, cat("X-Note: one\n \t\n two\n", content(ENCRYPTED)), "one in another field: nothing else is read so"),
    ("r01-white-line-ham-report", 1, MIME, content(
        TYPE + "X-Ham-Report: Spam detection software, running on the system \"mx.sender.example\",\n has NOT identified this incoming email as spam.\n \n"
        " Content preview:  ...\n \n Content analysis details:   (-1.0 points, 5.0 required)\n \n  pts rule name   description\n"
        " ---- ----------- -----------\n -1.0 ENCRYPTED_MESSAGE      Message is encrypted, not likely to be spam\n \n"),
     "what Exim writes at a host of many sites"),
    ("r01-white-line-part", 1, AMBIGUOUS, second(OCTETS + "X-Note: one\n \n two\n"), "one in a part's header"),
    ("r01-white-line-binary", 1, MIXED, mail(multi(control(), BINARY), TYPE + "X-Note: one\n \n"), "one behind all structural fields, and unarmored data"),
    ("r01-white-line-binary-late", 1, "invalid - bad-armor", cat("X-Note: one\n \n", mail(multi(control(), BINARY), TYPE)),
     "before them: to libetpan the base64 is text"),
    ("r07-empty-indented", 7, "partial pgp-inline readable-part", mixed(text("    --\n"), text(ARMOR)), "what counts as empty, but not behind white space: many of them draw"),
    ("r07-control-indented", 7, "partial pgp-inline readable-part", mixed(text("    Version: 1\n"), text(ARMOR)), "the control part's line in a text, likewise"),
    ("r12-utf16-blanks", 12, "partial pgp-inline readable-part", mixed(text(" " * 40 + "\t " * 10 + "\n", "text/plain; charset=utf-16be"), text(ARMOR)), "white space that is daggers in UTF-16"),
    ("r12-utf16-blanks-html", 12, "partial pgp-inline html-part", mixed(text(" " * 40, "text/html; charset=utf-16be"), text(ARMOR)), "the same as HTML"),
    ("r12-utf16-empty", 12, INLINE, mixed(text("\r\n", "text/plain; charset=utf-16"), text(ARMOR)), "a line end in a set that would make it a letter", {"lines": "exact"}),
    ("r12-spaces-odd-name", 12, "partial pgp-inline text-outside", mail(cat(b"\xa0" * 60, "\n", ARMOR), "text/plain; charset=win-1252"), "no-break spaces in a set of a name that some do not know"),
    ("r12-spaces-comment", 12, "partial pgp-inline text-outside", mail(cat(b"\xa0" * 60, "\n", ARMOR), "text/plain; charset=iso-8859-1 (x)"), "a comment that some take for its name"),
    ("r12-spaces-backslash", 12, "partial pgp-inline text-outside", mail(cat(b"\xa0" * 60, "\n", ARMOR), 'text/plain; charset="iso\\-8859-1"'), "a backslash in it"),
    ("r12-spaces-latin", 12, INLINE, mail(cat(b"\xa0" * 60, "\n", ARMOR), "text/plain; charset=iso-8859-1"), "the same of a name that all know"),
    ("r33-charset-sentence", 33, "partial pgp-inline part-headers", mixed(text("", "text/plain; charset=" + "meet-me-at-the-old-bridge-at-eight-" * 2), text(ARMOR)), "a sentence for a character set"),
    ("r33-description-long", 33, "partial pgp-inline part-headers", mixed(part(ARMOR, 'Content-Type: application/octet-stream; name="%s"\nContent-Description: %s\n' % (
        "\xf0\x9f\x98\x80" * 20, "\xf0\x9f\x98\x80" * 20 + " Meet me at the old bridge at eight."))), "a description that only begins like the file's name"),
    ("r33-description-two", 33, "partial pgp-inline part-headers", mixed(part(ARMOR, 'Content-Type: application/octet-stream; name="a.asc"\nContent-Description: Meet me at eight.\n'
                                                                             "Content-Description: a.asc\n")), "two, of which one is the name"),
    ("r01-white-line-to", 1, AMBIGUOUS, cat("Cc: bob@rcpt.example\n \n Meet me at eight.\n", content(ENCRYPTED)),
     "one in a list of addresses: there libetpan ends the header, and shows the rest"),
    ("r01-white-line-references", 1, AMBIGUOUS, cat("References: <a@sender.example>\n\t\n \n (meet me at eight)\nX-Note: one\n", INLINE_TEXT), "in a list of identifiers"),
    ("r01-white-line-resent", 1, AMBIGUOUS, cat("Resent-To : bob@rcpt.example\n \n Meet me at eight.\n", INLINE_TEXT), "in one of who sent it again"),
    ("r01-white-line-to-two", 1, AMBIGUOUS, cat("To: bob@rcpt.example\n \n \nX-Note: Meet me at eight.\n", INLINE_TEXT), "two of them: the second begins the body"),
    ("r01-white-line-two", 1, AMBIGUOUS, cat("X-Spam-Report: one\n two\n \n\t\nX-Note: Meet me at eight.\n", INLINE_TEXT), "two at the end of any field, with another behind"),
    ("r01-white-line-two-late", 1, AMBIGUOUS, cat("X-Spam-Report: one\n \n \n", content(ENCRYPTED)), "the same before the fields of a multipart"),
    ("r01-white-line-two-last", 1, INLINE, mail(ARMOR, "Content-Type: text/plain\nX-Spam-Report: one\n two\n \n \n"), "two at the end of the last one"),
    ("r01-white-line-two-preamble", 1, MIME, content(TYPE + "X-Spam-Report: one\n two\n \n \nX-Note: three\n"),
     "behind the fields of a multipart: what follows is its preamble"),
    ("r01-white-line-two-within", 1, INLINE, mail(ARMOR, "Content-Type: text/plain\nX-Spam-Report: one\n \n \n two\nX-Note: three\n"), "within a field"),
    ("r01-white-line-to-last", 1, MIME, cat("Cc: bob@rcpt.example,\n carol@rcpt.example\n \n", content(ENCRYPTED)), "at the end of one: nothing is read otherwise"),
    ("r01-white-line-text", 1, INLINE, cat("X-Spam-Report: one\n \n two three four five\nSubject: one\n\t\n two\nX-Note: six seven eight\n", INLINE_TEXT),
     "in others, before a text: no reader ends the header there"),
    ("r01-white-line-first", 1, MIME, cat("X-Note:\n one\n", content(ENCRYPTED)), "a field whose first line is empty"),
    ("r01-form-feed-part", 1, AMBIGUOUS, second(OCTETS + "X-Note: one\ftwo\n"), "a form feed in a part's header"),
    ("r01-lone-cr-part", 1, AMBIGUOUS, second(OCTETS + "X-Note: one\rtwo\n"), "a lone CR in a part's field"),
    ("r01-parameter-no-value", 1, MIME, content(ENCRYPTED + "; protected;"),
     "a parameter without value, as Delta Chat writes"),
    ("r01-parameter-empty", 1, MIME, content(ENCRYPTED + ";"), "a semicolon at the end"),
    ("r01-two-content-type-cleartext", 1, NONE,
     mail("Meet me at eight.\n", "Content-Type: text/plain\nContent-Type: text/html\n"),
     "two Content-Type fields, and no claim of encryption"),
]

RULE_2 = [
    ("r02-folded", 2, MIME, content('multipart/encrypted;\n\tprotocol="application/pgp-encrypted";\n boundary="b1"'),
     "folded after semicolons"),
    ("r02-folded-everywhere", 2, MIME,
     content('\n multipart/encrypted\n ;\n protocol\n =\n "application/pgp-encrypted"\n ;\n boundary\n =\n "b1"'),
     "folded between all tokens"),
    ("r02-comments", 2, MIME,
     content('multipart/encrypted (ours); protocol="application/pgp-encrypted" (a (nested) one); boundary="b1" (x)'),
     "comments after values"),
    ("r02-case", 2, MIME, content('MULTIPART/Encrypted; PROTOCOL="Application/PGP-Encrypted"; Boundary=b1'),
     "letter case"),
    ("r02-token-boundary", 2, MIME, content('multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b1'),
     "a boundary without quotes"),
    ("r02-boundary-case", 2, AMBIGUOUS, content(
        'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=B1'), "a boundary's case counts"),
    ("r02-part-type-case", 2, MIME, pgp_mime(ARMOR, first=control(header="CONTENT-type: Application/PGP-encrypted\n")),
     "letter case in the control part"),
    ("r02-quote-open", 2, AMBIGUOUS, content('multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b1'),
     "a quoted string without end"),
    ("r02-quote-then-text", 2, AMBIGUOUS,
     content('multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b1"x'),
     "text after a quoted string"),
    ("r02-quote-inside", 2, AMBIGUOUS,
     content('multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b"1"'),
     "a quoted string inside a token"),
    ("r02-comment-open", 2, AMBIGUOUS,
     content('multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b1" (x'),
     "a comment without end"),
    ("r02-name-blanks", 2, MIME, second("Content-Type: application/octet-stream; name=third quarter.asc\n"),
     "an unquoted name with blanks, as old Apple Mail and scripts write"),
    ("r02-name-blanks-more", 2, MIME, second("Content-Type: application/octet-stream; name=third quarter.asc;\n charset=utf-8\n"),
     "the same, and another parameter"),
    ("r02-name-blanks-charset", 2, "invalid - bad-charset",
     second("Content-Type: application/octet-stream; name=third quarter.asc; charset=utf-16\n"), "the same, and a charset that counts"),
    ("r02-name-parentheses", 2, MIME, second("Content-Type: application/octet-stream; name=quarter(3).asc\n"),
     "an unquoted name with parentheses"),
    ("r02-name-parenthesis", 2, AMBIGUOUS, second("Content-Type: application/octet-stream; name=quarter 3).asc\n"),
     "an unquoted name with half of them"),
    ("r02-name-8-bit", 2, MIME, second("Content-Type: application/octet-stream; name=B\xc3\xbccher.asc\n"),
     "an unquoted name with 8-bit letters"),
    ("r02-name-encoded-words", 2, MIME, second("Content-Type: application/octet-stream; name==?utf-8?Q?B=C3=BCcher_?=\n =?utf-8?Q?3=2Easc?=\n"),
     "an unquoted name of two encoded words"),
    ("r02-name-equals", 2, AMBIGUOUS, second("Content-Type: application/octet-stream; name=third charset=utf-16\n"),
     "an unquoted name that could hold another parameter"),
    ("r02-name-quote", 2, AMBIGUOUS, second('Content-Type: application/octet-stream; name=third "quarter".asc\n'),
     "a quote within an unquoted name"),
    ("r02-name-blanks-multipart", 2, AMBIGUOUS, content(ENCRYPTED + "; name=third quarter"),
     "an unquoted name with blanks on a multipart"),
    ("r02-charset-blank", 2, AMBIGUOUS, second("Content-Type: application/octet-stream; charset=us ascii\n"),
     "a blank in another parameter's value"),
    ("r02-quoted-malformed-name", 2, MIME, second(
        'Content-Type: application/octet-stream\nContent-Disposition: attachment; filename="a.asc\n'),
     "malformed quoting of another field"),
]

RULE_3 = [
    ("r03-boundary-space", 3, MIME, pgp_mime(ARMOR, boundary="b1").replace(b"--b1\n", b"--b1 \t\n"),
     "linear white space after a boundary"),
    ("r03-close-space", 3, MIME, pgp_mime(ARMOR).replace(b"--b1--\n", b"--b1-- \n"),
     "linear white space after the close boundary"),
    ("r03-close-without-line-end", 3, MIME, pgp_mime(ARMOR)[:-1], "the close boundary ends the message"),
    ("r03-prefix-boundary", 3, AMBIGUOUS,
     mail(multi(nested("encrypted", control(), part(ARMOR, OCTETS), boundary="ab",
                       params='; protocol="application/pgp-encrypted"'), boundary="a"),
          'multipart/mixed; boundary="a"'), "--ab-- does not close a"),
    ("r03-prefix-boundary-reversed", 3, AMBIGUOUS,
     mail(multi(nested("encrypted", control(), part(ARMOR, OCTETS), boundary="a",
                       params='; protocol="application/pgp-encrypted"'), boundary="ab"),
          'multipart/mixed; boundary="ab"'), "--ab is no boundary of a"),
    ("r03-boundary-and-close", 3, AMBIGUOUS,
     mail(multi(nested("mixed", INLINE_TEXT, boundary="a--"), boundary="a"), 'multipart/mixed; boundary="a"'),
     "an inner boundary line that would close the outer multipart"),
    ("r03-boundary-and-close-reversed", 3, AMBIGUOUS,
     mail(multi(nested("mixed", INLINE_TEXT, boundary="a"), boundary="a--"), 'multipart/mixed; boundary="a--"'),
     "an inner close line that would begin a part of the outer multipart"),
    ("r03-boundary-ends-in-dashes", 3, INLINE, mail(multi(INLINE_TEXT, boundary="a--"), 'multipart/mixed; boundary="a--"'),
     "a boundary that ends in dashes, alone"),
    ("r03-boundary-goes-on", 3, AMBIGUOUS, pgp_mime(ARMOR + b"--b1 meet me at eight\n"),
     "a line that begins with the boundary and goes on"),
    ("r03-close-goes-on", 3, AMBIGUOUS, pgp_mime(ARMOR + b"--b1--x\n"),
     "a line that begins with the close boundary and goes on"),
    ("r03-boundary-form-feed", 3, AMBIGUOUS, pgp_mime(ARMOR).replace(b"--b1\n", b"--b1\f\n"), "a form feed after a boundary"),
    ("r03-boundary-vertical-tab", 3, AMBIGUOUS, pgp_mime(ARMOR).replace(b"--b1\n", b"--b1\v\n"), "a vertical tab after a boundary"),
    ("r03-boundary-nbsp", 3, AMBIGUOUS, pgp_mime(ARMOR).replace(b"--b1\n", b"--b1\xc2\xa0\n"), "a no-break space after a boundary"),
    ("r03-boundary-nbsp-latin-1", 3, AMBIGUOUS, pgp_mime(ARMOR).replace(b"--b1\n", b"--b1\xa0\n"), "a Latin-1 no-break space after a boundary"),
    ("r03-boundary-nul", 3, AMBIGUOUS, pgp_mime(ARMOR).replace(b"--b1\n", b"--b1\0\n"), "a NUL after a boundary"),
    ("r03-boundary-close-form-feed", 3, AMBIGUOUS, pgp_mime(ARMOR).replace(b"--b1--\n", b"--b1--\f\n"), "a form feed after the close boundary"),
    ("r03-boundary-line-case", 3, AMBIGUOUS, pgp_mime(ARMOR + b"--B1\n"), "a boundary line in other letter case"),
    ("r03-boundary-line-header", 3, AMBIGUOUS, pgp_mime(None, second=part(ARMOR, OCTETS + "--b1x: y\n")), "a field that begins with the boundary"),
    ("r03-boundary-is-begin", 3, AMBIGUOUS, mail(ARMOR, 'multipart/mixed; boundary="---BEGIN PGP MESSAGE-----"').replace(
        b"-----BEGIN PGP MESSAGE-----\n", b"-----BEGIN PGP MESSAGE-----\f\n"), "the BEGIN line, with a form feed, is the boundary"),
    ("r03-boundary-begins-begin", 3, AMBIGUOUS, mail(ARMOR, 'multipart/mixed; boundary="---BEGIN PGP MESSAG"'), "the BEGIN line begins with the boundary"),
    ("r03-boundary-dash", 3, AMBIGUOUS, mail(ARMOR, 'multipart/mixed; boundary="-"'), "the BEGIN line begins with a boundary of one dash"),
    ("r03-boundary-begins-end", 3, AMBIGUOUS, mixed(INLINE_TEXT).replace(b"b1", b"---end"), "the END line begins with the boundary, but for its case"),
    ("r03-boundary-like-text", 3, NONE, mixed(text("--b1 meet me\n")), "a line that begins with the boundary, and no claim"),
    ("r03-boundary-indented", 3, OUTSIDE, pgp_mime(ARMOR + b" --b1\n"), "an indented boundary is text"),
    ("r03-boundary-in-data", 3, AMBIGUOUS, pgp_mime(ARMOR.replace(b"\n\n", b"\n\n--b1x\n")),
     "text that looks like a boundary, among the data"),
    ("r03-boundary-dashes", 3, MIME, pgp_mime(ARMOR, ENCRYPTED.replace("b1", "--b--1"), boundary="--b--1"),
     "a boundary that begins with dashes"),
    ("r03-boundary-spaces-inside", 3, MIME, pgp_mime(ARMOR, ENCRYPTED.replace("b1", "b 1"), boundary="b 1"),
     "a boundary with a space inside"),
    ("r03-boundary-70", 3, MIME, pgp_mime(ARMOR, ENCRYPTED.replace("b1", "b" * 70), boundary="b" * 70),
     "the longest boundary of RFC 2046"),
]

RULE_4 = [
    ("r04-no-close", 4, "invalid - truncated", pgp_mime(ARMOR, close=False), "no close boundary"),
    ("r04-no-close-inner", 4, "invalid - truncated",
     mixed(nested("mixed", INLINE_TEXT, close=False)), "an inner multipart without close boundary"),
    ("r04-no-close-cleartext", 4, NONE, mixed(text("Meet me at eight.\n"), close=False),
     "no close boundary, and no claim"),
    ("r04-no-end-line", 4, "invalid - truncated", pgp_mime(armor(message(), end="")), "armor without END"),
    ("r04-boundary-never", 4, "invalid - bad-structure", mail(ARMOR, ENCRYPTED),
     "multipart/encrypted whose boundary never appears"),
    ("r04-boundary-missing", 4, "invalid - bad-structure",
     content('multipart/encrypted; protocol="application/pgp-encrypted"'), "multipart/encrypted without boundary"),
    ("r04-mixed-boundary-never", 4, AMBIGUOUS, mail(ARMOR, MULTI),
     "multipart/mixed whose boundary never appears holds armor"),
    ("r04-mixed-boundary-missing", 4, AMBIGUOUS, mail(ARMOR, "multipart/mixed"),
     "multipart/mixed without boundary is judged as text: armor"),
    ("r04-mixed-boundary-never-text", 4, NONE, mail("Meet me at eight.\n", MULTI),
     "multipart/mixed whose boundary never appears is judged as text: readable"),
    ("r04-mixed-boundary-never-beside", 4, AMBIGUOUS, mail(cat("Meet me at eight.\n", ARMOR), MULTI),
     "multipart/mixed whose boundary never appears is judged as text: text before armor"),
    ("r04-mixed-boundary-never-binary", 4, "invalid - bad-armor", mail(message(), MULTI),
     "multipart/mixed whose boundary never appears is judged as text: no place for unarmored ciphertext", {"lines": "exact"}),
    ("r04-mixed-boundary-missing-binary", 4, "invalid - bad-armor", mail(message(), "multipart/mixed"),
     "multipart/mixed without boundary, too", {"lines": "exact"}),
    ("r04-preamble-binary", 4, OUTSIDE, mixed(INLINE_TEXT, preamble=cat(message(), "\n")),
     "unarmored ciphertext before the first part", {"lines": "exact"}),
    ("r04-only-close", 4, "invalid - bad-structure", mail("--b1--\n", ENCRYPTED),
     "only the close boundary appears"),
]

COURIER = ("This is a MIME GnuPG-encrypted message.  If you see this text, it means\n"
           "that your E-mail or Usenet software does not support MIME encrypted messages.")
COURIER_MORE = ("The Internet standard for MIME PGP messages, RFC 2015, was published in 1996.\n"
                "To open this message correctly you will need to install E-mail or Usenet\n"
                "software that supports modern Internet standards.")
PREAMBLES = [
    ("encrypted-4880", "This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)"),
    ("signed-4880", "This is an OpenPGP/MIME signed message (RFC 4880 and 3156)"),
    ("encrypted-2440", "This is an OpenPGP/MIME encrypted message (RFC 2440 and 3156)"),
    ("signed-2440", "This is an OpenPGP/MIME signed message (RFC 2440 and 3156)"),
    ("encrypted-3156", "This is an OpenPGP/MIME encrypted message (RFC 3156)"),
    ("encrypted-3156-dot", "This is an OpenPGP/MIME encrypted message (RFC 3156)."),
    ("encrypted", "This is an OpenPGP/MIME encrypted message"),
    ("encrypted-dot", "This is an OpenPGP/MIME encrypted message."),
    ("multi-part", "This is a multi-part message in MIME format"),
    ("multi-part-dot", "This is a multi-part message in MIME format."),
    ("multi-part-dots", "This is a multi-part message in MIME format..."),
    ("multipart", "This is a multipart message in MIME format."),
    ("smime-signed", "This is a cryptographically signed message in MIME format."),
    ("pgp-encrypted", "This message is in MIME format and has been PGP encrypted."),
    ("pgp-signed", "This message is in MIME format and has been PGP signed."),
    ("signed-3156", "This is an OpenPGP/MIME signed message (RFC 3156)"),
    ("encapsulated", "This is a MIME-encapsulated message."),
    ("mime-message", "This is a multi-part MIME message."),
    ("alpine", "  This message is in MIME format.  The first part should be readable text,\n"
     "  while the remaining parts are likely unreadable without MIME-aware tools.\n"),
    ("mpack", "This is a MIME encoded message.  Decode it with \"munpack\"\nor any other MIME reading software.  "
     "Mpack/munpack is available\nvia anonymous FTP in ftp.andrew.cmu.edu:pub/mpack/"),
    ("sendemail", "This is a multi-part message in MIME format. To properly display this message you need a MIME-Version 1.0 "
     "compliant Email program.\n"),
    ("makemime", "This is a MIME-formatted message.  If you see this text it means that your\n"
     "E-mail software does not support MIME-formatted messages.\n"),
    ("zend", "This is a message in Mime Format.  If you see this, your mail reader does not support this format.\n"),
    ("stalwart", "OpenPGP/MIME message (Automatically encrypted by Stalwart)\n"),
    ("exchange", "This message is in MIME format. Since your mail reader does not understand\n"
     "this format, some or all of this message may not be legible.\n"),
    ("groupwise", "This is a MIME message. If you are reading this text, you may want to \nconsider changing to a mail reader or "
     "gateway that understands how to \nproperly handle MIME multipart messages.\n"),
    ("windows", "This is a MIME-formatted message.  \nPortions of this message may be unreadable without a MIME-capable mail program.\n"),
    ("mdaemon", "The following data may contain sections which represent BASE64 encoded\nfile attachments. These sections will be unreadable "
     "without MIME aware\ntools. Seek your system administrator if you need help extracting any\nfiles which may be embedded within this message.\n"),
    ("codeigniter", "This is a multi-part message in MIME format.\nYour email application may not support this format.\n"),
    ("smime-openssl", "This is an S/MIME signed message"),
    ("courier", COURIER + "\n" + COURIER_MORE + "\n"),
    ("courier-short", COURIER + "\n"),
    ("courier-signed", COURIER.replace("it means\nthat your", "it means that\nyour").replace("encrypted", "signed") + "\n" + COURIER_MORE),
]
NOT_PREAMBLES = [
    ("encrypted-longer", "This is an OpenPGP/MIME encrypted message. Meet me at eight.\n", "the shortest known line, and text"),
    ("multi-part-two-dots", "This is a multi-part message in MIME format..\n", "two dots"),
    ("longer", "This is a multi-part message in MIME format. Meet me at eight.\n", "a known line that goes on"),
    ("before", "Bob! This is a multi-part message in MIME format.\n", "a known line with text before it"),
    ("courier-more", COURIER + "\n" + COURIER_MORE + "\nMeet me at eight.\n", "known lines, and one more"),
    ("courier-other", COURIER + "\n" + COURIER_MORE.replace("1996", "1997") + "\n", "known lines, and another year"),
    ("twice", "This is a multi-part message in MIME format.\nThis is a multi-part message in MIME format.\n",
     "a known sentence twice"),
    ("word-within", "This is a multi-part meet message in MIME format.\n", "a word in a known sentence"),
    ("kinds", "This is a multi-part message in MIME format. This is a MIME message.\n", "two sentences of one kind"),
    ("text", "Meet me at eight.\n", "any other text"),
    ("one-letter", "8\n", "one letter"),
    ("armor", ARMOR.decode() + "\n", "armor in the preamble is not shown as a message by anyone"),
]

def gpgol_part(tree, name="GpgOL_MIME_structure.mime", kind="application/octet-stream"):
    return part(b64(tree), 'Content-Type: %s; name="%s"\nContent-Disposition: attachment; filename="%s"\n'
                "Content-Transfer-Encoding: base64\n" % (kind, name, name))


def gpgol(tree, *args, more=(), **kw):
    """PGP/MIME as GpgOL keeps it in Outlook and Exchange sends it: one attachment."""
    return mixed(text(""), gpgol_part(tree, *args, **kw), *more)


def tree(armored=ARMOR, header="MIME-Version: 1.0\nContent-Type: " + ENCRYPTED + "\n", **kw):
    return cat(header, "\n", pgp_mime(armored, **kw).split(b"\n\n", 1)[1])


RULE_5 = [("r05-preamble-" + slug, 5, MIME, pgp_mime(ARMOR, preamble=line + "\n"), "the preamble " + line.split("\n")[0])
          for slug, line in PREAMBLES]
RULE_5 += [("r05-not-preamble-" + slug, 5, OUTSIDE, pgp_mime(ARMOR, preamble=line), why)
           for slug, line, why in NOT_PREAMBLES]
RULE_5 += [
    ("r05-preamble-blank", 5, MIME, pgp_mime(ARMOR, preamble=" \t\n\n\n"), "white space before the first boundary"),
    ("r05-preamble-among-blank", 5, MIME, pgp_mime(
        ARMOR, preamble="\n\nThis is a multi-part message in MIME format.\n\n"), "a known line among empty lines"),
    ("r05-epilogue-blank", 5, MIME, pgp_mime(ARMOR, epilogue="\n \t\n\n"), "white space in the epilogue"),
    ("r05-epilogue-text", 5, OUTSIDE, pgp_mime(ARMOR, epilogue="Meet me at eight.\n"), "text in the epilogue"),
    ("r05-epilogue-known", 5, OUTSIDE, pgp_mime(ARMOR, epilogue="This is a multi-part message in MIME format.\n"),
     "a known preamble is no epilogue"),
    ("r05-epilogue-boundary", 5, "partial + text-outside", pgp_mime(ARMOR, epilogue="--b1\n\nMeet me at eight.\n--b1--\n"),
     "a boundary after the close boundary"),
    ("r05-inner-preamble", 5, OUTSIDE, mixed(nested("mixed", INLINE_TEXT, preamble="Meet me\n")),
     "text in an inner preamble"),
    ("r05-inner-epilogue", 5, OUTSIDE, mixed(nested("mixed", INLINE_TEXT, epilogue="Meet me\n")),
     "text in an inner epilogue"),
    ("r05-inner-blank", 5, INLINE, mixed(nested("mixed", INLINE_TEXT, epilogue="\n\n", preamble="\n")),
     "white space around an inner multipart's parts"),
]

EXCHANGE = [text("\n", "text/plain; charset=\"us-ascii\""), control(), part(ARMOR, OCTETS)]
FACEBOOK = "Content-Description: PGP/MIME Versions Identification\n\nVersion: 1\n"
RULE_6 = [
    ("r06-control-described", 6, MIME, pgp_mime(ARMOR, first=control(FACEBOOK)), "Facebook's control part"),
    ("r06-control-header", 6, MIME, pgp_mime(ARMOR, first=control(
        "Content-Type: application/pgp-encrypted\nContent-Transfer-Encoding: 7bit\n" + FACEBOOK)), "all of its header below"),
    ("r06-control-described-mixed", 6, MIXED, mixed(control(FACEBOOK), part(ARMOR, OCTETS)), "the same in another structure"),
    ("r06-control-described-text", 6, "partial + readable-part", mixed(text(FACEBOOK), control(), part(ARMOR, OCTETS)), "the same in a text"),
    ("r06-control-other-description", 6, "partial + readable-part", pgp_mime(ARMOR, first=control("Content-Description: Meet me\n\nVersion: 1\n")),
     "a description that nobody writes"),
    ("r06-control-described-only", 6, "partial + readable-part", pgp_mime(ARMOR, first=control("Content-Description: PGP/MIME Versions Identification\n")),
     "a description and no version"),
    ("r06-control-trailing-space", 6, MIME, pgp_mime(ARMOR, first=control("Version: 1  \n\n\n")),
     "white space after Version: 1"),
    ("r06-gpgol", 6, MIXED, gpgol(tree()), "what Exchange makes of GpgOL's"),
    ("r06-gpgol-other-field", 6, "partial pgp-inline text-outside", gpgol(cat("X-Note: meet me at eight\n", tree())), "another field in its header"),
    ("r06-gpgol-case", 6, MIXED, gpgol(tree(), "gpgol_mime_structure.mime"), "the same, small letters"),
    ("r06-gpgol-txt", 6, MIXED, gpgol(tree(), "GpgOL_MIME_structure.txt"), "the name that older GpgOL gave it"),
    ("r06-gpgol-other-name", 6, OUTSIDE, gpgol(tree(), "structure.mime"), "an attachment of another name is a document"),
    ("r06-gpgol-text-type", 6, OUTSIDE, gpgol(tree(), kind="text/plain"), "the same as a text"),
    ("r06-gpgol-epilogue", 6, OUTSIDE, gpgol(tree(epilogue="Meet me at eight.\n")), "text after it"),
    ("r06-gpgol-third", 6, OUTSIDE, gpgol(tree(more=(text("Meet me at eight.\n"),))), "a third part in it"),
    ("r06-gpgol-mbox-line", 6, OUTSIDE, gpgol(cat("From " + "Meet me at eight. " * 60 + "\n", tree())), "a long line before its header"),
    ("r06-gpgol-header", 6, OUTSIDE, gpgol(tree(header="X-Note: %s\nContent-Type: %s\n" % ("Meet me " * 130, ENCRYPTED))),
     "a text in its header"),
    ("r06-gpgol-inline", 6, OUTSIDE, gpgol(cat("Content-Type: text/plain\n\n", ARMOR)), "another structure in it"),
    ("r06-gpgol-cut", 6, OUTSIDE, gpgol(tree(close=False)), "its last boundary missing"),
    ("r06-gpgol-two", 6, "partial pgp-mixed text-outside", gpgol(tree(), more=(gpgol_part(tree()),)),
     "a second one is not looked into"),
    ("r06-gpgol-beside", 6, "partial pgp-mixed readable-part", gpgol(tree(), more=(text("Meet me at eight.\n"),)), "a readable part beside it"),
    ("r06-gpgol-field-mime", 6, "partial pgp-inline text-outside", gpgol(cat("Content-Note: meet me at eight\n", tree())), "a field that looks like one of MIME's"),
    ("r06-gpgol-parameter", 6, "partial pgp-inline text-outside", gpgol(tree().replace(b"multipart/encrypted;", b"multipart/encrypted; x-note=meet-me-at-eight;")), "a parameter that says something"),
    ("r06-gpgol-part-field", 6, "partial pgp-inline text-outside", gpgol(tree().replace(b"\n\nVersion", b"\nX-Note: meet me at eight\n\nVersion")), "another field in the header of a part of it"),
    ("r06-gpgol-report", 6, OUTSIDE, gpgol(tree()).replace(b"multipart/mixed;", b"multipart/report;"), "not in a report"),
    ("r06-gpgol-bad-armor", 6, "invalid - bad-armor", gpgol(tree(ARMOR.replace(b"\n\n", b"\n\n!\n", 1))), "faulty armor in it"),
    ("r06-control-cr", 6, MIME, pgp_mime(ARMOR, first=control("Version: 1\r\r\n")), "CR CR LF, as Exchange writes",
     {"lines": "exact"}),
    ("r06-control-base64", 6, MIME, pgp_mime(ARMOR, first=control(
        "VmVyc2lvbjogMQo=\n", CONTROL + "Content-Transfer-Encoding: base64\n")), "Version: 1 in base64"),
    ("r06-control-empty", 6, MIME, pgp_mime(ARMOR, first=control(
        "", CONTROL + "Content-Transfer-Encoding: base64\n")), "base64 of nothing, as FlowCrypt writes"),
    ("r06-control-version-2", 6, READABLE, pgp_mime(ARMOR, first=control("Version: 2\n")), "another version"),
    ("r06-control-more", 6, READABLE, pgp_mime(ARMOR, first=control("Version: 1\nMeet me at eight.\n")),
     "text after Version: 1"),
    ("r06-control-before", 6, READABLE, pgp_mime(ARMOR, first=control("Meet me\nVersion: 1\n")),
     "text before Version: 1"),
    ("r06-control-version-10", 6, READABLE, pgp_mime(ARMOR, first=control("Version: 10\n")), "Version: 1 goes on"),
    ("r06-second-text", 6, MIME, second("Content-Type: text/plain; charset=utf-8\n"), "another leaf type for the ciphertext"),
    ("r06-second-pgp", 6, MIME, second("Content-Type: application/pgp; x-action=encrypt\n"), "application/pgp"),
    ("r06-second-base64", 6, MIME, second(OCTETS + "Content-Transfer-Encoding: base64\n", b64(ARMOR)), "armor in base64"),
    ("r06-second-qp", 6, MIME, second(OCTETS + "Content-Transfer-Encoding: quoted-printable\n", qp(ARMOR)),
     "armor in quoted-printable"),
    ("r06-second-blank-lines", 6, MIME, pgp_mime(cat("\n \n", ARMOR, "\n\t\n\n")), "white space around the armor"),
    ("r06-second-two-armors", 6, MIXED, pgp_mime(ARMOR + OTHER), "two armored messages in the second part"),
    ("r06-second-binary", 6, MIXED, second("Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n", b64(message())),
     "unarmored ciphertext in the second part"),
    ("r06-wrong-order", 6, MIXED, pgp_mime(None, first=part(ARMOR, OCTETS), second=control()), "the parts in the wrong order"),
    ("r06-third-empty", 6, MIXED, pgp_mime(ARMOR, more=(text("\n"),)), "a third part, empty"),
    ("r06-third-readable", 6, READABLE, pgp_mime(ARMOR, more=(text("Meet me at eight.\n"),)), "a third part, readable"),
    ("r06-third-ciphertext", 6, MIXED, pgp_mime(ARMOR, more=(part(OTHER, OCTETS),)), "a third part, ciphertext"),
    ("r06-second-nested", 6, MIXED, pgp_mime(None, second=nested("mixed", part(ARMOR, OCTETS))),
     "the ciphertext in a multipart of its own"),
    ("r06-no-protocol", 6, MIXED, content('multipart/encrypted; boundary="b1"'), "no protocol parameter"),
    ("r06-other-protocol", 6, MIXED, content('multipart/encrypted; protocol="application/pgp"; boundary="b1"'),
     "another protocol"),
    ("r06-no-control", 6, "encrypted pgp-mixed ok", pgp_mime(ARMOR, first=""), "no control part"),
    ("r06-only-control", 6, "invalid - bad-structure", pgp_mime(ARMOR, second=""), "no ciphertext"),
    ("r06-second-readable", 6, "invalid - bad-structure", pgp_mime("Meet me at eight.\n"), "text in place of the ciphertext"),
    ("r06-second-empty", 6, "invalid - bad-structure", pgp_mime("\n"), "nothing in place of the ciphertext"),
    ("r06-mixed-of-parts", 6, MIXED, content(MULTI), "RFC 3156's parts in a multipart/mixed"),
    ("r06-exchange", 6, MIXED, mixed(*EXCHANGE), "what Exchange makes of PGP/MIME"),
    ("r06-exchange-text", 6, READABLE, mixed(text("Meet me\n"), *EXCHANGE[1:]), "Exchange's form, with text"),
    ("r06-bridge", 6, MIXED, mixed(text("Empty Message\n"), *EXCHANGE[1:]), "what ProtonMail Bridge makes of it"),
    ("r06-mailing-list", 6, READABLE,
     mixed(nested("encrypted", control(), part(ARMOR, OCTETS), params='; protocol="application/pgp-encrypted"'),
           text("_______\nlist mailing list\n")), "a mailing list's footer beside PGP/MIME"),
    ("r06-mailing-list-no-footer", 6, MIXED,
     mixed(nested("encrypted", control(), part(ARMOR, OCTETS), params='; protocol="application/pgp-encrypted"')),
     "PGP/MIME inside a multipart/mixed"),
]

RULE_7 = [
    ("r07-inline", 7, INLINE, mail(ARMOR, "text/plain; charset=utf-8"), "one armored text"),
    ("r07-two-inline", 7, INLINE, mixed(INLINE_TEXT, text(OTHER)), "two armored texts"),
    ("r07-inline-empty", 7, INLINE, mixed(INLINE_TEXT, text("\n \n")), "an armored text, and white space"),
    ("r07-inline-readable", 7, READABLE, mixed(INLINE_TEXT, text("Meet me at eight.\n")), "an armored and a readable text"),
    ("r07-readable-inline", 7, READABLE, mixed(text("Meet me at eight.\n"), INLINE_TEXT), "a readable and an armored text"),
    ("r07-readable", 7, NONE, mixed(text("Meet me at eight.\n"), text("x")), "readable texts"),
    ("r07-text", 7, NONE, mail("Meet me at eight.\n", "text/plain"), "one readable text"),
    ("r07-empty", 7, "cleartext - no-body", mail("", "text/plain"), "no body"),
    ("r07-blank", 7, "cleartext - no-body", mail("\n \t\n", "text/plain"), "a body of white space"),
    ("r07-empty-parts", 7, "cleartext - no-body", mixed(text("\n"), text("")), "empty parts only"),
    ("r07-attachment-gpg", 7, INLINE, mixed(INLINE_TEXT, part(
        b64(message("file")), 'Content-Type: application/octet-stream; name="a.pdf.gpg"\nContent-Transfer-Encoding: base64\n')),
     "an encrypted text and an encrypted attachment"),
    ("r07-attachment-zip", 7, READABLE, mixed(INLINE_TEXT, part(
        b64(b"PK\x03\x04" + noise(60)), "Content-Type: application/zip\nContent-Transfer-Encoding: base64\n")),
     "an encrypted text and another attachment"),
    ("r07-attachment-image", 7, READABLE, mixed(INLINE_TEXT, part(
        b64(b"\x89PNG\r\n\x1a\n" + noise(60)), "Content-Type: image/png\nContent-Transfer-Encoding: base64\n")),
     "a picture whose first octet has bit 7 set"),
    ("r07-signature-part", 7, INLINE, mixed(INLINE_TEXT, part(SIG, "Content-Type: application/pgp-signature\n")),
     "a detached signature beside"),
    ("r07-signature-part-text", 7, READABLE, mixed(INLINE_TEXT, part("Meet me\n", "Content-Type: application/pgp-signature\n")),
     "text that calls itself a detached signature"),
    ("r07-signature-part-ciphertext", 7, INLINE, mixed(INLINE_TEXT, part(OTHER, "Content-Type: application/pgp-signature\n")),
     "ciphertext that calls itself a detached signature is ciphertext"),
    ("r07-signature-part-headers", 7, "partial + armor-headers", mixed(INLINE_TEXT, part(
        armor(signature(), kind="SIGNATURE", headers=[("Comment", "%d" % i + "x" * 150) for i in range(2)]), "Content-Type: application/pgp-signature\n")),
     "more armor headers than a block may have, on a detached signature"),
    ("r07-signature-part-notation", 7, "invalid - bad-packet", mixed(INLINE_TEXT, part(
        b64(signature(notation=b"Meet me at the old bridge at eight. " * 20)),
        "Content-Type: application/pgp-signature\nContent-Transfer-Encoding: base64\n")),
     "a signature packet that is mostly text"),
    ("r07-signature-as-text", 7, READABLE, mixed(INLINE_TEXT, text(SIG)), "a signature in a text part"),
    ("r07-signature-part-outside", 7, "partial + readable-part",
     mixed(INLINE_TEXT, part(cat("Meet me\n", SIG), "Content-Type: application/pgp-signature\n")),
     "text before a detached signature"),
    ("r07-control-beside", 7, "encrypted pgp-mixed ok", mixed(INLINE_TEXT, control()), "a control part beside an armored text"),
    ("r07-empty-message", 7, INLINE, mixed(text("Empty Message"), INLINE_TEXT), "Empty Message counts as empty"),
    ("r07-empty-message-more", 7, READABLE, mixed(text("Empty Message!"), INLINE_TEXT), "Empty Message goes on"),
    ("r07-empty-message-case", 7, READABLE, mixed(text("empty message"), INLINE_TEXT), "Empty Message in other letters"),
    ("r07-empty-message-alone", 7, "cleartext - no-body", mail("Empty Message\n", "text/plain"), "Empty Message and no ciphertext"),
    ("r07-separator", 7, INLINE, mixed(INLINE_TEXT, text("-- \n")), "the separator -- counts as empty"),
    ("r07-separator-footer", 7, READABLE, mixed(INLINE_TEXT, text("-- \nlist\n")), "the separator, and a footer"),
    ("r07-separator-not-text", 7, READABLE,
     mixed(INLINE_TEXT, part("--\n", "Content-Type: application/octet-stream\n")), "the separator, not in a text part"),
    ("r07-depth-16", 7, INLINE, deep(16, text("\n")), "16 levels of multipart"),
    ("r07-nbsp-part", 7, MIXED, mixed(text("\xc2\xa0\n"), *[control(), part(ARMOR, OCTETS)]), "a part of one no-break space, as Exchange leaves it"),
    ("r07-nbsp-part-utf-16", 7, "partial + readable-part", mixed(text("\xc2\xa0\n", "text/plain; charset=utf-16"), control(), part(ARMOR, OCTETS)),
     "the same octets where they are a letter"),
    ("r07-depth-17", 7, "invalid - too-deep", deep(17, text("\n")), "17 levels of multipart"),
    ("r07-parts-1000", 7, INLINE, mixed(INLINE_TEXT, *["X:1\n\n"] * 998), "999 parts and the message itself"),
    ("r07-parts-1001", 7, "invalid - too-many-parts", mixed(INLINE_TEXT, *["X:1\n\n"] * 1000), "1,001 parts"),
    ("r07-parts-cleartext", 7, NONE, mixed(text("Meet me\n"), *["X:1\n\n"] * 1000), "1,001 parts, and no claim"),
]

RFC822 = cat(fields(), "Content-Type: text/plain\n\n")
RULE_8 = [
    ("r08-rfc822-alone", 8, "cleartext - no-openpgp", mixed(part(cat(RFC822, ARMOR), "Content-Type: message/rfc822\n")),
     "a forwarded message is readable, whatever it holds"),
    ("r08-rfc822-beside", 8, READABLE, mixed(INLINE_TEXT, part(cat(RFC822, ARMOR), "Content-Type: message/rfc822\n")),
     "a forwarded encrypted message beside ciphertext"),
    ("r08-rfc822-whole", 8, "cleartext - no-openpgp", mail(cat(RFC822, ARMOR), "message/rfc822"),
     "the whole message is a forwarded one"),
    ("r08-partial", 8, READABLE, mixed(INLINE_TEXT, part(
        cat(RFC822, ARMOR), 'Content-Type: message/partial; id="x"; number=1; total=1\n')), "message/partial"),
    ("r08-external", 8, READABLE, mixed(INLINE_TEXT, part(
        cat("Content-Type: text/plain\n\n"), 'Content-Type: message/external-body; access-type=x-url\n')), "message/external-body"),
    ("r08-global", 8, READABLE, mixed(INLINE_TEXT, part(cat(RFC822, ARMOR), "Content-Type: message/global\n")), "message/global"),
]

CTE = "Content-Transfer-Encoding: "


def encoded(body, encoding, kind="application/octet-stream"):
    return second("Content-Type: %s\n%s%s\n" % (kind, CTE, encoding), body)


B64 = b64(ARMOR)
BAD_ENCODING = "invalid - bad-encoding"
RULE_9 = [
    ("r09-7bit", 9, MIME, encoded(ARMOR, "7bit"), "7bit"),
    ("r09-8bit", 9, MIME, encoded(ARMOR, "8bit"), "8bit"),
    ("r09-binary", 9, MIME, encoded(ARMOR, "binary"), "binary"),
    ("r09-base64-case", 9, MIME, encoded(B64, "BASE64"), "letter case"),
    ("r09-base64-comment", 9, MIME, encoded(B64, "base64 (as usual)"), "a comment after the encoding"),
    ("r09-base64-one-line", 9, MIME, encoded(b64(ARMOR, 996), "base64"), "long base64 lines"),
    ("r09-base64-star", 9, BAD_ENCODING, encoded(B64[:40] + "*" + B64[40:], "base64"), "an octet that is not base64"),
    ("r09-base64-padding-inside", 9, BAD_ENCODING, encoded("TWVldCBtZQ==\n" + B64, "base64"), "data after padding"),
    ("r09-base64-cut", 9, BAD_ENCODING, encoded(B64.rstrip("\n=")[:-3] + "\n", "base64"), "a group that is not complete"),
    ("r09-base64-text-after", 9, BAD_ENCODING, encoded(b64(ARMOR + b"\n" * ((1 - len(ARMOR)) % 3)) + "Meet me\n", "base64"),
     "text after base64"),
    ("r09-base64-blank-lines", 9, MIME, encoded(B64.replace("\n", " \n\n"), "base64"), "white space among base64"),
    ("r09-base64-empty-text", 9, INLINE, mixed(INLINE_TEXT, text("\n", extra=CTE + "base64\n")), "base64 of nothing"),
    ("r09-qp", 9, MIME, encoded(qp(ARMOR), "Quoted-Printable"), "quoted-printable"),
    ("r09-qp-soft", 9, MIME, encoded(qp(ARMOR).replace(b"END", b"E=\nND"), "quoted-printable"), "a soft line break"),
    ("r09-qp-soft-space", 9, MIME, encoded(qp(ARMOR).replace(b"END", b"E= \t\nND"), "quoted-printable"),
     "white space after a soft line break"),
    ("r09-qp-bad-hex", 9, BAD_ENCODING, encoded(qp(ARMOR).replace(b"=3D", b"=ZZ"), "quoted-printable"), "= and no hex digits"),
    ("r09-qp-raw-equals", 9, BAD_ENCODING, encoded(ARMOR, "quoted-printable"), "a bare = (the checksum line)"),
    ("r09-uuencode", 9, BAD_ENCODING, encoded(ARMOR, "x-uuencode"), "an unknown encoding"),
    ("r09-unknown-on-readable", 9, NONE, mail("Meet me\n", "Content-Type: text/plain\n" + CTE + "x-uuencode\n"),
     "an unknown encoding, and no claim"),
    ("r09-7-bit", 9, MIME, encoded(ARMOR, "7-bit"), "7bit as scripts write it: nobody decodes it"),
    ("r09-8-bit", 9, INLINE, mail(ARMOR, "Content-Type: text/plain\n" + CTE + "8-bit\n"), "8bit as scripts write it"),
    ("r09-no-value", 9, INLINE, mail(ARMOR, "Content-Type: text/plain\n" + CTE + "\n"), "the field without a value"),
    ("r09-base-64", 9, BAD_ENCODING, encoded(B64, "base-64"), "base64 with a dash, which some may decode"),
    ("r09-multipart-7bit", 9, MIME, content(TYPE + CTE + "7bit\n"), "7bit on a multipart"),
    ("r09-multipart-binary", 9, MIME, content(TYPE + CTE + "binary\n"), "binary on a multipart"),
    ("r09-multipart-base64", 9, BAD_ENCODING, content(TYPE + CTE + "base64\n"), "base64 on a multipart"),
    ("r09-multipart-qp", 9, BAD_ENCODING, content(TYPE + CTE + "quoted-printable\n"), "quoted-printable on a multipart"),
    ("r09-multipart-unknown", 9, BAD_ENCODING, content(TYPE + CTE + "x-8bit\n"), "an unknown encoding on a multipart"),
    ("r09-inner-multipart-base64", 9, BAD_ENCODING,
     mixed(INLINE_TEXT, part(multi(text("\n"), boundary="in"),
                             'Content-Type: multipart/mixed; boundary="in"\n' + CTE + "base64\n")), "base64 on an inner multipart"),
]

BAD_ARMOR = "invalid - bad-armor"
MIDDLE = ARMOR.index(b"\n\n") + 40
RULE_10 = [
    ("r10-nul", 10, BAD_ARMOR, pgp_mime(ARMOR[:MIDDLE] + b"\0" + ARMOR[MIDDLE:]), "a NUL among the data"),
    ("r10-nul-after", 10, BAD_ARMOR, pgp_mime(ARMOR + b"\0"), "a NUL after the armor"),
    ("r10-bom", 10, BAD_ARMOR, pgp_mime(b"\xef\xbb\xbf" + ARMOR), "a byte order mark before the armor"),
    ("r10-8bit", 10, BAD_ARMOR, pgp_mime(ARMOR[:MIDDLE] + b"\xe9" + ARMOR[MIDDLE:]), "an 8-bit octet among the data"),
    ("r10-crlf", 10, MIME, pgp_mime(ARMOR).replace(b"\n", b"\r\n"), "CR LF", {"lines": "exact"}),
    ("r10-mixed-line-ends", 10, MIME, pgp_mime(ARMOR.replace(b"\n", b"\r\n")), "CR LF in the armor alone",
     {"lines": "exact"}),
    ("r10-cr-crlf", 10, MIME, pgp_mime(ARMOR.replace(b"\n", b"\r\r\n")), "CR CR LF: the lone CR is white space",
     {"lines": "exact"}),
    ("r10-cr-in-data", 10, BAD_ARMOR, pgp_mime(ARMOR[:MIDDLE] + b"\r" + ARMOR[MIDDLE:]), "a lone CR among the data"),
    ("r10-cr-only", 10, "invalid - bad-structure", pgp_mime(ARMOR.replace(b"\n", b"\r") + b"\n"), "lone CRs end no line",
     {"lines": "exact"}),
    ("r10-cr-before-text", 10, OUTSIDE, pgp_mime(ARMOR + b"\rMeet me\n"), "a lone CR does not hide text"),
]

RULE_11 = [
    ("r11-no-header", 11, INLINE, ARMOR, "no header at all"),
    ("r11-no-header-empty-line", 11, INLINE, b"\n" + ARMOR, "an empty header"),
    ("r11-no-header-text", 11, NONE, b"\nMeet me at eight.\n", "an empty header and text"),
    ("r11-no-content-type", 11, INLINE, mail(ARMOR), "no Content-Type"),
    ("r11-no-content-type-text", 11, NONE, mail("Meet me at eight.\n"), "no Content-Type, and text"),
    ("r11-no-mime-version", 11, MIME, content(ENCRYPTED, version=False), "Content-Type without MIME-Version"),
    ("r11-type-text", 11, INLINE, mail(ARMOR, "text"), "a type without its second half, as old Unix mailers write it"),
    ("r11-type-empty", 11, INLINE, mail(ARMOR, "Content-Type:\n"), "a Content-Type without a value"),
    ("r11-type-empty-digest", 11, AMBIGUOUS, mail(multi(part(ARMOR, "Content-Type:\n")), 'multipart/digest; boundary="b1"'),
     "an empty Content-Type in a digest: text to one, a message to another"),
    ("r11-type-text-charset", 11, AMBIGUOUS, mail(ARMOR, "text; charset=utf-7"), "half a type, and a parameter that some may read"),
    ("r11-part-no-header", 11, AMBIGUOUS, mixed(part(ARMOR)), "a part without header"),
    ("r11-part-no-header-text", 11, AMBIGUOUS, mixed(INLINE_TEXT, part("Meet me at eight.\n")), "a part without header, and text"),
    ("r11-mbox-line", 11, MIME, cat("From alice@sender.example Mon Nov  2 10:11:12 2026\n", content(ENCRYPTED)),
     "an mbox line before the header"),
]


def charset(name):
    return mail(ARMOR, 'text/plain; charset="%s"' % name)


RULE_12 = [("r12-" + name.lower().replace("'", "quoted-", 1).strip("'").replace("+", "plus-").replace(" ", "-blank-").replace("@", "-at-").replace(".", "-dot-"), 12, "invalid - bad-charset", charset(name), "charset " + name)
           for name in ("utf-7", "UTF-16", "utf-16le", "UTF-16BE", "utf-32", "UTF-32BE", "ISO-10646-UCS-2",
                        "ucs-4", "unicode-1-1-utf-7", "csUnicode", "HZ-GB-2312", "'utf-7'", "+utf-7", "ut f-7", "utf@7", "utf--7", "u.t.f.7", "utf-7-imap", "x-nonsense",
                        "cp037", "ibm870", "windows-1200", "iso-8859-1-x", "utf-8 ", "unicode", "iso-2022-kr")]
RULE_12 += [("r12-" + name.lower(), 12, INLINE, charset(name), "charset " + name)
            for name in ("us-ascii", "utf-8", "iso-8859-15", "windows-1252", "koi8-r", "UTF8", "ISO-8859-8-I", "GB18030", "Big5",
                         "Shift_JIS", "ISO-2022-JP", "EUC-KR", "ks_c_5601-1987", "x-unknown", "latin1", "windows-874", "iso-2022-jp-2", "iso-2022-jp-ms", "x-user-defined", "unknown", "us_ascii", "ISO8859_1", "macroman", "x-gbk", "csISOLatin1", "x-sjis", "x-euc-jp", "cp65001", "UTF-8-MAC",
                         "unicode-1-1-utf-8", "iso-ir-100", "latin2", "x-mac-cyrillic", "cp862", "binary")]
RULE_12 += [
    ("r12-two", 12, "invalid - bad-charset", mail(ARMOR, "text/plain; charset=utf-8; charset=utf-7"), "two charsets, one of them bad"),
    ("r12-empty", 12, INLINE, charset(""), "an empty charset"),
]
RULE_12 += [
    ("r12-utf-7-pgp-mime", 12, "invalid - bad-charset", second("Content-Type: application/octet-stream; charset=utf-7\n"),
     "charset utf-7 on PGP/MIME's second part"),
    ("r12-utf-7-cleartext", 12, NONE, mail("Meet me at eight.\n", "text/plain; charset=utf-7"), "charset utf-7, and no claim"),
]


def noted(n):
    """PGP/MIME whose second part's header has n octets, line ends not counted."""
    need = n - len(OCTETS.replace("\n", ""))
    lines = []
    while need > 80:
        lines.append("X-Note: " + "x" * 62 + "\n")
        need -= 70
    return OCTETS + "".join(lines) + "X-Note: " + "x" * (need - 8) + "\n"


SENTENCE = "meet me at eight at the old bridge and bring the numbers of the third quarter "
DATES = ('size=12;\n\tcreation-date="Tue, 03 Nov 2026 10:11:12 GMT";\n\tmodification-date="Tue, 03 Nov 2026 10:11:12 GMT"\n'
         "Content-ID: <A0B1C2D3E4F5061728394A5B6C7D8E9F@namprd10.prod.outlook.example>\nContent-Transfer-Encoding: base64\n")
OUTLOOK_CONTROL = ('Content-Type: application/pgp-encrypted;\n\tname="PGPMIME version identification"\n'
                   "Content-Description: PGPMIME version identification\n"
                   'Content-Disposition: attachment;\n\tfilename="PGPMIME version identification"; ' + DATES)
OUTLOOK_DATA = ('Content-Type: application/octet-stream; name="encrypted.asc"\nContent-Description: encrypted.asc\n'
                'Content-Disposition: attachment; filename="encrypted.asc"; ' + DATES)

def outlook(name):
    return ('Content-Type: application/octet-stream; name="%s"\nContent-Description: %s\nContent-Disposition: attachment; filename="%s"; size=1234;\n'
            '\tcreation-date="Mon, 02 Nov 2026 09:11:12 GMT";\n\tmodification-date="Mon, 02 Nov 2026 09:11:12 GMT"\n'
            'Content-ID: <AB12CD34EF56@sender01.mail.sender.example>\nContent-Transfer-Encoding: base64\n' % (name, name, name))


RULE_33 = [
    ("r33-description-known", 33, MIME, second(OCTETS + "Content-Description: OpenPGP encrypted message\n"), "a usual description"),
    ("r33-description-name", 33, MIME, second(OCTETS + "Content-Description: encrypted.asc\n"), "a description that is the file's name"),
    ("r33-description", 33, "partial + part-headers", second(OCTETS + "Content-Description: meet me at eight\n"), "a description that mutt shows in the body"),
    ("r33-description-word", 33, "partial + part-headers", second(OCTETS + "Content-Description: zqcanary\n"), "one word of description"),
    ("r33-description-folded", 33, "partial + part-headers", second("Content-Description: message\n meet me\n" + OCTETS), "a folded description"),
    ("r33-description-encoded", 33, "partial + part-headers", second(OCTETS + "Content-Description: =?utf-8?q?meet_me?=\n"), "an encoded description"),
    ("r33-descriptions-many", 33, "partial + part-headers", mixed(INLINE_TEXT, *[text("\n", extra="Content-Description: meet me at eight\n")] * 20),
     "descriptions of empty parts"),
    ("r33-usual", 33, MIME, second(noted(300)), "a part header of 300 octets"),
    ("r33-large", 33, "partial + part-headers", second(noted(450)), "more than 256 octets of a field that says something"),
    ("r33-files-outlook", 33, INLINE, mixed(INLINE_TEXT, *[part(b64(message(str(i))), outlook("IMG_20261102_1011%02d.jpg.gpg" % i)) for i in range(25)]),
     "25 encrypted files with the headers that Outlook gives them"),
    ("r33-files-outlook-empty", 33, "partial + part-headers", mixed(INLINE_TEXT, *[part("", outlook("a.gpg")) for i in range(30)]),
     "such headers, and no files"),
    ("r33-all-large", 33, INLINE, mixed(INLINE_TEXT, *[part("", noted(330))] * 9), "such fields of 1,800 octets in all"),
    ("r33-all-too-large", 33, "partial + part-headers", mixed(INLINE_TEXT, *[part("", noted(330))] * 11), "such fields of 2,250 octets in all"),
    ("r33-parameter", 33, "partial + part-headers", second('Content-Type: application/octet-stream; note="%s"\n' % (SENTENCE * 4)), "a parameter that nobody knows"),
    ("r33-comment", 33, "partial + part-headers", second("Content-Type: application/octet-stream (%s)\n" % (SENTENCE * 4)), "a comment"),
    ("r33-comment-encoding", 33, "partial + part-headers", second("Content-Transfer-Encoding: 7bit (%s)\n" % (SENTENCE * 4)), "a comment in another field"),
    ("r33-comment-sentence", 33, "partial + part-headers", second("Content-Type: application/octet-stream (%s)\n" % SENTENCE.strip()), "one sentence, which s-nail prints"),
    ("r33-comment-short", 33, MIME, second("Content-Type: application/octet-stream (OpenPGP data)\nContent-Transfer-Encoding: 7bit (ASCII)\n"), "comments of a few letters"),
    ("r33-comments-many", 33, "partial + part-headers", mixed(*[text(ARMOR, "text/plain (%s)" % word) for word in SENTENCE.split()]), "a word in each of many comments"),
    ("r33-comments-encodings", 33, "partial + part-headers", mixed(*[part(ARMOR, "Content-Transfer-Encoding: 7bit (%s)\n" % word) for word in SENTENCE.split()]), "the same in another field"),
    ("r33-marks", 33, INLINE, mixed(*[part(ARMOR, "Content-ID: <%s>\n" % ("ab1" * 25)) for i in range(40)]), "identifiers of 2,000 letters in all"),
    ("r33-marks-many", 33, "partial + part-headers", mixed(*[part(ARMOR, "Content-ID: <%s>\n" % ("ab1" * 25)) for i in range(42)]), "of 2,100"),
    ("r33-marks-dates", 33, INLINE, mixed(*[part(ARMOR, 'Content-Disposition: attachment; size=1234; creation-date="Mon, 02 Nov 2026 10:11:12 GMT"; modification-date="Mon, 02 Nov 2026 10:11:12 GMT"\n') for i in range(100)]), "dates and numbers count nothing"),
    ("r33-marks-dates-text", 33, "partial + part-headers", mixed(*[part(ARMOR, 'Content-Disposition: attachment; creation-date="Meet me at eight, at the old bridge"\n') for i in range(80)]), "dates that are none"),
    ("r33-marks-report-type", 33, "partial + part-headers", mixed(*[part(ARMOR, 'Content-Type: application/octet-stream; report-type="%s"\n' % (SENTENCE * 4)) for i in range(9)]), "a parameter that has its meaning elsewhere"),
    ("r33-content-id", 33, "partial + part-headers", second("Content-ID: <%s>\n" % (SENTENCE * 4)), "an identifier of words"),
    ("r33-disposition", 33, "partial + part-headers", second("Content-Disposition: %s\n" % (SENTENCE * 4).replace(" ", "-")), "a disposition that is none"),
    ("r33-name", 33, "partial + part-headers", second('Content-Type: application/octet-stream; name="%s.asc"\n' % SENTENCE), "a name of a file that is a sentence"),
    ("r33-name-64", 33, MIME, second('Content-Type: application/octet-stream; name="%s.asc"\n' % ("x" * 60)), "a name of 64 characters"),
    ("r33-name-65", 33, "partial + part-headers", second('Content-Type: application/octet-stream; name="%s.asc"\n' % ("x" * 61)), "a name of 65"),
    ("r33-name-utf-8", 33, MIME, second("Content-Disposition: attachment; filename*=utf-8''%s.asc\n" % ("%E6%97%A5" * 60)), "64 characters, of which 60 take nine octets each"),
    ("r33-name-word", 33, "partial + part-headers", second('Content-Disposition: inline; filename="=?utf-8?Q?%s=2Easc?="\n' % SENTENCE.replace(" ", "_")), "a sentence as encoded word"),
    ("r33-name-base64", 33, "partial + part-headers", second('Content-Disposition: inline; filename="=?utf-8?B?%s?=\n =?utf-8?B?%s?="\n' % (
        b64(SENTENCE[:45]).strip(), b64(SENTENCE[45:]).strip())), "a sentence in two encoded words"),
    ("r33-name-2231", 33, "partial + part-headers", second("Content-Disposition: inline; filename*=utf-8''%s.asc\n" % SENTENCE.replace(" ", "%20")), "a sentence in the form of RFC 2231"),
    ("r33-name-2231-pieces", 33, "partial + part-headers", second('Content-Disposition: inline; filename*0="%s"; filename*1="%s"; filename*2=".asc"\n' % (SENTENCE[:40], SENTENCE[40:])),
     "a sentence in its pieces"),
    ("r33-name-described", 33, "partial + part-headers", second('Content-Type: application/octet-stream; name="%s.asc"\nContent-Description: %s.asc\n' % (SENTENCE, SENTENCE)),
     "a sentence that is name and description"),
    ("r33-name-root", 33, "partial pgp-inline part-headers", mail(ARMOR, 'text/plain; name="%s.asc"' % SENTENCE), "a name in the message's own header"),
    ("r33-description-horde", 33, MIME, pgp_mime(ARMOR, content=ENCRYPTED + "\nContent-Description: PGP-verschl\u00fcsselte Daten"), "Horde's description of the whole, in another language"),
    ("r33-description-horde-word", 33, MIME, pgp_mime(ARMOR, content=ENCRYPTED + "\nContent-Description: =?utf-8?b?UEdQLXZlcnNjaGzDvHNzZWx0ZSBEYXRlbg==?="), "the same as an encoded word"),
    ("r33-description-horde-long", 33, "partial pgp-mixed part-headers", pgp_mime(ARMOR, content=ENCRYPTED + "\nContent-Description: %s" % (SENTENCE + SENTENCE)), "a long one"),
    ("r33-description-root", 33, "partial pgp-inline part-headers", mail(ARMOR, "Content-Type: text/plain\nContent-Description: %s\n" % SENTENCE), "a description in the message's own header"),
    ("r33-description-pegasus", 33, INLINE, mail(ARMOR, "Content-type: text/plain; charset=US-ASCII\nContent-description: Mail message body\n"), "Pegasus Mail's"),
    ("r33-names-many", 33, "partial + part-headers", mixed(INLINE_TEXT, *[text("\n", 'image/png; name="%s.png"' % word) for word in (SENTENCE * 5).split()]), "a word on each of many empty parts"),
    ("r33-names-files", 33, INLINE, mixed(INLINE_TEXT, *[part(ARMOR, 'Content-Disposition: attachment; filename="report number %d.pdf.asc"\n' % i) for i in range(20)]), "twenty files"),
    ("r33-type", 33, "partial + part-headers", second("Content-Type: application/%s\n" % SENTENCE.replace(" ", "-")), "a type that is a sentence"),
    ("r33-type-long", 33, MIME, second("Content-Type: application/vnd.openxmlformats-officedocument.presentationml.presentation\n"), "the longest of usual types"),
    ("r33-types-many", 33, "partial + part-headers", mixed(INLINE_TEXT, *[part("\n", "Content-Type: x-%s/x\n" % word) for word in (SENTENCE * 5).split()]), "a word in each of many types"),
    ("r33-outlook", 33, MIXED, mixed(text("\n"), part(b64("Version: 1\r\n"), OUTLOOK_CONTROL),
                                      part(b64(ARMOR), OUTLOOK_DATA)), "what Exchange Online writes"),
    ("r33-own-header", 33, MIME, content(TYPE + "X-Note: %s\n" % ("x" * 900) * 4), "the message's own header is not the body"),
]

CASES = RULE_1 + RULE_2 + RULE_3 + RULE_4 + RULE_5 + RULE_6 + RULE_7 + RULE_8 + RULE_9 + RULE_10 + RULE_11 \
    + RULE_12 + RULE_33
