# SPDX-License-Identifier: ISC
"""Refusals that name whom a hostile client has thought up, through a real Postfix: each line within RFC 5321's 512
octets, nothing filled in twice, no line of their own, and the session goes on."""

import pytest

from harness import messages
from harness.smtp import Session

HOME = b"example.org"
RECIPIENTS = {
    "percent": b'"%n%s%d%r%q%%%5$s"@' + HOME,
    "percent-plain": b"%s%s%s%n@" + HOME,
    "brackets": b'"a<b>c"@' + HOME,
    "blank": b'"a b\\"c"@' + HOME,
    "template": b"%r%R@" + HOME,
    "backslash": b'"a\\\\x0Ab"@' + HOME,
    "long": b"l" * 240 + b"@" + HOME,
    "long-escaped": b'"' + b"\\\\" * 100 + b'"@' + HOME,
    "8-bit": b'"\xc3\xa4\xff\x01"@' + HOME,
    "utf-8": "ä\u202eb@".encode() + HOME,
    "control": b'"a\x07b"@' + HOME,
}


@pytest.fixture(scope="module", name="pair")
def _pair(make_pair):
    return make_pair("hostile", refuse_text="For %r at %d in %q for %R 100%% of %n and %s",
                     help_url="https://help.test/?r=%r&d=%d&q=%q#%R")


@pytest.fixture(scope="module", name="mx")
def _mx(make_postfix, pair):
    return make_postfix("hostile", pair)


@pytest.mark.parametrize("name", RECIPIENTS)
def test_each_line_is_one_and_short_enough(mx, name):
    with Session(mx.port) as session:
        sent = session.send("bob@stranger.test", RECIPIENTS[name], messages.cleartext())
        # What Postfix itself does not take is not ours to answer.
        if sent.recipients[RECIPIENTS[name]].code != 250:
            assert sent.final.code // 100 in (4, 5), sent
            return
        assert sent.final.code == 550, sent
        for line in sent.final.lines:
            assert len(line.encode()) + len("550 \r\n") <= 512, line
            assert line.isprintable() and "\ufffd" not in line, line
        # What is longer than a line is cut.
        if name != "long-escaped":
            assert "100% of %n and %s" in sent.final.text and sent.final.text.count("no-openpgp") == 2, sent
        assert session.command("NOOP").code == 250
