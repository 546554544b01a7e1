# SPDX-License-Identifier: ISC
"""Attempts to get cleartext past the gate. There is one exemption, and nothing may be taken for it."""

import pytest

from harness import messages
from harness.place import wait_until
from harness.policy_client import PolicyClient
from harness.smtp import Session, send

BOB, ALICE, SHOP = "bob@example.net", "alice@example.org", "shop@example.org"

# Recipients, as a client writes them between < and >. Postfix may refuse some by itself.
RECIPIENTS = [
    b'"shop@example.org"@example.com', b'"shop@example.org"@protected.test', b"shop%example.org@protected.test",
    b"example.org!shop@protected.test", b"@example.org:alice@protected.test", b"@shop@example.org",
    b"shop@example.org@protected.test", b"shop@example.org.protected.test", b"shop@xexample.org",
    b"shop@example.org\x00.test", b"shop\x00@example.org", b"shop@example\xc0\xaeorg", b"sh\xf8p@example.org",
    b"\xffshop@example.org", b"shop@\xd0\xb5xample.org", b"sh\xd0\xbep@example.org", b'"shop "@example.org',
    b'"\\ shop"@example.org', b"shop @example.org", b"alice+shop@example.org", b"shop.@example.org",
    b'"shop@example.org alice"@example.org', b"alice@example.org,shop@example.org",
    b"alice@example.org> <shop@example.org", b"shop(comment)@protected.test", b"alice", b"",
    b"shop@example.org%protected.test", b'"shop\\@example.org"@protected.test', b"shop@[example.org]",
    b"shop\n@example.org", b"shop\x1b[0m@example.org",
]


@pytest.fixture(scope="module")
def pair(make_pair):
    pair = make_pair(add_header="yes")
    pair.must("exempt", SHOP)
    return pair


@pytest.mark.parametrize("utf8", [False, True], ids=["plain", "SMTPUTF8"])
@pytest.mark.parametrize("recipient", RECIPIENTS, ids=lambda r: repr(r)[2:-1])
def test_recipient_that_is_not_the_exempt_one(mx, pair, recipient, utf8):
    mark = messages.token()
    with Session(mx.port) as s:
        sent = s.send(BOB, [recipient.replace(b"\n", b"\r\n")], messages.cleartext(mark),
                      parameters=" SMTPUTF8" if utf8 else "")
    # Refused, by Postfix or by us; or delivered to the exempt mailbox, since that is what it was.
    if sent.code == 250:
        wait_until(lambda: mx.delivered_to(mark), "delivery")
        assert [d.lower() for d in mx.delivered_to(mark)] == [SHOP], (recipient, sent)
    else:
        assert sent.code >= 400


@pytest.mark.parametrize("spelling", [
    b"SHOP@example.org", b"shop@EXAMPLE.org", b'"shop"@example.org', b"shop+x@example.org",
    b"@relay.test:shop@example.org", b"shop@example.org."])
def test_other_spellings_of_the_exempt_one_are_exempt(mx, spelling):
    sent = send(mx.port, BOB, [spelling], messages.cleartext())
    # A trailing dot Postfix may refuse by itself.
    assert sent.code == 250 or (spelling.endswith(b".") and sent.recipients[spelling].code >= 500), sent


SENDERS = [b'"carol@friend.test"@evil.test', b"carol%friend.test@evil.test", b"friend.test!carol@evil.test",
           b"@friend.test:carol@evil.test", b"carol@friend.test.evil.test", b"carol@evilfriend.test",
           b"carol@fri\xd0\xb5nd.test", b"carol@friend\xff.test", b""]


@pytest.mark.parametrize("sender", SENDERS, ids=lambda s: repr(s)[2:-1])
def test_sender_that_is_not_the_welcome_one(mx, pair, sender):
    pair.must("exempt", ALICE, "--sender", "friend.test")
    try:
        for parameters in ("", " SMTPUTF8"):
            with Session(mx.port) as s:
                sent = s.send(sender, [ALICE], messages.cleartext(), parameters=parameters)
            assert sent.code >= 500, (sender, sent)
    finally:
        pair.must("forget", ALICE, "--sender", "friend.test")


@pytest.mark.parametrize("value", ["bob@example.net\nrecipient=shop@example.org", "bob\nsender=x"])
def test_attribute_injection_into_the_policy_protocol(pair, value):
    client = PolicyClient(pair.policyd.path)
    assert client.ask(ALICE, sender=value) is None  # a duplicate attribute: closed without an answer
    client.close()


def header_mail(extra, body="Hello, readable.\n", after=b""):
    return extra + messages.text_mail(body) .replace(b"\n\n", b"\n" + after + b"\n", 1)


FORGED = b"X-PGP-Gate: verdict=encrypted; form=pgp-mime\n"
FORGERIES = {
    "three": header_mail(FORGED * 3), "white space before the colon": header_mail(
        b"X-PGP-Gate : verdict=encrypted; form=pgp-mime\n"),
    "in lower case": header_mail(FORGED.lower()), "folded": header_mail(
        b"X-PGP-Gate:\n verdict=encrypted;\n form=pgp-mime\n"),
    "first and last": header_mail(FORGED, after=FORGED),
    "all of them": header_mail(FORGED * 3 + b"x-pgp-gate\t : verdict=encrypted\n", after=FORGED)}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_header_neither_helps_nor_survives(mx, name):
    message = FORGERIES[name]
    assert send(mx.port, BOB, ALICE, message).code == 550
    mark = messages.token()
    message = message.replace(b"Subject: Test", f"Subject: {mark}".encode())
    assert send(mx.port, BOB, SHOP, message).code == 250
    wait_until(lambda: mx.delivered_to(mark), "delivery")
    delivered = next(m for _, m in mx.delivered() if mark in m.as_string())
    ours = [v for k, v in delivered.items() if k.strip().lower() == "x-pgp-gate"]
    assert ours == ["verdict=cleartext; form=none"], ours
    assert "encrypted" not in delivered.as_string().split("\n\n")[0].lower()


BODIES = {
    "marker in the subject": lambda k: b"Subject: -----BEGIN PGP MESSAGE-----\n\nreadable\n",
    "marker in a header": lambda k: b"X-A: x\n -----BEGIN PGP MESSAGE-----\nSubject: x\n\nreadable\n",
    "type without ciphertext": lambda k: (
        b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b\n\n'
        b"--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\n"
        b"Content-Type: application/octet-stream\n\nreadable\n--b--\n"),
    "epilogue": lambda k: messages.pgp_mime(k.gpg_armor()) + b"\nreadable\n",
    "preamble": lambda k: messages.pgp_mime(k.gpg_armor()).replace(b"\n\n--", b"\n\nreadable\n--", 1),
    "long armor comment": lambda k: messages.inline(k.gpg_armor().replace(
        "\n\n", "\nComment: " + "readable text " * 12 + "\nComment: " + "more of it " * 14 + "\n\n", 1)),
    "HTML with a link around the block": lambda k: messages.inline(
        '<a href="https://x.test/">\n' + k.gpg_armor() + "</a>\n").replace(b"text/plain", b"text/html"),
    "HTML with an image beside the block": lambda k: messages.inline(
        k.gpg_armor() + '<img src="https://x.test/?leak=">\n').replace(b"text/plain", b"text/html"),
    "text disguised as base64": lambda k: messages.text_mail(
        "-----BEGIN PGP MESSAGE-----\n\n" + "meetmeateightattheusualplace" * 20 + "\n-----END PGP MESSAGE-----\n"),
    "bare LF smuggling": lambda k: messages.inline(k.gpg_armor()) + b"\n.\nMAIL FROM:<x@y.test>\nreadable\n",
}


@pytest.mark.parametrize("name", BODIES)
def test_body_that_only_looks_encrypted(mx, keys, name):
    assert send(mx.port, BOB, ALICE, BODIES[name](keys)).code == 550


def test_terminal_escapes_do_not_reach_the_log(mx, pair):
    message = messages.cleartext().replace(b"Message-ID: <", b"Message-ID: <\x1b[2J")
    assert send(mx.port, BOB, ALICE, message).code == 550
    send(mx.port, b'"\x1b[31m"@evil.test', ALICE, messages.cleartext())
    assert "\x1b" not in pair.filter.log() and "\x1b" not in pair.must("log")
    assert "\x1b" not in pair.must("--json", "log")


def begin(s, to, mail="", rcpt=""):
    s.command(f"MAIL FROM:<{BOB}>{mail}")
    s.command(f"RCPT TO:<{to}>{rcpt}")


def as_data(s, content):
    s.command("DATA")
    return s.data(content)


def in_chunks(s, *chunks):
    """RFC 3030. The reply to the last one."""
    for i, chunk in enumerate(chunks, 1):
        s.socket.sendall(b"BDAT %d%s\r\n" % (len(chunk), b" LAST" if i == len(chunks) else b"") + chunk)
        reply = s.read()
    return reply


def pipelined(s, to, content):
    s.socket.sendall(f"MAIL FROM:<{BOB}>\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode() + content + b".\r\n")
    return [s.read() for _ in range(4)][-1]


# What a client says for a message to `to`, with another recipient who demands something else somewhere. Returns the last reply.
DIALOGUES = {
    "one chunk": lambda s, to, other, text: (begin(s, to), in_chunks(s, text)),
    "chunks, the last one empty": lambda s, to, other, text: (begin(s, to), in_chunks(s, text[:9], text[9:], b"")),
    "octet by octet": lambda s, to, other, text: (begin(s, to), in_chunks(s, *(text[i:i + 1] for i in range(len(text))))),
    "pipelined": lambda s, to, other, text: (pipelined(s, to, text),),
    "RSET after another recipient": lambda s, to, other, text: (
        begin(s, other), s.command("RSET"), begin(s, to), as_data(s, text)),
    "EHLO after another recipient": lambda s, to, other, text: (
        begin(s, other), s.command("EHLO again.test"), begin(s, to), as_data(s, text)),
    "after a message to another": lambda s, to, other, text: (s.send(BOB, other, text), begin(s, to), as_data(s, text)),
    "the same twice": lambda s, to, other, text: (begin(s, to), s.command(f"RCPT TO:<{to.upper()}>"), as_data(s, text)),
    "VRFY of another": lambda s, to, other, text: (begin(s, to), s.command(f"VRFY {other}"), as_data(s, text)),
    "parameters that name another": lambda s, to, other, text: (
        begin(s, to, f" SIZE=1 RET=HDRS ENVID={other} AUTH={other} BODY=8BITMIME", f" NOTIFY=SUCCESS ORCPT=rfc822;{other}"),
        as_data(s, text)),
}


@pytest.mark.parametrize("name", DIALOGUES)
@pytest.mark.parametrize("to, other, answer", [(ALICE, SHOP, 550), (SHOP, ALICE, 250)], ids=["protected", "exempt"])
def test_however_the_message_is_brought(mx, name, to, other, answer):
    text = messages.cleartext().replace(b"\n", b"\r\n")
    with Session(mx.port) as s:
        assert DIALOGUES[name](s, to, other, text)[-1].code == answer
