# SPDX-License-Identifier: ISC
"""The same mail, the same verdict: a filter that runs, and `pgpgate check` of a file with the same octets, whatever ends the
lines. And what only the filter knows: who sent a setup message."""

import os

import pytest

from harness.milter import Milter, code

MAIL = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "mail")
ALICE, BOB, CAROL = "alice@example.org", "bob@example.net", "carol@example.org"
LINE_ENDS = {"crlf": b"\r\n", "lf": b"\n", "cr": b"\r"}


def golden(name):
    with open(os.path.join(MAIL, name + ".eml"), "rb") as f:
        return f.read()


def is_asked(name, message):
    """Not without a header that an MTA hands on as it is, nor with what the recipient's settings change."""
    head = message.partition(b"\n\n")[0]
    with open(os.path.join(MAIL, name + ".verdict"), encoding="utf-8") as f:
        settings = [line for line in f if not line.startswith(("#", "verdict", "form", "reason"))]
    return (not settings and len(message) < 20000 and b"\r" not in message and b"\0" not in head
            and all(line[:1] in (b" ", b"\t") or b":" in line for line in head.split(b"\n")) and head[:1] not in (b" ", b"\t")
            and not message.startswith(b"From "))


def chosen():
    names = sorted(n[:-4] for n in os.listdir(MAIL) if n.endswith(".eml"))
    names = [n for n in names if is_asked(n, golden(n))]
    return names[::5] + [n for n in names if n.startswith(("r10", "r13", "subject"))]


def marked(message, mark):
    return b"Message-ID: <%s@sender.example>\n" % mark.encode() + b"\n".join(
        line for line in message.split(b"\n") if not line.startswith(b"Message-ID: <golden@"))


def with_ends(message, end):
    """The header as a file has it, the body with this line end."""
    head, _, body = message.partition(b"\n\n")
    line = b"\n" if end == b"\r" else end
    return head.replace(b"\n", line) + line * 2 + body.replace(b"\n", end)


def test_filter_and_check_agree_whatever_ends_the_lines(make_pair, tmp_path):
    pair = make_pair("alike", policyd=False, enforce="no")
    files, told, n = {}, {}, 0
    with Milter(pair.filter.path) as m:
        m.connect()
        for name in chosen():
            for kind, end in LINE_ENDS.items():
                n += 1
                mark = "alike-%04d" % n
                message = with_ends(marked(golden(name), mark), end)
                files[mark] = tmp_path / mark
                files[mark].write_bytes(message)
                told[mark] = "%s, %s" % (name, kind)
                assert code(m.mail(BOB)) == 250
                assert code(m.recipient(ALICE)) == 250
                head, _, body = message.partition(b"\r\n\r\n" if end == b"\r\n" else b"\n\n")
                reply = m.content(head.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n\r\n" + body)
                assert code(reply) == 250, told[mark]
    judged = {os.path.basename(o["file"]): (o["verdict"], o["form"] or "none", o["reason"]) for o in
              pair.json("check", "--sender", BOB, "--recipient", ALICE, *files.values())}
    logged = {row["message_id"].strip("<>").partition("@")[0]: (row["verdict"], row["form"] or "none", row["reason"]) for row in pair.json("log", "-n", "5000")}
    assert len(judged) == n > 300
    differ = ["%s: filter %s, check %s" % (told[mark], logged.get(mark), judged[mark]) for mark in judged if logged.get(mark) != judged[mark]]
    assert not differ, "\n".join(differ[:20])
    assert len(set(judged.values())) > 15  # and they are not all the same


@pytest.fixture(scope="module")
def handshakes(make_pair):
    return make_pair("handshakes", policyd=False, accept_handshakes="yes", local_clients="192.0.2.0/24")


SETUP, REQUEST = golden("r32-setup").replace(b"\n", b"\r\n"), golden("r32-vc-request").replace(b"\n", b"\r\n")

ROWS = [
    # label, client, login, sender, recipients, message, what the filter takes it for
    ("a client that has logged in", "203.0.113.9", "alice", ALICE, [ALICE], SETUP, "handshake"),
    ("a local client", "192.0.2.7", None, ALICE, [ALICE], SETUP, "handshake"),
    ("another spelling of oneself", "192.0.2.7", None, ALICE, ["Alice@EXAMPLE.org"], SETUP, "handshake"),
    ("a stranger who names himself as the recipient", "203.0.113.9", None, ALICE, [ALICE], SETUP, "invalid"),
    ("to another", "203.0.113.9", "alice", ALICE, [CAROL], SETUP, "invalid"),
    ("to oneself and another", "203.0.113.9", "alice", ALICE, [ALICE, CAROL], SETUP, "invalid"),
    ("from nobody", "203.0.113.9", None, "", [ALICE], SETUP, "invalid"),
    ("no setup message, to oneself", "203.0.113.9", "alice", ALICE, [ALICE], SETUP.replace(b"Setup-Message: v1", b"Setup-Message: v2"), "invalid"),
    ("a stranger's request", "203.0.113.9", None, BOB, [ALICE], REQUEST, "handshake"),
    ("a stranger's request with a text", "203.0.113.9", None, BOB, [ALICE], REQUEST.replace(b"\r\n\r\nSecure-Join: vc-request", b"\r\n\r\nMeet me at eight."), "cleartext"),
]


@pytest.mark.parametrize("label, client, login, sender, recipients, message, verdict", ROWS, ids=[row[0] for row in ROWS])
def test_who_may_send_a_setup_message(handshakes, label, client, login, sender, recipients, message, verdict):
    with Milter(handshakes.filter.path) as m:
        m.connect(client)
        assert code(m.mail(sender, **({"auth_authen": login} if login else {}))) == 250
        for recipient in recipients:
            assert code(m.recipient(recipient)) == 250
        got = code(m.content(message))
    row = handshakes.json("log", "-n", "1")[0]
    assert row["verdict"] == verdict, label
    # mail of our own users is observed only: for strangers the verdict decides
    assert got == (250 if verdict == "handshake" or row["recipients"][0]["requirement"] == "observe" else 550), row


def test_without_the_setting_nobody_may(make_pair):
    pair = make_pair("no-handshakes", policyd=False)
    with Milter(pair.filter.path) as m:
        m.connect("203.0.113.9")
        assert code(m.mail(BOB)) == 250
        assert code(m.recipient(ALICE)) == 250
        assert code(m.content(REQUEST)) == 550
