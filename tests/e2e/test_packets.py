# SPDX-License-Identifier: ISC
"""Packets for the milter's socket that no MTA sends. PGPGATE_PACKETS of them: 30,000 by default, millions in
./runtests long. PGPGATE_SEED names the row of random numbers.

One kind is left out: macros in an odd number, which libmilter reads past (pgpgate-filter(8), CAVEATS)."""

import collections
import os
import random
import socket
import struct

from harness import messages, sweep
from harness.milter import ALL_ACTIONS, ALL_STEPS

PACKETS = int(os.environ.get("PGPGATE_PACKETS", "30000"))
SEED = int(os.environ.get("PGPGATE_SEED", "1"))
IN_FLIGHT = 16
COMMANDS = b"ABCDEHLMNOQRTUK" + bytes([0, 1, 127, 255])


def macros(command, **values):
    text = b"".join(("{%s}" % k if len(k) > 1 else k).encode() + b"\0" + v.encode() + b"\0" for k, v in values.items())
    return b"D", command + text


def session(body, recipients=(sweep.ALICE,), sender=sweep.BOB, n_messages=1):
    packets = [(b"O", struct.pack("!III", 6, ALL_ACTIONS, ALL_STEPS)), macros(b"C", j="mx.example.org", v="Postfix 3.7"),
               (b"C", b"client\0" + b"4" + struct.pack("!H", 1234) + b"192.0.2.1\0"), (b"H", b"client\0")]
    for _ in range(n_messages):
        packets += [macros(b"M", mail_addr=sender), (b"M", f"<{sender}>".encode() + b"\0SIZE=1000\0")]
        for recipient in recipients:
            packets += [macros(b"R", rcpt_addr=recipient), (b"R", f"<{recipient}>".encode() + b"\0")]
        packets += [(b"T", b""), (b"L", b"From\0 bob@example.net\0"), (b"L", b"X-PGP-Gate\0 verdict=encrypted\0"),
                    (b"L", b"Content-Type\0 multipart/encrypted; boundary=x\0"), (b"N", b""), (b"B", body),
                    macros(b"E", i="4FUZZ"), (b"E", b"")]
    return [*packets, (b"Q", b"")]


SESSIONS = [
    session(b"Hello,\r\nthis can be read.\r\n"),
    session(messages.cleartext().replace(b"\n", b"\r\n"), (sweep.OPEN, sweep.ALICE, sweep.SIGNED)),
    session(b"-----BEGIN PGP MESSAGE-----\r\n\r\nwV4D\r\n=abcd\r\n-----END PGP MESSAGE-----\r\n", n_messages=3),
    session(b"x" * 60000, sender=""),
    session(b"--x\r\n\r\nVersion: 1\r\n--x--\r\n", tuple(f"user{i}@example.org" for i in range(30))),
]


def mutate_data(r, data):
    data = bytearray(data)
    for _ in range(r.randrange(1, 4)):
        at = r.randrange(len(data) + 1)
        what = r.randrange(5)
        if what == 0:
            del data[at:at + r.choice((1, 2, 8, 1 << 16))]
        elif what == 1:
            data[at:at] = r.randbytes(r.choice((1, 3, 40)))
        elif what == 2 and at < len(data):
            data[at] ^= 1 << r.randrange(8)
        elif what == 3:
            data[at:at] = r.choice((b"\0", b"\r\n", b"\xff\xff", b"@", b"<>", b"\0\0", b"A" * 2000))
        else:
            data += data[at:at + 100]
    return bytes(data)


def mutate(r, packets):
    """Other packets, as octets, and how many they are."""
    packets = list(packets)
    for _ in range(r.randrange(4)):
        at, what = r.randrange(len(packets)), r.randrange(6)
        if what == 0:
            del packets[at]
        elif what == 1:
            packets.insert(at, r.choice(packets))
        elif what == 2:
            other = r.randrange(len(packets))
            packets[at], packets[other] = packets[other], packets[at]
        elif what == 3:
            packets[at] = bytes([r.choice(COMMANDS)]), packets[at][1]
        else:
            packets[at] = packets[at][0], mutate_data(r, packets[at][1])
        if not packets:
            packets = [(b"Q", b"")]
    stream = b""
    for command, data in packets:
        if command == b"D" and data[1:].count(b"\0") % 2:
            data += b"\0"
        stream += struct.pack("!I", len(data) + 1) + command + data
    if r.randrange(8) == 0:  # a length that is wrong ends the connection: what follows would be read as anything
        stream += struct.pack("!I", r.choice((0, 1 << 31, 0xffffffff, 1 << 20, 70000))) + b"L"
    return stream, len(packets)


def finish(connection):
    """Its answers are read to the end."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        pass
    connection.close()


def test_packets_that_no_mta_sends(make_pair):
    pair = make_pair("packets", policyd=False, add_header="yes")
    sweep.prepare(pair)
    process, path = pair.filter.process, pair.filter.path
    r = random.Random(SEED)
    n_sent = n_sessions = 0
    flying = collections.deque()
    cleartext = sweep.KINDS[0]

    def rss_mib():
        with open(f"/proc/{process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024

    def look():
        assert process.poll() is None, (SEED, n_sent, pair.filter.log()[-2000:])
        assert sweep.send(path, cleartext, 60).end == 550, (SEED, n_sent)

    look()
    before_fds, peak = len(os.listdir(f"/proc/{process.pid}/fd")), 0
    while n_sent < PACKETS:
        stream, n = mutate(r, r.choice(SESSIONS))
        n_sent, n_sessions = n_sent + n, n_sessions + 1
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        connection.connect(path)
        try:
            connection.sendall(stream)
            connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        flying.append(connection)
        if len(flying) > IN_FLIGHT:
            finish(flying.popleft())
        if n_sessions % 1000 == 0:
            look()
            peak = max(peak, rss_mib())
    while flying:
        finish(flying.popleft())
    look()
    print(f"packets: {n_sent} in {n_sessions} sessions, seed {SEED}, at most {max(peak, rss_mib()):.0f} MiB resident")
    # AddressSanitizer keeps what was freed, 256 MiB of it, and a shadow.
    assert rss_mib() < (800 if os.environ.get("PGPGATE_SANITIZED") else 200)
    # The pool keeps connections to the database that were opened for many sessions at once.
    assert len(os.listdir(f"/proc/{process.pid}/fd")) <= before_fds + 40
    pair.must("db", "check")
