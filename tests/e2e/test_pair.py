# SPDX-License-Identifier: ISC
"""The pair behind a real Postfix: what is taken, what is refused, and what the record says about it."""

import json
import os
import re
import signal

import pytest

from harness import messages
from harness.place import wait_until
from harness.smtp import LOCAL, Session, send

ALICE, BOB, SHOP = "alice@example.org", "bob@example.net", "shop@example.org"
NOT_DELIVERED = "5.7.1 Your message was not delivered. OpenPGP-encrypted mail required"


def encrypted_messages(keys):
    yield "pgp-mime by gpg", messages.pgp_mime(keys.gpg_armor()), "pgp-mime"
    yield "pgp-mime by sq", messages.pgp_mime(keys.sq_armor()), "pgp-mime"
    yield "inline by gpg", messages.inline(keys.gpg_armor()), "pgp-inline"
    yield "inline by sq", messages.inline(keys.sq_armor()), "pgp-inline"
    yield "hidden recipient", messages.pgp_mime(keys.gpg_armor(messages.SECRET, "--throw-keyids")), "pgp-mime"
    yield "large, partial lengths", messages.pgp_mime(
        keys.gpg_armor(os.urandom(300_000).hex(), "--compress-algo", "none")), "pgp-mime"


def unencrypted_messages(keys):
    yield "cleartext", messages.cleartext(), "cleartext"
    yield "quoted marker", messages.quoted_marker(), None
    yield "marker around plain words", messages.padded_marker(), None
    yield "text before the block", messages.text_mail("hello\n" + keys.gpg_armor()), "partial"
    yield "text after the block", messages.text_mail(keys.gpg_armor() + "\nhello\n"), "partial"
    yield "clearsigned", messages.text_mail(keys.gpg_clearsign()), "signed"
    yield "a public key", messages.text_mail(keys.gpg("--armor", "--export")), "cleartext"
    yield "only signed", messages.text_mail(keys.gpg("--armor", "--sign", data=b"hello")), None
    yield "empty body", messages.text_mail(""), "cleartext"


def without_reference(reply):
    """The lines of a reply, less the queue id, which a message that was not sent has not."""
    return [line[4:] for line in reply.splitlines() if "Reference: " not in line]


def mark_of(message):
    return re.search(rb"Message-ID: <(t[0-9a-f]{16})@", message).group(1).decode()


def test_encrypted_mail_is_taken_and_delivered(mx, pair, keys):
    for name, message, form in encrypted_messages(keys):
        sent = send(mx.port, BOB, ALICE, message)
        assert sent.code == 250, (name, sent)
        row = pair.last_verdict(mark_of(message))
        assert (row["verdict"], row["form"], row["action"]) == ("encrypted", form, "accept"), (name, row)
        wait_until(lambda m=message: mx.delivered_to(mark_of(m)) == [ALICE], f"delivery of {name}")


def test_what_is_readable_is_refused_with_the_reply_of_the_policy(mx, pair, keys):
    for name, message, verdict in unencrypted_messages(keys):
        sent = send(mx.port, BOB, ALICE, message)
        assert sent.code == 550, (name, sent)
        assert sent.final.lines[0] == NOT_DELIVERED, (name, sent)
        assert re.fullmatch(r"5\.7\.1 <alice@example\.org> takes only encrypted mail: .+",
                            sent.final.lines[1]), (name, sent)
        row = pair.last_verdict(mark_of(message))
        assert row["verdict"] not in ("encrypted", "report") and row["action"] == "refuse", (name, row)
        assert verdict is None or row["verdict"] == verdict, (name, row)
        assert mx.delivered_to(mark_of(message)) == []


def test_reply_to_plain_cleartext_in_full(mx, pair):
    message = messages.cleartext()
    sent = send(mx.port, BOB, ALICE, message)
    assert sent.final.lines[:-1] == [
        NOT_DELIVERED,
        "5.7.1 <alice@example.org> takes only encrypted mail: this message is not encrypted",
        "5.7.1 Please encrypt the message with OpenPGP and send it again",
        "5.7.1 Questions may be sent without encryption to postmaster@example.org"]
    assert sent.final.lines[-1] == f"5.7.1 Reference: {pair.last_verdict(mark_of(message))['queue_id']}"


def test_exemption_holds_at_once_and_ends_at_once(mx, pair):
    assert send(mx.port, BOB, SHOP, messages.cleartext()).code == 550
    pair.must("exempt", SHOP)
    assert send(mx.port, BOB, SHOP, messages.cleartext()).code == 250  # no reload, no pause
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550
    pair.must("forget", SHOP)
    assert send(mx.port, BOB, SHOP, messages.cleartext()).code == 550


def test_rule_changed_between_recipient_and_message_of_one_session(mx, pair):
    """No daemon keeps rules: the same connection sees each change."""
    with Session(mx.port) as s:
        for command, code in (("exempt", 250), ("forget", 550), ("observe", 250), ("require", 550)):
            pair.must(command, SHOP)
            assert s.send(BOB, SHOP, messages.cleartext()).code == code, command
    pair.must("forget", SHOP)


@pytest.mark.parametrize("order", ["ecec", "cece", "eecc", "ccee"])
def test_each_message_of_a_session_is_judged_on_its_own(mx, pair, keys, order):
    armor = keys.gpg_armor()
    with Session(mx.port) as s:
        for kind in order:
            message = messages.pgp_mime(armor) if kind == "e" else messages.cleartext()
            sent = s.send(BOB, ALICE, message)
            assert sent.code == (250 if kind == "e" else 550), (order, kind, sent)
            row = pair.last_verdict(mark_of(message))
            assert row["verdict"] == ("encrypted" if kind == "e" else "cleartext")


def test_message_aborted_with_rset_leaves_nothing_to_the_next(mx, pair):
    pair.must("exempt", SHOP)
    with Session(mx.port) as s:
        s.command(f"MAIL FROM:<{BOB}>")
        s.command(f"RCPT TO:<{SHOP}>")
        s.command("RSET")
        assert s.send(BOB, ALICE, messages.cleartext()).code == 550
        s.command(f"MAIL FROM:<{BOB}>")
        s.command(f"RCPT TO:<{ALICE}>")
        s.command("RSET")
        assert s.send(BOB, SHOP, messages.cleartext()).code == 250
    pair.must("forget", SHOP)


def test_log_json_has_the_fields_of_every_message(mx, pair):
    message = messages.cleartext()
    send(mx.port, BOB, ALICE, message, login="joe")
    rows = [r for r in pair.json("log") if mark_of(message) in r["message_id"]]
    assert len(rows) == 1
    row = rows[0]
    expected = {"time", "queue_id", "host", "client", "authenticated", "sender", "recipients", "verdict",
                "form", "reason", "detail", "action", "reply", "size", "message_id"}
    assert expected <= set(row)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["time"])
    assert row["client"] == "192.0.2.1" and row["authenticated"] == "joe" and row["sender"] == BOB
    assert row["queue_id"] and row["host"] == "mx.pgpgate.test"
    # joe is one of ours: local_requirement
    assert row["recipients"][0]["address"] == ALICE
    assert row["recipients"][0]["requirement"] == "observe" and row["recipients"][0]["rule"] is None
    assert (row["verdict"], row["form"], row["reason"], row["action"]) == (
        "cleartext", "none", "no-openpgp", "accept")


def test_log_line_of_the_filter(mx, pair):
    message = messages.cleartext()
    send(mx.port, BOB, ALICE, message)
    row = pair.last_verdict(mark_of(message))
    line = next(l for l in pair.filter.log().splitlines() if row["queue_id"] + ":" in l)
    assert (f"{row['queue_id']}: verdict=cleartext form=none reason=no-openpgp action=refuse from=<{BOB}> "
            f"to=<{ALICE}> requirement=encrypted rule=default size=") in line
    assert "client=192.0.2.1" in line


def test_explain_names_the_rule_and_queue_id_tells_the_story(mx, pair):
    pair.must("exempt", SHOP, "--sender", "example.net", "--note", "until spring")
    rule = pair.json("rules", SHOP)[0]
    answer = pair.explain(SHOP, "--sender", BOB)
    assert (answer["requirement"], answer["source"], answer["rule"]) == ("exempt", "rule", rule["id"])
    answer = pair.explain(SHOP, "--sender", "x@example.com")
    assert (answer["requirement"], answer["source"], answer["rule"]) == ("encrypted", "default", None)
    sent = send(mx.port, BOB, SHOP, messages.cleartext())
    assert sent.code == 250
    told = pair.json("explain", "--queue-id", sent.queue_id)[-1]
    assert told["recipients"][0]["rule"] == rule["id"] and told["action"] == "accept"
    assert str(rule["id"]) in pair.must("explain", "--queue-id", sent.queue_id)
    pair.must("forget", SHOP, "--all")


def test_check_agrees_with_the_filter_on_the_same_files(mx, pair, keys, place):
    directory = place.directory("check")
    for i, (name, message, _) in enumerate([*encrypted_messages(keys), *unencrypted_messages(keys)]):
        path = os.path.join(directory, f"{i}.eml")
        with open(path, "wb") as f:
            f.write(message)
        send(mx.port, BOB, ALICE, message)
        row = pair.last_verdict(mark_of(message))
        told = pair.json("check", path)[0]
        for key in ("verdict", "form", "reason", "detail", "cleartext_bytes"):
            assert told[key] == row[key], (name, key, told, row)
        answer = pair.explain(ALICE, "--sender", BOB, "--client", "192.0.2.1", "--message", path)
        assert answer["verdict"] == row["verdict"] and answer["action"] == row["action"], name
        assert without_reference(answer["reply"]) == without_reference(row["reply"]), name


def test_no_enforcement_judges_and_logs_but_refuses_nothing(mx, pair):
    message = messages.cleartext()
    pair.write_conf(enforce="no")
    pair.filter.reload()
    try:
        assert send(mx.port, BOB, ALICE, message).code == 250
        row = pair.last_verdict(mark_of(message))
        assert row["verdict"] == "cleartext" and row["action"] == "accept" and row["would"] == "refuse"
    finally:
        pair.write_conf(enforce="yes")
        pair.filter.reload()
    assert send(mx.port, BOB, ALICE, message).code == 550


def test_bad_configuration_leaves_the_old_one_in_force(mx, pair):
    logged = len(pair.filter.log())
    good = dict(pair.settings)
    pair.write_conf(enforce="perhaps")
    pair.filter.signal(signal.SIGUSR1)
    try:
        wait_until(lambda: "enforce" in pair.filter.log()[logged:], "a complaint")
        assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550
    finally:
        pair.settings = good
        pair.write_conf()
        pair.filter.reload()


def test_pause_refuses_nothing_until_resume(mx, pair):
    pair.must("pause", "--for", "1h")
    try:
        assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 250
        assert "pause" in pair.run("rules").err.lower()
    finally:
        pair.must("resume")
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550


def test_mail_from_our_own_is_observed(mx, pair):
    for who in ({"client": LOCAL}, {"login": "joe"}):
        message = messages.cleartext()
        assert send(mx.port, BOB, ALICE, message, **who).code == 250
        assert pair.last_verdict(mark_of(message))["recipients"][0]["requirement"] == "observe"


def test_postmaster_and_abuse_take_everything(mx, pair):
    pair.must("require", "postmaster@example.org")
    for to in ("postmaster@example.org", "Postmaster", "abuse@example.com"):
        assert send(mx.port, BOB, to, messages.cleartext()).code == 250, to
    pair.must("forget", "postmaster@example.org")


def test_several_recipients_who_all_refuse_are_named(mx):
    sent = send(mx.port, BOB, [f"user{i}@example.org" for i in range(10)], messages.cleartext())
    assert sent.code == 550
    assert sum("takes only encrypted mail" in line for line in sent.final.lines) == 8
    assert "and 2 more" in sent.final.text


def test_json_output_is_one_object_a_line(pair):
    lines = pair.must("--json", "log", "-n", "3").splitlines()
    assert len(lines) == 3 and all(isinstance(json.loads(line), dict) for line in lines)


def test_version_and_help(pair):
    assert re.match(r"pgpgate \d+\.\d+", pair.must("--version"))
    assert "explain" in pair.must("--help")
