# SPDX-License-Identifier: ISC
"""A table of faults: each breaks a private Postfix, or the pair beside it, looks at `pgpgate doctor`, types its mend as it
stands there, and looks again.

A mend is a command, or a line of pgpgate.conf. `systemctl` and `postfix` are stood in for by what they would do here:
signals to the daemons of this test, a restart of its Postfix."""

import json
import os
import re
import signal
import subprocess

import pytest

from harness.place import wait_until


class Site:
    """One pair and one Postfix for all cases; each case puts main.cf, master.cf and pgpgate.conf back."""

    def __init__(self, pair, postfix):
        self.pair, self.postfix = pair, postfix
        self.files = [f"{postfix.etc}/main.cf", f"{postfix.etc}/master.cf", pair.conf]
        self.texts = [open(f, encoding="utf-8").read() for f in self.files]
        self.service = f"127.0.0.1:{postfix.port}/inet"

    def doctor(self, *words):
        result = self.pair.run("--json", "doctor", "--postfix-config", self.postfix.etc, *words)
        assert result.code in (0, 1, 3), result
        return [json.loads(line) for line in result.out.splitlines()]

    def main(self, *settings):
        self.postconf("-e", *settings)

    def postconf(self, *words):
        subprocess.run(["postconf", "-c", self.postfix.etc, *words], check=True)
        self.age()

    def conf(self, line):
        """One line of pgpgate.conf, in the place of the one with that key."""
        key = line.split("=")[0].strip()
        text = open(self.pair.conf, encoding="utf-8").read()
        text = re.sub(rf"^{key} *=.*\n", "", text, flags=re.M) + line + "\n"
        with open(self.pair.conf, "w", encoding="utf-8") as f:
            f.write(text)

    def type(self, mend):
        """The mend, as a person would type it."""
        if re.match(r"[a-z_]+ = ?", mend):
            self.conf(mend)
            self.reload()
            return
        for command in mend.split("; "):
            words = command.split()
            if words[0] == "systemctl":
                daemon = {"pgpgate-filter": self.pair.filter, "pgpgate-policyd": self.pair.policyd}[words[2]]
                if words[1] == "reload":
                    daemon.reload()
                else:
                    daemon.end()
                    daemon.start()
            elif not words[0] == "postfix":
                subprocess.run(["sh", "-c", command], check=True)
        self.age()

    def age(self):
        """Postfix's programs wait until a file of its configuration is two seconds old."""
        for file in self.files[:2]:
            os.utime(file, (1, 1))

    def reload(self):
        self.pair.filter.reload()
        self.pair.policyd.reload()

    def put_back(self):
        for file, text in zip(self.files, self.texts):
            with open(file, "w", encoding="utf-8") as f:
                f.write(text)
        self.age()


@pytest.fixture(scope="module")
def site(place, make_pair, make_postfix):
    run = f"{place.path}/cases/run"
    postfix = make_postfix("cases-mx", milters=f"unix:{run}/filter.sock", here_domains="example.org, example.net",
                           settings={"mynetworks": "127.0.0.0/8", "smtpd_forbid_bare_newline": "normalize",
                                     "smtpd_recipient_restrictions": f"check_policy_service unix:{run}/policy.sock, permit",
                                     "non_smtpd_milters": f"unix:{run}/filter.sock"})
    postfix.stop()
    pair = make_pair("cases", postfix_config=postfix.etc, local_clients="$mynetworks, 198.51.100.0/24")
    site = Site(pair, postfix)
    yield site


@pytest.fixture(autouse=True)
def _put_back(site):
    site.put_back()
    yield
    site.put_back()
    os.chown(site.pair.database, site.pair.place.user.pw_uid, site.pair.place.user.pw_gid)
    for daemon in (site.pair.filter, site.pair.policyd):
        if daemon.process is None or daemon.process.poll() is not None:
            daemon.start()
    site.reload()


def chrooted(site):
    """As in Debian: smtpd chrooted, and the sockets below the queue directory."""
    site.postconf("-e", f"queue_directory = {site.pair.dir}")
    site.postconf("-F", f"{site.service}/chroot = y")


def absolute_policy(site):
    chrooted(site)
    site.main("smtpd_milters = unix:run/filter.sock")


def absolute_milter(site):
    chrooted(site)
    site.main("smtpd_recipient_restrictions = check_policy_service unix:run/policy.sock, permit")


def ours(site):
    return site.pair.milter


def after_reload(line):
    def broken(site):
        site.conf(line)
    return broken


def bad_file(site):
    site.conf("enforce = perhaps")
    site.pair.filter.signal(signal.SIGUSR1)
    wait_until(lambda: "configuration not changed" in site.pair.filter.log(), "a failed reload")
    site.put_back()


def filtered(site, option, *more):
    """smtpd at the front with a filter; what comes back goes to 127.0.0.1:10025, with our milter."""
    site.postconf("-M", "127.0.0.1:10025/inet=127.0.0.1:10025 inet n - n - - smtpd")
    site.postconf("-P", f"{site.service}/{option}", f"{site.service}/smtpd_milters=")
    for word in more:
        site.postconf("-P", f"127.0.0.1:10025/inet/{word}")


def stranger_as_ours(site):
    filtered(site, "content_filter=smtp:[127.0.0.1]:10024")
    site.conf("local_clients = 127.0.0.0/8, 198.51.100.0/24")
    site.conf("protected_domains = postfix")
    site.postconf("-PX", f"{site.service}/smtpd_milters")
    site.reload()


# label, how it breaks, what doctor says
CASES = [
    ("1 absolute policy socket, chrooted smtpd", absolute_policy,
     "smtpd_recipient_restrictions has an absolute path, and smtpd is chrooted"),
    ("1 absolute milter socket, chrooted smtpd", absolute_milter, "smtpd_milters has an absolute path"),
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
    ("7 a stale socket in the list", lambda s: s.main(f"smtpd_milters = unix:{s.pair.dir}/old-pgpgate.sock, {ours(s)}"),
     "where nobody listens"),
    ("7 submission with milters of its own",
     lambda s: s.postconf("-P", f"{s.service}/smtpd_milters=inet:127.0.0.1:8891"), "goes without our filter"),
    ("7 the policy line behind permit",
     lambda s: s.main(f"smtpd_recipient_restrictions = permit, check_policy_service {s.pair.policy}"),
     "the policy server is never asked"),
    ("7 a filter that is gone", lambda s: s.pair.filter.end(), "pgpgate-filter does not listen"),
    ("last in smtpd_milters", lambda s: s.main(f"smtpd_milters = {ours(s)}, inet:127.0.0.1:8891"),
     "another milter after our filter"),
    ("behind a filter, loopback is ours", stranger_as_ours, "a stranger's cleartext is taken"),
    ("8 the database is open to everybody", lambda s: os.chmod(s.pair.database, 0o666), "open to everyone"),
    ("8 the database is root's", lambda s: os.chown(s.pair.database, 0, 0), "does not belong to"),
]


@pytest.mark.parametrize("label, breaks, says", CASES, ids=[c[0] for c in CASES])
def test_fault_is_found_and_its_mend_mends(site, label, breaks, says):
    before = [f["text"] for f in site.doctor() if f["state"] == "problem"]
    assert before == [], before
    breaks(site)
    found = site.doctor()
    problems = [f for f in found if f["state"] == "problem"]
    assert any(says in f["text"] for f in problems), (label, found)
    for problem in problems:
        assert problem["mend"], problem
        site.type(problem["mend"])
    after = [f for f in site.doctor() if f["state"] == "problem"]
    assert after == [], after


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
        words = problems[0]["mend"].replace("'", "").split()
        site.pair.must(*words[1:])
        assert [f for f in site.doctor() if f["state"] == "problem"] == []
    finally:
        site.pair.forget_all_rules()


def test_alias_map_that_cannot_be_asked_is_not_well(site):
    site.main("virtual_alias_maps = proxy:mysql:/nonexistent, pcre:/nonexistent")
    told = [f for f in site.doctor() if f["topic"] == "aliases"]
    assert [f["state"] for f in told] == ["skipped", "skipped"], told


# label, how it is, what must not be a problem
RIGHT = [
    ("7 inet:localhost is 127.0.0.1",
     lambda s: (s.main("smtpd_milters = inet:localhost:8895", "non_smtpd_milters ="), s.conf("filter_socket = inet:8895@127.0.0.1")),
     ("does not name our filter",)),
    ("6 default_action of another", lambda s: s.main(f"smtpd_milters = {{ inet:127.0.0.1:8891, default_action=accept }}, {ours(s)}"),
     ("default_action",)),
    ("6 default_action of ours is right, all others' is not",
     lambda s: s.main(f"smtpd_milters = {{ {ours(s)}, default_action=tempfail }}", "milter_default_action = accept"),
     ("default_action",)),
    ("7 amavis takes mail back without milters",
     lambda s: (s.postconf("-M", "127.0.0.1:10025/inet=127.0.0.1:10025 inet n - n - - smtpd"),
                s.main("content_filter = smtp:[127.0.0.1]:10024"),
                s.postconf("-P", "127.0.0.1:10025/inet/content_filter=", "127.0.0.1:10025/inet/smtpd_milters=")),
     ("goes without our filter", "no_milters")),
    ("7 amavis takes mail back with no_milters",
     lambda s: (s.postconf("-M", "127.0.0.1:10025/inet=127.0.0.1:10025 inet n - n - - smtpd"),
                s.main("content_filter = smtp:[127.0.0.1]:10024"),
                s.postconf("-P", "127.0.0.1:10025/inet/content_filter=",
                           "127.0.0.1:10025/inet/receive_override_options=no_milters,no_address_mappings")),
     ("no_milters",)),
]


@pytest.mark.parametrize("label, makes, signs", RIGHT, ids=[c[0] for c in RIGHT])
def test_what_is_right_is_no_fault(site, label, makes, signs):
    makes(site)
    problems = [f["text"] for f in site.doctor() if f["state"] == "problem"]
    assert not any(sign in p for p in problems for sign in signs), (label, problems)


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
