# SPDX-License-Identifier: ISC
"""Whose mail is ours, and which domains: what Postfix's own configuration says, and what comes back from a filter."""

import subprocess

import pytest

from harness import messages
from harness.place import free_port, wait_until
from harness.smtp import LOCAL, Session, send

OUTSIDE = "customer@elsewhere.test"
OURS = "alice@example.org"


def site(place, make_pair, make_postfix, name, postfix_settings, **settings):
    """The pair is told where main.cf is, so Postfix comes first; both know where the sockets will be."""
    run = f"{place.path}/{name}/run"
    postfix = make_postfix(f"{name}-mx", milters=f"unix:{run}/filter.sock", here_domains="example.org",
                           settings={"default_transport": "discard", "smtpd_relay_restrictions": "check_client_access static:permit, reject",
                                     **postfix_settings})
    pair = make_pair(name, postfix_config=postfix.etc, **settings)
    return pair, postfix


def test_programs_of_a_private_postfix_have_nothing_to_warn_of(make_postfix):
    """Not of settings that a test changes, either: see harness/postfix.py."""
    postfix = make_postfix("quiet", settings={"mynetworks": "198.51.100.0/24", "mydestination": "example.org"})
    run = subprocess.run(["postconf", "-c", postfix.etc, "mynetworks"], check=True, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("mynetworks = 198.51.100.0/24\n", "")


def test_client_in_mynetworks_is_ours_by_default(place, make_pair, make_postfix):
    pair, postfix = site(place, make_pair, make_postfix, "lan", {"mynetworks": "198.51.100.0/24"},
                         local_clients="$mynetworks")
    assert send(postfix.port, OURS, OUTSIDE, messages.cleartext(), client=LOCAL).code == 250
    assert send(postfix.port, OURS, OUTSIDE, messages.cleartext()).code == 550
    assert pair.explain(OUTSIDE, "--client", LOCAL)["is_local"] is True
    subprocess.run(["postconf", "-c", postfix.etc, "-e", "mynetworks = 127.0.0.0/8"], check=True)
    assert send(postfix.port, OURS, OUTSIDE, messages.cleartext(), client=LOCAL).code == 250
    pair.filter.reload()
    assert send(postfix.port, OURS, OUTSIDE, messages.cleartext(), client=LOCAL).code == 550


def test_postfix_that_gives_no_answer_keeps_what_was_known(place, make_pair, make_postfix):
    pair, postfix = site(place, make_pair, make_postfix, "mute", {"mynetworks": "198.51.100.0/24"},
                         local_clients="$mynetworks")
    pair.write_conf(postfix_config="/nonexistent")
    pair.filter.reload()
    assert "what it said before holds" in pair.filter.log()
    assert send(postfix.port, OURS, OUTSIDE, messages.cleartext(), client=LOCAL).code == 250
    pair.filter.end()
    pair.filter.start()
    assert "$mynetworks is 127.0.0.0/8" in pair.filter.log()
    assert send(postfix.port, OURS, OUTSIDE, messages.cleartext(), client=LOCAL).code == 550


def test_a_recipient_without_a_domain_is_that_of_myorigin(place, make_pair, make_postfix):
    """The policy server is told what the client said, the filter what Postfix made of it: they mean the same."""
    run = f"{place.path}/bare/run"
    postfix = make_postfix("bare-mx", milters=f"unix:{run}/filter.sock",
                           restrictions=f"check_policy_service unix:{run}/policy.sock, permit",
                           settings={"myorigin": "example.org", "mynetworks": "192.0.2.99"})
    pair = make_pair("bare", postfix_config=postfix.etc, policy_actions="encrypted=REJECT by the policy server",
                     default_requirement="exempt", local_clients="$mynetworks")
    pair.must("require", OURS)
    with Session(postfix.port) as s:
        assert s.command("MAIL FROM:<root>").code == 250
        assert "by the policy server" in s.command("RCPT TO:<alice>").text
        assert s.command("RCPT TO:<bob>").code == 250


@pytest.mark.parametrize("protected", ["postfix", "example.org"])
def test_outgoing_mail_needs_no_rule_where_domains_are_protected(place, make_pair, make_postfix, protected):
    name = f"domains-{protected[:3]}"
    pair, postfix = site(place, make_pair, make_postfix, name, {}, protected_domains=protected,
                         local_requirement="encrypted")
    for login in (None, "joe"):
        assert send(postfix.port, OURS, OUTSIDE, messages.cleartext(), login=login).code == 250
        assert send(postfix.port, OUTSIDE, OURS, messages.cleartext(), login=login).code == 550
    assert pair.explain(OUTSIDE)["requirement"] == "observe"
    # What could be anybody's is protected, and a rule holds for every domain.
    assert send(postfix.port, OUTSIDE, "alice%example.org@elsewhere.test", messages.cleartext()).code == 550
    pair.must("require", OUTSIDE)
    assert send(postfix.port, OURS, OUTSIDE, messages.cleartext(), login="joe").code == 550


def test_doctor_notes_a_domain_for_those_without_that_is_not_protected(place, make_pair, make_postfix):
    pair, postfix = site(place, make_pair, make_postfix, "unqualified", {})
    for domain, protected, is_noted in (("elsewhere.test", "example.org", True), ("example.org", "example.org", False),
                                        ("elsewhere.test", "", False), ("elsewhere.test", "postfix", True),
                                        ("example.org", "postfix", False)):
        for folder in (postfix.etc, "/nonexistent"):
            if folder != postfix.etc and protected == "postfix":
                is_noted = False  # every domain is protected then
            told = pair.run("-o", f"unqualified_domain={domain}", "-o", f"protected_domains={protected}", "--json",
                            "doctor", "--postfix-config", folder).out
            assert (f"unqualified_domain is {domain}, which is not" in told) == is_noted, (domain, protected, folder, told)


def behind_a_filter(place, make_pair, make_postfix, name, option, **settings):
    """The way out of the filter is the way back: what is tested is who the client is there."""
    front, back = free_port(), free_port()
    run = f"{place.path}/{name}/run"
    postfix = make_postfix(f"{name}-mx", ports=[front, back], milters=f"unix:{run}/filter.sock",
                           here_domains="example.org", settings={"mynetworks": "127.0.0.0/8", "default_transport": "discard"})
    postfix.stop()
    for service, value in ((front, option.format(back=back)), (front, "smtpd_milters="),
                           (back, "receive_override_options=no_unknown_recipient_checks")):
        subprocess.run(["postconf", "-c", postfix.etc, "-P", f"127.0.0.1:{service}/inet/{value}"], check=True)
    pair = make_pair(name, postfix_config=postfix.etc, **settings)
    return pair, postfix.start()


@pytest.mark.parametrize("name, option", [("content", "content_filter=smtp:[127.0.0.1]:{back}"),
                                          ("proxy", "smtpd_proxy_filter=127.0.0.1:{back}")])
def test_strangers_cleartext_does_not_become_ours_behind_a_filter(place, make_pair, make_postfix, name, option):
    pair, postfix = behind_a_filter(place, make_pair, make_postfix, name, option, local_clients="$mynetworks")
    mark = messages.token()
    answer = send(postfix.port, OUTSIDE, OURS, messages.cleartext(mark))
    wait_until(lambda: pair.last_verdict(mark), lambda: f"a verdict after {answer}\n{postfix.log()}")
    assert pair.last_verdict(mark)["action"] == "refuse", pair.last_verdict(mark)
    postfix.wait_empty()
    assert OURS not in postfix.delivered_to(mark)
