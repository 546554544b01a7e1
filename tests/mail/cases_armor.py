# SPDX-License-Identifier: ISC
"""Golden cases for rules 13 to 18: armor. Rows as in cases_mime.py."""

from mimeparts import *
from pgppackets import *

DATA = message()
ARMOR = armor(DATA)
OTHER = armor(message("other"))
INLINE = "encrypted pgp-inline ok"
OUTSIDE = "partial + text-outside"
BAD_ARMOR = "invalid - bad-armor"
HEADERS = "partial + armor-headers"
NONE = "cleartext - no-openpgp"
B, E = b"-----BEGIN PGP MESSAGE-----", b"-----END PGP MESSAGE-----"


def tails(*behind):
    """Armor with such behind its lines, by turns."""
    return cat(*[line + behind[i % len(behind)] + b"\n" for i, line in enumerate(armor(message("tails", n=2000)).split(b"\n")[:-1])])


BARS = b"".join(b"\xa0" * n + b"\n" for n in (9, 3, 9, 3, 9))


def inline(*pieces):
    return mail(cat(*pieces), "text/plain; charset=utf-8")


def mixed(*bodies):
    return mail(multi(*[text(b) for b in bodies]), 'multipart/mixed; boundary="b1"')


def with_headers(*pairs, **kw):
    return inline(armor(DATA, headers=pairs, **kw))



def drawn(data, at, dark="M", light="+"):
    """Armor in which, from line `at` on, dark characters draw letters on light ones."""
    rows = ["#   #  #####  #####  #####", "## ##  #      #        #  ", "# # #  ####   ####     #  ", "#   #  #      #        #  ", "#   #  #####  #####    #  "]
    lines = armor(data).split(b"\n")
    for k, row in enumerate(rows):
        row = row.center(64)
        lines[at + k] = "".join((dark if c == "#" else light)[(7 * k + 5 * i + i * i) % len(dark)] for i, c in enumerate(row)).encode()
    return b"\n".join(lines)


RULE_13 = [
    ("r13-begin-trailing-space", 13, INLINE, inline(ARMOR.replace(B, B + b" \t")), "white space after BEGIN"),
    ("r13-end-trailing-space", 13, INLINE, inline(ARMOR.replace(E, E + b"  ")), "white space after END"),
    ("r13-begin-indented", 13, "cleartext - no-openpgp", inline(ARMOR.replace(B, b" " + B)), "an indented BEGIN"),
    ("r13-begin-goes-on", 13, "cleartext - no-openpgp", inline(ARMOR.replace(B, B + b" now")), "text after BEGIN"),
    ("r13-begin-lower-case", 13, "cleartext - no-openpgp", inline(ARMOR.replace(B, b"-----begin pgp message-----")), "BEGIN in lower case"),
    ("r13-begin-four-dashes", 13, "cleartext - no-openpgp", inline(ARMOR.replace(B, B[1:])), "four dashes"),
    ("r13-part-1-of-1", 13, "cleartext - no-openpgp", inline(ARMOR.replace(b"MESSAGE", b"MESSAGE, PART 1/1")), "a message in parts"),
    ("r13-text-before", 13, OUTSIDE, inline("Hi Bob,\n", ARMOR), "text before the armor"),
    ("r13-text-after", 13, OUTSIDE, inline(ARMOR, "\nCheers, Alice\n"), "text after the armor"),
    ("r13-list-footer", 13, OUTSIDE, inline(ARMOR, "-- \nlist mailing list\n"), "a list's footer"),
    ("r13-separator-after", 13, "partial + text-outside", inline(ARMOR, "-- \n"), "the bare separator after the armor"),
    ("r13-space-around", 13, INLINE, inline("\n \n", ARMOR, "\n\n\t\n"), "white space around the armor"),
    ("r13-nbsp-after", 13, INLINE, inline(ARMOR, "\xc2\xa0\n"), "a line of one no-break space after the armor"),
    ("r13-nbsp-before", 13, INLINE, inline("\xc2\xa0\n", ARMOR), "and before it"),
    ("r13-nbsp-latin-1", 13, INLINE, mail(cat(ARMOR, "\xa0\n"), 'text/plain; charset="iso-8859-1"'), "the same in Latin-1"),
    ("r13-zero-width", 13, INLINE, inline("\xe2\x80\x8b\n", ARMOR, "\xef\xbb\xbf \xe2\x80\x8c\n"), "spaces of no width around it"),
    ("r13-wide-space", 13, INLINE, inline(ARMOR, "\xe3\x80\x80\n"), "an ideographic space"),
    ("r13-spaces-utf-8", 13, INLINE, inline(ARMOR, "\xc2\xa0\xe3\x80\x80\n" * 40, "\xe2\x80\x8b\n" * 9), "many of them, in their character set"),
    ("r13-spaces-few", 13, INLINE, mail(cat(ARMOR, "\xc2\xa0\n" * 16), "text/plain"), "a few in no character set"),
    ("r13-spaces-many", 13, OUTSIDE, mail(cat(ARMOR, "\xc2\xa0\n" * 17), "text/plain"), "more: to some programs they are letters"),
    ("r13-spaces-bars", 13, OUTSIDE, mail(cat(ARMOR, b"\xa0" * 9, "\n", b"\xa0" * 3, "\n", b"\xa0" * 9, "\n", b"\xa0" * 3, "\n", b"\xa0" * 9, "\n"), "text/plain; charset=koi8-r"),
     "a letter of bars, which that octet is in KOI8"),
    ("r13-spaces-charsets", 13, OUTSIDE, mail(cat(ARMOR, BARS), "text/plain; charset=koi8-r; charset=iso-8859-1"), "the same where two are said"),
    ("r13-spaces-number", 13, OUTSIDE, mail(cat(ARMOR, BARS), "text/plain; charset=iso-8859-99"), "in a character set that there is not"),
    ("r13-spaces-number-windows", 13, OUTSIDE, mail(cat(ARMOR, BARS), "text/plain; charset=windows-1259"), "in another"),
    ("r13-spaces-number-last", 13, INLINE, mail(cat(ARMOR, BARS), "text/plain; charset=iso-8859-16"), "in one that there is"),
    ("r13-spaces-charset-twice", 13, INLINE, mail(cat(ARMOR, BARS), "text/plain; charset=iso-8859-1; charset=windows-1252"), "two that agree"),
    ("r13-tails", 13, INLINE, mail(tails(b"\xa0 \xa0 \xa0"), "text/plain"), "the same octets behind each line of armor"),
    ("r13-tails-koi8", 13, OUTSIDE, mail(tails(b"\xa0\xa0\xa0", b"\xa0  \xa0 \xa0"), "text/plain; charset=koi8-r"), "as many, in other places"),
    ("r13-tails-utf-8", 13, OUTSIDE, inline(tails(b"\xa0\xa0\xa0", b"\xa0  \xa0 \xa0")), "the same in UTF-8"),
    ("r13-tails-form-feed", 13, OUTSIDE, inline(tails(b"\x0c\x0c\x0c", b"\x0c  \x0c \x0c")), "the same of form feeds"),
    ("r13-tails-long", 13, OUTSIDE, mail(tails(b"\xa0" * 65), "text/plain"), "more than is compared"),
    ("r13-spaces-tolerated", 13, OUTSIDE, mail(cat(ARMOR, BARS), "text/plain; charset=koi8-r"), "bars count octet by octet", {"max_cleartext_bytes": 2, "meets": "no"}),
    ("r13-tails-tolerated", 13, OUTSIDE, mail(tails(b"\xa0\xa0\xa0", b"\xa0  \xa0 \xa0"), "text/plain"), "so do those behind armor", {"max_cleartext_bytes": 30, "meets": "no"}),
    ("r13-spaces-form-feed", 13, OUTSIDE, inline(ARMOR, *["\x0c" * n + "\n" for n in (9, 3, 9, 3, 9)]), "a letter of form feeds, which terminals show as signs"),
    ("r13-spaces-form-feed-few", 13, INLINE, inline(ARMOR, "\x0c\n" * 9), "a few of them"),
    ("r13-spaces-cr", 13, OUTSIDE, inline(ARMOR, *["\r" * n + " \n" for n in (12, 4, 12, 4, 12)]), "a letter of carriage returns"),
    ("r13-spaces-no-width", 13, OUTSIDE, inline(ARMOR, *["\xe2\x80\x8b" * n + "\n" for n in (9, 3, 9, 3, 9)]), "a letter of spaces without a width"),
    ("r13-spaces-signs", 13, OUTSIDE, inline(ARMOR, b"\xa0" * 33, "\n"), "octets that are no characters in UTF-8, and are shown as such"),
    ("r13-nbsp-text", 13, OUTSIDE, inline(ARMOR, "\xc2\xa0x\n"), "a letter behind a no-break space"),
    ("r13-direction-mark", 13, OUTSIDE, inline(ARMOR, "\xe2\x80\x8e\n"), "a mark that is no space"),
    ("r13-half-character", 13, OUTSIDE, inline(ARMOR, "\xe2\x80\n"), "two octets of three"),
    ("r13-two", 13, INLINE, inline(ARMOR, "\n", OTHER), "two blocks"),
    ("r13-two-adjacent", 13, INLINE, inline(ARMOR, OTHER), "two blocks without an empty line between"),
    ("r13-text-between", 13, OUTSIDE, inline(ARMOR, "and\n", OTHER), "text between two blocks"),
    ("r13-second-bad", 13, "invalid - not-encrypted", inline(ARMOR, armor(literal())), "a second block that is not encrypted"),
    ("r13-nested-begin", 13, BAD_ARMOR, inline(ARMOR.replace(b"\n\n", b"\n\n" + B + b"\n\n")), "BEGIN twice"),
    ("r13-end-of-other", 13, BAD_ARMOR, inline(ARMOR.replace(E, b"-----END PGP SIGNATURE-----")), "END of another kind"),
    ("r13-end-goes-on", 13, "invalid - bad-armor", inline(ARMOR.replace(E, E + b" Meet me")), "text after END on its line"),
    ("r13-tolerated", 13, OUTSIDE, inline(ARMOR, "0123456789\n"), "ten octets of cleartext, ten tolerated",
     {"max_cleartext_bytes": 10, "meets": "yes"}),
    ("r13-tolerated-too-much", 13, OUTSIDE, inline(ARMOR, "0123456789\n"), "ten octets of cleartext, nine tolerated",
     {"max_cleartext_bytes": 9, "meets": "no"}),
    ("r13-tolerated-footer-part", 13, "partial + readable-part", mixed(ARMOR, "list footer\n"), "a footer part, tolerated", {"max_cleartext_bytes": 100, "meets": "yes"}),
    ("r13-tolerated-no-ciphertext", 13, NONE, inline("Hi\n"), "tolerance makes nothing of cleartext alone",
     {"max_cleartext_bytes": 100, "meets": "no"}),
]

EIGHT = [("Key-%d" % i, "value") for i in range(8)]


def measured(n):
    """Header pairs whose lines have n octets in all, line ends not counted."""
    pairs = []
    while n > 200:
        pairs.append(("Comment", "%d" % len(pairs) + "x" * (150 - len("Comment: ") - 1)))
        n -= 150
    return pairs + [("Comment", "y" * (n - len("Comment: ")))]


RULE_14 = [
    ("r14-tag", 14, "partial pgp-inline armor-headers", inline(armor(DATA, [("Comment", "<pre><u>")])), "a tag, where a program takes the part for HTML"),
    ("r14-tag-attributes", 14, "partial pgp-inline armor-headers", inline(armor(DATA, [("Comment", "x <img/src=http://a@sender.example>")])), "one that is not quite an address"),
    ("r14-address", 14, INLINE, inline(armor(DATA, [("Comment", "Alice <alice@sender.example> <https://sender.example/key>, a < b <- c <3")])), "an address and a link are none"),
    ("r14-usual", 14, INLINE, with_headers(("Version", "GnuPG v2"), ("Comment", "see https://gnupg.example/")), "Version and Comment"),
    ("r14-all-known", 14, INLINE, with_headers(("Version", "1"), ("Comment", "c"), ("Charset", "utf-8"), ("MessageID", "x" * 32),
                                               ("Hash", "SHA256")), "every known key"),
    ("r14-unknown", 14, INLINE, with_headers(("X-Flavour", "vanilla")), "an unknown key"),
    ("r14-two-comments", 14, INLINE, with_headers(("Comment", "one"), ("Comment", "two")), "a key twice"),
    ("r14-utf-8", 14, INLINE, with_headers(("Comment", "Grüße, 世界")), "UTF-8"),
    ("r14-latin-1", 14, INLINE, inline(armor(DATA, raw_headers=b"Comment: Gr\xfc\xdfe\n")), "8-bit octets that are not UTF-8"),
    ("r14-empty-value", 14, INLINE, inline(armor(DATA, raw_headers=b"Comment: \n")), "an empty value"),
    ("r14-eight", 14, INLINE, with_headers(*EIGHT), "eight lines"),
    ("r14-nine", 14, HEADERS, with_headers(*EIGHT, ("Key-8", "value")), "nine lines"),
    ("r14-line-200", 14, INLINE, with_headers(("Comment", "x" * 191)), "a line of 200 octets"),
    ("r14-line-201", 14, HEADERS, with_headers(("Comment", "x" * 192)), "a line of 201 octets"),
    ("r14-line-427", 14, HEADERS, with_headers(("Comment", "https://links.example/?url=" + "x%2F" * 100)), "an address that a gateway rewrote",
     {"max_cleartext_bytes": 500, "meets": "yes"}),
    ("r14-line-1500", 14, HEADERS, with_headers(("Comment", "x" * 1491)), "a line of 1,500 octets"),
    ("r14-line-1500-control", 14, BAD_ARMOR, with_headers(("Comment", "x" * 1400 + "\x1b")), "a control octet far behind"),
    ("r14-block-256", 14, INLINE, with_headers(*measured(256)), "256 octets of headers in a block"),
    ("r14-block-257", 14, HEADERS, with_headers(*measured(257)), "257 octets of headers in a block"),
    ("r14-all-repeated", 14, INLINE, inline(*[armor(DATA, headers=[("Comment", "x" * 191)]) for _ in range(8)]),
     "1,600 octets of headers in all, the same line repeated"),
    ("r14-all-1000", 14, INLINE, inline(*[armor(DATA, headers=[("Comment", "%d" % i + "x" * 190)]) for i in range(5)]),
     "1,000 octets of headers in all"),
    ("r14-all-1200", 14, HEADERS, inline(*[armor(DATA, headers=[("Comment", "%d" % i + "x" * 190)]) for i in range(6)]),
     "1,200 octets of headers in all"),
] + [
    ("r14-field-" + name.lower(), 14, BAD_ARMOR, with_headers((name, value)), "a header that could be a part's: " + name)
    for name, value in (("Content-Type", "text/plain"), ("content-transfer-encoding", "base64"), ("Content-Disposition", "inline"),
                        ("MIME-Version", "1.0"), ("CONTENT-Description", "meet me"), ("Subject", "meet me"),
                        ("From", "alice"), ("Date", "today"), ("Message-ID", "<1@a>"), ("Resent-To", "bob"), ("Received", "by a"))
] + [
    ("r14-dictionary", 14, HEADERS, inline(*[armor(DATA, headers=[(w, "") for w in words])
                                             for words in zip("meet me at eight behind the old church and".split() * 20,
                                                              "bring the money with you and the keys as".split() * 20)]),
     "words out of a dictionary, in any order, as headers of many blocks"),
    ("r14-two-kinds", 14, INLINE, inline(*[armor(DATA, headers=[("Version", v)]) for v in ("1", "2", "1", "2")]),
     "blocks of two programs"),
    ("r14-first-without", 14, INLINE, inline(ARMOR, *[armor(DATA, headers=[("Comment", "x" * 100)]) for _ in range(9)]),
     "a first block without headers, nine with"),
    ("r14-first-without-many", 14, HEADERS, inline(ARMOR, *[armor(DATA, headers=[("Comment", "x" * 100)]) for _ in range(10)]),
     "a first block without headers, ten with"),
    ("r14-control-octet", 14, BAD_ARMOR, with_headers(("Comment", "a\x1b[2Jb")), "a control octet"),
    ("r14-key-markup", 14, BAD_ARMOR, inline(armor(DATA, headers=[("<br>&#77;eet", "me")])), "a key that is markup"),
    ("r14-key-exclaims", 14, BAD_ARMOR, inline(armor(DATA, headers=[("Meet-me!", "now")])), "a key that is none"),
    ("r14-key-usual", 14, INLINE, inline(armor(DATA, headers=[("X-Key_1.2", "a")])), "a key of all that may be in one"),
    ("r14-no-colon", 14, BAD_ARMOR, inline(armor(DATA, raw_headers=b"Meet me at eight\n")), "a line that is no header"),
    ("r14-tolerated", 14, HEADERS, with_headers(*measured(300)), "too many octets of headers, tolerated", {"max_cleartext_bytes": 400, "meets": "yes"}),
    ("r14-pgp-mime", 14, "encrypted pgp-mime ok", pgp_mime(armor(DATA, headers=[("Version", "Mailvelope v4"),
                                                                             ("Comment", "https://mailvelope.example")])), "headers in PGP/MIME"),
]

RULE_15 = [
    ("r15-no-blank", 15, INLINE, with_headers(("Version", "GnuPG v2"), blank=""), "no empty line after headers"),
    ("r15-no-blank-no-headers", 15, INLINE, inline(armor(DATA, blank="")), "no empty line, no headers"),
    ("r15-no-blank-late-header", 15, BAD_ARMOR, inline(ARMOR.replace(b"\n\n", b"\n").replace(
        b"\n=", b"\nMeet: me\n=")), "no empty line, and a header among the data"),
    ("r15-late-header", 15, BAD_ARMOR, inline(ARMOR.replace(b"\n\n", b"\n\nComment: late\n")), "a header after the empty line"),
    ("r15-blank-space", 15, INLINE, inline(armor(DATA, blank=" \t\n")), "white space in the empty line"),
    ("r15-blank-nbsp", 15, INLINE, inline(armor(DATA, blank="\xc2\xa0\n")), "a no-break space in the empty line"),
    ("r15-two-blank", 15, INLINE, inline(armor(DATA, blank="\n\n")), "two empty lines"),
]

TEXT_BEFORE_END = ARMOR.replace(E, b"Meet me at eight\n" + E)
RULE_16 = [
    ("r16-no-crc", 16, INLINE, inline(armor(DATA, crc=False)), "no checksum"),
    ("r16-wrong-crc", 16, INLINE, inline(armor(DATA, crc="=AAAA")), "a wrong checksum"),
    ("r16-short-crc", 16, HEADERS, inline(armor(DATA, crc="=AB")), "a short checksum"),
    ("r16-empty-crc", 16, INLINE, inline(armor(DATA, crc="=")), "an empty checksum"),
    ("r16-crc-8", 16, HEADERS, inline(armor(DATA, crc="=abcdefgh")), "a checksum of eight characters"),
    ("r16-crc-3", 16, HEADERS, inline(armor(DATA, crc="=abc")), "a checksum of three characters"),
    ("r16-crc-padded", 16, INLINE, inline(armor(DATA, crc="=ab==")), "a checksum with padding"),
    ("r16-two-wrong", 16, INLINE, inline(*[armor(DATA, crc="=AAAA")] * 2), "two blocks with wrong checksums"),
    ("r16-three-wrong", 16, HEADERS, inline(*[armor(DATA, crc="=AAAA")] * 3), "three blocks with wrong checksums"),
    ("r16-words", 16, HEADERS, inline(*[armor(DATA, crc="=" + w) for w in "meet this time next week with only four keys".split()]),
     "a word in each checksum"),
    ("r16-many-right", 16, INLINE, inline(*[ARMOR] * 12), "a dozen blocks with right checksums"),
    ("r16-many-none", 16, INLINE, inline(*[armor(DATA, crc=False)] * 12), "a dozen blocks without checksums"),
    ("r16-crc-9", 16, BAD_ARMOR, inline(armor(DATA, crc="=abcdefghi")), "a checksum of nine characters"),
    ("r16-crc-text", 16, BAD_ARMOR, inline(armor(DATA, crc="=meet me at eight")), "a line of text that starts with ="),
    ("r16-crc-not-base64", 16, BAD_ARMOR, inline(armor(DATA, crc="=a-b")), "a checksum that is not base64"),
    ("r16-crc-trailing-space", 16, INLINE, inline(ARMOR.replace(b"\n-----END", b" \n-----END")), "white space after the checksum"),
    ("r16-two-crcs", 16, BAD_ARMOR, inline(ARMOR.replace(E, b"=AAAA\n" + E)), "two checksums"),
    ("r16-text-after-crc", 16, BAD_ARMOR, inline(TEXT_BEFORE_END), "text after the checksum"),
    ("r16-data-after-crc", 16, BAD_ARMOR, inline(ARMOR.replace(E, b"TWVldCBtZSBhdCBlaWdodA==\n" + E)), "data after the checksum"),
    ("r16-blank-after-crc", 16, INLINE, inline(ARMOR.replace(E, b"\n" + E)), "an empty line after the checksum"),
]

LINE = ARMOR.split(b"\n")[4]
LARGE = armor(message(n=3000))
FIFTH, SIXTH = LARGE.split(b"\n")[5:7]


FRAGMENTS = (b"meet+me+at+eight+", b"at+the+old+bridge+", b"and+bring+all+the+", b"numbers+of+the+year")


def worded_lines(every):
    """A large block, with some letters of English in each line, or each other."""
    lines = armor(message(n=4000)).split(b"\n")
    for i in range(8, len(lines) - 6, every):
        words = FRAGMENTS[i // every % 4]
        lines[i] = words + lines[i][len(words):]
    return b"\n".join(lines)


def worded_blocks(n):
    """Small blocks, with some letters of English in the last line of each but one."""
    out = b""
    for i in range(n):
        lines = armor(message("block %d" % i, n=120)).split(b"\n")
        words = FRAGMENTS[i % 4]
        at = len(lines) - 5
        lines[at] = lines[at][:20] + words + lines[at][20 + len(words):]
        out += b"\n".join(line for line in lines if line[:1] != b"=")
    return out


def broken(text, limit, blank=b" "):
    """As Postfix breaks lines beyond smtp_line_length_limit."""
    out = []
    for line in octets(text).split(b"\n")[:-1]:
        out.append(line[:limit])
        out += [blank + line[i:i + limit - 1] for i in range(limit, len(line), limit - 1)]
    return b"".join(line + b"\n" for line in out)


def wrapped_qp(text):
    """Quoted-printable with soft line breaks."""
    for line in qp(text).split(b"\n")[:-1]:
        while len(line) > 76:
            cut = 75 - (b"=" in line[73:75] and 2)
            yield line[:cut] + b"=\n"
            line = line[cut:]
        yield line + b"\n"


RULE_17 = [
    ("r17-width-%d" % w, 17, INLINE, inline(armor(DATA, width=w)), "lines of %d characters" % w) for w in (40, 60, 64, 72, 76, 998)
] + [
    ("r17-width-%d" % w, 17, BAD_ARMOR, inline(armor(DATA, width=w)), "lines of %d characters" % w) for w in (1, 5, 39)
] + [
    ("r17-one-line-999", 17, INLINE, inline(armor(message(n=1000), width=999)), "a line of 999 characters"),
    ("r17-one-line-1024", 17, INLINE, inline(armor(message(n=1000), width=1024)), "a line of 1,024 characters"),
    ("r17-one-line", 17, INLINE, inline(armor(message(n=20000), width=10 ** 6)), "all data in one line"),
    ("r17-one-line-qp", 17, INLINE, mail(b"".join(wrapped_qp(armor(message(n=9000), width=10 ** 6))),
                                         "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n"), "the same, quoted-printable"),
    ("r17-one-line-space", 17, INLINE, inline(armor(message(n=3000), width=10 ** 6, tail=" " * 3000)), "and 3,000 blanks at its end"),
    ("r17-one-line-nbsp", 17, INLINE, inline(armor(message(n=3000), width=10 ** 6, tail="\xc2\xa0" * 700)), "and no-break spaces"),
    ("r17-one-line-text", 17, BAD_ARMOR, inline(armor(message(n=3000), width=10 ** 6, tail=" Meet me")), "and text at its end"),
    ("r17-one-line-text-far", 17, BAD_ARMOR, inline(armor(message(n=3000), width=10 ** 6, tail=" " * 3000 + "Meet")), "and text far behind it"),
    ("r17-one-line-star", 17, BAD_ARMOR, inline(armor(message(n=3000), width=10 ** 6).replace(b"z", b"*", 2)), "octets in it that are not base64"),
    ("r17-one-line-crc", 17, BAD_ARMOR, inline(armor(message(n=3000), width=10 ** 6).replace(E, b"x" * 3000 + b"\n" + E)),
     "a long line behind the checksum"),
    ("r17-one-line-end", 17, BAD_ARMOR, inline(ARMOR.replace(E, E + b" " * 3000 + b"Meet me")), "text far behind END on its line"),
    ("r17-broken-998", 17, INLINE, inline(broken(armor(message(n=5000), width=10 ** 6), 998)), "one line, broken by Postfix"),
    ("r17-broken-990", 17, INLINE, inline(broken(armor(message(n=5000), width=10 ** 6), 990)), "the same by an older Postfix"),
    ("r17-broken-2045", 17, INLINE, inline(broken(armor(message(n=5000), width=10 ** 6), 2045)), "broken where a server takes longer lines"),
    ("r17-broken-short", 17, BAD_ARMOR, inline(broken(armor(message(n=5000), width=10 ** 6), 899)), "a blank behind a line that nobody breaks"),
    ("r17-broken-two", 17, BAD_ARMOR, inline(broken(armor(message(n=5000), width=10 ** 6), 998, b"  ")), "two blanks"),
    ("r17-broken-text", 17, BAD_ARMOR, inline(broken(armor(message(n=2000), width=10 ** 6), 998, b" Meet me ")), "text where it was broken"),
    ("r17-one-line-998", 17, INLINE, inline(armor(message(n=1000), width=998)), "a line of 998 characters, and more"),
    ("r17-drawn", 17, BAD_ARMOR, inline(drawn(message("drawn", n=7000), 110)), "letters that are drawn with dark and light characters"),
    ("r17-drawn-small", 17, BAD_ARMOR, inline(drawn(message("drawn", n=500), 8)), "the same in a small message"),
    ("r17-drawn-many", 17, BAD_ARMOR, inline(drawn(message("drawn", n=4000), 30, "MWNBRDHKQGE8", "iljrtfcvI1J/")), "with twelve of each"),
    ("r17-trailing-space", 17, INLINE, inline(armor(DATA, tail="  ")), "white space after every line"),
    ("r17-trailing-nbsp-utf-8", 17, INLINE, inline(armor(DATA, tail="\xc2\xa0")), "a UTF-8 no-break space after every line"),
    ("r17-trailing-nbsp-many", 17, INLINE, inline(armor(message(n=3000), tail="\xc2\xa0")), "the same of a longer message"),
    ("r17-trailing-nbsp-signs", 17, INLINE, inline(armor(message(n=3000), tail="\xa0")), "an octet after every line that is no character in UTF-8"),
    ("r17-trailing-nbsp-unknown", 17, INLINE, mail(armor(message(n=3000), tail="\xc2\xa0")), "the same in no character set"),
    ("r17-trailing-nbsp-bars", 17, OUTSIDE, inline(b"".join(line + b"\xa0" * (i % 5 * 2) + b"\n" for i, line in enumerate(armor(message(n=3000)).split(b"\n")[:-1]))),
     "more of them after some lines than after others: bars"),
    ("r17-trailing-nbsp-some", 17, OUTSIDE, inline(b"".join(line + (b"\xa0" if i % 7 == 0 else b"") + b"\n" for i, line in enumerate(armor(message(n=9000)).split(b"\n")[:-1]))),
     "one after some lines only"),
    ("r17-trailing-nbsp-latin-1", 17, INLINE, inline(armor(DATA, tail="\xa0")), "a Latin-1 no-break space after every line"),
    ("r17-trailing-text", 17, BAD_ARMOR, inline(ARMOR.replace(LINE, LINE + b" Meet me")), "a word after a line"),
    ("r17-leading-space", 17, BAD_ARMOR, inline(ARMOR.replace(LINE, b" " + LINE)), "white space before a line"),
    ("r17-quoted", 17, "invalid - bad-armor", inline(ARMOR.replace(b"\n", b"\n> ")[:-2]), "every line but the first is quoted"),
    ("r17-inner-space", 17, BAD_ARMOR, inline(ARMOR.replace(LINE, LINE[:9] + b" " + LINE[9:])), "white space within a line"),
    ("r17-star", 17, BAD_ARMOR, inline(ARMOR.replace(LINE, LINE[:9] + b"*" + LINE[10:])), "an octet that is not base64"),
    ("r17-url-alphabet", 17, BAD_ARMOR, inline(ARMOR.replace(LINE, LINE[:9] + b"_" + LINE[10:])), "base64 for URLs"),
    ("r17-padding-inside", 17, BAD_ARMOR, inline(ARMOR.replace(LINE, LINE[:62] + b"==")), "padding within the data"),
    ("r17-padding-one-too-many", 17, BAD_ARMOR, inline(
        armor(DATA, crc=False).replace(b"\n-----END", b"====\n-----END")), "four characters of padding"),
    ("r17-words", 17, BAD_ARMOR, inline(LARGE.replace(FIFTH, b"\n\nmeet\nme\nat\neight\n\n" + FIFTH)), "words among the data, a line each"),
    ("r17-words-four", 17, BAD_ARMOR, inline(LARGE.replace(FIFTH, b"meet\n" + FIFTH)), "one word of four letters among the data"),
    ("r17-blank-within", 17, BAD_ARMOR, inline(LARGE.replace(FIFTH, b"\n" + FIFTH)), "an empty line within the data"),
    ("r17-blank-between-all", 17, BAD_ARMOR, inline(LARGE.replace(b"\n", b"\n\n")), "an empty line after every line"),
    ("r17-blank-before-checksum", 17, INLINE, inline(ARMOR.replace(b"\n=", b"\n\n=")), "an empty line before the checksum"),
    ("r17-blank-before-end", 17, INLINE, inline(armor(DATA, crc=False).replace(E, b"\n" + E)), "an empty line before the END line"),
    ("r17-line-shorter", 17, BAD_ARMOR, inline(LARGE.replace(FIFTH, FIFTH[:60] + b"\n" + FIFTH[60:])), "a line that is broken"),
    ("r17-line-longer", 17, BAD_ARMOR, inline(LARGE.replace(FIFTH + b"\n", FIFTH)), "two lines in one"),
    ("r17-last-full", 17, INLINE, inline(armor(message(n=48 * 9 + 17), width=64)), "lines of one length, whatever the last has"),
] + [
    ("r17-wording-" + name, 17, BAD_ARMOR, inline(LARGE.replace(FIFTH, (line + FIFTH.decode())[:64].encode())), "English in base64's letters: " + name)
    for name, line in (("plus", "Dear+Bob+please+meet+me+at+eight+tonight+behind+the+old+church++"), ("slash", "the/gate/does/not/read/the/words/in/armor"),
                       ("together", "pleasemeetmeateightbehindtheoldchurchandbringthemoneywithyouthen"),
                       ("capitals", "PLEASE+MEET+ME+AT+EIGHT+BEHIND+THE+OLD+CHURCH"),
                       ("camel", "PleaseMeetMeAtEightTonightBehindTheOldChurchAndBringTheMoneyToMe"))
] + [
    ("r17-wording-each-line", 17, BAD_ARMOR, inline(worded_lines(1)), "sixteen letters of English in each line"),
    ("r17-wording-each-second", 17, BAD_ARMOR, inline(worded_lines(2)), "in each second line"),
    ("r17-wording-each-block", 17, BAD_ARMOR, inline(worded_blocks(16)), "in each of many small blocks"),
    ("r17-wording-four-blocks", 17, "encrypted pgp-inline ok", inline(worded_blocks(2)), "too few to tell"),
    ("r17-wording-two-lines", 17, BAD_ARMOR, inline(LARGE.replace(FIFTH + b"\n" + SIXTH, FIFTH[:44] + b"meet+me+at+eight+be\nhind+the+old+church+" + SIXTH[19:])),
     "English that goes on in the next line"),
    ("r17-wording-long", 17, BAD_ARMOR, inline(armor(message(n=200000)).replace(b"\nA", b"\nplease+meet+me+at+eight+tonight+behind+the+old+church+and+bring+m", 1)),
     "English far behind in a large block"),
    ("r17-word", 17, "invalid - trailing-data", inline(ARMOR.replace(LINE, b"MeetMeAtEight")), "a word of letters among the data moves the rest"),
]


def kind(name):
    return inline(armor(DATA, kind=name))


RULE_18 = [
    ("r18-signature", 18, NONE, inline(armor(signature(), kind="SIGNATURE")), "a signature"),
    ("r18-public-key", 18, NONE, inline(armor(public_key(), kind="PUBLIC KEY BLOCK")), "a public key"),
    ("r18-private-key", 18, NONE, inline(armor(public_key(), kind="PRIVATE KEY BLOCK")), "a private key's label"),
    ("r18-ciphertext-as-key", 18, NONE, kind("PUBLIC KEY BLOCK"), "ciphertext under another label"),
    ("r18-armored-file", 18, NONE, kind("ARMORED FILE"), "gpg's label for other files"),
    ("r18-dash-escaped", 18, "cleartext - no-openpgp", inline(ARMOR.replace(B, b"- " + B).replace(E, b"- " + E)), "a dash-escaped BEGIN"),
    ("r18-quoted", 18, "cleartext - no-openpgp", inline(b"> " + ARMOR.replace(b"\n", b"\n> ") + b"\n"), "a quoted message"),
    ("r18-quoted-with-reply", 18, "cleartext - no-openpgp", inline("Alice wrote:\n", b"> " + ARMOR.replace(b"\n", b"\n> ") + b"\nNo key!\n"),
     "a quoted message and an answer"),
    ("r18-key-beside", 18, "partial + readable-part", mixed(ARMOR, armor(public_key(), kind="PUBLIC KEY BLOCK")),
     "a public key beside ciphertext"),
    ("r18-key-after", 18, OUTSIDE, inline(ARMOR, armor(public_key(), kind="PUBLIC KEY BLOCK")), "a public key after the armor"),
    ("r18-signature-after", 18, OUTSIDE, inline(ARMOR, armor(signature(), kind="SIGNATURE")), "a signature after the armor"),
    ("r18-key-in-pgp-mime", 18, "invalid - bad-structure", pgp_mime(armor(public_key(), kind="PUBLIC KEY BLOCK")), "a public key in PGP/MIME"),
    ("r18-clearsigned-ciphertext", 18, "signed - signed", inline(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n", ARMOR.replace(b"-----", b"- -----").replace(b"MESSAGE- -----", b"MESSAGE-----"),
        armor(signature(), kind="SIGNATURE")), "a clearsigned text that is ciphertext"),
]

CASES = RULE_13 + RULE_14 + RULE_15 + RULE_16 + RULE_17 + RULE_18
