# SPDX-License-Identifier: ISC
"""Ways to put a readable word into a message so that somebody may read it. Each mutator takes a source of
random choices, a message and the word, and gives the message changed, or None where it does not apply."""

import base64
import re

from programs import MAIL  # noqa: F401  (makes the builders importable)

import pgppackets
from pgppackets import SEIPD, packet, pkesk3, seipd1_body

EOLS = [b"\n"] * 6 + [b"\r\n"] * 3 + [b"\r", b"\r\r\n", b"\n\r", b"", b"\x0b", b"\x0c", b"\x85", b"\xe2\x80\xa8", b"\0"]
SPACES = [b"", b"", b" ", b"\t", b"\r", b"\x0b", b"\x0c", b"\xc2\xa0", b"\xa0", b"\0"]
TYPES = [
    b"text/plain", b"text/plain; charset=utf-8", b"text/html", b"TEXT/PLAIN", b"text/plain; charset=utf-7", b"text/plain; charset=utf-16",
    b"application/octet-stream", b"application/pgp-encrypted", b"application/pgp-signature", b"application/pgp-keys", b"message/rfc822",
    b"message/delivery-status", b"text/rfc822-headers", b"multipart/mixed", b"multipart/mixed; boundary=zz", b"multipart/alternative; boundary=\"\"",
    b"text", b"", b"/", b"text/", b"plain", b"text/plain;", b"text /plain", b"text/plain text/html", b"application/pkcs7-signature",
    b"text/calendar", b"image/png", b"text/enriched", b"text/plain; charset=\"utf-8", b"text/plain (x", b"message/partial; id=a; number=1; total=1",
    b"multipart/digest; boundary=zz", b"message/external-body; access-type=x", b"application/autocrypt-setup", b"text/x-amp-html",
]
ENCODINGS = [b"7bit", b"8bit", b"binary", b"base64", b"quoted-printable", b"x-uuencode", b"BASE64", b"base64 ", b"quoted-printable;", b"base-64",
             b"\"base64\"", b"(x) base64", b"base64 (x)", b"7bit, base64", b"", b"base64\r", b"q", b"x-gzip64", b"uuencode"]


def shows(word, text):
    """Does this text show the word, in whatever line breaks?"""
    return word.encode() in text


def encoded(rng, word):
    """The word, and the transfer encoding that shows it."""
    text = b"Meet me: %s\n" % word.encode()
    kind = rng.randrange(8)
    if kind == 0:
        return base64.encodebytes(text), b"base64"
    if kind == 1:
        return b"".join(b"=%02X" % c for c in text), b"quoted-printable"
    if kind == 2:
        return text, rng.choice(ENCODINGS)
    if kind == 3:
        return base64.encodebytes(text), rng.choice(ENCODINGS)
    if kind == 4:
        return base64.encodebytes(text.decode().encode("utf-16")), b"base64"
    return text, None


def new_part(rng, word):
    """Header and body of a part that holds the word."""
    body, encoding = encoded(rng, word)
    eol = rng.choice([b"\n"] * 5 + [b"\r\n"])
    header = b""
    if rng.random() < 0.7:
        header += b"Content-Type: " + rng.choice(TYPES) + eol
    if encoding is not None:
        header += b"Content-Transfer-Encoding: " + encoding + eol
    if rng.random() < 0.2:
        header += rng.choice([b"Content-Disposition: attachment; filename=a.txt", b"X : y", b"nonsense", b" folded", b": empty", b"From x"]) + eol
    return header + rng.choice([eol] * 6 + [b"", b" " + eol, b"\r" + eol]) + body


def boundaries(message):
    found = []
    for value in re.findall(rb'boundary\s*=\s*(?:"([^"\n]{1,100})"|([^\s;"]{1,100}))', message[:6000], re.I):
        found.append(value[0] or value[1])
    return found


def boundary_lines(message):
    """Start and end of each line that begins with two dashes and a boundary."""
    out = []
    for b in boundaries(message):
        out += [(m.start(), m.end()) for m in re.finditer(rb"^--" + re.escape(b) + rb"[^\n]*(?:\n|\Z)", message, re.M)]
    return out


def line_starts(message):
    return [0] + [m.end() for m in re.finditer(rb"\n", message)]


def put(message, at, text):
    return message[:at] + text + message[at:]


def text_line(rng, word):
    w = word.encode()
    return rng.choice([w, b"Meet me " + w, b"  " + w, w + b": x", b"=" + w, b"--" + w, b"- " + w, b"> " + w, b"X: " + w, b"Comment: " + w, b"=20" + w,
                       b"=\n" + w, b"\xef\xbb\xbf" + w, b"<p>" + w, b"A" * 60 + w, b"\t" + w, b"begin 644 a\n" + w, b"." + w, b"From " + w, b"\xa0" + w])


def anywhere(rng, message, word):
    return put(message, rng.randrange(len(message) + 1), rng.choice(EOLS) + text_line(rng, word) + rng.choice(EOLS))


def at_line(rng, message, word):
    return put(message, rng.choice(line_starts(message)), text_line(rng, word) + rng.choice(EOLS))


def in_line(rng, message, word):
    """At the end of a line."""
    at = rng.choice(line_starts(message)[1:] or [len(message)]) - 1
    return put(message, max(at, 0), rng.choice(SPACES) + text_line(rng, word))


def around_boundary(rng, message, word):
    lines = boundary_lines(message)
    if not lines:
        return None
    start, end = rng.choice(lines)
    return put(message, rng.choice([start, end]), rng.choice(EOLS[:12]) * rng.randrange(2) + text_line(rng, word) + rng.choice(EOLS))


def on_boundary(rng, message, word):
    lines = boundary_lines(message)
    if not lines:
        return None
    start, end = rng.choice(lines)
    line = message[start:end].rstrip(b"\r\n")
    new = rng.choice([line + rng.choice(SPACES) + word.encode(), b" " + line, line + b"--", line[:-1], line.upper(), line + b"\r", line + b" \t", line + b"--x",
                      line + b"\n\n" + text_line(rng, word) + b"\n" + line, line + rng.choice(EOLS) + text_line(rng, word), b"--" + line, b"-" + line[1:]])
    return message[:start] + new + rng.choice(EOLS) + message[end:]


def in_preamble(rng, message, word):
    lines = boundary_lines(message)
    if not lines:
        return None
    at = min(start for start, end in lines)
    return put(message, at, text_line(rng, word) + rng.choice(EOLS))


def in_epilogue(rng, message, word):
    b = rng.choice(boundaries(message) or [b"b1"])
    return message + rng.choice([b"", b"\n", b"\r", b"\0"]) + rng.choice([text_line(rng, word), b"--" + b + b"\n" + new_part(rng, word)]) + \
        rng.choice([b"", b"\n", b"\n--" + b + b"--\n"])


def extra_part(rng, message, word):
    lines = boundary_lines(message)
    if not lines:
        return None
    start, end = rng.choice(lines)
    b = message[start:end].rstrip(b"\r\n -")
    b = message[start:end].rstrip(b"\r\n")
    b = b[:-2] if b.endswith(b"--") else b
    part = b + rng.choice([b"", b" ", b"\t", b"\r", b"\x0b", b"\0", b"\xa0"]) + b"\n" + new_part(rng, word) + b"\n"
    return put(message, start, part)


def empty_part_filled(rng, message, word):
    """Content between the header of a part and its end, where there is none or little."""
    lines = sorted(boundary_lines(message))
    if len(lines) < 2:
        return None
    start = rng.choice(lines[1:])[0]
    return put(message, start, text_line(rng, word) + rng.choice([b"\n", b"\r\n", b"\r"]))


def header_end(message):
    m = re.search(rb"\r?\n\r?\n", message)
    return m.start() + 1 if m else 0


def early_body(rng, message, word):
    """A line within the message's header that some readers take for its end."""
    starts = [s for s in line_starts(message) if s <= header_end(message)]
    trick = rng.choice([b" \n", b"\r\n", b"\r", b"\n", b"\t\n", b"\r\r\n", b"no field\n", b"\0\n", b":\n", b"From x\n", b">From x\n", b" : x\n", b"\x0b\n", b"\x0c\n", b"\xa0\n", b"a b: c\n", b"\xc3\xa9: x\n"])
    return put(message, rng.choice(starts), trick + rng.choice([b"", text_line(rng, word) + b"\n", text_line(rng, word) + b"\n\n"]))


def white_line(rng, message, word):
    """The same within one of the header's fields, which goes on, or another follows."""
    field = rng.choice([b"", b"Subject: x\n", b"X-Note: x\n", b"X-Spam-Report: x\n", b"To: a@sender.example\n", b"Cc:\n a@sender.example,\n",
                        b"References: <a@sender.example>\n", b"Resent-From: A <a@sender.example>\n", b"Keywords: x\n", b"Received: from x\n"])
    starts = [s for s in line_starts(message) if 0 < s <= header_end(message)]
    if not starts:
        return None
    trick = rng.choice([b" \n", b"\t\n", b" \r\n", b"  \n \n"]) + rng.choice([b" ", b" ", b"\t", b" (", b" x@y, ", b" <", b"X-B: ", b"Subject: ", b"Comments: "])
    return put(message, rng.choice(starts), field + trick + text_line(rng, word) + b"\n")


def second_field(rng, message, word):
    """Another structural field in the message's header or a part's, which reads the body otherwise."""
    extra = rng.choice([
        b"Content-Type: text/plain", b"Content-Type: multipart/mixed; boundary=zz", b"Content-type : text/plain", b"Content-Type:text/html",
        b"Content-Transfer-Encoding: quoted-printable", b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: uuencode", b"MIME-Version: 2.0",
        b"Content-\nType: text/plain", b"X-A: b\rContent-Type: text/plain", b"X-A: b\r\rContent-Type: text/plain; charset=utf-7", b"Content-Type\t: text/plain",
        b"\0Content-Type: text/plain", b"Content-Type", b"content_type: text/plain", b"Content-Encoding: gzip", b"Content-Type:\n text/plain", b"\xef\xbb\xbfContent-Type: text/plain"])
    starts = [s for s in line_starts(message) if s <= header_end(message)] + [end for start, end in boundary_lines(message)]
    message = put(message, rng.choice(starts), extra + rng.choice([b"\n"] * 4 + [b"\r\n", b"\r"]))
    return rng.choice([anywhere, at_line, in_preamble, extra_part, in_epilogue, empty_part_filled])(rng, message, word)


PARAMETERS = [
    b'boundary="%(a)s"; boundary="%(b)s"', b'boundary="%(b)s"; boundary="%(a)s"', b'boundary*0="%(b)s"; boundary="%(a)s"', b'boundary="%(a)s"; boundary*="%(b)s"',
    b"boundary=%(a)s; boundary*=us-ascii''%(b)s", b"boundary*=us-ascii'en'%(b)s; boundary=%(a)s", b'x="; boundary=%(b)s"; boundary="%(a)s"', b'(boundary=%(b)s) boundary=%(a)s',
    b'boundary=%(a)s (; boundary=%(b)s)', b'boundary (x) = (y) "%(a)s" (z)', b'boundary="%(a)s', b"boundary='%(a)s'", b'boundary=%(a)s%(b)s', b'boundary="%(a)s"%(b)s',
    b'boundary="%(a)s\\"', b'boundary="\\%(a)s"', b'boundary=%(a)s boundary=%(b)s', b'boundary=%(a)s, boundary=%(b)s', b'Boundary=%(a)s', b'bou\n ndary=%(b)s; boundary=%(a)s',
    b'boundary=\n %(a)s', b'boundary="\n %(a)s"', b'boundary="%(a)s\n "', b'boundary=%(a)s\r; boundary=%(b)s', b'boundary=%(a)s;;boundary=%(b)s', b'=;boundary=%(a)s',
    b'boundary;boundary=%(a)s', b'boundary=;boundary=%(a)s', b'boundary="";boundary=%(a)s', b'boundary = %(a)s', b'boundary="%(a)s "', b'boundary=" %(a)s"', b'boundary=%(a)s\0%(b)s',
    b'x=y z; boundary=%(a)s', b'name="a;b"; boundary=%(a)s', b'name="a\\";boundary=%(b)s;x=\\""; boundary=%(a)s', b'boundary*0=%(a)s', b'boundary*0*=%(a)s', b'boundary=?%(a)s',
    b'boundary==?us-ascii?q?%(b)s?=; boundary=%(a)s', b'boundary="=?us-ascii?q?%(a)s?="', b'charset="x\ny"; boundary=%(a)s', b'\xc3\xa9=x; boundary=%(a)s', b'boundary=<%(a)s>', b'boundary=%(a)s\xa0',
]


def two_boundaries(rng, message, word):
    """A field that names two boundaries, and parts for both."""
    m = re.search(rb'boundary\s*=\s*("[^"\n]{1,100}"|[^\s;"]{1,100})', message[:6000], re.I)
    if not m:
        return None
    a = m[1].strip(b'"')
    b = rng.choice([b"evil", a + b"x", a[:-1] or b"q", a + b"--", a.upper(), a.lower(), a + b" ", a.swapcase()])
    message = message[:m.start()] + rng.choice(PARAMETERS) % {b"a": a, b"b": b} + message[m.end():]
    evil = b"--" + b + b"\n" + new_part(rng, word) + b"\n--" + b + rng.choice([b"--\n", b"\n", b"--"])
    where = rng.randrange(4)
    if where == 0:
        return message + evil
    starts = [s for s, e in boundary_lines(message)] or [len(message)]
    if where == 1:
        return put(message, min(starts), evil)
    return put(message, rng.choice(line_starts(message)), evil)


def other_type(rng, message, word):
    """Another value for some Content-Type or encoding, and the word somewhere."""
    fields = list(re.finditer(rb"^Content-(Type|Transfer-Encoding):[^\n]*", message, re.M | re.I))
    if not fields:
        return None
    f = rng.choice(fields)
    value = rng.choice(TYPES if f[1].lower() == b"type" else ENCODINGS)
    message = message[:f.start()] + b"Content-" + f[1] + b": " + value + message[f.end():]
    return rng.choice([anywhere, at_line, in_preamble, extra_part, in_epilogue, empty_part_filled, in_armor])(rng, message, word)


def in_armor(rng, message, word):
    begin = message.find(b"-----BEGIN PGP MESSAGE-----")
    end = message.find(b"-----END PGP MESSAGE-----")
    if begin < 0 or end < 0:
        return None
    starts = [s for s in line_starts(message) if begin <= s <= end + 30]
    at = rng.choice(starts + [begin, begin + 27, end, end + 25, end + 26] * 2)
    text = rng.choice([text_line(rng, word), word.encode() + b": " + b"x" * rng.randrange(300), b"Comment: " + b"z" * rng.randrange(280) + word.encode(),
                       b"=" + word.encode(), b"=AAAA\n" + word.encode(), b"-----END PGP MESSAGE-----\n" + word.encode(), b"-----BEGIN PGP MESSAGE-----\n" + word.encode(),
                       b"\n" + word.encode() + b"\n"])
    return put(message, at, text + rng.choice(EOLS))


def in_transfer(rng, message, word):
    """Within base64 or quoted-printable: octets that a lenient decoder passes over, or decodes."""
    field = re.search(rb"^Content-Transfer-Encoding:\s*(base64|quoted-printable)", message, re.M | re.I)
    if not field:
        return None
    ends = [m.end() for m in re.finditer(rb"\n", message) if m.end() > field.end()]
    at = rng.choice(ends or [len(message)])
    w = word.encode()
    return put(message, at - rng.randrange(2), rng.choice([
        base64.b64encode(b"\nMeet me: %s\n" % w), base64.encodebytes(b"Meet me %s" % w), b"==" + base64.b64encode(b" " + w), b"=" + w, b"==\n" + w, b"=\n" + w, b"=3D" + w, b"= " + w, b"=0A" + w,
        b"=0D=0A" + w + b"=0A", b"!" + w, b"\n\n" + base64.b64encode(w) + b"\n", b"====" + base64.b64encode(w), w]) + rng.choice([b"\n", b""]))


def wrapped(rng, message, word):
    """The whole body within another multipart, with the word beside it or in its header."""
    m = re.search(rb"\r?\n\r?\n", message)
    kind = re.search(rb"^Content-Type:[^\n]*(?:\n[ \t][^\n]*)*\n", message, re.M | re.I)
    if not m or not kind or kind.start() > m.start():
        return None
    head, body = message[:m.start() + 1], message[m.end():]
    head = head.replace(kind[0], b"")
    outer = rng.choice([b"mixed", b"alternative", b"related", b"signed", b"report", b"digest", b"encrypted", b"parallel", b"appledouble", b"x-foo", b"form-data"])
    extra = rng.choice([b"", b"; protocol=\"application/pgp-signature\"", b"; protocol=\"application/pgp-encrypted\"", b"; report-type=delivery-status", b"; type=\"text/html\""])
    inner = b"--out\n" + kind[0] + b"\n" + body + b"\n"
    part = b"--out\n" + new_part(rng, word) + b"\n"
    parts = rng.choice([inner + part, part + inner, inner, inner + b"--out\n\n\n" + part])
    parts = rng.choice([b"", text_line(rng, word) + b"\n"]) + parts + rng.choice([b"--out--\n", b"--out--", b"", b"--out--\n" + text_line(rng, word)])
    return head + b"Content-Type: multipart/" + outer + extra + rng.choice([b"; boundary=out", b"; boundary=\"out\""]) + b"\n\n" + parts


def cut(rng, message, word):
    """Cut off somewhere, the word after it."""
    return message[:rng.randrange(len(message) + 1)] + rng.choice(EOLS) + text_line(rng, word) + rng.choice([b"", b"\n"])


def removed(rng, message, word):
    """A line less, the word at its place or elsewhere."""
    starts = line_starts(message)
    i = rng.randrange(len(starts))
    end = starts[i + 1] if i + 1 < len(starts) else len(message)
    message = message[:starts[i]] + message[end:]
    return rng.choice([anywhere, at_line, around_boundary, in_epilogue])(rng, message, word) if rng.random() < 0.8 else put(message, starts[i], text_line(rng, word) + b"\n")


def line_ends(rng, message, word):
    """Other line ends somewhere or everywhere, and the word."""
    mutated = rng.choice([anywhere, at_line, around_boundary, extra_part, in_preamble])(rng, message, word)
    if mutated is None:
        return None
    kind = rng.randrange(4)
    if kind == 0:
        return mutated.replace(b"\n", b"\r\n")
    if kind == 1:
        return mutated.replace(b"\n", b"\r\r\n")
    at = rng.choice(line_starts(mutated))
    line = mutated[at:].split(b"\n", 1)[0] + b"\n"
    return mutated[:at] + line.replace(b"\n", rng.choice([b"\r", b"\r\n", b"\n\r"])) + mutated[at + len(line):]


BEGIN = b"-----BEGIN PGP MESSAGE-----"


def begin_is_boundary(rng, message, word):
    """The boundary is the BEGIN or END line, or the beginning of it, or another line of the armor; the word is within the armor."""
    m = re.search(rb'boundary\s*=\s*("[^"\n]{1,100}"|[^\s;"]{1,100})', message[:6000], re.I)
    begin = message.find(BEGIN)
    if not m or begin < 0:
        return None
    lines = message[begin:].split(b"\n")[:8]
    line = rng.choice([BEGIN, BEGIN, BEGIN[:rng.randrange(2, 27)], b"-----END PGP MESSAGE-----", rng.choice(lines)]).rstrip(b"\r")
    old = m[1].strip(b'"')
    new = line[2:] if line.startswith(b"--") else line
    new = rng.choice([new, new, new, new.lower(), new + b" ", new.replace(b" ", b"\n "), new.replace(b" ", b"  "), b" " + new, b"=?us-ascii?q?%s?=" % new.replace(b" ", b"_")])
    message = message[:m.start()] + b'boundary="' + new + b'"' + message[m.end():]
    if rng.random() < 0.5:
        message = message.replace(b"--" + old, b"--" + new)
    message = message.replace(BEGIN, BEGIN + rng.choice([b"", b"", b"\x0c", b"\x0b", b"\xa0", b" ", b"\t", b"\r", b"\0"]), 1)
    return rng.choice([in_ciphertext, armor_headers, in_armor])(rng, message, word)


def ciphertext(rng, word):
    """Packets whose ciphertext holds the word."""
    body = bytearray(seipd1_body(n=rng.choice([90, 300, 1200])))
    text = b"\n\n" + word.encode() + b"\n"
    at = rng.randrange(2, len(body) - len(text))
    body[at:at + len(text)] = text
    return pkesk3() + packet(SEIPD, bytes(body))


def in_ciphertext(rng, message, word):
    """Within the octets that armor holds: shown where somebody takes the armor for a part in base64."""
    begin, end = message.find(BEGIN), message.find(b"-----END PGP MESSAGE-----")
    if begin < 0 or end < begin:
        return None
    headers = rng.choice([[], [], [("Content-Transfer-Encoding", "base64")], [("Content-Type", "text/plain"), ("Content-Transfer-Encoding", "base64")],
                          [("Comment", "x"), ("content-transfer-encoding", "base64")]])
    data = pgppackets.armor(ciphertext(rng, word), headers=headers, width=rng.choice([64, 64, 76, 60]))
    data = data if isinstance(data, bytes) else data.encode("latin-1")
    return message[:begin] + data.rstrip(b"\n") + message[end + 25:]


FIELDS = [b"Content-Type: text/plain", b"Content-Type: text/plain; charset=utf-7", b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable",
          b"content-type: text/html", b"MIME-Version: 1.0", b"Content-Type: message/rfc822", b"Content-Type: multipart/mixed; boundary=zz", b"Content-Disposition: inline",
          b"Subject: x", b"Content-Description: %s", b"Comment: %s", b"Version: %s", b"X-%s: x", b"%s: x", b"Comment : x", b" %s", b"Content-Transfer-Encoding : base64", b"From x %s"]


def armor_headers(rng, message, word):
    """Lines below a BEGIN line: names of MIME's, too many, too long, out of a dictionary."""
    starts = [m.end() for m in re.finditer(re.escape(BEGIN) + rb"[^\n]*\n", message)]
    if not starts:
        return None
    eol = rng.choice([b"\n"] * 6 + [b"\r\n", b"\r", b"\n\n"])
    lines = [rng.choice(FIELDS).replace(b"%s", word.encode()) for _ in range(rng.choice([1, 1, 2, 2, 3, 8, 9, 30]))]
    message = put(message, rng.choice(starts), eol.join(lines) + eol)
    return rng.choice([in_ciphertext, at_line, around_boundary, in_armor, in_line])(rng, message, word) if rng.random() < 0.5 else message


CHARSETS = [b"utf-7", b"+utf-7", b"ut f-7", b"utf@7", b"utf_7", b"UTF7", b"unicode-1-1-utf-7", b"utf-7-imap", b"x-imap4-modified-utf7", b"csutf7", b"cp65000", b"65000",
            b"utf-16", b"utf-16be", b"utf-16le", b"ucs-2", b"utf-32", b"hz-gb-2312", b"iso-2022-jp", b"iso-2022-kr", b"iso-2022-cn", b"ebcdic-cp-us", b"cp037", b"us-ascii, utf-7",
            b"us-ascii utf-7", b"us-ascii\r utf-7", b"us-ascii/utf-7", b"utf-7//IGNORE", b"utf-8/../utf-7", b"=?us-ascii?q?utf-7?=", b"iso-8859-1\xa0", b"x-user-defined", b"rot13",
            b"unicode_escape", b"punycode", b"idna", b"scsu", b"bocu-1", b"viscii", b"utf-8", b"windows-1252", b"", b"\"", b"'utf-7'", b"utf-7;charset=us-ascii"]


def charsets(rng, message, word):
    """Another character set, and the word in UTF-7 within armor or beside it, or as it is."""
    kinds = [m for m in re.finditer(rb"^Content-Type:[ \t]*(?:text|application)/[^\n]*", message, re.M | re.I)]
    if not kinds:
        return None
    m = rng.choice(kinds)
    name = rng.choice(CHARSETS)
    value = rng.choice([b"%s", b'"%s"', b'"%s"', b"(x)%s", b"%s (x)", b"\n %s", b"%s;", b'"%s"x']) % name
    line = re.sub(rb";\s*charset\s*=\s*(\"[^\"]*\"|[^\s;]*)", b"", m[0].rstrip(b"\r;"))
    field = rng.choice([b"charset=", b"CHARSET=", b"charset =", b"charset*=us-ascii''", b"charset*0=", b"charset=us-ascii; charset="])
    message = message[:m.start()] + line + b"; " + field + value + message[m.end():]
    utf7 = b"+" + base64.b64encode(word.encode("utf-16-be")).rstrip(b"=")
    data = [d for d in re.finditer(rb"^[A-Za-z0-9+/]{60,76}(?=\r?\n)", message, re.M)]
    if not data or rng.random() < 0.2:
        return rng.choice([at_line, around_boundary])(rng, message, word)
    d = rng.choice(data)
    at = rng.randrange(d.start(), d.end() - len(utf7) + 1)
    if rng.random() < 0.3:
        return put(message, d.start(), rng.choice([utf7 + b"-\n", utf7 + b"\n", b"Comment: " + utf7 + b"-\n"]))
    return message[:at] + utf7 + message[at + len(utf7):]


def entities(rng, word):
    return b"".join(rng.choice([b"&#%d;", b"&#x%x;", b"&#%d"]) % c for c in word.encode())


def in_html(rng, message, word):
    """Among markup, in every place where HTML has text."""
    begin = message.lower().find(b"<html")
    tags = [m for m in re.finditer(rb"<[^<>]{1,300}>", message[max(begin, 0):])] if b"text/html" in message.lower() else []
    w = rng.choice([word.encode(), word.encode(), entities(rng, word)])
    if not tags:
        if rng.random() < 0.8:
            return None
        return re.sub(rb"text/plain|application/octet-stream", b"text/html", message, count=1) + w
    tag = rng.choice(tags)
    start, end = tag.start() + max(begin, 0), tag.end() + max(begin, 0)
    if rng.random() < 0.45:  # within the tag
        bit = rng.choice([b' title="%s"', b' alt=%s', b" %s", b' style="content:\'%s\'"', b' style="font-family:%s"', b' class="%s"', b' id=%s', b' lang="%s"', b' dir=%s', b' align="%s"',
                          b'/%s', b' x="%s', b" x='%s", b' face="%s"', b' color="%s"', b' style="background:url(%s)"', b' xmlns:%s="x"', b' content="%s"', b'><%s', b'>%s<', b'> %s <i',
                          b' style="/*%s*/"', b' href="http://%s/"', b"\0%s", b' width="1" width="%s"', b' style="mso-%s:none"', b' data-x="%s"', b' onclick="%s"', b' =%s', b' "%s"'])
        at = rng.choice([end - 1, end - 1, re.match(rb"</?[A-Za-z0-9:]*", tag[0]).end() + start])
        return put(message, at, bit.replace(b"%s", w))
    bit = rng.choice([b"%s", b"<!--%s-->", b"<!-->%s<!-->", b"<!%s>", b"<?%s?>", b"</%s>", b"<%s>", b"<title>%s</title>", b"<style>p:after{content:'%s'}</style>", b"<script>%s</script>",
                      b"<textarea>%s</textarea>", b"<img alt='%s'>", b"<a href='http://%s'>x</a>", b"<a href=\"https://x.example/%s\">https://x.example/%s</a>", b"<xmp>%s</xmp>", b"<plaintext>%s",
                      b"<![CDATA[%s]]>", b"<p>%s</p>", b"<p hidden>%s</p>", b"<br>%s<br>", b"&nbsp;%s", b"<input value=%s>", b"<base href='%s'>", b"<meta name=x content='%s'>", b"< p>%s", b"<\0p>%s",
                      b"<noscript>%s</noscript>", b"<o:p>%s</o:p>", b"<svg><text>%s", b"<font>%s</font>", b"&%s;", b"<body>%s", b"<head>%s</head>", b"<html>%s", b"<!DOCTYPE %s>", b"<p\n>%s"])
    at = rng.choice([start, end, rng.choice(line_starts(message)[6:] or [end])])
    return put(message, at, bit.replace(b"%s", w))


def unarmored(rng, message, word):
    """A part of packets whose ciphertext holds the word, with types and names that somebody shows."""
    data = ciphertext(rng, word)
    kind = rng.choice(TYPES + [b"application/octet-stream"] * 30 + [b"application/pgp-encrypted"] * 8 + [b"application/pgp", b"application/pdf", b"image/svg+xml", b"application/pgp-signature"] * 2)
    name = rng.choice([b"", b"", b"; name=a.pgp", b'; name="a.txt"', b'; name="a.gpg"', b"; name=a.pgp.txt", b'; name="a.txt.pgp"', b"; name*=utf-8''a.txt", b'; name="a.pgp"; name="a.txt"',
                       b'; name="=?utf-8?q?a.txt?="', b'; name="=?utf-8?q?a.txt?= =?utf-8?q?.pgp?="', b'; name="=?utf-8?b?YS50eHQ=?="', b'; name="=?utf-8?b?YS5wZ3A=?= =?utf-8?b?LnR4dA==?="',
                       b'; name="a.pgp\n .txt"', b"; name*0=a.pgp; name*1=.txt", b"; x-unix-mode=0644", b" (text/plain)", b"; name=a.pgp (x)", b"; name=a.pgp; file=a.txt", b'; name="a.pgp "', b'; name="a.txt\0.pgp"',
                       b'; name="a.html?.pgp"', b"; name=.pgp", b"; type=text/plain"])
    disposition = rng.choice([b"", b"", b"Content-Disposition: attachment; filename=a.pgp\n", b"Content-Disposition: inline\n", b"Content-Disposition: inline; filename=a.txt\n",
                              b"Content-Disposition: attachment; filename*=utf-8''a.txt; filename=a.pgp\n", b"Content-Disposition: inline; filename*0=a.; filename*1=txt\n",
                              b'Content-Disposition: attachment; filename="=?utf-8?b?YS5wZ3A=?= =?utf-8?b?LnR4dA==?="\n', b'Content-Disposition: attachment; filename="a.pgp"; filename="a.txt"\n'])
    encoding = rng.choice([b"base64"] * 12 + ENCODINGS)
    body = base64.encodebytes(data) if b"base64" in encoding.lower() else data
    part = b"Content-Type: " + kind + name + b"\n" + disposition + b"Content-Transfer-Encoding: " + encoding + b"\n\n" + body
    lines = boundary_lines(message)
    if lines and rng.random() < 0.6:
        start, end = rng.choice(lines)
        line = message[start:end].rstrip(b"\r\n")
        return put(message, start, (line[:-2] if line.endswith(b"--") else line) + b"\n" + part)
    head = re.sub(rb"^(?:Content-|MIME-)[^\n]*\n(?:[ \t][^\n]*\n)*", b"", message[:header_end(message)], flags=re.M | re.I)
    return head + rng.choice([b"MIME-Version: 1.0\n"] * 4 + [b"", b"MIME-Version: 1.1\n", b"MIME-Version: (x) 1.0\n"]) + part


def in_cms(rng, message, word):
    """Within the octets of S/MIME: in its structure or its content, or after them."""
    m = re.search(rb"^Content-Type:[ \t]*application/(?:x-)?pkcs7-mime", message, re.M | re.I)
    data = re.search(rb"\n\n((?:[A-Za-z0-9+/=]{4,76}\n)+)", message)
    if not m or not data:
        return None
    try:
        octets = bytearray(base64.b64decode(data[1]))
    except ValueError:
        return None
    text = rng.choice([1, 1, 10]) * (b"\nMeet me: " + word.encode() + b"\n")
    at = rng.choice([rng.randrange(len(octets)), len(octets), 30])
    if rng.random() < 0.7:
        octets[at:at + len(text)] = text
    else:
        octets[at:at] = text
    return message[:data.start(1)] + base64.encodebytes(bytes(octets)) + message[data.end(1):]


def cms_type(rng, message, word):
    """S/MIME of other types, names and encodings, with the word."""
    m = re.search(rb"^Content-Type:[ \t]*application/(?:x-)?pkcs7-mime[^\n]*(?:\n[ \t][^\n]*)*", message, re.M | re.I)
    if not m:
        return None
    line = b"Content-Type: application/pkcs7-mime" + rng.choice([b"; smime-type=enveloped-data", b"; smime-type=signed-data", b'; name="a.txt"', b"", b"; name=smime.p7m; smime-type=\"enveloped-data\"", b" (x)",
                                                                b"; charset=utf-7", b"; smime-type=authEnveloped-data", b"; smime-type=certs-only", b"; boundary=zz", b"; name=a.html"])
    message = message[:m.start()] + line + message[m.end():]
    return rng.choice([in_cms, in_cms, at_line, anywhere, second_field, in_transfer])(rng, message, word)


def in_report(rng, message, word):
    """The message as what a report returns, or a report's fields and texts with the word."""
    m = re.search(rb"\r?\n\r?\n", message)
    if not m:
        return None
    head = re.sub(rb"^(?:Content-|MIME-)[^\n]*\n(?:[ \t][^\n]*\n)*", b"", message[:m.start() + 1], flags=re.M | re.I)
    w = word.encode()
    inner = rng.choice([message, b"Subject: x\n\n" + w, b"Content-Type: text/plain\n\n" + w])
    parts = [b"Content-Type: text/plain\n\n" + rng.choice([b"\n", w + b"\n"]),
             b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; a.example\n\nFinal-Recipient: rfc822; b\nAction: failed\nStatus: 5.0.0\n" + rng.choice([b"", b"Diagnostic-Code: x; " + w + b"\n"]),
             b"Content-Type: " + rng.choice([b"message/rfc822", b"text/rfc822-headers", b"text/plain", b"message/global"]) + b"\n\n" + inner]
    rng.shuffle(parts) if rng.random() < 0.3 else None
    body = b"".join(b"--rr\n" + part + b"\n" for part in parts[:rng.choice([1, 2, 3, 3, 3])]) + b"--rr--\n"
    return head + b"MIME-Version: 1.0\nContent-Type: multipart/" + rng.choice([b"report; report-type=delivery-status", b"mixed", b"report"]) + b"; boundary=rr\n\n" + body


def signature(rng, message, word):
    """multipart/signed around the message, with the word in or beside the signature."""
    m = re.search(rb"\r?\n\r?\n", message)
    kind = re.search(rb"^Content-Type:[^\n]*(?:\n[ \t][^\n]*)*\n", message, re.M | re.I)
    if not m or not kind or kind.start() > m.start():
        return None
    head, body = message[:m.start() + 1].replace(kind[0], b""), message[m.end():]
    w = word.encode()
    data = bytearray(b"\x04\x00\x16\x08\x00\x06\x05\x02\x65\x00\x00\x00") + bytes(rng.randrange(256) for _ in range(70))
    sub = rng.choice([bytes([len(w) + 1, rng.choice([20, 26, 28, 29, 24, 100])]) + w, b""])
    data[6:6] = sub
    data[4:6] = (6 + len(sub)).to_bytes(2, "big")
    packets = bytes([0xC2, len(data)]) + bytes(data)
    armored = b"-----BEGIN PGP SIGNATURE-----\n" + rng.choice([b"", b"Comment: " + w + b"\n", b"Content-Type: text/plain\n"]) + b"\n" + base64.encodebytes(packets) + b"-----END PGP SIGNATURE-----\n"
    armored = rng.choice([armored, armored, w + b"\n" + armored, armored + w + b"\n", base64.encodebytes(packets), armored + b"\n" + new_part(rng, word)])
    other = rng.choice([b"application/pgp-signature", b"application/pgp-signature", b"application/pgp-signature; name=a.txt", b"application/pkcs7-signature", b"text/plain", b"application/octet-stream"])
    protocol = rng.choice([b"application/pgp-signature", b"application/pgp-signature", b"application/pkcs7-signature", b"x"])
    return head + b"Content-Type: multipart/signed; protocol=\"" + protocol + b"\"; boundary=ss\n\n--ss\n" + kind[0] + b"\n" + body + b"\n--ss\nContent-Type: " + other + b"\n\n" + \
        armored + b"\n--ss--\n"


def mbox_edge(rng, message, word):
    """Lines of mbox files at the top of the message or a part, with the word below."""
    line = rng.choice([b"From x Mon Nov  2 10:11:12 2026\n", b">From x\n", b"From: x\n", b"From \n", b"\n", b" \n", b"\r\n", b"\xef\xbb\xbf", b"\0\n", b"From " + word.encode() + b"\n", b"Return-Path <x>\n", b"<x>: y\n"])
    starts = [0, 0, header_end(message)] + [end for start, end in boundary_lines(message)] + [rng.choice(line_starts(message))]
    message = put(message, rng.choice(starts), line * rng.choice([1, 1, 2]))
    return rng.choice([at_line, anywhere, in_preamble, extra_part, early_body, in_armor])(rng, message, word) or at_line(rng, message, word)


def begin_in_header(rng, message, word):
    """The BEGIN line within a header: of the message, of a part, of an embedded message."""
    m = re.search(rb"\r?\n\r?\n", message)
    if not m:
        return None
    block = message[message.find(BEGIN):] if BEGIN in message else BEGIN + b"\n"
    block = block[:block.find(b"-----END PGP MESSAGE-----") + 26]
    kind = rng.randrange(4)
    if kind == 0:
        return message[:m.start() + 1] + block + rng.choice([b"", b"\n"]) + text_line(rng, word) + b"\n"
    if kind == 1:
        at = rng.choice([s for s in line_starts(message) if s <= m.start() + 1])
        return put(message, at, rng.choice([BEGIN + b"\n", block, b"X: y\n" + BEGIN + b"\n"]) + text_line(rng, word) + b"\n")
    inner = b"Subject: " + rng.choice([b"x", word.encode()]) + b"\n" + rng.choice([b"", b"X: " + word.encode() + b"\n"]) + block + rng.choice([b"", b"\n" + word.encode() + b"\n"])
    part = b"Content-Type: " + rng.choice([b"message/rfc822", b"message/global", b"application/octet-stream; name=GpgOL_MIME_structure.mime", b"text/rfc822-headers"]) + b"\n\n" + inner
    lines = boundary_lines(message)
    if lines and kind == 2:
        start, end = rng.choice(lines)
        line = message[start:end].rstrip(b"\r\n")
        return put(message, start, (line[:-2] if line.endswith(b"--") else line) + b"\n" + part + b"\n")
    head = re.sub(rb"^Content-[^\n]*\n(?:[ \t][^\n]*\n)*", b"", message[:m.start() + 1], flags=re.M | re.I)
    return head + part


# By class: canary.py makes as many of each.
CLASSES = {
    "lines": [anywhere, at_line, in_line, cut, removed, line_ends],
    "boundaries": [around_boundary, on_boundary, two_boundaries, two_boundaries, begin_is_boundary],
    "preamble": [in_preamble],
    "epilogue": [in_epilogue],
    "parts": [extra_part, extra_part, empty_part_filled, wrapped, wrapped],
    "header fields": [early_body, white_line, second_field, second_field],
    "encodings": [other_type, in_transfer, in_transfer],
    "armor": [in_armor, in_armor, in_ciphertext],
    "armor headers": [armor_headers],
    "charsets": [charsets],
    "HTML": [in_html],
    "unarmored": [unarmored],
    "S/MIME": [in_cms, cms_type],
    "reports": [in_report],
    "signatures": [signature],
    "mbox edges": [mbox_edge, begin_in_header],
}


def mutate(rng, message, word, kind):
    """The message with the word in it, and how: first in a way of this class, then perhaps in others. None: no way of the
    class applies to this message."""
    mutator = rng.choice(CLASSES[kind])
    names = [mutator.__name__]
    message = mutator(rng, message, word)
    for _ in range(rng.choice([0, 0, 0, 0, 1, 1, 2]) if message else 0):
        mutator = rng.choice(CLASSES[rng.choice(sorted(CLASSES))])
        changed = mutator(rng, message, word)
        if changed is not None:
            message = changed
            names.append(mutator.__name__)
    return message and (message, " ".join(names))
