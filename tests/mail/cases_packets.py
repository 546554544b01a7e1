# SPDX-License-Identifier: ISC
"""Golden cases for rules 19 to 28: OpenPGP packets. Rows as in cases_mime.py."""

from mimeparts import *
from pgppackets import *

MIME = "encrypted pgp-mime ok"
BAD = "invalid - bad-packet"
UNEXPECTED = "invalid - unexpected-packet"
NOT_ENCRYPTED = "invalid - not-encrypted"
NO_KEY = "invalid - no-session-key"
TRUNCATED = "invalid - truncated"
TRAILING = "invalid - trailing-data"
EMPTY = "invalid - empty-ciphertext"
ASCII = "invalid - ascii-ciphertext"
PASSWORD = "invalid - password-only"
LEGACY = "invalid - legacy-encryption"
END = seipd1()
KEY = pkesk3()
PROSE = (b"Meet me at the old bridge at eight. Bring the papers, and tell nobody where you are going. " * 60)


def pgp(*packets):
    """PGP/MIME around these packets."""
    return pgp_mime(armor(b"".join(packets)))


def id_of(i):
    """A key id as keys have it: of a hash."""
    return int.from_bytes(noise(8, "id/%d" % i), "big")


def ids_of(text):
    """A text as key ids."""
    return [int.from_bytes(text[i:i + 8], "big") for i in range(0, len(text), 8)]


def sized(tag, body, delta):
    """body with delta octets more or less, in a packet of that size."""
    return packet(tag, body[:delta] if delta < 0 else body + noise(delta, "more"))


NAMES = {1: "rsa", 2: "rsa-encrypt", 16: "elgamal", 18: "ecdh", 25: "x25519", 26: "x448"}
RULE_19 = []
for algorithm, slug in NAMES.items():
    body = pkesk3_body(algorithm)
    RULE_19 += [
        ("r19-%s" % slug, 19, MIME, pgp(packet(PKESK, body), END), "a session key for %s" % slug),
        ("r19-%s-longer" % slug, 19, BAD, pgp(sized(PKESK, body, 1), END), "%s, one octet too many" % slug),
        ("r19-%s-shorter" % slug, 19, BAD, pgp(sized(PKESK, body, -1), END), "%s, one octet missing" % slug),
    ]
RULE_19 += [
    ("r19-version-2", 19, NO_KEY, pgp(pkesk3(version=2), END), "a session key of version 2 (PGP 2), and no other"),
    ("r19-version-4", 19, NO_KEY, pgp(pkesk3(version=4), END), "a session key of version 4, and no other"),
    ("r19-version-4-first", 19, MIME, pgp(pkesk3(version=4), KEY, END), "a session key of version 4 before a proper one"),
    ("r19-version-23", 19, MIME, pgp(packet(PKESK, b"\x17" + b"A" * 8 + b"\x01" + noise(13)), KEY, END),
     "a short session key of version 23 before a proper one"),
    ("r19-version-23-last", 19, MIME, pgp(KEY, packet(PKESK, b"\x17" + noise(60)), END), "one of version 23 behind it"),
    ("r19-version-23-text", 19, BAD, pgp(KEY, packet(PKESK, b"\x17" + PROSE[:80]), END), "one of version 23 that is text"),
    ("r19-version-23-bound", 19, MIME, pgp(KEY, packet(PKESK, b"\x17" + noise(65535)), END), "one of 64 KiB"),
    ("r19-version-23-beyond", 19, BAD, pgp(KEY, packet(PKESK, b"\x17" + noise(65536)), END), "one of more than 64 KiB"),
    ("r19-version-0", 19, MIME, pgp(KEY, packet(PKESK, b"\x00" + noise(60)), END), "one of version 0"),
    ("r19-version-none", 19, BAD, pgp(KEY, packet(PKESK, b""), END), "one without a version"),
    ("r19-marker-behind-unknown", 19, "invalid - unexpected-packet", pgp(packet(PKESK, b"\x17" + noise(60)), packet(10, b"PGP"), KEY, END),
     "a marker behind a session key of an unknown version"),
    ("r19-hidden", 19, MIME, pgp(pkesk3(keyid=0), END), "a hidden recipient"),
    ("r19-many", 19, MIME, pgp(*[pkesk3(keyid=id_of(i), seed=str(i)) for i in range(20)], END), "20 recipients"),
    ("r19-many-hidden-rsa", 19, MIME, pgp(*[pkesk3(RSA, keyid=0, seed=str(i)) for i in range(16)], END), "16 hidden recipients: most of zeros are key ids"),
    ("r19-many-hidden-elgamal", 19, MIME, pgp(*[pkesk3(ELGAMAL, keyid=0, seed=str(i)) for i in range(40)], END), "40 hidden recipients"),
    ("r19-many-ecdh", 19, MIME, pgp(*[pkesk3(ECDH, keyid=id_of(i), seed=str(i)) for i in range(60)], END), "60 recipients with Curve25519, whose packets are framed alike"),
    ("r19-many-x25519", 19, MIME, pgp(*[pkesk3(X25519, keyid=id_of(i), seed=str(i)) for i in range(60)], END), "60 recipients with X25519"),
    ("r19-many-v6", 19, MIME, pgp(*[pkesk6(seed=str(i)) for i in range(60)], seipd2()), "60 recipients with version 6"),
    ("r19-many-rsa-text", 19, BAD, pgp(*[pkesk3(RSA, fields=mpi(b"\xcc" + bytes(0x80 | c for c in PROSE[i * 90:i * 90 + 255])), seed=str(i)) for i in range(20)], END),
     "text with the highest bit set in the fields of 20 session keys"),
    ("r19-many-rsa", 19, MIME, pgp(*[pkesk3(RSA, keyid=id_of(i), seed=str(i)) for i in range(200)], END), "200 recipients with RSA"),
    ("r19-many-v6-key-4", 19, MIME, pgp(*[pkesk6(key_version=4, seed=str(i)) for i in range(200)], seipd2()), "200 recipients of version 6 with keys of version 4"),
    ("r19-many-v6-anonymous", 19, MIME, pgp(*[pkesk6(fingerprint=b"", seed=str(i)) for i in range(200)], seipd2()), "200 hidden recipients of version 6"),
    ("r19-many-ecdh-200", 19, MIME, pgp(*[pkesk3(ECDH, keyid=id_of(i), seed=str(i)) for i in range(200)], END), "200 recipients with Curve25519"),
    ("r19-many-hidden-some", 19, MIME, pgp(*[pkesk3(ECDH, keyid=0 if i % 2 else id_of(i), seed=str(i)) for i in range(50)], END), "50 recipients, every second of which is hidden"),
    ("r19-ids-text", 19, BAD, pgp(*[pkesk3(ECDH, keyid=k, seed=str(i)) for i, k in enumerate(ids_of(PROSE[:1600]))], END), "key ids that are a text"),
    ("r19-ids-text-rsa", 19, BAD, pgp(*[pkesk3(RSA, keyid=k, seed=str(i)) for i, k in enumerate(ids_of(PROSE[:120]))], END), "15 of them beside integers of RSA"),
    ("r19-ids-text-unknown", 19, BAD, pgp(KEY, *[pkesk3(99, keyid=k, seed=str(i)) for i, k in enumerate(ids_of(PROSE[:400]))], END), "key ids of an unknown algorithm"),
    ("r19-ids-text-late", 19, BAD, pgp(*[pkesk3(ECDH, keyid=k, seed=str(i)) for i, k in enumerate([id_of(i) for i in range(600)] + ids_of(PROSE[:800]))], END), "a text behind 600 that are none"),
    ("r19-rsa-text-late", 19, BAD, pgp(*[pkesk3(RSA, keyid=id_of(i), seed=str(i)) for i in range(20)],
                                       *[pkesk3(RSA, keyid=id_of(i), fields=mpi(b"\xcc" + bytes(0x80 | c for c in PROSE[i * 90:i * 90 + 255])), seed=str(i)) for i in range(20)], END),
     "text with the highest bit set behind 20 proper integers"),
    ("r19-ids-text-v6", 19, BAD, pgp(*[pkesk6(fingerprint=PROSE[i * 32:i * 32 + 32], seed=str(i)) for i in range(20)], seipd2()), "fingerprints that are a text"),
    ("r19-ids-text-v6-key-4", 19, BAD, pgp(*[pkesk6(fingerprint=PROSE[i * 20:i * 20 + 20], key_version=4, seed=str(i)) for i in range(20)], seipd2()), "those of version 4"),
    ("r19-unknown-algorithm", 19, MIME, pgp(pkesk3(99), END), "an unknown algorithm"),
    ("r19-private-algorithm", 19, MIME, pgp(pkesk3(105), END), "a private algorithm"),
    ("r19-unknown-algorithm-text", 19, "invalid - bad-packet", pgp(pkesk3(99, fields=PROSE[:300]), END), "text for an unknown algorithm"),
    ("r19-unknown-algorithm-short-text", 19, BAD, pgp(pkesk3(99, fields=b"Meet me at the old church at eight, and bring the money"), END),
     "a short text for an unknown algorithm"),
    ("r19-unknown-algorithm-short", 19, MIME, pgp(pkesk3(99, fields=noise(40, "short")), END), "a short session key of an unknown algorithm"),
    ("r19-unknown-algorithm-many-short-texts", 19, BAD, pgp(*[pkesk3(99, fields=PROSE[i:i + 50]) for i in range(0, 500, 50)], END),
     "ten texts, each too short to tell"),
    ("r19-rsa-text", 19, BAD, pgp(pkesk3(RSA, fields=mpi(PROSE[:256])), END), "text for an RSA number"),
    ("r19-empty-fields", 19, BAD, pgp(packet(PKESK, pkesk3_body(fields=b"")), END), "no fields"),
    ("r19-empty-packet", 19, BAD, pgp(packet(PKESK, b""), END), "an empty session key packet"),
    ("r19-zero-integer", 19, BAD, pgp(packet(PKESK, pkesk3_body(RSA, fields=b"\0\0")), END), "an integer of no bits"),
    ("r19-v6", 19, MIME, pgp(pkesk6(), seipd2()), "version 6, X25519"),
    ("r19-v6-key-4", 19, MIME, pgp(pkesk6(key_version=4), seipd2()), "version 6 for a version 4 key"),
    ("r19-v6-anonymous", 19, MIME, pgp(pkesk6(fingerprint=b""), seipd2()), "version 6, hidden recipient"),
    ("r19-v6-x448", 19, MIME, pgp(pkesk6(X448), seipd2()), "version 6, X448"),
    ("r19-v6-rsa", 19, MIME, pgp(pkesk6(RSA), seipd2()), "version 6, RSA"),
    ("r19-v6-longer", 19, BAD, pgp(sized(PKESK, pkesk6_body(), 1), seipd2()), "version 6, one octet too many"),
    ("r19-v6-fingerprint-length", 19, BAD, pgp(pkesk6(fingerprint=noise(19)), seipd2()), "version 6, a fingerprint of 19 octets"),
    ("r19-skesk-4", 19, MIME, pgp(KEY, skesk4(), END), "a password besides a key"),
    ("r19-skesk-4-first", 19, MIME, pgp(skesk4(), KEY, END), "a password before a key"),
    ("r19-skesk-4-esk", 19, MIME, pgp(KEY, skesk4(esk=noise(33, "esk")), END), "a password with encrypted session key"),
    ("r19-skesk-4-simple", 19, MIME, pgp(KEY, skesk4(specifier=s2k(0)), END), "a simple string-to-key"),
    ("r19-skesk-4-salted", 19, MIME, pgp(KEY, skesk4(specifier=s2k(1)), END), "a salted string-to-key"),
    ("r19-skesk-4-s2k-unknown", 19, BAD, pgp(KEY, skesk4(specifier=s2k(2)), END), "a reserved string-to-key"),
    ("r19-skesk-4-short", 19, BAD, pgp(KEY, sized(SKESK, skesk4_body(), -1), END), "a string-to-key cut short"),
    ("r19-skesk-4-esk-long", 19, BAD, pgp(KEY, skesk4(esk=noise(200, "esk")), END), "an encrypted session key of 200 octets"),
    ("r19-skesk-3", 19, MIME, pgp(KEY, skesk4(version=3), END), "a password packet of version 3 beside a proper session key"),
    ("r19-skesk-3-only", 19, NO_KEY, pgp(skesk4(version=3), END), "a password packet of version 3 and nothing else"),
    ("r19-skesk-9-text", 19, BAD, pgp(KEY, packet(SKESK, b"\x09" + PROSE[:80]), END), "a password packet of an unknown version that is text"),
    ("r19-skesk-6", 19, MIME, pgp(pkesk6(), skesk6(), seipd2()), "version 6"),
    ("r19-skesk-6-argon2", 19, MIME, pgp(pkesk6(), skesk6(specifier=s2k(4)), seipd2()), "version 6, Argon2"),
    ("r19-skesk-6-longer", 19, BAD, pgp(pkesk6(), skesk6(extra=b"xyz" * 30), seipd2()), "version 6, octets too many"),
    ("r19-skesk-5", 19, MIME, pgp(KEY, skesk5(), aead()), "version 5"),
]

RULE_20 = [
    ("r20-none", 20, NO_KEY, pgp(END), "no session key"),
    ("r20-none-v2", 20, NO_KEY, pgp(seipd2()), "no session key, SEIPD version 2"),
    ("r20-password", 20, PASSWORD, pgp(skesk4(), END), "a password only"),
    ("r20-password-accepted", 20, MIME, pgp(skesk4(), END), "a password only, accepted", {"accept_password_only": "yes"}),
    ("r20-two-passwords", 20, PASSWORD, pgp(skesk4(), skesk4(esk=noise(33)), END), "passwords only"),
    ("r20-password-6", 20, PASSWORD, pgp(skesk6(), seipd2()), "a password only, version 6"),
    ("r20-password-5", 20, PASSWORD, pgp(skesk5(), aead()), "a password only, version 5"),
    ("r20-password-cipher-0", 20, BAD, pgp(KEY, skesk4(cipher=0), END), "cipher 0 for a password"),
    ("r20-password-cipher-0-accepted", 20, BAD, pgp(skesk4(cipher=0), END), "cipher 0, passwords accepted",
     {"accept_password_only": "yes"}),
    ("r20-password-cipher-unknown", 20, "encrypted pgp-mime ok", pgp(KEY, skesk4(cipher=99), END), "an unknown cipher for a password"),
]

RULE_21 = [
    ("r21-seipd-2", 21, MIME, pgp(pkesk6(), seipd2()), "SEIPD version 2"),
    ("r21-aead", 21, MIME, pgp(KEY, aead()), "packet 20"),
    ("r21-legacy", 21, LEGACY, pgp(KEY, sed()), "packet 9"),
    ("r21-legacy-accepted", 21, MIME, pgp(KEY, sed()), "packet 9, accepted", {"accept_legacy_encryption": "yes"}),
    ("r21-legacy-text", 21, ASCII, pgp(KEY, packet(SED, PROSE[:300])), "packet 9 around text, accepted",
     {"accept_legacy_encryption": "yes"}),
    ("r21-legacy-no-key", 21, "invalid - no-session-key", pgp(sed()), "packet 9 without session key (IDEA, PGP 2)",
     {"accept_legacy_encryption": "yes"}),
]

PAIRS = [  # session key, its name, what it goes with: SEIPD 1, SEIPD 2, packet 20, packet 9
    (pkesk3(), "pkesk-3", "yes", "yes", "yes", "yes"),
    (pkesk6(), "pkesk-6", "no", "yes", "no", "no"),
    (KEY + skesk4(), "skesk-4", "yes", "yes", "yes", "yes"),
    (KEY + skesk5(), "skesk-5", "yes", "yes", "yes", "yes"),
    (KEY + skesk6(), "skesk-6", "yes", "yes", "yes", "yes"),
    (KEY + pkesk6(), "both-pkesk", "yes", "yes", "yes", "yes"),
    (skesk4(), "skesk-4-only", "password", "no", "password", "password"),
    (skesk5(), "skesk-5-only", "no", "no", "password", "no"),
    (skesk6(), "skesk-6-only", "no", "password", "no", "no"),
    (pkesk6() + skesk4(), "pkesk-6-skesk-4", "password", "yes", "password", "password"),
]
CONTAINERS = [(seipd1(), "seipd-1"), (seipd2(), "seipd-2"), (aead(), "aead"), (sed(), "sed")]
RULE_22 = []
for keys, key_name, *answers in PAIRS:
    for (container, container_name), answer in zip(CONTAINERS, answers):
        settings = {"accept_legacy_encryption": "yes"} if container_name == "sed" else {}
        RULE_22.append(("r22-%s-%s" % (key_name, container_name), 22, {"yes": MIME, "no": BAD}.get(answer, PASSWORD),
                        pgp(keys, container), "%s with %s" % (key_name, container_name), settings))

RULE_23 = [
    ("r23-literal", 23, NOT_ENCRYPTED, pgp(literal()), "a literal packet"),
    ("r23-compressed", 23, NOT_ENCRYPTED, pgp(compressed()), "a compressed packet"),
    ("r23-one-pass", 23, NOT_ENCRYPTED, pgp(one_pass(), literal(), signature()), "a signed message"),
    ("r23-signature", 23, NOT_ENCRYPTED, pgp(signature(), literal()), "a signed message, signature first"),
    ("r23-key-literal", 23, NOT_ENCRYPTED, pgp(KEY, literal()), "a literal packet after a session key"),
    ("r23-key-compressed", 23, NOT_ENCRYPTED, pgp(KEY, compressed()), "a compressed packet after a session key"),
    ("r23-key-literal-container", 23, NOT_ENCRYPTED, pgp(KEY, literal(), END), "a literal packet between session key and container"),
    ("r23-container-literal", 23, UNEXPECTED, pgp(KEY, END, literal()), "a literal packet after the container"),
    ("r23-two-containers", 23, UNEXPECTED, pgp(KEY, END, END), "two containers"),
    ("r23-two-messages", 23, UNEXPECTED, pgp(KEY, END, KEY, END), "two messages in one armor"),
    ("r23-mdc-after", 23, UNEXPECTED, pgp(KEY, END, packet(MDC, noise(20))), "a modification detection packet outside"),
    ("r23-padding-before", 23, UNEXPECTED, pgp(packet(PADDING, noise(40)), KEY, END), "padding before"),
    ("r23-padding-between", 23, UNEXPECTED, pgp(KEY, packet(PADDING, noise(40)), END), "padding between"),
    ("r23-padding-after", 23, UNEXPECTED, pgp(KEY, END, packet(PADDING, PROSE[:60])), "padding after"),
    ("r23-trust", 23, UNEXPECTED, pgp(KEY, packet(TRUST, b"Meet me"), END), "a trust packet"),
    ("r23-user-id", 23, UNEXPECTED, pgp(KEY, packet(USER_ID, b"Meet me at eight"), END), "a user id"),
    ("r23-user-attribute", 23, UNEXPECTED, pgp(KEY, packet(USER_ATTRIBUTE, noise(60)), END), "a user attribute"),
    ("r23-private-60", 23, UNEXPECTED, pgp(packet(60, PROSE[:60]), KEY, END), "a private packet before"),
    ("r23-private-63", 23, UNEXPECTED, pgp(KEY, packet(63, PROSE[:60]), END), "a private packet between"),
    ("r23-unknown-critical", 23, UNEXPECTED, pgp(KEY, packet(30, noise(9)), END), "an unknown tag, critical"),
    ("r23-unknown-ignorable", 23, UNEXPECTED, pgp(KEY, packet(45, noise(9)), END), "an unknown tag, not critical"),
    ("r23-tag-0", 23, "invalid - bad-packet", pgp(KEY, packet(0, noise(9)), END), "tag 0"),
    ("r23-public-key", 23, "invalid - unexpected-packet", pgp(public_key()), "a public key labelled as a message"),
    ("r23-only-key", 23, "invalid - truncated", pgp(KEY), "a session key and nothing more"),
    ("r23-empty", 23, "invalid - truncated", pgp(), "an armor of nothing"),
]

BODY = seipd1_body(n=1100)
HEAD = bytes([0xC0 | SEIPD])
RULE_24 = [
    ("r24-old-1", 24, MIME, pgp(old_packet(PKESK, pkesk3_body()), old_packet(SED, noise(60))), "old format, one octet",
     {"accept_legacy_encryption": "yes"}),
    ("r24-old-2", 24, MIME, pgp(old_packet(PKESK, pkesk3_body(), 2), END), "old format, two octets of length"),
    ("r24-old-4", 24, MIME, pgp(old_packet(PKESK, pkesk3_body(), 4), END), "old format, four octets of length"),
    ("r24-old-indeterminate-key", 24, BAD, pgp(old_packet(PKESK, pkesk3_body(), 0), END), "indeterminate length on a session key"),
    ("r24-old-indeterminate", 24, BAD, pgp(KEY, old_packet(SED, noise(200), 0)), "indeterminate length on a container",
     {"accept_legacy_encryption": "yes"}),
    ("r24-new-2", 24, MIME, pgp(KEY, packet(SEIPD, BODY)), "new format, two octets of length"),
    ("r24-new-5", 24, MIME, pgp(packet(PKESK, pkesk3_body(), 5), packet(SEIPD, BODY, 5)), "new format, five octets of length"),
    ("r24-partial", 24, MIME, pgp(KEY, partial_packet(SEIPD, BODY, [9, 9])), "partial lengths"),
    ("r24-partial-256", 24, MIME, pgp(KEY, partial_packet(SEIPD, BODY, [8])), "partial lengths that start with 256, as PGPainless writes"),
    ("r24-partial-small", 24, MIME, pgp(KEY, partial_packet(SEIPD, BODY, [6, 5, 9])), "smaller chunks, as Go's openpgp writes"),
    ("r24-partial-1", 24, MIME, pgp(KEY, partial_packet(SEIPD, BODY, [0] * 60)), "chunks of one octet"),
    ("r24-partial-last-empty", 24, MIME, pgp(KEY, partial_packet(SEIPD, BODY[:1024], [10])), "the last chunk is empty"),
    ("r24-partial-last-5-octets", 24, MIME, pgp(KEY, HEAD + b"\xe9" + BODY[:512] + new_length(len(BODY) - 512, 5) + BODY[512:]),
     "the last chunk's length in five octets"),
    ("r24-partial-aead", 24, MIME, pgp(KEY, partial_packet(AEAD, aead_body(n=900), [9])), "partial lengths on packet 20"),
    ("r24-partial-seipd-2", 24, MIME, pgp(pkesk6(), partial_packet(SEIPD, seipd2_body(n=900), [9])), "partial lengths on SEIPD version 2"),
    ("r24-partial-no-last", 24, TRUNCATED, pgp(KEY, partial_packet(SEIPD, BODY[:1024], [9, 9], last=False)), "the last chunk is missing"),
    ("r24-partial-cut", 24, TRUNCATED, pgp(KEY, partial_packet(SEIPD, BODY[:700], [9, 9], last=False)), "data end within a chunk"),
    ("r24-partial-huge", 24, TRUNCATED, pgp(KEY, HEAD + b"\xfe" + BODY), "a chunk of a gigabyte that is not there"),
    ("r24-partial-key", 24, BAD, pgp(partial_packet(PKESK, pkesk3_body(), [5]), END), "partial lengths on a session key"),
    ("r24-partial-literal", 24, "invalid - not-encrypted", pgp(partial_packet(LITERAL, b"t\0\0\0\0\0" + PROSE[:600], [9])), "partial lengths on a literal packet"),
    ("r24-declares-more", 24, TRUNCATED, pgp(KEY, packet(SEIPD, BODY, declare=len(BODY) + 1)), "one octet missing"),
    ("r24-declares-huge", 24, TRUNCATED, pgp(KEY, packet(SEIPD, BODY, declare=0xFFFFFFFF)), "4 GiB announced"),
    ("r24-declares-less", 24, "invalid - ?", pgp(KEY, packet(SEIPD, BODY, declare=len(BODY) - 1)), "one octet too many"),
    ("r24-zero-after", 24, TRAILING, pgp(KEY, END, b"\0"), "a zero octet after the container"),
    ("r24-text-after", 24, TRAILING, pgp(KEY, END, b"Meet me at eight."), "text after the container"),
    ("r24-newline-after", 24, TRAILING, pgp(KEY, END, b"\n"), "a line end after the container, inside the armor"),
    ("r24-key-declares-more", 24, "invalid - bad-packet", pgp(packet(PKESK, pkesk3_body(), declare=len(pkesk3_body()) + 1), END),
     "a session key that swallows the next header"),
    ("r24-key-cut", 24, TRUNCATED, pgp(KEY[:40]), "data end within a session key"),
    ("r24-header-cut", 24, TRUNCATED, pgp(KEY, END[:1]), "data end within a packet header"),
    ("r24-length-cut", 24, TRUNCATED, pgp(KEY, HEAD + b"\xff\0\0"), "data end within a length"),
    ("r24-bit-7-clear", 24, "invalid - trailing-data", pgp(KEY, b"\x52" + END[1:]), "bit 7 of a packet's first octet clear"),
]

RULE_25 = [
    ("r25-one", 25, MIME, pgp(marker(), KEY, END), "a marker"),
    ("r25-four", 25, MIME, pgp(marker() * 4, KEY, END), "four markers"),
    ("r25-five", 25, "invalid - unexpected-packet", pgp(marker() * 5, KEY, END), "five markers"),
    ("r25-content", 25, "invalid - bad-packet", pgp(marker(b"GPG"), KEY, END), "another content"),
    ("r25-long", 25, "invalid - bad-packet", pgp(marker(b"PGP Meet me"), KEY, END), "a longer content"),
    ("r25-between", 25, UNEXPECTED, pgp(KEY, marker(), END), "a marker after a session key"),
    ("r25-after", 25, UNEXPECTED, pgp(KEY, END, marker()), "a marker after the container"),
    ("r25-only", 25, "invalid - truncated", pgp(marker()), "a marker and nothing more"),
    ("r25-old-format", 25, MIME, pgp(old_packet(MARKER, b"PGP"), KEY, END), "a marker in the old format"),
]


def v2(**kw):
    return pgp(pkesk6(), seipd2(**kw))


def a20(**kw):
    return pgp(KEY, aead(**kw))


RULE_26 = [
    ("r26-v1-41", 26, MIME, pgp(KEY, seipd1(n=40)), "the shortest SEIPD version 1"),
    ("r26-v1-40", 26, EMPTY, pgp(KEY, seipd1(n=39)), "one octet shorter"),
    ("r26-v1-1", 26, EMPTY, pgp(KEY, seipd1(n=0)), "a version and nothing more"),
    ("r26-v1-0", 26, "invalid - empty-ciphertext", pgp(KEY, packet(SEIPD, b"")), "an empty container"),
    ("r26-version-0", 26, BAD, pgp(KEY, seipd1(version=0)), "SEIPD version 0"),
    ("r26-version-3", 26, BAD, pgp(KEY, seipd2(version=3)), "SEIPD version 3"),
    ("r26-v2-52", 26, MIME, v2(n=16), "the shortest SEIPD version 2"),
    ("r26-v2-51", 26, EMPTY, v2(n=15), "one octet shorter"),
    ("r26-v2-header", 26, "invalid - empty-ciphertext", pgp(pkesk6(), packet(SEIPD, b"\x02\x09\x02")), "a header cut short"),
    ("r26-v2-cipher-0", 26, BAD, v2(cipher=0), "cipher 0"),
    ("r26-v2-cipher-5", 26, BAD, v2(cipher=5), "a reserved cipher"),
    ("r26-v2-cipher-13", 26, MIME, v2(cipher=13), "Camellia, the last in the registry"),
    ("r26-v2-cipher-14", 26, BAD, v2(cipher=14), "a cipher beyond the registry"),
    ("r26-v2-aead-0", 26, BAD, v2(aead=0), "AEAD 0"),
    ("r26-v2-eax", 26, MIME, v2(aead=EAX), "EAX"),
    ("r26-v2-gcm", 26, MIME, v2(aead=GCM), "GCM"),
    ("r26-v2-aead-4", 26, BAD, v2(aead=4), "an AEAD beyond the registry"),
    ("r26-v2-chunk-16", 26, MIME, v2(chunk=16), "the largest chunk octet"),
    ("r26-v2-chunk-17", 26, BAD, v2(chunk=17), "a chunk octet beyond it"),
    ("r26-aead-version-2", 26, BAD, a20(version=2), "packet 20 version 2"),
    ("r26-aead-cipher-0", 26, BAD, a20(cipher=0), "packet 20, cipher 0"),
    ("r26-aead-eax", 26, MIME, a20(aead=EAX, iv=16), "packet 20, EAX"),
    ("r26-aead-gcm", 26, "encrypted pgp-mime ok", a20(aead=GCM, iv=12), "packet 20 with GCM, which LibrePGP does not know"),
    ("r26-aead-short", 26, EMPTY, a20(n=15), "packet 20 without a whole tag"),
]

CYRILLIC = "Встретимся у старого моста в восемь. Возьми бумаги. ".encode("utf-8") * 40
UTF16 = PROSE.decode().encode("utf-16-le")
HIGH = bytes(0x20 + b % 0xE0 for b in noise(2000, "high"))
PRINTABLE = bytes(0x20 + b % 95 for b in noise(200, "printable"))
CONTROLS = bytes(b % 0x08 for b in noise(200, "controls"))
QUARTER = bytes(range(0x80, 0x80 + 47))


def v1(ciphertext):
    return pgp(KEY, seipd1(ciphertext=ciphertext))


def amid(text, others):
    """So many octets of text and of others, mixed."""
    out = b"".join(PRINTABLE[i * 4:i * 4 + 4] + CONTROLS[i:i + 1] for i in range(others))
    return out + PRINTABLE[:text - others * 4] if text > others * 4 else b"".join(
        PRINTABLE[i:i + 1] + (CONTROLS[i // 4:i // 4 + 1] if i % 4 == 3 else b"") for i in range(text))


RULE_27 = [
    ("r27-prose", 27, ASCII, v1(PROSE[:2000]), "prose for ciphertext"),
    ("r27-prose-64", 27, ASCII, v1(PROSE[:64]), "64 octets of prose"),
    ("r27-prose-63", 27, ASCII, v1(PROSE[:63]), "63 octets of prose"),
    ("r27-prose-40", 27, ASCII, v1(PROSE[:40] + noise(80, "after")), "40 octets of prose, and noise"),
    ("r27-prose-39", 27, MIME, v1(b"\x80" + PROSE[:39] + b"\x80" + noise(80, "after")), "39 octets of prose, and noise: too few to tell"),
    ("r27-prose-amid", 27, ASCII, v1(noise(1000, "before") + PROSE[:60] + noise(1000, "after")), "a sentence amid noise"),
    ("r27-white-space", 27, ASCII, v1(b" \t\n\f" * 300), "white space of four kinds in equal parts"),
    ("r27-white-space-amid", 27, ASCII, v1(b"".join(b" \t\v\r" + bytes([128 + i % 100]) for i in range(300))), "white space, and every fifth octet is none"),
    ("r27-uneven", 27, ASCII, v1(b"".join(bytes([128 + i % 8]) + noise(4, "uneven%d" % i) for i in range(900))), "a fifth of the octets has eight values"),
    ("r27-base64", 27, ASCII, v1(b64(noise(600)).encode()), "base64 for ciphertext"),
    ("r27-printable-80", 27, MIME, v1(amid(51, 13)), "51 of 64 octets are text"),
    ("r27-printable-81", 27, ASCII, v1(amid(52, 12)), "52 of 64 octets are text"),
    ("r27-cyrillic", 27, ASCII, v1(CYRILLIC[:2000]), "Cyrillic prose in UTF-8"),
    ("r27-no-control-256", 27, ASCII, v1(HIGH[:256]), "256 octets, none of them a control octet"),
    ("r27-no-control-255", 27, MIME, v1(HIGH[:255]), "255 octets: too few to tell"),
    ("r27-one-control", 27, MIME, v1(HIGH[:300] + b"\x01" + HIGH[300:600]), "one control octet"),
    ("r27-tab-cr-lf", 27, ASCII, v1(HIGH[:300] + b"\t\r\n" + HIGH[300:600]), "TAB, CR and LF are in every text"),
    ("r27-utf-16", 27, ASCII, v1(UTF16[:800]), "UTF-16"),
    ("r27-one-value-16", 27, MIME, v1(b"\0" * 16 + QUARTER + b"\xf0"), "one value makes a quarter"),
    ("r27-one-value-17", 27, ASCII, v1(b"\0" * 17 + QUARTER), "one value makes more than a quarter"),
    ("r27-zeros", 27, ASCII, v1(bytes(500)), "zeros"),
    ("r27-late-text", 27, "invalid - bad-armor", v1(noise(4096, "late") + PROSE[:400]), "text after 4,096 octets: its characters are not evenly spread"),
    ("r27-text-then-noise", 27, ASCII, v1(PROSE[:3400] + noise(696, "early")), "prose for 3,400 of the first 4,096 octets"),
    ("r27-v2", 27, ASCII, v2(ciphertext=PROSE[:300]), "prose in SEIPD version 2"),
    ("r27-aead", 27, ASCII, a20(ciphertext=PROSE[:300]), "prose in packet 20"),
    ("r27-partial", 27, ASCII, pgp(KEY, partial_packet(SEIPD, seipd1_body(ciphertext=PROSE[:1500]), [9, 5])), "prose in chunks"),
]


def attached(data, kind="application/octet-stream", beside=True):
    """data in base64, alone or beside an armored text."""
    header = "Content-Type: %s\nContent-Transfer-Encoding: base64\n" % kind
    if not beside:
        return mail(b64(data), header)
    return mail(multi(text(armor(message())), part(b64(data), header)), 'multipart/mixed; boundary="b1"')


def as_it_is(data, encoding="binary", name=""):
    """Octets that no base64 protects from the lines around them."""
    return mail(cat("--b1\nContent-Type: application/octet-stream", name, "\nContent-Transfer-Encoding: ", encoding, "\n\n", data, "\n--b1--\n"),
                'multipart/mixed; boundary="b1"')


def quopri(data, as_it_is=b""):
    """Quoted-printable in which nothing stands for itself but letters, and `as_it_is` where it occurs."""
    if as_it_is and as_it_is in data:
        before, after = data.split(as_it_is, 1)
        return quopri(before) + as_it_is + quopri(after)
    data = [bytes([c]) if 65 <= c < 91 else b"=%02X" % c for c in data]
    return b"=\n".join(b"".join(data[i:i + 24]) for i in range(0, len(data), 24))


def signed_by(data, encoding):
    return mail(multi(text(armor(message())), part(data, "Content-Type: application/pgp-signature\nContent-Transfer-Encoding: %s\n" % encoding)),
                'multipart/signed; protocol="application/pgp-signature"; boundary="b1"')


INLINE = "encrypted pgp-inline ok"
AMBIGUOUS = "invalid - ambiguous-mime"
PLACE = "invalid - bad-armor"
CR_BOUNDARY = "invalid - ?"
HIDDEN = b"\r--b1\r\r" + PROSE[:100] + b"\r--b1\r"
READABLE = "partial + readable-part"
RULE_28 = [
    ("r28-binary-version-23", 28, INLINE, attached(packet(PKESK, b"\x17" + noise(60)) + message(), beside=False),
     "unarmored ciphertext that begins with a session key of an unknown version"),
    ("r28-binary", 28, INLINE, attached(message(), beside=False), "unarmored ciphertext in base64"),
    ("r28-binary-text-type", 28, "invalid - bad-armor", attached(message(), "text/plain", beside=False), "unarmored ciphertext called text"),
    ("r28-binary-text-late", 28, ASCII, attached(KEY + seipd1(noise(4096, "late") + PROSE[:400]), "text/plain", beside=False),
     "unarmored ciphertext called text, and text in it where it is not looked at: a mail program shows it"),
    ("r28-binary-calendar", 28, "invalid - bad-armor", attached(message(), "text/calendar"), "unarmored ciphertext called another kind of text"),
    ("r28-binary-untyped", 28, "invalid - bad-armor", mail(b64(message()), "Content-Transfer-Encoding: base64\n"),
     "unarmored ciphertext without a type is text"),
    ("r28-binary-application", 28, PLACE, attached(message(), "application/pgp-encrypted").replace(b"pgp-encrypted", b"x-gzip"),
     "unarmored ciphertext called something else"),
    ("r28-binary-8bit", 28, PLACE, as_it_is(message()), "unarmored ciphertext as it is", {"lines": "exact"}),
    ("r28-binary-cr-boundary", 28, CR_BOUNDARY, as_it_is(KEY + seipd1(noise(4096, "late") + HIDDEN + noise(80))),
     "unarmored ciphertext as it is, and a part in it for programs to which CR ends a line", {"lines": "exact"}),
    ("r28-binary-qp", 28, PLACE, as_it_is(quopri(message()), "quoted-printable"), "unarmored ciphertext in quoted-printable"),
    ("r28-binary-cr-boundary-first", 28, CR_BOUNDARY, as_it_is(packet(PKESK, b"\x03\r--b1\r\r\n" + pkesk3_body(18)[9:]) + seipd1()),
     "the same in the first octets, as a key id", {"lines": "exact"}),
    ("r28-binary-cr-other-boundary", 28, ASCII, as_it_is(KEY + seipd1(noise(4096, "late") + HIDDEN.replace(b"b1", b"b2") + noise(80))),
     "no boundary of this message", {"lines": "exact"}),
    ("r28-binary-cr-boundary-base64", 28, ASCII, attached(KEY + seipd1(noise(4096, "late") + HIDDEN + noise(80))),
     "base64 keeps it apart"),
    ("r28-binary-qp-lone-cr", 28, PLACE, as_it_is(quopri(KEY + seipd1(noise(4096, "late") + noise(80))).replace(b"=0D", b"\r"), "quoted-printable"),
     "the same with lone CRs", {"lines": "exact"}),
    ("r28-binary-qp-cr-boundary", 28, CR_BOUNDARY, as_it_is(quopri(KEY + seipd1(noise(4096, "late") + HIDDEN + noise(80)), HIDDEN), "quoted-printable"),
     "a part in quoted-printable for programs to which CR ends a line", {"lines": "exact"}),
    ("r28-binary-signature", 28, INLINE, signed_by(b64(signature()), "base64"), "an unarmored signature in base64"),
    ("r28-binary-signature-8bit", 28, PLACE, signed_by(signature(), "binary"), "an unarmored signature as it is", {"lines": "exact"}),
    ("r28-binary-signature-cr-boundary", 28, CR_BOUNDARY, signed_by(signature(notation=HIDDEN), "binary"), "a part in an unarmored signature", {"lines": "exact"}),
    ("r28-binary-signature-notation", 28, READABLE, signed_by(b64(signature(notation=b"Meet me at eight.")), "base64"), "a notation in a signature over ciphertext"),
    ("r28-armored-signature-notation", 28, READABLE, signed_by(armor(signature(notation=b"Meet me at eight."), kind="SIGNATURE"), "7bit"),
     "the same, armored"),
    ("r28-8bit-named", 28, INLINE, as_it_is(message(), name="; name=a.gpg"), "as it is, with a name that says so", {"lines": "exact"}),
    ("r28-8bit-blank-name", 28, PLACE, cat("X-Mailer : pigeon\n", as_it_is(message(), name="; name=a.gpg")),
     "a blank before the colon of a field, where python and mutt end the header", {"lines": "exact"}),
    ("r28-8bit-named-txt", 28, PLACE, as_it_is(message(), name="; name=a.txt"), "as it is, with another name", {"lines": "exact"}),
    ("r28-8bit-cr-boundary", 28, AMBIGUOUS, as_it_is(KEY + seipd1(noise(400, "late") + b"\r--b1\r\rMeet me\r--b1\r" + noise(80)), name="; name=a.gpg"),
     "as it is, and a part in it for programs to which CR ends a line", {"lines": "exact"}),
    ("r28-8bit-boundary-begins", 28, AMBIGUOUS, as_it_is(KEY + seipd1(noise(400, "late") + b"\n--b1x\n\nMeet me\n--b1x\n" + noise(80)), name="; name=a.gpg"),
     "as it is, and a part in it for programs that look at a boundary's beginning", {"lines": "exact"}),
    ("r28-qp-named", 28, PLACE, as_it_is(quopri(message()), "quoted-printable", name="; name=a.gpg"), "in quoted-printable, with such a name"),
    ("r28-late-text", 28, ASCII, attached(KEY + seipd1(noise(40000, "late") + PROSE[:60] + noise(80)), beside=False), "a sentence far behind in it"),
    ("r28-late-run", 28, ASCII, attached(KEY + seipd1(noise(9000, "late") + b" \t\f\n" * 500 + noise(80)), beside=False), "white space far behind in it"),
    ("r28-comment", 28, PLACE, attached(message(), "application/octet-stream (a/b)", beside=False), "a comment in its type"),
    ("r28-comment-parameter", 28, PLACE, attached(message(), 'application/octet-stream; name=a.pgp (text/plain)', beside=False), "a comment behind a parameter"),
    ("r28-no-mime-version", 28, PLACE, attached(message(), beside=False).replace(b"MIME-Version: 1.0\n", b""), "no MIME-Version"),
    ("r28-mime-version-2", 28, PLACE, attached(message(), beside=False).replace(b"MIME-Version: 1.0\n", b"MIME-Version: 2.0\n"), "another MIME-Version"),
    ("r28-type-pgp", 28, PLACE, attached(message(), "application/pgp"), "application/pgp, which mutt and Thunderbird show"),
    ("r28-type-pgp-encrypted", 28, "encrypted pgp-mixed ok", attached(message(), "application/pgp-encrypted"), "application/pgp-encrypted"),
    ("r28-type-pdf", 28, PLACE, attached(message(), 'application/pdf; name="plan.pdf"'), "a PDF by its type and its name"),
    ("r28-type-svg", 28, PLACE, attached(message(), 'image/svg+xml; name="plan.svg.pgp"'), "a picture that is text"),
    ("r28-picture-pgp", 28, INLINE, attached(message(), 'image/png; name="plan.png.pgp"'), "a picture that is named as encrypted"),
    ("r28-type-csv-pgp", 28, PLACE, attached(message(), 'text/csv; name="plan.csv.pgp"'), "a kind of text that is named as encrypted"),
    ("r28-type-json-pgp", 28, PLACE, attached(message(), 'application/json; name="plan.json.pgp"'), "a type of text that is named as encrypted"),
    ("r28-type-rtf-pgp", 28, PLACE, attached(message(), 'application/rtf; name="plan.rtf.pgp"'), "a document of text that is named as encrypted"),
    ("r28-type-pdf-text", 28, ASCII, attached(KEY + seipd1(PROSE * 20), 'application/pdf; name="plan.pdf.pgp"'), "text in a PDF that is named as encrypted"),
] + [
    ("r28-file-" + label, 28, INLINE, attached(message(), '%s; name="plan.%s.pgp"' % (kind, label)), "a file that was encrypted and has its type still")
    for label, kind in (("pdf", "application/pdf"), ("zip", "application/zip"), ("doc", "application/msword"), ("mp4", "video/mp4"), ("heic", "image/heic"),
                        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"), ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
                        ("xls", "application/vnd.ms-excel"))
] + [
    ("r28-name-" + label, 28, expect, attached(message(), "application/octet-stream" + rest), "named" + rest.replace("\n", " "))
    for label, expect, rest in (
        ("pgp", INLINE, '; name="plan.pdf.pgp"'), ("gpg", INLINE, "; name=plan.GPG"), ("txt", PLACE, '; name="note.txt"'), ("none", INLINE, '; name=""'),
        ("asc", PLACE, '; name="encrypted.asc"'), ("html", PLACE, '; name="a.html"'), ("ending-only", PLACE, '; name=".pgp"'),
        ("file", INLINE, '\nContent-Disposition: attachment; filename="plan.gpg"'),
        ("file-txt", PLACE, '\nContent-Disposition: attachment; filename="note.txt"'),
        ("both", INLINE, '; name="a.pgp"\nContent-Disposition: attachment; filename="a.pgp"'),
        ("one-txt", PLACE, '; name="a.pgp"\nContent-Disposition: inline; filename="a.txt"'),
        ("two-dispositions", PLACE, '\nContent-Disposition: inline; filename="a.txt"\nContent-Disposition: inline; filename="a.pgp"'),
        ("2231", INLINE, "\nContent-Disposition: attachment; filename*=utf-8''%C3%BCber.pdf.pgp"),
        ("2231-txt", PLACE, "\nContent-Disposition: attachment; filename*=utf-8''%C3%BCber.txt"),
        ("2231-pieces", INLINE, "\nContent-Disposition: attachment; filename*0*=utf-8''%C3%BCber; filename*1=\".pdf.gpg\""),
        ("2231-pieces-order", PLACE, '\nContent-Disposition: attachment; filename*1=".txt"; filename*0="a.gpg"'),
        ("2231-pieces-txt", PLACE, '\nContent-Disposition: attachment; filename*0="a.gpg"; filename*1=".txt"'),
        ("2231-beside", PLACE, "; name=\"a.pgp\"; name*=utf-8''a.txt"),
        ("word-b", INLINE, '; name="=?UTF-8?B?w7xiZXIucGRmLnBncA==?="'), ("word-q", INLINE, '; name="=?utf-8?Q?=C3=BCber.pdf.pgp?="'),
        ("word-b-txt", PLACE, '; name="=?UTF-8?B?bm90ZS50eHQ=?="'), ("word-q-txt", PLACE, '; name="=?utf-8?Q?note.txt?="'),
        ("word-two", INLINE, '; name="=?utf-8?Q?=C3=BC?=\n =?utf-8?Q?ber.pgp?="'), ("word-odd", PLACE, '; name="a.pgp?="'),
        ("file-broken", PLACE, '\nContent-Disposition: attachment; filename="a.pgp'))
] + [
    ("r28-binary-marker", 28, INLINE, attached(marker() + message(), beside=False), "a marker first"),
    ("r28-binary-literal", 28, READABLE, attached(literal()), "an unarmored literal packet is readable"),
    ("r28-binary-no-key", 28, READABLE, attached(END), "a container without session key is readable"),
    ("r28-binary-cut", 28, TRUNCATED, attached(message()[:-1]), "unarmored ciphertext cut short"),
    ("r28-binary-text-after", 28, TRAILING, attached(message() + b"Meet me"), "text after unarmored ciphertext"),
    ("r28-binary-key-literal", 28, NOT_ENCRYPTED, attached(KEY + literal()), "a session key, then a literal packet"),
    ("r28-binary-key-literal-alone", 28, NOT_ENCRYPTED, attached(KEY + literal(), beside=False), "the same, alone: the session key is a claim"),
    ("r28-binary-bad-key", 28, READABLE, attached(b"\xc1" + PROSE[:60]), "no proper session key packet"),
    ("r28-cyrillic", 28, READABLE, attached(CYRILLIC[:200], "text/plain; charset=utf-8"), "text whose first octet has bit 7 set"),
    ("r28-zip", 28, READABLE, attached(b"PK\x03\x04" + noise(80)), "bit 7 of the first octet clear"),
    ("r28-jpeg", 28, READABLE, attached(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + noise(80), "image/jpeg"), "bit 7 set, no OpenPGP"),
    ("r28-html-type", 28, "partial + html-part", attached(message(), "text/html"), "unarmored ciphertext called HTML"),
    ("r28-password", 28, "invalid - password-only", attached(skesk4() + END, beside=False), "unarmored, password only"),
    ("r28-image-type", 28, PLACE, attached(message(), "image/png"), "unarmored ciphertext called a picture"),
]

CASES = RULE_19 + RULE_20 + RULE_21 + RULE_22 + RULE_23 + RULE_24 + RULE_25 + RULE_26 + RULE_27 + RULE_28
