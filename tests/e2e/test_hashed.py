# SPDX-License-Identifier: ISC
"""log_addresses = hashed: everything still works, and who wrote to whom stands in no file of ours."""

import glob
import os

from harness import messages
from harness.smtp import send

SENDER, PROTECTED = "bob.secretive@hidden-sender.example", "alice.private@hidden-home.example"
OPEN, RATCHET = "open.door@hidden-home.example", "ratchet.wheel@hidden-home.example"
WORDS = ("bob.secretive", "hidden-sender", "alice.private", "ratchet.wheel", "192.0.2.1", "joe.login", "client.test")


def everything_written(pair):
    """Database, WAL, and the logs of both daemons."""
    for path in glob.glob(os.path.join(pair.state, "*")) + [pair.filter.log_path, pair.policyd.log_path]:
        with open(path, "rb") as f:
            yield path, f.read()


def test_nothing_readable_is_kept_and_all_works(make_pair, make_postfix, keys):
    pair = make_pair("hashed", log_addresses="hashed", reply_window="1h", refuse_text="No cleartext for %r",
                     help_url="https://help.test/?for=%r&at=%d")
    mx = make_postfix("hashed", pair)
    secret = messages.pgp_mime(keys.gpg_armor())
    message = messages.text_mail("x" * 500 + "\n")

    assert send(mx.port, SENDER, PROTECTED, messages.cleartext()).code == 550
    assert send(mx.port, SENDER, PROTECTED, secret, login="joe.login").code == 250

    # the reply window: ours writes to the sender's domain, which may answer in the clear
    assert send(mx.port, PROTECTED, "shop@hidden-sender.example", messages.cleartext(), login="joe.login").code == 250
    assert send(mx.port, SENDER, PROTECTED, messages.cleartext()).code == 250
    pair.let_time_pass(4000)
    assert send(mx.port, SENDER, PROTECTED, messages.cleartext()).code == 550

    # Up to here no rule names an address, so none may stand anywhere.
    assert pair.json("log", "--sender", SENDER) and not pair.json("log", "--sender", "other@hidden-sender.example")
    assert len(pair.json("log", "--recipient", PROTECTED)) == 4
    for path, content in everything_written(pair):
        for word in WORDS:
            assert word.encode() not in content, (word, path)

    # mixed recipients and the ratchet decide by keys, too
    pair.must("exempt", OPEN)
    both = [OPEN, PROTECTED]
    assert send(mx.port, SENDER, both, message).code == 451
    sent = send(mx.port, SENDER, both, message)
    assert sent.code == 250 and sent.recipients[PROTECTED].code == 450, sent
    assert send(mx.port, SENDER, [PROTECTED], message).code == 550
    pair.must("require", "--level", "ratchet", RATCHET)
    assert send(mx.port, SENDER, RATCHET, messages.cleartext()).code == 250
    assert send(mx.port, SENDER, RATCHET, secret).code == 250
    assert send(mx.port, SENDER, RATCHET, messages.cleartext()).code == 550
    answer = pair.explain(RATCHET, "--sender", SENDER)
    assert (answer["requirement"], answer["demand"]) == ("ratchet", "encrypted")

    # a refusal that names its recipient, a From: that is not the envelope's, a Message-ID: hashed in row, reply and log
    mark = messages.token()
    sent = send(mx.port, SENDER, PROTECTED, messages.cleartext(mark, sender="Carla <carla.header@hidden-from.example>"),
                client="203.0.113.77")
    assert sent.code == 550 and PROTECTED in sent.final.text, sent
    row = pair.json("log", "--sender", SENDER)[-1]
    assert row["action"] == "refuse" and row["reply"].startswith("550") and "<h:" in row["reply"], row
    assert pair.must("explain", "--queue-id", row["queue_id"])
    # rules name recipients in the clear; who wrote to them is nowhere
    for path, content in everything_written(pair):
        for word in ("bob.secretive", "hidden-sender", "192.0.2.1", "203.0.113.77", "joe.login", "client.test", mark,
                     "carla.header", "hidden-from", "alice.private"):
            assert word.encode() not in content, (word, path)
