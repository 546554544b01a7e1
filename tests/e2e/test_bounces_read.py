# SPDX-License-Identifier: ISC
"""Our refusal as its reader meets it: within the bounces that Postfix, Exim and Sendmail write."""

import pytest

from harness import messages
from harness.exim import Exim
from harness.place import wait_until
from harness.sendmail import Sendmail
from harness.smtp import send

ALICE, BOB = "alice@example.org", "bob@example.net"


def postfix(_place, make_postfix, mx):
    return make_postfix("author", here_domains="example.net", settings={"relayhost": f"[127.0.0.1]:{mx.port}"})


def exim(place, _make_postfix, mx):
    return Exim(place, "author-exim", [mx.port]).start()


def sendmail(place, _make_postfix, mx):
    return Sendmail(place, "author-sendmail", local=["example.net"], relay=f"[127.0.0.1]:{mx.port}").start()


@pytest.fixture(scope="module")
def site(make_pair, make_postfix):
    pair = make_pair("read", help_url="https://www.example.org/pgp/#%R", key_url="https://keys.example.org/%l.asc")
    return pair, make_postfix("read", pair)


@pytest.mark.parametrize("make", [postfix, exim, sendmail], ids=["Postfix", "Exim", "Sendmail"])
def test_each_sentence_arrives_whole(make, place, make_postfix, site):
    pair, mx = site
    relay = make(place, make_postfix, mx)
    try:
        mark = messages.token()
        assert send(relay.port, BOB, ALICE, messages.cleartext(mark), client=None).code == 250
        wait_until(lambda: any(mark in text for text in relay.mail_texts()), lambda: relay.log()[-2000:])
        bounce = next(text for text in relay.mail_texts() if mark in text)
    finally:
        if make is not postfix:  # which its fixture ends
            relay.stop()
    # Programs fold what they quote, and put code, enhanced code or a mark before each line of it.
    told = " ".join(bounce.replace("\n>>>", "\n").replace("\n<<<", "\n").split())
    for sentence in ("Your message was not delivered. OpenPGP-encrypted mail required",
                     f"<{ALICE}> takes only encrypted mail: this message is not encrypted",
                     "Please encrypt the message with OpenPGP and send it again",
                     "See https://www.example.org/pgp/#no-openpgp",
                     "https://keys.example.org/alice.asc",
                     "Questions may be sent without encryption to postmaster@example.org",
                     f"Reference: {pair.last_verdict(mark)['queue_id']}"):
        assert sentence in told, bounce
