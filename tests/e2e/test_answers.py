# SPDX-License-Identifier: ISC
"""Answers: quarantine, tag, headers, help URLs, replies as configured; import and export; audit."""

import json

import pytest

from harness import messages
from harness.place import wait_until
from harness.smtp import send

ALICE, BOB = "alice@example.org", "bob@example.net"


def gate_header(mx, mark):
    wait_until(lambda: mx.delivered_to(mark), "delivery")
    message = next(m for _, m in mx.delivered() if mark in m.as_string())
    return [v for k, v in message.items() if k.lower() == "x-pgp-gate"]


def test_quarantine_holds_with_the_reason(make_pair, make_postfix, keys):
    pair = make_pair("quarantine", on_refusal="quarantine")
    mx = make_postfix("quarantine", pair)
    mark = messages.token()
    sent = send(mx.port, BOB, ALICE, messages.cleartext(mark))
    assert sent.code == 250
    wait_until(lambda: mx.held() == {sent.queue_id}, lambda: f"{mx.held()} {sent}")
    row = pair.json("explain", "--queue-id", sent.queue_id)[-1]
    assert (row["action"], row["reason"]) == ("quarantine", "no-openpgp")
    with open(f"{mx.dir}/queue/hold/{sent.queue_id}", "rb") as f:
        assert b"X-PGP-Gate: verdict=cleartext; form=none" in f.read()
    secret = messages.token()
    assert send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor(), secret)).code == 250
    assert gate_header(mx, secret) == []


def test_tag_delivers_with_the_header_and_removes_forged_ones(make_pair, make_postfix, keys):
    pair = make_pair("tag", on_refusal="tag")
    mx = make_postfix("tag", pair)
    forged = b"X-PGP-Gate: verdict=encrypted; form=pgp-mime\n"
    mark, secret = messages.token(), messages.token()
    assert send(mx.port, BOB, ALICE, forged + messages.cleartext(mark)).code == 250
    values = gate_header(mx, mark)
    assert len(values) == 1 and values[0].startswith("verdict=cleartext; form=none")
    assert pair.last_verdict(mark)["action"] == "tag"
    assert send(mx.port, BOB, ALICE, forged + messages.pgp_mime(keys.gpg_armor(), secret)).code == 250
    assert gate_header(mx, secret) == []  # not refused: not marked, but the forged one is gone


def test_header_when_asked_for(make_pair, make_postfix, keys):
    pair = make_pair("header", add_header="yes")
    mx = make_postfix("header", pair)
    mark = messages.token()
    assert send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor(), mark)).code == 250
    assert gate_header(mx, mark) == ["verdict=encrypted; form=pgp-mime"]


def test_reply_as_configured(make_pair, make_postfix):
    pair = make_pair("reply", refuse_code="554 5.7.7", refuse_text="100% encrypted mail only here",
                     help_url="https://example.org/pgp?a=%20b")
    mx = make_postfix("reply", pair)
    sent = send(mx.port, BOB, ALICE, messages.cleartext())
    assert sent.code == 554
    assert sent.final.lines[0] == "5.7.7 100% encrypted mail only here"
    assert "5.7.7 See https://example.org/pgp?a=%20b" in sent.final.lines
    pair.must("require", ALICE, "--help-url", "https://example.org/%r?id=%q#%R")
    sent = send(mx.port, BOB, ALICE, messages.cleartext())
    queue_id = sent.final.lines[-1].removeprefix("5.7.7 Reference: ")
    assert f"5.7.7 See https://example.org/{ALICE}?id={queue_id}#no-openpgp" in sent.final.lines


def test_temporary_refusal_code(make_pair, make_postfix):
    pair = make_pair("temporary", refuse_code="450 4.7.1")
    mx = make_postfix("temporary", pair)
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 450


ACCEPTANCE = [
    ("accept_forms", {"accept_forms": "pgp-mime"}, "inline", 550),
    ("default forms", {}, "inline", 250),
    ("password only", {}, "password", 550),
    ("password accepted", {"accept_password_only": "yes"}, "password", 250),
    ("footer", {}, "footer", 550),
    ("footer tolerated", {"max_cleartext_bytes": "200"}, "footer", 250),
    ("subject", {"hidden_subject": "yes"}, "pgp-mime", 550),
    ("hidden subject", {"hidden_subject": "yes"}, "hidden", 250),
    ("signed level", {"default_requirement": "signed"}, "clearsigned", 250),
    ("signed level, cleartext", {"default_requirement": "signed"}, "cleartext", 550),
]


def a_message(kind, keys):
    armor = keys.gpg_armor()
    if kind == "password":
        return messages.inline(keys.gpg_password_only())
    if kind == "footer":
        return messages.text_mail(armor + "\n-- \nA list's footer\n")
    if kind == "hidden":
        mark = messages.token()
        return messages.pgp_mime(armor, mark).replace(f"Subject: Test {mark}".encode(), b"Subject: ...")
    if kind == "clearsigned":
        return messages.text_mail(keys.gpg_clearsign())
    return {"inline": messages.inline, "pgp-mime": messages.pgp_mime}.get(kind, lambda _: messages.cleartext())(armor)


def test_what_counts_is_as_configured(make_pair, make_postfix, keys):
    """One pair whose configuration is changed by SIGUSR1, as an administrator would."""
    pair = make_pair("acceptance")
    mx = make_postfix("acceptance", pair)
    plain = dict(pair.settings)
    for name, settings, kind, expected in ACCEPTANCE:
        pair.settings = dict(plain)
        pair.write_conf(**settings)
        pair.filter.reload()
        sent = send(mx.port, BOB, ALICE, a_message(kind, keys))
        assert sent.code == expected, (name, sent)


RULES = """\
exempt alice@example.org sender=shop.test client=192.0.2.0/24 starts=2026-12-01T00:00:00Z \
expires=2037-01-01T00:00:00Z help-url=https://example.org/x note="until her key is renewed"
observe .example.net
signed sales@ client=authenticated
ratchet *
encrypted münchen.example sender=<> note="a \\"quoted\\" word"
"""


def without_history(exported):
    """A rule's id, author, date and hits belong to this database, not to the rule."""
    ours = ("id", "author", "created_at", "hits", "last_hit_at")
    return [{k: v for k, v in json.loads(line).items() if k not in ours} for line in exported.splitlines()]


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_export_and_import_are_the_identity(pair, form):
    pair.forget_all_rules()
    pair.must("import", data=RULES.encode())
    exported = pair.must(*form, "export")
    pair.forget_all_rules()
    assert pair.json("rules") == []
    pair.must("import", data=exported.encode())
    again = pair.must(*form, "export")
    if form:
        assert without_history(again) == without_history(exported)
    else:
        assert again == exported
    assert len(pair.json("rules")) == 5
    pair.forget_all_rules()


def test_audit_tells_who_did_what(pair):
    pair.forget_all_rules()
    pair.must("exempt", "audit@example.org", "--note", "first")
    said = pair.must("require", "audit@example.org")
    assert "replace" in said.lower(), said
    pair.must("forget", "audit@example.org")
    history = pair.must("rules", "--history", "audit@example.org")
    assert history.count("audit@example.org") >= 3 and "first" in history
    changes = [json.loads(l) for l in pair.must("--json", "rules", "--history", "audit@example.org").splitlines()]
    assert [c["what"] for c in changes] == ["add", "replace", "forget"]
    assert all(c["author"] for c in changes)


def test_rules_that_were_never_used(pair, mx):
    pair.forget_all_rules()
    pair.must("exempt", "used@example.org", "unused@example.org")
    assert send(mx.port, BOB, "used@example.org", messages.cleartext()).code == 250
    wait_until(lambda: [r["recipient"] for r in pair.json("rules", "--unused")] == ["unused@example.org"],
               lambda: f"hits: {pair.json('rules')}")
    pair.forget_all_rules()
