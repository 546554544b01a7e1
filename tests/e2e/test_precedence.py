# SPDX-License-Identifier: ISC
"""Whose mail must be encrypted: one table, asked of the policy server, the filter and `pgpgate explain`."""

import pytest

from harness import messages
from harness.place import wait_until
from harness.policy_client import PolicyClient
from harness.smtp import Session
from precedence_rows import ROWS

REQUIREMENTS = ("exempt", "observe", "signed", "encrypted", "ratchet")
ACTIONS = {r: f"is_{r}" for r in REQUIREMENTS}


@pytest.fixture(scope="module")
def pair(make_pair):
    return make_pair(policy_actions=", ".join(f"{r}={a}" for r, a in ACTIONS.items()))


@pytest.fixture(scope="module")
def mx(make_postfix, pair):
    """The policy server's answers are restriction classes, which Postfix must know."""
    classes = {a: "permit_mynetworks" for a in ACTIONS.values()}
    return make_postfix("mx", pair, settings={"smtpd_restriction_classes": ", ".join(classes), **classes})


@pytest.fixture
def policy(pair):
    client = PolicyClient(pair.policyd.path)
    yield client
    client.close()


def import_rules(pair, rules):
    """Replaces all rules by these. Returns {id: number of the line, from 1}."""
    pair.forget_all_rules()
    # A later line of the same key replaces an earlier one, and so do two commands: one import each.
    for i, rule in enumerate(rules, 1):
        pair.must("import", "-", data=f'{rule} note="{i}"\n'.encode())
    return {r["id"]: int(r["note"]) for r in pair.json("rules")}


def bare(client):
    return client.removeprefix("IPV6:")


def by_policy_server(policy, row):
    return policy.ask(row["to_internal"], row["sender"], bare(row["client"]), row["login"] or "", size=1000)


def by_explain(pair, row):
    words = ["--sender", row["sender"] or "<>", "--client", bare(row["client"])]
    if row["login"]:
        words += ["--authenticated", row["login"]]
    return pair.explain(row["to"], *words)


def by_filter(mx, pair, row):
    mark = messages.token()
    with Session(mx.port, row["client"], row["login"]) as s:
        ascii_only = (row["to"] + row["sender"]).isascii()
        sent = s.send(row["sender"], row["to"], messages.cleartext(mark),
                      parameters="" if ascii_only else " SMTPUTF8")
    verdict = pair.last_verdict(mark)
    assert verdict is not None, sent
    return verdict["recipients"][0], sent


@pytest.mark.parametrize("row", ROWS, ids=[r["name"] for r in ROWS])
def test_policy_server_filter_and_explain_agree(pair, mx, policy, row):
    lines = import_rules(pair, row["rules"])
    requirement, origin = row["want"]
    source = "rule" if isinstance(origin, int) else origin

    explained = by_explain(pair, row)
    told = (explained["requirement"], explained["source"], lines.get(explained["rule"]))
    assert told == (requirement, source, origin if source == "rule" else None), explained["why"]

    assert by_policy_server(policy, row) == ACTIONS[requirement]

    logged, sent = by_filter(mx, pair, row)
    assert (logged["requirement"], lines.get(logged["rule"])) == (requirement, told[2])
    # What the requirement means for cleartext: a ratchet without history lets it pass.
    assert sent.code == (250 if requirement in ("exempt", "observe", "ratchet") else 550), sent


def test_there_are_at_least_sixty_rows():
    assert len(ROWS) >= 60 and len({r["name"] for r in ROWS}) == len(ROWS)


def test_losing_rules_are_explained(pair):
    import_rules(pair, ["exempt *", "observe example.org", "signed alice@example.org sender=example.com",
                        "encrypted alice@example.org", "exempt alice@example.org client=203.0.113.0/24",
                        "exempt alice@example.org sender=example.net expires=-1h"])
    answer = pair.explain("alice@example.org", "--sender", "bob@example.net", "--client", "192.0.2.1")
    why = {r["note"]: r["why_lost"] for r in answer["rules"]}
    assert set(why) == set("123456"), why
    assert why["4"] is None
    assert all(why[n] for n in "12356"), why
    assert "expired" in why["6"], why


def test_hits_are_counted(pair, mx):
    import_rules(pair, ["exempt alice@example.org"])
    for _ in range(3):
        with Session(mx.port) as s:
            assert s.send("bob@example.net", "alice@example.org", messages.cleartext()).code == 250
    wait_until(lambda: pair.json("rules")[0]["hits"] == 3, lambda: f"3 hits: {pair.json('rules')}")
    assert pair.json("rules")[0]["last_hit_at"]


def test_postfix_acts_on_the_requirement(pair, make_postfix):
    """policy_actions: only protected recipients go through a restriction class that refuses."""
    classes = {a: "permit_mynetworks" for a in ACTIONS.values()}
    classes["is_observe"] = "reject"
    mx = make_postfix("classes", pair, settings={"smtpd_restriction_classes": ", ".join(classes), **classes})
    import_rules(pair, ["observe alice@example.org", "exempt carol@example.org"])
    with Session(mx.port) as s:
        sent = s.send("bob@example.net", ["alice@example.org", "carol@example.org"], messages.cleartext())
    assert sent.recipients["alice@example.org"].code == 554 and sent.code == 250


def test_states_other_than_rcpt_and_requests_without_instance_are_not_judged(pair, policy):
    import_rules(pair, [])
    for state in ("CONNECT", "EHLO", "MAIL", "DATA", "END-OF-MESSAGE", "VRFY", "ETRN"):
        assert policy.ask("alice@example.org", state=state) == "DUNNO"
    assert policy.ask("alice@example.org", instance="") == "DUNNO"
    assert policy.raw(b"request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=alice@example.org\n"
                      b"sender=\n\n") == "DUNNO"


NO_REQUESTS = {
    "duplicate attribute": b"request=smtpd_access_policy\nrecipient=a@b.test\nrecipient=c@d.test\n\n",
    "NUL": b"request=smtpd_access_policy\nrecipient=a\0@b.test\n\n",
    "no request": b"recipient=a@b.test\n\n",
    "another request": b"request=junk\n\n",
    "empty": b"\n",
    "over 64 KiB": b"request=smtpd_access_policy\n" + b"x=" + b"y" * 70000 + b"\n\n",
    "no equals sign": b"request=smtpd_access_policy\nrecipient\n\n",
}


@pytest.mark.parametrize("name", NO_REQUESTS)
def test_what_is_no_request_is_closed_without_an_answer_and_logged(pair, name):
    pair.policyd.end()  # it limits what it logs: each case meets a fresh one
    pair.policyd.start()
    logged = len(pair.policyd.log())
    client = PolicyClient(pair.policyd.path)
    assert client.raw(NO_REQUESTS[name]) is None
    client.close()
    wait_until(lambda: "closed a connection without an answer" in pair.policyd.log()[logged:],
               lambda: f"a line in {pair.policyd.log()[logged:]}")


def test_unknown_attributes_are_ignored(policy, pair):
    import_rules(pair, [])
    assert policy.ask("alice@example.org", from_the_future="yes") == ACTIONS["encrypted"]
