# SPDX-License-Identifier: ISC
"""Writes MIME by hand: every octet where the caller wants it, right or wrong. Text may be str (Latin-1,
so that any octet can be written) or bytes. Lines end with LF; the tests make CR LF of it."""

import base64

ENCRYPTED = 'multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b1"'
CONTROL = "Content-Type: application/pgp-encrypted\nContent-Description: PGP/MIME version identification\n"
OCTETS = ("Content-Type: application/octet-stream; name=\"encrypted.asc\"\n"
          "Content-Disposition: inline; filename=\"encrypted.asc\"\n")


def octets(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def cat(*pieces):
    return b"".join(octets(p) for p in pieces)


def fields(subject="Numbers for the third quarter", sender="Alice <alice@sender.example>",
           recipient="Bob <bob@receiver.example>", extra=""):
    return ("From: %s\nTo: %s\nSubject: %s\nDate: Mon, 02 Nov 2026 10:11:12 +0100\n"
            "Message-ID: <golden@sender.example>\n%s" % (sender, recipient, subject, extra))


def mail(body, content="", version=True, **kw):
    """A whole message. content: the value of Content-Type, or "" for none, or whole fields if they end
    with a line end."""
    if content and not content.endswith("\n"):
        content = "Content-Type: " + content + "\n"
    return cat(fields(**kw), "MIME-Version: 1.0\n" if version else "", content, "\n", body)


def part(body, header=""):
    """One body part: its header fields (each with line end), the empty line, its body."""
    return cat(header, "\n", body)


def text(body, content="text/plain; charset=utf-8", extra=""):
    return part(body, "Content-Type: " + content + "\n" + extra)


def multi(*parts, boundary="b1", preamble="", epilogue="", close=True):
    """The body of a multipart."""
    out = octets(preamble)
    for p in parts:
        out += cat("--", boundary, "\n", p, "\n")
    return out + cat("--", boundary, "--\n" if close else "\n" if close is None else "", epilogue)


def nested(subtype, *parts, boundary="in", params="", **kw):
    """A multipart as a body part."""
    return part(multi(*parts, boundary=boundary, **kw),
                'Content-Type: multipart/%s%s; boundary="%s"\n' % (subtype, params, boundary))


def control(body="Version: 1\n", header=CONTROL):
    return part(body, header)


def pgp_mime(armored, content=ENCRYPTED, first=None, second=None, more=(), head=None, boundary="b1",
             preamble="", epilogue="", close=True, **kw):
    """RFC 3156 section 4, with every piece replaceable."""
    first = control() if first is None else first
    second = part(armored, OCTETS if head is None else head) if second is None else second
    body = multi(*[p for p in (first, second) + tuple(more) if p != ""], boundary=boundary,
                 preamble=preamble, epilogue=epilogue, close=close)
    return mail(body, content, **kw)


def b64(data, width=76):
    data = base64.b64encode(octets(data)).decode()
    return "".join(data[i:i + width] + "\n" for i in range(0, len(data), width))


def qp(data):
    """Quoted-printable of armor: only "=" needs it."""
    return octets(data).replace(b"=", b"=3D")


def der(tag, *content):
    """One DER element."""
    body = b"".join(content)
    n = len(body)
    length = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else b"\x82" + n.to_bytes(2, "big")
    return bytes([tag]) + length + body


SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
ENVELOPED_DATA = bytes.fromhex("2a864886f70d010703")
AUTH_ENVELOPED_DATA = bytes.fromhex("2a864886f70d0109100117")
CMS_DATA = bytes.fromhex("2a864886f70d010701")


def enveloped(ciphertext):
    """What stands in EnvelopedData (RFC 5652 section 6.1) behind its version: one recipient, and the ciphertext."""
    recipient = der(0x30, der(0x02, b"\0"), der(0x80, b"key identifier, 20 o"), der(0x30, der(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")),
                    der(0x04, bytes(range(64, 192))))
    algorithm = der(0x30, der(0x06, b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a"), der(0x04, bytes(range(200, 216))))
    return der(0x31, recipient) + der(0x30, der(0x06, CMS_DATA), algorithm, der(0x80, ciphertext))


def cms(oid, content):
    """A CMS ContentInfo (RFC 5652 section 3) around content, which is ciphertext where the type is an enveloped one."""
    if oid in (ENVELOPED_DATA, AUTH_ENVELOPED_DATA):
        content = enveloped(content)
    return der(0x30, der(0x06, oid), der(0xA0, der(0x30, der(0x02, b"\0"), content)))


def detached(content=None, is_streamed=False):
    """CMS signed data (RFC 5652 section 5) whose content is elsewhere, or is content. What should be certificates and signature is
    noise."""
    signs = der(0x06, CMS_DATA) + (der(0xA0, der(0x04, content)) if content else b"")
    signs = b"\x30\x80" + signs + b"\0\0" if is_streamed else der(0x30, signs)
    sha256 = der(0x30, der(0x06, bytes([0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1])) + b"\x05\0")
    data = der(0x02, b"\1") + der(0x31, sha256) + signs + bytes((i * i + 7 * i) * 31 % 251 for i in range(400))
    if is_streamed:
        return b"\x30\x80" + der(0x06, SIGNED_DATA) + b"\xa0\x80\x30\x80" + data + b"\0" * 6
    return der(0x30, der(0x06, SIGNED_DATA) + der(0xA0, der(0x30, data)))
