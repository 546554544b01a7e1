# SPDX-License-Identifier: ISC
"""A table of faults: each breaks a private Postfix, or the pair beside it, looks at `pgpgate doctor`, gives its mend to a
shell as it stands there, and looks again."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from harness import messages, pair as harness_pair
from harness.doctor_site import after_a_test, chrooted, editor, filtered, make_site, mends_what_it_finds, ours, proxied
from harness.pair import program
from harness.place import wait_until
from harness.schema import sql_back_to
from harness.smtp import send


@pytest.fixture(scope="module")
def site(place, make_pair, make_postfix):
    return make_site("cases", place, make_pair, make_postfix)


@pytest.fixture(autouse=True)
def _put_back(site):
    site.put_back()
    yield
    after_a_test(site)


def absolute_policy(site):
    chrooted(site)
    site.main("smtpd_milters = unix:run/filter.sock")


def absolute_milter(site):
    chrooted(site)
    site.main("smtpd_recipient_restrictions = check_policy_service unix:run/policy.sock, permit")


def after_reload(line):
    def broken(site):
        site.conf(line)
    return broken


def bad_file(site):
    site.conf("enforce = perhaps")
    site.pair.filter.signal(signal.SIGUSR1)
    wait_until(lambda: "configuration not changed" in site.pair.filter.log(), "a failed reload")
    site.put_back()


def stranger_as_ours(site):
    filtered(site, "content_filter=smtp:[127.0.0.1]:10024")
    site.conf("local_clients = 127.0.0.0/8, 198.51.100.0/24")
    site.conf("protected_domains = postfix")
    site.postconf("-PX", f"{site.service}/smtpd_milters")
    site.reload()


def wrong_stage(site):
    site.main("smtpd_recipient_restrictions = reject_unauth_destination, permit",
              f"smtpd_data_restrictions = reject_unauth_pipelining, check_policy_service {site.pair.policy}")


def without_folder(path):
    """As after a cleaned /run, or a state directory that was lost."""
    def broken(site):
        for daemon in (site.pair.filter, site.pair.policyd):
            daemon.end(signal.SIGKILL)
        shutil.rmtree(f"{site.pair.dir}/{path}")
    return broken


def other_version(site):
    """The daemons of the version before, which nobody has restarted since: the same program, its version written over."""
    folder = site.pair.place.directory("cases/before")
    for daemon in (site.pair.filter, site.pair.policyd):
        with open(program(daemon.name), "rb") as f:
            text = f.read()
        assert VERSION in text
        with open(f"{folder}/{daemon.name}", "wb") as f:
            f.write(text.replace(VERSION, b"0.0.9"))
        os.chmod(f"{folder}/{daemon.name}", 0o755)
        daemon.end(signal.SIGKILL)
        before, harness_pair.BUILD = harness_pair.BUILD, folder
        try:
            daemon.start()
        finally:
            harness_pair.BUILD = before


VERSION = b"0.1.0"


def clock_set_forward(site):
    """Another time of day cannot be had here, but another clock to compare it with: what the daemons see of it is a day
    further than what doctor sees. When timedatectl was called, they see the same again."""
    for daemon in (site.pair.filter, site.pair.policyd):
        daemon.end(signal.SIGKILL)
        prefix, daemon.prefix = daemon.prefix, ["unshare", "--time", "--boottime", "86400", *daemon.prefix]
        daemon.start()
        daemon.prefix = prefix
    site.is_clock_wrong = True


def verdict_of_the_future(site):
    site.postfix.start()
    try:
        send(site.postfix.port, "bob@example.net", "alice@example.org", messages.cleartext())
    finally:
        site.postfix.stop()
    wait_until(lambda: in_database(site, "UPDATE verdict SET time_unix = time_unix + 86400 WHERE id = "
                                         "(SELECT max(id) FROM verdict)"), "the verdict in the database")


def next_message(site):
    site.postfix.start()
    try:
        send(site.postfix.port, "bob@example.net", "alice@example.org", messages.cleartext())
    finally:
        site.postfix.stop()
    wait_until(lambda: site.pair.json("db", "status")[0]["last_verdict_at"][:10] == time.strftime("%F", time.gmtime()),
               "the verdict in the database")


def in_database(site, sql):
    database = sqlite3.connect(site.pair.database, timeout=30)
    with database:
        n = database.execute(sql).rowcount
    database.close()
    return n > 0


def old_schema(site):
    database = sqlite3.connect(site.pair.database, isolation_level=None, timeout=30)
    database.executescript(f"BEGIN IMMEDIATE; {sql_back_to(database, 3)} COMMIT;")
    database.close()


def typing_error(site):
    site.conf("enforce = perhaps")
    editor(site, "s/perhaps/yes/")


def main_that_cannot_be_read(site):
    with open(f"{site.postfix.etc}/main.cf", "a", encoding="utf-8") as f:
        f.write("smtpd_milters unix:pgpgate/filter.sock\n")
    site.age()
    editor(site, "d")


def master_that_cannot_be_read(site):
    with open(f"{site.postfix.etc}/master.cf", "a", encoding="utf-8") as f:
        f.write("smtps inet n - y\n")
    site.age()
    editor(site, "d")


def option_with_blanks(site):
    with open(f"{site.postfix.etc}/master.cf", "a", encoding="utf-8") as f:
        f.write(f"127.0.0.1:10027 inet n - n - - smtpd\n  -o smtpd_milters = {ours(site)}\n")
    site.age()
    editor(site, "s/ = /=/")


def gone(site, name):
    return f"unix:{site.pair.dir}/pgpgate-{name}.sock"


def nobody(name):
    """A socket of somebody else, who does not run."""
    return f"unix:/tmp/nobody-{name}.sock"


def without_policyd(*settings):
    """Asked by some of Postfix, not by its smtpd_recipient_restrictions, and gone."""
    def broken(site):
        site.main("smtpd_recipient_restrictions = permit", *(line.format(ours=site.pair.policy) for line in settings))
        if len(settings) == 0:
            site.postconf("-P", f"{site.service}/smtpd_recipient_restrictions=check_policy_service,{site.pair.policy},permit")
        site.pair.policyd.end(signal.SIGKILL)
    return broken


def misspelt_in_main(right, wrong, *settings):
    def broken(site):
        site.main(*(line.format(ours=ours(site), policy=site.pair.policy) for line in settings))
        editor(site, f"s/{wrong}/{right}/")
    return broken


def misspelt_in_master(site):
    site.postconf("-P", f"{site.service}/smtpd_client_restrictions=permit_mynetwork,permit")
    editor(site, "s/permit_mynetwork,/permit_mynetworks,/")


def outside_of_the_chroot(site):
    site.postconf("-e", f"queue_directory = {site.pair.dir}/queue")
    site.postconf("-F", f"{site.service}/chroot = y")
    os.makedirs(f"{site.pair.dir}/queue", exist_ok=True)


# label, how it breaks, what doctor says
CASES = [
    ("1 absolute policy socket, chrooted smtpd", absolute_policy,
     "smtpd_recipient_restrictions has an absolute path, and smtpd is chrooted"),
    ("1 absolute milter socket, chrooted smtpd", absolute_milter, "smtpd_milters has an absolute path"),
    ("1 absolute milter socket of one service",
     lambda s: (chrooted(s), s.main("smtpd_milters = unix:run/filter.sock",
                                    "smtpd_recipient_restrictions = check_policy_service unix:run/policy.sock, permit"),
                s.postconf("-P", f"{s.service}/smtpd_milters={ours(s)}")), "smtpd_milters of the service"),
    ("1 absolute policy socket of one service",
     lambda s: (chrooted(s), s.main("smtpd_milters = unix:run/filter.sock",
                                    "smtpd_recipient_restrictions = check_policy_service unix:run/policy.sock, permit"),
                s.postconf("-P", f"{s.service}/smtpd_recipient_restrictions=check_policy_service,{s.pair.policy},permit")),
     "smtpd_recipient_restrictions of the service"),
    ("2 no_milters in main.cf", lambda s: s.main("receive_override_options = no_milters, no_address_mappings"),
     "no_milters: mail there is not judged"),
    ("2 no_milters in master.cf", lambda s: s.postconf("-P", f"{s.service}/receive_override_options=no_milters"),
     "no_milters: mail there is not judged"),
    ("3 mynetworks wider than local_clients",
     lambda s: (s.main("mynetworks = 127.0.0.0/8, 203.0.113.0/24"), s.conf("local_clients = 127.0.0.0/8, 198.51.100.0/24"),
                s.reload()), "mynetworks has 203.0.113.0/24"),
    ("3 recipient_delimiter", lambda s: s.main("recipient_delimiter = -"), 'recipient_delimiter is "-" in Postfix'),
    ("3 no recipient_delimiter", lambda s: s.main("recipient_delimiter ="), 'recipient_delimiter is "" in Postfix'),
    ("4 no reload after enforce", after_reload("enforce = no"), "pgpgate-filter runs with other settings"),
    ("4 no restart after log_addresses", after_reload("journal_max = 2097152"), "runs with other settings"),
    ("4 mynetworks changed, no reload", lambda s: s.main("mynetworks = 127.0.0.0/8, 203.0.113.0/24"),
     "has other networks or domains of Postfix"),
    ("4 a file that could not be read", bad_file, "could not read its configuration"),
    ("6 milter_default_action", lambda s: s.main("milter_default_action = accept"), "milter_default_action = accept"),
    ("6 default_action of ours",
     lambda s: s.main(f"smtpd_milters = {{ {ours(s)}, default_action = accept }}"), "default_action of our filter = accept"),
    ("6 default_action of ours, in one service",
     lambda s: s.postconf("-P", f"{s.service}/smtpd_milters={{{ours(s)},default_action=accept}}"),
     "default_action of our filter = accept"),
    ("6 milter_default_action of one service", lambda s: s.postconf("-P", f"{s.service}/milter_default_action=accept"),
     "milter_default_action = accept of the service"),
    ("smtpd_proxy_filter in main.cf, and a way back",
     lambda s: proxied(s, True, "smtpd_milters=", "receive_override_options=no_milters,no_address_mappings"),
     "(main.cf): milters get no header and body there"),
    ("smtpd_proxy_filter in main.cf, and no way back", lambda s: proxied(s, True), "smtpd_proxy_filter = 127.0.0.1:10024 (main.cf)"),
    ("smtpd_proxy_filter in master.cf, and a way back", lambda s: proxied(s, False, "smtpd_milters=inet:127.0.0.1:8891"),
     "(master.cf): milters get no header and body there"),
    ("smtpd_proxy_filter in master.cf, and no way back", lambda s: proxied(s, False),
     "smtpd_proxy_filter = 127.0.0.1:10024 (master.cf)"),
    ("smtpd_milter_maps", lambda s: s.main("smtpd_milter_maps = inline:{192.0.2.7=DISABLE}"), "smtpd_milter_maps = "),
    ("smtpd_milter_maps of one service",
     lambda s: s.postconf("-P", f"{s.service}/smtpd_milter_maps=inline:{{192.0.2.7=DISABLE}}"), "bypass smtpd_milters"),
    ("smuggling", lambda s: s.main("smtpd_forbid_bare_newline = no"), "smuggled past every check"),
    ("the policy server at another stage", wrong_stage, "smtpd_data_restrictions asks our policy server"),
    ("more smtpds than connections", lambda s: s.main("default_process_limit = 5000"), "allows 5000 smtpd processes"),
    ("local_clients is everybody", lambda s: (s.conf("local_clients = 0.0.0.0/0"), s.reload()), "local_clients holds a network so wide"),
    ("mynetworks is half of everybody", lambda s: (s.main("mynetworks = 127.0.0.0/8, 128.0.0.0/1"), s.reload()),
     "mynetworks holds a network so wide"),
    ("7 a clock set forward", clock_set_forward, "clock was set forward by"),
    ("7 a clock that was ahead", verdict_of_the_future, "in the future"),
    ("4 another version", other_version, "pgpgate-filter that runs is version 0.0.9"),
    ("8 no folder for sockets", without_folder("run"), "/run does not exist"),
    ("8 no folder for the database", without_folder("state"), "/state: No such file"),
    ("8 an older schema", old_schema, "pgpgate db migrate"),
    ("8 a typing error", typing_error, "perhaps"),
    ("sockets outside of the chroot", outside_of_the_chroot, "smtpd is chrooted: it cannot reach the socket"),
    ("7 a stale socket in the list", lambda s: s.main(f"smtpd_milters = unix:{s.pair.dir}/old-pgpgate.sock, {ours(s)}"),
     "where nobody listens"),
    ("7 submission with milters of its own",
     lambda s: s.postconf("-P", f"{s.service}/smtpd_milters=inet:127.0.0.1:8891"), "goes without our filter"),
    ("7 the policy line behind permit",
     lambda s: s.main(f"smtpd_recipient_restrictions = permit, check_policy_service {s.pair.policy}"),
     "the policy server is never asked"),
    ("main.cf cannot be read", main_that_cannot_be_read, "takes no mail: "),
    ("master.cf cannot be read", master_that_cannot_be_read, "takes no mail: "),
    ("an option with blanks in master.cf", option_with_blanks, "which smtpd does not take"),
    ("a milter that is misspelt", lambda s: s.main(f"smtpd_milters = {gone(s, 'filtre')}"), "where nobody listens"),
    ("a milter of one service that is misspelt, too",
     lambda s: s.postconf("-P", f"{s.service}/smtpd_milters={gone(s, 'filtre')},{ours(s)}"), "where nobody listens"),
    ("a milter of one service that is misspelt",
     lambda s: s.postconf("-P", f"{s.service}/smtpd_milters={gone(s, 'filtre')}"), "goes without our filter"),
    ("a policy socket that is misspelt",
     lambda s: s.main(f"smtpd_recipient_restrictions = check_policy_service {gone(s, 'polcy')}, permit"),
     "where nobody listens"),
    ("a policy socket that is misspelt, beside ours",
     lambda s: s.main(f"smtpd_recipient_restrictions = check_policy_service {gone(s, 'polcy')}, "
                      f"check_policy_service {s.pair.policy}, permit"), "where nobody listens"),
    ("a policy socket of one service that is misspelt",
     lambda s: s.postconf("-P", f"{s.service}/smtpd_client_restrictions=check_policy_service,{gone(s, 'polcy')},permit"),
     "where nobody listens"),
    ("a port where nobody listens", lambda s: s.main(f"smtpd_milters = inet:127.0.0.1:1, {ours(s)}"),
     "not ours and where nobody listens"),
    ("a milter of somebody else that does not run", lambda s: s.main(f"smtpd_milters = {nobody('dkim')}, {ours(s)}"),
     "not ours and where nobody listens"),
    ("a milter of somebody else that does not run, in braces",
     lambda s: s.main(f"smtpd_milters = {{ {nobody('dkim')}, default_action = tempfail, connect_timeout = 5s }}, {ours(s)}"),
     "not ours and where nobody listens"),
    ("a milter of somebody else that does not run, in one service",
     lambda s: s.postconf("-P", f"{s.service}/smtpd_milters={nobody('dkim')},{ours(s)}"), "not ours and where nobody listens"),
    ("a policy server of somebody else that does not run",
     lambda s: s.main("smtpd_recipient_restrictions = reject_unauth_destination, "
                      f"check_policy_service inet:127.0.0.1:1, check_policy_service {s.pair.policy}"),
     "not ours and where nobody listens"),
    ("policyd is asked by a service alone, and gone", without_policyd(), "pgpgate-policyd does not listen"),
    ("policyd is asked by a class alone, and gone",
     without_policyd("smtpd_restriction_classes = gate", "gate = check_policy_service {ours}",
                     "smtpd_client_restrictions = check_client_access static:gate"), "pgpgate-policyd does not listen"),
    ("our policy socket without check_policy_service",
     lambda s: s.main(f"smtpd_recipient_restrictions = reject_unauth_destination, {s.pair.policy}"),
     "without check_policy_service in front of it"),
    ("check_policy_service is misspelt",
     misspelt_in_main("check_", "chek_", "smtpd_recipient_restrictions = reject_unauth_destination, chek_policy_service {policy}"),
     'has "chek_policy_service", which is no restriction'),
    ("a restriction is misspelt",
     misspelt_in_main("mynetworks", "mynetwrks",
                      "smtpd_client_restrictions = sleep 1, reject_rbl_client dnsbl.example.net, permit_mynetwrks"),
     'has "permit_mynetwrks", which is no restriction'),
    ("a restriction of one service is misspelt", misspelt_in_master, 'has "permit_mynetwork", which is no restriction'),
    ("nothing against relaying",
     lambda s: s.main("smtpd_relay_restrictions =", f"smtpd_recipient_restrictions = check_policy_service {s.pair.policy}"),
     "relaying for everybody"),
    ("nothing against relaying in one service",
     lambda s: s.postconf("-P", f"{s.service}/smtpd_relay_restrictions=permit_mynetworks"), "relaying for everybody"),
    ("our socket without its type", lambda s: s.main(f"smtpd_milters = {ours(s).partition(':')[2]}"), "smtpd does not make out"),
    ("an attribute of ours is misspelt", lambda s: s.main(f"smtpd_milters = {{ {ours(s)}, default_acton = tempfail }}"),
     "smtpd does not make out"),
    ("braces that are not closed", misspelt_in_main("}, ", ", ", "smtpd_milters = {{ inet:127.0.0.1:1, {ours}"), "smtpd does not make out"),
    ("milters with semicolons between", misspelt_in_main(":1,", ":1;", "smtpd_milters = inet:127.0.0.1:1; {ours}"),
     "smtpd does not make out"),
    ("soft_bounce", lambda s: s.main("soft_bounce = yes"), "soft_bounce = yes: a refusal says 450"),
    ("7 a filter that is gone", lambda s: s.pair.filter.end(signal.SIGKILL), "pgpgate-filter does not listen"),
    ("last in smtpd_milters", lambda s: s.main(f"smtpd_milters = {ours(s)}, inet:127.0.0.1:8891"),
     "another milter after our filter"),
    ("behind a filter, loopback is ours", stranger_as_ours, "a stranger's cleartext is taken"),
    ("8 the database is open to everybody", lambda s: os.chmod(s.pair.database, 0o666), "open to everyone"),
    ("8 the database is root's", lambda s: os.chown(s.pair.database, 0, 0), "does not belong to"),
    ("8 the database may not be written", lambda s: os.chmod(s.pair.database, 0o440), "may not be written by"),
    ("8 what lies beside the database may not be written", lambda s: os.chmod(s.pair.database + ".lock", 0o440),
     "may not be written by"),
    ("8 the folder of the database may not be written", lambda s: os.chmod(s.pair.state, 0o550), "cannot write there"),
]


@pytest.mark.parametrize("label, breaks, says", CASES, ids=[c[0] for c in CASES])
def test_fault_is_found_and_its_mend_mends(site, label, breaks, says):
    mends_what_it_finds(site, label, breaks, says, next_message if breaks is verdict_of_the_future else None)


def test_mends_of_one_look_undo_nothing_of_each_other(site):
    """Whoever types all of them in a row is done, and at no time is mail taken unjudged."""
    site.main(f"smtpd_milters = {gone(site, 'old')}, inet:127.0.0.1:1, {gone(site, 'filtre')}")
    problems = [f for f in site.doctor() if f["state"] == "problem"]
    assert len(problems) == 4, problems
    for problem in problems:
        site.type(problem["mend"])
        assert ours(site) in site.value("smtpd_milters")
    assert site.value("smtpd_milters") == f"{{ inet:127.0.0.1:1, default_action=accept }}, {ours(site)}"
    assert [f for f in site.doctor() if f["state"] == "problem"] == []


def test_postfix_that_does_not_run_is_told(site):
    def told():
        return [f["mend"] for f in site.doctor() if "does not run" in f["text"]]
    assert told() == [f"postfix -c {site.postfix.etc} start"]
    assert "but Postfix does not run" in site.pair.run("doctor", "--postfix-config", site.postfix.etc).out
    site.postfix.start()
    try:
        assert told() == []
    finally:
        site.postfix.stop()


def test_others_that_are_passed_over_are_told(site):
    """Mail is taken without them: a note. With their own default action, or with that of all."""
    site.main(f"smtpd_milters = {{ {nobody('dkim')}, default_action=accept }}, {{ {ours(site)}, default_action=tempfail }}",
              f"smtpd_client_restrictions = check_policy_service {nobody('grey')}",
              "smtpd_policy_service_default_action = DUNNO")
    found = site.doctor()
    told = [f["text"] for f in found if f["state"] == "note" and "it is passed over" in f["text"]]
    assert len(told) == 2 and "dkim" in told[0] and "grey" in told[1], told
    assert [f for f in found if f["state"] == "problem"] == []


def test_file_that_postfix_has_not_read_is_told(site):
    """Postfix runs as its files were when it was started, or told to read them."""
    def told():
        return [(f["text"], f["mend"]) for f in site.doctor() if f["state"] == "problem"]

    def queue_manager():
        found = subprocess.run(["pgrep", "-x", "qmgr", "-P", str(site.postfix.master.pid)], capture_output=True, text=True)
        return found.stdout.split()

    site.postfix.start()
    try:
        wait_until(queue_manager, "the queue manager")
        assert told() == []
        before, started = queue_manager(), time.monotonic()
        wait_until(lambda: time.monotonic() > started + 4, "a file that is younger than Postfix, to the second")
        os.utime(f"{site.postfix.etc}/master.cf")
        found = told()
        assert len(found) == 1, (found, queue_manager(), before)
        text, mend = found[0]
        assert text.startswith("master.cf was changed after Postfix read it") and "postfix -c" in mend, text
        subprocess.run(["sh", "-c", mend], env={**os.environ, "PATH": site.path}, check=True)
        os.kill(site.postfix.master.pid, signal.SIGHUP)  # as the real postfix(1) does
        wait_until(lambda: queue_manager() and not set(before) & set(queue_manager()), "the next queue manager")
        assert told() == []
    finally:
        site.postfix.stop()


@pytest.mark.parametrize("protocols, socket", [("ipv4", "inet6:8895@::1"), ("ipv6", "inet:8895@127.0.0.1")])
def test_socket_of_the_other_family_is_found(site, protocols, socket):
    def told():
        result = site.pair.run("--json", "-o", f"filter_socket={socket}", "doctor", "--postfix-config", site.postfix.etc)
        return [f["mend"] for f in map(json.loads, result.out.splitlines()) if "does not connect to the filter" in f["text"]]
    assert told() == []
    site.main(f"inet_protocols = {protocols}")
    assert len(told()) == 1
    site.type(told()[0])
    assert told() == []


def test_other_instances_are_told(site):
    other = site.pair.place.directory("cases/postfix-out")
    site.main("multi_instance_enable = yes", f"multi_instance_directories = {other}")
    result = site.pair.run("doctor", "--postfix-config", site.postfix.etc)
    assert f"doctor --postfix-config {other}" in result.out and "Nothing is wrong.\n" not in result.out, result


# label, rules, aliases, what doctor says
ALIASES = [
    ("an exempt address", [("exempt", "news@example.org")], "news@example.org alice@example.org", "news@example.org takes"),
    ("an observed address", [("observe", "news@example.org")], "news@example.org alice@example.org", "news@example.org takes"),
    ("user@ in another domain", [("exempt", "news@")], "news@example.net alice@example.org", "news@example.net takes"),
    ("a domain", [("exempt", "example.net")], "info@example.net alice@example.org", "info@example.net takes"),
    ("a default", [("observe", "*"), ("require", "alice@example.org")], "x@example.net alice@example.org", "x@example.net takes"),
]


# A map of regular expressions cannot be listed: it is asked for addresses, and a domain or a default is none.
ALIAS_KINDS = [(*a, "texthash") for a in ALIASES] + [(*a, "regexp") for a in ALIASES[:3]]


@pytest.mark.parametrize("label, rules, alias, says, kind", ALIAS_KINDS, ids=[f"5 {a[0]}, {a[4]}" for a in ALIAS_KINDS])
def test_alias_of_a_protected_mailbox_is_found(site, label, rules, alias, says, kind):
    path = f"{site.postfix.etc}/aliases.{kind}"
    key, target = alias.split()
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{key} {target}\n" if kind == "texthash" else f"/^{re.escape(key)}$/ {target}\n")
    os.utime(path, (1, 1))
    site.main(f"virtual_alias_maps = {kind}:{path}")
    site.reload()
    for rule in rules:
        site.pair.must(*rule, "--yes") if rule[1] == "*" else site.pair.must(*rule)
    try:
        problems = [f for f in site.doctor() if f["state"] == "problem"]
        assert len(problems) == 1 and says in problems[0]["text"], problems
        site.type(problems[0]["mend"])
        assert [f for f in site.doctor() if f["state"] == "problem"] == []
    finally:
        site.pair.forget_all_rules()


def test_alias_map_that_cannot_be_asked_is_not_well(site):
    site.main("virtual_alias_maps = socketmap:inet:127.0.0.1:1:aliases, pcre:/nonexistent")
    told = [f for f in site.doctor() if f["topic"] == "aliases"]
    assert [f["state"] for f in told] == ["skipped", "skipped"], told


def test_hung_filter_is_to_be_restarted(site):
    site.pair.filter.signal(signal.SIGSTOP)
    try:
        told = [f for f in site.doctor() if f["topic"] == "filter" and f["state"] == "problem"]
        assert [f["mend"] for f in told if "hello" in f["text"]] == ["systemctl restart pgpgate-filter"], told
    finally:
        site.pair.filter.signal(signal.SIGCONT)


def test_typing_error_ends_one_examination(site):
    site.conf("enforce = perhaps")
    site.conf("unknown_key = 1")
    found = site.doctor()
    told = [f["text"] for f in found if f["topic"] == "settings" and f["state"] == "problem"]
    assert len(told) == 2 and "enforce" in told[0] + told[1] and "unknown_key" in told[0] + told[1], told
    assert not [f for f in found if f["topic"] == "settings" and f["state"] == "ok"], "well, and not well"
    assert any("smtpd_milters names our filter" in f["text"] for f in found), found


def test_not_all_seen_is_never_well(site):
    result = site.pair.run("doctor", "--postfix-config", "/nonexistent")
    assert "Nothing is wrong" not in result.out and "could not be looked at" in result.out and result.code == 3, result
    nagios = site.pair.run("doctor", "--nagios", "--postfix-config", "/nonexistent")
    assert nagios.code == 3 and nagios.out.startswith("PGPGATE UNKNOWN - ") and nagios.out.count("\n") == 1, nagios


def test_nagios_line(site):
    def nagios():
        return site.pair.run("doctor", "--nagios", "--postfix-config", site.postfix.etc)
    assert (nagios().code, nagios().out[:14]) in ((0, "PGPGATE OK - n"), (1, "PGPGATE WARNIN")), nagios()
    site.main("milter_default_action = accept")
    assert nagios().code == 2 and nagios().out.startswith("PGPGATE CRITICAL - 1 to mend: milter_default_action"), nagios()


def test_probe_catches_what_keeps_mail_out_and_what_lets_it_in(site):
    def probe(option):
        return [(f["state"], f["text"]) for f in site.doctor(option, "alice@example.org") if f["topic"] == "probe"]
    site.postfix.start()
    assert [s for s, _ in probe("--probe")] == ["ok"]
    assert [s for s, _ in probe("--probe-data")] == ["ok", "ok"]
    before = len(site.pair.json("log"))
    site.postfix.stop()
    site.main("smtpd_milters =")
    site.postfix.start()
    told = probe("--probe-data")
    assert told[1][0] == "problem" and "was taken" in told[1][1], told
    assert len(site.pair.json("log")) == before
    site.postfix.stop()
    site.put_back()
    site.main(f"smtpd_recipient_restrictions = check_policy_service unix:{site.pair.dir}/gone, permit")
    site.postfix.start()
    told = probe("--probe")
    assert told[0][0] == "problem" and "451" in told[0][1], told
    site.postfix.stop()


def test_metrics_ask_the_filter_whether_it_enforces(site):
    assert "\npgpgate_enforce 1\n" in site.pair.must("metrics")
    site.conf("enforce = no")
    assert "\npgpgate_enforce 1\n" in site.pair.must("metrics")
    site.pair.filter.reload()
    assert "\npgpgate_enforce 0\n" in site.pair.must("metrics")
