# SPDX-License-Identifier: ISC
"""Builds OpenPGP packets octet by octet, right or wrong on purpose, and armors them.

Nothing here encrypts: "ciphertext" is a stream of hash output, which looks like what a cipher makes to
anyone without the key. Everything is a function of its arguments, so that the messages built from it are
the same on every machine. Sections are those of RFC 9580 unless another text is named.
"""

import base64
import hashlib

PKESK, SIGNATURE, SKESK, ONE_PASS, SECRET_KEY, PUBLIC_KEY = 1, 2, 3, 4, 5, 6
COMPRESSED, SED, MARKER, LITERAL, TRUST, USER_ID = 8, 9, 10, 11, 12, 13
USER_ATTRIBUTE, SEIPD, MDC, AEAD, PADDING = 17, 18, 19, 20, 21

RSA, RSA_ENCRYPT, ELGAMAL, ECDH, X25519, X448 = 1, 2, 16, 18, 25, 26
TRIPLE_DES, CAST5, BLOWFISH, AES128, AES192, AES256, TWOFISH = 2, 3, 4, 7, 8, 9, 10
EAX, OCB, GCM = 1, 2, 3


def noise(n, seed="noise"):
    """n octets that look random: SHA-256 in counter mode."""
    out = bytearray()
    counter = 0
    while len(out) < n:
        out += hashlib.sha256(b"%s/%d" % (seed.encode(), counter)).digest()
        counter += 1
    return bytes(out[:n])


# --- packet headers (section 4.2) ---------------------------------------------------------------


def new_length(n, octets=None):
    """A new-format body length; octets forces 1, 2 or 5."""
    if octets == 1 or octets is None and n < 192:
        return bytes([n])
    if octets == 2 or octets is None and n < 8384:
        return bytes([((n - 192) >> 8) + 192, (n - 192) & 0xFF])
    return b"\xff" + n.to_bytes(4, "big")


def packet(tag, body, octets=None, declare=None):
    """A new-format packet. declare: the length that its header claims, if not the true one."""
    return bytes([0xC0 | tag]) + new_length(len(body) if declare is None else declare, octets) + body


def old_packet(tag, body, octets=None, declare=None):
    """An old-format packet; octets is 1, 2, 4, or 0 for the indeterminate length."""
    n = len(body) if declare is None else declare
    if octets is None:
        octets = 1 if n < 256 else 2 if n < 65536 else 4
    kind = {1: 0, 2: 1, 4: 2, 0: 3}[octets]
    return bytes([0x80 | tag << 2 | kind]) + (n.to_bytes(octets, "big") if octets else b"") + body


def partial_packet(tag, body, powers, last=True):
    """Partial body lengths (section 4.2.1.4): chunks of 2**power octets, then the rest as last chunk."""
    out = bytes([0xC0 | tag])
    at = 0
    for power in powers:
        out += bytes([224 + power]) + body[at:at + (1 << power)]
        at += 1 << power
    return out + new_length(len(body) - at) + body[at:] if last else out


# --- session keys (sections 5.1, 5.3) -----------------------------------------------------------


def mpi(octets):
    """A multiprecision integer of exactly these octets (the first must not be zero)."""
    return (len(octets) * 8 - 8 + octets[0].bit_length()).to_bytes(2, "big") + octets


def number(n, seed):
    """n octets of noise that begin with a set bit, as a random integer does."""
    body = noise(n, seed)
    return bytes([body[0] | 0x80]) + body[1:]


def pkesk_fields(algorithm, version=3, seed="pkesk", octets=256):
    """The algorithm-specific fields of a session key to a public key."""
    if algorithm in (RSA, RSA_ENCRYPT):
        return mpi(number(octets, seed))
    if algorithm in (ELGAMAL, 20):
        return mpi(number(octets, seed)) + mpi(number(octets, seed + "2"))
    if algorithm == ECDH:  # 0x40, a native Curve25519 point; then the wrapped key (RFC 6637)
        return mpi(b"\x40" + noise(32, seed)) + b"\x30" + noise(48, seed + "w")
    if algorithm in (X25519, X448):
        wrapped = (b"\x09" if version == 3 else b"") + noise(40, seed + "w")
        return noise(32 if algorithm == X25519 else 56, seed) + bytes([len(wrapped)]) + wrapped
    return noise(120, seed)


def pkesk3_body(algorithm=ECDH, keyid=0x1122334455667788, fields=None, version=3, seed="pkesk"):
    if fields is None:
        fields = pkesk_fields(algorithm, 3, seed)
    return bytes([version]) + keyid.to_bytes(8, "big") + bytes([algorithm]) + fields


def pkesk6_body(algorithm=X25519, fingerprint=None, key_version=6, fields=None, seed="pkesk6"):
    if fingerprint is None:
        fingerprint = noise({6: 32, 5: 32, 4: 20}[key_version], seed + "fp")
    if fields is None:
        fields = pkesk_fields(algorithm, 6, seed)
    recipient = bytes([1 + len(fingerprint), key_version]) + fingerprint if fingerprint else b"\0"
    return b"\x06" + recipient + bytes([algorithm]) + fields


def s2k(kind=3, seed="salt"):
    """A string-to-key specifier (section 3.7.1)."""
    if kind == 0:
        return b"\x00\x08"
    if kind == 1:
        return b"\x01\x08" + noise(8, seed)
    if kind == 3:
        return b"\x03\x08" + noise(8, seed) + b"\xe0"
    if kind == 4:
        return b"\x04" + noise(16, seed) + b"\x03\x04\x10"
    return bytes([kind]) + noise(9, seed)


def skesk4_body(cipher=AES256, specifier=None, esk=b"", version=4):
    return bytes([version, cipher]) + (s2k() if specifier is None else specifier) + esk


def skesk5_body(cipher=AES256, aead=OCB, specifier=None, iv=15, esk=32):
    """LibrePGP section 5.3: version 5."""
    return bytes([5, cipher, aead]) + (s2k() if specifier is None else specifier) \
        + noise(iv, "skesk5iv") + noise(esk + 16, "skesk5")


def skesk6_body(cipher=AES256, aead=OCB, specifier=None, iv=15, esk=32, extra=b""):
    specifier = s2k() if specifier is None else specifier
    inner = bytes([cipher, aead, len(specifier)]) + specifier + noise(iv, "skesk6iv")
    return b"\x06" + bytes([len(inner)]) + inner + noise(esk + 16, "skesk6") + extra


# --- containers (sections 5.7, 5.13; LibrePGP section 5.16) ---------------------------------------


def seipd1_body(ciphertext=None, n=120, version=1, seed="seipd1"):
    """n counts the octets after the version."""
    return bytes([version]) + (noise(n, seed) if ciphertext is None else ciphertext)


def seipd2_body(ciphertext=None, n=100, cipher=AES256, aead=OCB, chunk=6, salt=32, version=2,
                seed="seipd2"):
    """n counts the octets after the salt, the last tag included."""
    return bytes([version, cipher, aead, chunk]) + noise(salt, seed + "salt") \
        + (noise(n, seed) if ciphertext is None else ciphertext)


def aead_body(ciphertext=None, n=100, cipher=AES256, aead=OCB, chunk=10, iv=15, version=1,
              seed="aead"):
    return bytes([version, cipher, aead, chunk]) + noise(iv, seed + "iv") \
        + (noise(n, seed) if ciphertext is None else ciphertext)


def pkesk3(*args, **kw):
    return packet(PKESK, pkesk3_body(*args, **kw))


def pkesk6(*args, **kw):
    return packet(PKESK, pkesk6_body(*args, **kw))


def skesk4(*args, **kw):
    return packet(SKESK, skesk4_body(*args, **kw))


def skesk5(*args, **kw):
    return packet(SKESK, skesk5_body(*args, **kw))


def skesk6(*args, **kw):
    return packet(SKESK, skesk6_body(*args, **kw))


def seipd1(*args, **kw):
    return packet(SEIPD, seipd1_body(*args, **kw))


def seipd2(*args, **kw):
    return packet(SEIPD, seipd2_body(*args, **kw))


def aead(*args, **kw):
    return packet(AEAD, aead_body(*args, **kw))


def sed(n=120):
    return packet(SED, noise(n, "sed"))


def marker(content=b"PGP"):
    return packet(MARKER, content)


def literal(text=b"Meet me at the old bridge."):
    return packet(LITERAL, b"t\x00" + b"\0\0\0\0" + text)


def compressed(text=b"Meet me at the old bridge."):
    """Algorithm 0, uncompressed (section 5.6)."""
    return packet(COMPRESSED, b"\x00" + literal(text))


def one_pass():
    return packet(ONE_PASS, b"\x03\x00\x08\x01" + noise(8, "ops") + b"\x01")


def signature(seed="signature", kind=1, notation=b""):
    """A version 4 RSA signature with two subpackets (three with a notation), well formed, valid for nothing."""
    hashed = b"\x05\x02\x60\x00\x00\x00"
    unhashed = b"\x09\x10" + noise(8, seed + "issuer")
    if notation:  # section 5.2.3.24: flags, length of the name, length of the value
        note = b"\x14\x80\0\0\0\0\x03" + len(notation).to_bytes(2, "big") + b"a@b" + notation
        unhashed += new_length(len(note)) + note
    return packet(SIGNATURE, bytes([4, kind, 1, 8]) + len(hashed).to_bytes(2, "big") + hashed
                  + len(unhashed).to_bytes(2, "big") + unhashed + noise(2, seed + "left")
                  + mpi(number(128, seed)))


def public_key():
    return packet(PUBLIC_KEY, b"\x04\x60\x00\x00\x00\x01" + mpi(number(128, "n")) + mpi(b"\x01\x00\x01"))


def message(seed="message", n=120):
    """The plainest encrypted message there is: one recipient, SEIPD version 1."""
    return pkesk3(seed=seed) + seipd1(n=n, seed=seed)


# --- armor (section 6) ----------------------------------------------------------------------------


def crc24(data):
    crc = 0xB704CE
    for octet in data:
        crc ^= octet << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc & 0xFFFFFF


def armor(data, headers=(), width=64, crc=True, kind="MESSAGE", blank="\n", begin=None, end=None,
          tail="", raw_headers=b""):
    """Armored data as bytes, with a final line end.

    crc: True (right), False (none), or the text of the line. blank: what stands between headers and data.
    tail: appended to every data line. begin, end: the whole first or last line, if not the usual one.
    """
    text = base64.b64encode(data).decode()
    lines = [text[i:i + width] + tail for i in range(0, len(text), width)]
    if crc is True:
        lines.append("=" + base64.b64encode(crc24(data).to_bytes(3, "big")).decode())
    elif crc is not False:
        lines.append(crc)
    begin = "-----BEGIN PGP %s-----" % kind if begin is None else begin
    end = "-----END PGP %s-----\n" % kind if end is None else end
    head = begin + "\n" + "".join("%s: %s\n" % pair for pair in headers)
    return head.encode("utf-8") + raw_headers + (blank + "\n".join(lines) + "\n" + end).encode("latin-1")
