# SPDX-License-Identifier: ISC
"""Ways to put a readable word into a message so that somebody may read it. Each mutator takes a source of
random choices, a message and the word, and gives the message changed, or None where it does not apply."""

import base64
import re

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


MUTATORS = [anywhere, at_line, in_line, around_boundary, on_boundary, in_preamble, in_epilogue, extra_part, extra_part, empty_part_filled, early_body, second_field,
            two_boundaries, two_boundaries, other_type, in_armor, in_armor, in_transfer, wrapped, wrapped, cut, removed, line_ends]


def mutate(rng, message, word):
    """The message with the word in it, and how."""
    names = []
    for _ in range(rng.choice([1, 1, 1, 1, 2, 2, 3])):
        mutator = rng.choice(MUTATORS)
        changed = mutator(rng, message, word)
        if changed is not None:
            message = changed
            names.append(mutator.__name__)
    return message, " ".join(names) or "nothing"
