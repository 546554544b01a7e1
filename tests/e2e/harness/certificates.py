# SPDX-License-Identifier: ISC
"""OpenPGP certificates and messages put together by hand, for what no program here makes: subkeys of any algorithm, of versions 4
and 6, bound by a real Ed25519 signature (openssl signs). What is encrypted is random, since nobody decrypts it. RFC 9580,
draft-ietf-openpgp-pqc for ML-KEM. Of version 5 (LibrePGP, draft-koch-librepgp) the keys, and signatures that nothing here checks.

    c = Certificate(place.directory("made"), "alice@example.org", subkeys=[ML_KEM_768_X25519])
    c.armor()                          the certificate
    message(c.subkeys[0], version=3)   armored, to that key
"""

import base64
import hashlib
import os
import subprocess
import time

EDDSA_LEGACY, X25519, X448, ED25519, ML_KEM_768_X25519, ML_KEM_1024_X448 = 22, 25, 26, 27, 35, 36
PUBLIC_OCTETS = {X25519: 32, X448: 56, ML_KEM_768_X25519: 32 + 1184, ML_KEM_1024_X448: 56 + 1568}
SESSION_KEY_OCTETS = {X25519: 32, X448: 56, ML_KEM_768_X25519: 32 + 1088, ML_KEM_1024_X448: 56 + 1568}
ED25519_OID = bytes.fromhex("092b06010401da470f01")


def packet(tag, body):
    return bytes([0xC0 | tag, 255]) + len(body).to_bytes(4, "big") + body


def armor(kind, packets):
    text = base64.b64encode(packets).decode()
    lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN PGP {kind}-----\n\n{lines}\n-----END PGP {kind}-----\n"


def dearmor(text):
    lines = text.replace("\r", "").split("\n\n", 1)[1].split("\n-----END")[0].split("\n")
    return base64.b64decode("".join(line for line in lines if not line.startswith("=")))


def packets_of(data):
    """(tag, body, whole) of each; partial lengths only of the last one, which is taken as it is."""
    while data:
        if not data[0] & 0x40:
            tag, octets = data[0] >> 2 & 15, {0: 1, 1: 2, 2: 4, 3: 0}[data[0] & 3]
            head, length = 1 + octets, int.from_bytes(data[1:1 + octets], "big") if octets else len(data) - 1
        else:
            tag = data[0] & 0x3F
            if data[1] < 192:
                head, length = 2, data[1]
            elif data[1] < 224:
                head, length = 3, (data[1] - 192 << 8) + data[2] + 192
            elif data[1] == 255:
                head, length = 6, int.from_bytes(data[2:6], "big")
            else:
                head, length = 1, len(data) - 1
        yield tag, data[head:head + length], data[:head + length]
        data = data[head + length:]


def mpi(octets):
    number = octets.lstrip(b"\0")
    return (8 * len(number) - 8 + number[0].bit_length()).to_bytes(2, "big") + number


class Key:
    """A public key: the body of its packet, and what is derived of it."""

    def __init__(self, version, algorithm, material, created):
        self.version, self.algorithm = version, algorithm
        length = len(material).to_bytes(4, "big") if version > 4 else b""
        self.body = bytes([version]) + created.to_bytes(4, "big") + bytes([algorithm]) + length + material
        octets = 4 if version > 4 else 2
        self.hashed = bytes([{4: 0x99, 5: 0x9A, 6: 0x9B}[version]]) + len(self.body).to_bytes(octets, "big") + self.body
        digest = (hashlib.sha256 if version > 4 else hashlib.sha1)(self.hashed).digest()
        self.octets, self.fingerprint = digest, digest.hex().upper()
        self.key_id = self.fingerprint[:16] if version > 4 else self.fingerprint[-16:]


class Certificate:
    """primary: EDDSA_LEGACY, which gpg 2.2 checks, or ED25519, which it does not. expires_s: of the primary key; None: never."""

    def __init__(self, folder, address, subkeys, version=4, primary=EDDSA_LEGACY, created=None, expires_s=None):
        self.created = created or int(time.time()) - 3600
        self.secret = os.path.join(folder, f"{os.urandom(8).hex()}.pem")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.secret], check=True, capture_output=True)
        public = subprocess.run(["openssl", "pkey", "-in", self.secret, "-pubout", "-outform", "DER"], check=True,
                                capture_output=True).stdout[-32:]
        material = public if primary == ED25519 else ED25519_OID + mpi(b"\x40" + public)
        self.primary = Key(version, primary, material, self.created)
        self.subkeys = [Key(version, a, os.urandom(PUBLIC_OCTETS[a]), self.created) for a in subkeys]
        uid = address.encode()
        self.packets = packet(6, self.primary.body)
        if version == 6:
            self.packets += packet(2, self._sign(0x1F, b"", flags=0x03, expires_s=expires_s))
        self.packets += packet(13, uid) + packet(2, self._sign(
            0x13, b"\xb4" + len(uid).to_bytes(4, "big") + uid, flags=0x03, expires_s=expires_s))
        for k in self.subkeys:
            self.packets += packet(14, k.body) + packet(2, self._sign(0x18, k.hashed, flags=0x0C))

    def _sign(self, kind, what, flags, expires_s=None):
        """RFC 9580 section 5.2.4."""
        version = 6 if self.primary.version == 6 else 4
        issuer = bytes([33, self.primary.version]) + self.primary.octets
        parts = [b"\x02" + self.created.to_bytes(4, "big"), bytes([27, flags]), issuer]
        if version == 4:  # gpg looks for nothing else
            parts.append(b"\x10" + self.primary.octets[-8:])
        if expires_s is not None:
            parts.append(b"\x09" + expires_s.to_bytes(4, "big"))
        area = b"".join(bytes([len(p)]) + p for p in parts)
        octets = 4 if version == 6 else 2
        salt = os.urandom(16) if version == 6 else b""
        head = bytes([version, kind, self.primary.algorithm, 8]) + len(area).to_bytes(octets, "big") + area
        digest = hashlib.sha256(salt + self.primary.hashed + what + head + bytes([version, 0xFF]) +
                                len(head).to_bytes(4, "big")).digest()
        signature = self._ed25519(digest)
        end = signature if self.primary.algorithm == ED25519 else mpi(signature[:32]) + mpi(signature[32:])
        return head + bytes(octets) + digest[:2] + (bytes([len(salt)]) + salt if salt else b"") + end

    def _ed25519(self, data):
        path = self.secret + ".data"
        with open(path, "wb") as f:
            f.write(data)
        return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.secret, "-in", path], check=True,
                              capture_output=True).stdout

    def armor(self):
        return armor("PUBLIC KEY BLOCK", self.packets)


# Of GnuPG 2.4.7, which makes keys of version 5 with --compliance=gnupg: --quick-gen-key ed448, --quick-add-key cv448, --encrypt.
GNUPG_V5_ADDRESS, GNUPG_V5_KEY = "vera@example.org", "4CBC8E4BDC67B4A292130437B18FF107E17B5A8BB9A615701C953A93097B7B4C"
GNUPG_V5_CERTIFICATE = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mEkFaw1EoRYAAAA/AytlcQHGL3gGO3KcYaEfU78NQFC8DGf9VU2esQYmK+2MxpUf
36fF48uIAfRRsRoOLMQ58iNTsUl6cBqy0/4AtBdWZXJhIDx2ZXJhQGV4YW1wbGUu
b3JnPojHBRMWCgBHIiEFVgYLaAMfqAM8d2Y6HSKYSGhB/3x6CeDW02J88Ji3m0AF
AmsNRKECGwMFCwkIBwICIgIGFQoJCAsCBBYCAwECHgcCF4AAAJ3jAcikUSM+kg7X
28blc2SqH6397xJVijne7JaWjW7uqdgKNwgWLaZ8A4MUqFON5cxsZoI12L7Nj9mi
roABxi+lOIOhRjd3umlTS8wMovSGq6nJKiUCOJzONup6hAd+cKkMboqcVJWN/JUo
Dh0kXPAtwadPEhYHALhMBWsNRKISAAAAQgMrZW8BwLlks9/xdDzdgl7Z+pAPU1A3
bcXK2WNVRPyFc6c+GcDXLdhk3SQJTQaErekjzgAFT6QxVkfbfcshAwEKCYisBRgW
CgAsIiEFVgYLaAMfqAM8d2Y6HSKYSGhB/3x6CeDW02J88Ji3m0AFAmsNRKICGwwA
AIMBAcdy3jKfrKhUMpIkLmNZ4sJchOJ28pfFpJdMEegAYalXAgQ2VmBSD91q1Om2
RbpMArKrs+Aj1Hj6EAAByPqlItxxFJXY4kJ6jPcVu0AH1KlVbqbDVfhQVuQDnCx9
i3XpIye154Zzg7bFkDJz1N1nK4a9fkseAA==
=k7hh
-----END PGP PUBLIC KEY BLOCK-----
"""
GNUPG_V5_MESSAGE = """-----BEGIN PGP MESSAGE-----

hHUDTLyOS9xntKISAcCMjDBd3O0m0iB/soPHUUNrUPzcMLlN09iuFEjlWOkoarLk
bnZ+EBSeR7VMx5irbfhk6DD7cBGbwTAMIKAHNQwc+vLgDhqFNlW4TmHk+zlGoBES
ixuEFA2MZUmC7ib5zz3vgpq+c3e94mHUSgEJAhCOwYv0y5AAmwA2ByZaS1kdT//A
RCs/UemGfUod8xFz/iLclnn8VHw4WpqOusMfAgulVdLeBV0LpbAU2RT/bL1xrjxM
78wO
=X3VH
-----END PGP MESSAGE-----
"""


def session_key(key, version=3):
    """A PKESK of version 3 or 6 to that key (RFC 9580 section 5.1), or of version 6 to nobody (key is an algorithm)."""
    algorithm = key if isinstance(key, int) else key.algorithm
    if version == 3:
        head = b"\x03" + (bytes(8) if isinstance(key, int) else bytes.fromhex(key.key_id)) + bytes([algorithm])
    elif isinstance(key, int):
        head = b"\x06\x00" + bytes([algorithm])
    else:
        head = bytes([6, 1 + len(key.octets), key.version]) + key.octets + bytes([algorithm])
    wrapped = (b"\x09" if version == 3 else b"") + os.urandom(40)
    return packet(1, head + os.urandom(SESSION_KEY_OCTETS[algorithm]) + bytes([len(wrapped)]) + wrapped)


def message(*keys, version=3):
    """Armored, to all of them, in a packet 18 of version 1, or, with session keys of version 6, of version 2."""
    data = b"\x01" + os.urandom(300) if version == 3 else b"\x02\x09\x02\x06" + os.urandom(32 + 300)
    return armor("MESSAGE", b"".join(session_key(k, version) for k in keys) + packet(18, data))
