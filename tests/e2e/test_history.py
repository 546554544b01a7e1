# SPDX-License-Identifier: ISC
"""What earlier verdicts decide: ratchet and reply window; and what makes the record not count any more."""

import pytest

from harness import messages
from harness.smtp import LOCAL, send

BOB, CAROL = "bob@example.net", "carol@example.net"


@pytest.fixture(scope="module")
def pair(make_pair):
    pair = make_pair(reply_window="2h")
    pair.must("require", "--level", "ratchet", "ratchet.example")
    return pair


def code(mx, sender, to, message, **more):
    return send(mx.port, sender, to, message, **more).code


def clear(sender=BOB, to="x@ratchet.example"):
    return messages.cleartext(sender=sender, to=to)


def test_ratchet_locks_with_the_first_encrypted_message(mx, keys):
    to = "lock@ratchet.example"
    secret = messages.pgp_mime(keys.gpg_armor(), sender=BOB)
    assert code(mx, BOB, to, clear()) == 250
    assert code(mx, BOB, to, clear()) == 250
    assert code(mx, BOB, to, secret) == 250
    assert code(mx, BOB, to, clear()) == 550
    assert code(mx, "BOB@Example.NET", to, clear()) == 550  # the same in any spelling
    assert code(mx, CAROL, to, clear(CAROL)) == 250  # another sender
    assert code(mx, BOB, "other@ratchet.example", clear()) == 250  # another recipient
    assert code(mx, BOB, to, secret) == 250


def test_from_header_locks_as_the_envelope_does(mx, keys):
    to = "from@ratchet.example"
    assert code(mx, "bounce-1@lists.test", to, messages.pgp_mime(keys.gpg_armor(), sender="dora@example.net")) == 250
    assert code(mx, "dora@example.net", to, clear("someone@example.com")) == 550  # by the envelope
    assert code(mx, "bounce-2@lists.test", to, clear("Dora <dora@example.net>")) == 550  # by From:
    assert code(mx, "bounce-2@lists.test", to, clear("eve@example.net")) == 250


def test_refused_mail_does_not_lock(mx, pair, keys, place):
    """Only accepted mail counts: an encrypted message that another reason refused is no record."""
    to = "refused@ratchet.example"
    assert code(mx, BOB, to, messages.text_mail("x\n" + keys.gpg_armor())) == 250  # partial: as cleartext
    assert code(mx, BOB, to, clear()) == 250


def test_forgotten_history_counts_no_more(mx, pair, keys):
    to = "forget@ratchet.example"
    assert code(mx, BOB, to, messages.inline(keys.gpg_armor(), sender=BOB)) == 250
    assert code(mx, BOB, to, clear()) == 550
    answer = pair.explain(to, "--sender", BOB)
    assert (answer["requirement"], answer["demand"]) == ("ratchet", "encrypted"), answer
    pair.must("forget", "--history", BOB, to)
    assert code(mx, BOB, to, clear()) == 250
    assert pair.run("forget", "--history", "nobody@example.com", to).code == 1


def test_history_before_the_rule_counts(mx, pair, keys):
    to = "early@example.org"
    assert code(mx, BOB, to, messages.inline(keys.gpg_armor(), sender=BOB)) == 250
    pair.must("require", "--level", "ratchet", to)
    assert code(mx, BOB, to, clear()) == 550
    assert code(mx, CAROL, to, clear(CAROL)) == 250
    pair.must("forget", to)


@pytest.mark.parametrize("who", [{"client": LOCAL}, {"login": "joe"}], ids=["local", "authenticated"])
def test_reply_window(mx, pair, who):
    ours = "anna@example.org" if "login" in who else "otto@example.org"
    shop = "shop.co.uk" if "login" in who else "shop.com"
    assert code(mx, f"service@{shop}", ours, clear(f"service@{shop}")) == 550  # before
    assert code(mx, ours, f"orders@www.{shop}", clear(ours), **who) == 250
    assert code(mx, f"service@{shop}", ours, clear(f"service@{shop}")) == 250  # another mailbox there
    assert code(mx, f"noreply@mail.{shop}", ours, clear(f"noreply@mail.{shop}")) == 250
    assert code(mx, f"service@not{shop}", ours, clear()) == 550  # others
    assert code(mx, "evil@co.uk" if "login" in who else "evil@com", ours, clear()) == 550
    assert code(mx, f"service@{shop}", "frida@example.org", clear(f"service@{shop}")) == 550  # to another of ours
    answer = pair.explain(ours, "--sender", f"service@{shop}")
    assert answer["source"] == "history", answer
    pair.let_time_pass(2 * 3600 + 60)
    assert code(mx, f"service@{shop}", ours, clear(f"service@{shop}")) == 550  # after


def test_reply_window_is_not_opened_by_strangers_or_by_encrypted_mail(mx, keys):
    ours = "emil@example.org"
    assert code(mx, ours, "orders@store.example", messages.pgp_mime(keys.gpg_armor()), login="joe") == 250
    assert code(mx, "service@store.example", ours, clear()) == 550
    send(mx.port, ours, "postmaster@store.example", clear())  # a stranger who says to be emil
    assert code(mx, "service@store.example", ours, clear()) == 550


def test_reply_window_is_off_by_default(make_pair, make_postfix):
    pair = make_pair("default")
    mx = make_postfix("default", pair)
    ours = "anna@example.org"
    assert code(mx, ours, "orders@shop.test", clear(ours), login="joe") == 250
    assert code(mx, "service@shop.test", ours, clear()) == 550
