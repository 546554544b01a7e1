# SPDX-License-Identifier: ISC
"""What keeps a Postfix from taking mail beside us, and is to be seen from its files and its disks: tables that are not
there, values that end its programs, no room. Broken, looked at, mended with what doctor says, looked at again."""

import os
import signal
import subprocess

import pytest

from harness.doctor_site import after_a_test, editor, make_site, mends_what_it_finds, problems


@pytest.fixture(scope="module")
def site(place, make_pair, make_postfix):
    return make_site("stops", place, make_pair, make_postfix)


@pytest.fixture(autouse=True)
def _put_back(site):
    site.put_back()
    yield
    after_a_test(site)


def table(site, name, text="a@example.org OK\n"):
    path = f"{site.postfix.etc}/{name}"
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    os.utime(path, (1, 1))
    return path


def misspelt(kind):
    """There is a table, main.cf names another."""
    def broken(site):
        path = table(site, f"access.{kind}", "" if kind in ("cidr", "regexp") else "a@example.org OK\n")
        site.main(f"smtpd_recipient_restrictions = check_sender_access {kind}:{path[:-len(kind)]}x, "
                  f"check_policy_service {site.pair.policy}, permit")
        editor(site, f"s/access.x,/access.{kind},/")
    return broken


def never_made(parameter, value):
    """A text of which no table was made."""
    def broken(site):
        path = table(site, f"{parameter}.hash", "a: b\n" if parameter == "alias_maps" else "a@example.org OK\n")
        if os.path.exists(path + ".db"):
            os.remove(path + ".db")
        site.main(f"{parameter} = {value.format(table=f'hash:{path}', policy=site.pair.policy)}")
    return broken


def in_a_class(site):
    path = table(site, "strict.hash")
    site.main("smtpd_restriction_classes = strict", f"strict = check_recipient_access hash:{path}",
              "smtpd_client_restrictions = check_client_access static:strict")


def in_one_service(site):
    path = table(site, "one.hash")
    site.postconf("-P", f"{site.service}/smtpd_sender_restrictions=check_sender_access,hash:{path}")


def unknown_type(site):
    site.main("virtual_alias_maps = txthash:/etc/aliases")
    editor(site, "s/^virtual_alias_maps = .*/virtual_alias_maps = static:/")


def networks_file(site):
    site.main(f"mynetworks = 127.0.0.0/8, {site.postfix.etc}/networks")
    editor(site, "s,^mynetworks = .*,mynetworks = 127.0.0.0/8,")


# label, how it breaks, what doctor says
CASES = [
    *((f"a table is misspelt, {kind}", misspelt(kind), "which is not there") for kind in ("hash", "texthash", "cidr", "regexp")),
    ("no table was made of a text", never_made("smtpd_recipient_restrictions",
                                               "check_recipient_access {table}, check_policy_service {policy}, permit"),
     "which was never made from its text"),
    ("no table was made of the aliases", never_made("alias_maps", "{table}"), "alias_maps looks in "),
    ("no table was made, behind a proxy", never_made("virtual_mailbox_maps", "proxy:{table}"), "which was never made"),
    ("no table was made of a text, which stands by itself",
     lambda s: s.main(f"smtpd_sender_restrictions = reject_unknown_sender_domain, hash:{table(s, 'bare.hash')}"),
     "smtpd_sender_restrictions looks in "),
    ("no table was made for a class", in_a_class, "strict looks in "),
    ("no table was made for one service", in_one_service, "smtpd_sender_restrictions of the service "),
    ("a type of tables that Postfix has not", unknown_type, "a type that this Postfix has not"),
    ("a file of networks that is not there", networks_file, "which is not there"),
    ("a time that is none", lambda s: s.main("smtpd_timeout = 30x"), "smtpd_timeout = 30x is no time"),
    ("a time in words", lambda s: s.main("maximal_queue_lifetime = 5 days"), "is no time"),
    ("a number that is none", lambda s: s.main("message_size_limit = 50M"), "message_size_limit = 50M is no number"),
    ("a number by load that is none", lambda s: s.main("smtpd_hard_error_limit = 20x"), "is no number"),
    ("neither yes nor no", lambda s: s.main("smtpd_helo_required = true"), "is neither yes nor no"),
    ("a time of one service that is none", lambda s: s.postconf("-P", f"{s.service}/smtpd_timeout=30x"),
     "smtpd_timeout = 30x of the service "),
    ("queue_minfree beyond the disk", lambda s: s.main("queue_minfree = 900000000000000000"), "every mail gets 452"),
    ("message_size_limit beyond the disk", lambda s: s.main("message_size_limit = 900000000000000000", "mailbox_size_limit = 0"),
     "every mail gets 452"),
]


@pytest.mark.parametrize("label, breaks, says", CASES, ids=[c[0] for c in CASES])
def test_fault_is_found_and_its_mend_mends(site, label, breaks, says):
    mends_what_it_finds(site, label, breaks, says)


# What may stand there: values that Postfix takes, although they look like none; and tables in all ways.
RIGHT = [
    ("values", lambda s: s.main("smtpd_timeout = ${stress?{10}:{300}}s", "maximal_queue_lifetime = 5D", "ipc_timeout = 3600",
                                "default_destination_concurrency_positive_feedback = 1/concurrency", "lmtp_tcp_port = lmtp",
                                "smtpd_forbid_bare_newline = normalize", "smtpd_helo_required = YES",
                                "smtpd_hard_error_limit = ${stress?{1}:{20}}", "message_size_limit = 0", "queue_minfree = 0")),
    ("tables", lambda s: s.main(f"virtual_alias_maps = texthash:{table(s, 'v')}, inline:{{a@example.org=b}}, static:x",
                                f"mynetworks = 127.0.0.0/8, [::1]/128, !192.0.2.1, cidr:{table(s, 'n', '')}, {table(s, 'f', '')}",
                                f"smtpd_sender_restrictions = check_sender_access texthash:{table(s, 't')}, reject_rbl_client "
                                "zen.example.org=127.0.0.[2..11], check_client_access { inline:{ a=DUNNO } }")),
]


@pytest.mark.parametrize("label, makes", RIGHT, ids=[c[0] for c in RIGHT])
def test_what_is_right_is_no_fault(site, label, makes):
    makes(site)
    site.reload()
    assert problems(site) == [], label


@pytest.fixture
def state_on_its_own(site):
    """The folder of the database is a file system of its own, of 150 files; all is moved into it and back."""
    state, user = site.pair.state, site.pair.place.user
    aside = site.pair.place.directory("stops/aside")
    for daemon in (site.pair.filter, site.pair.policyd):
        daemon.end(signal.SIGKILL)
    for name in os.listdir(state):
        os.rename(f"{state}/{name}", f"{aside}/{name}")
    options = f"size=400m,nr_inodes=150,mode=2770,uid={user.pw_uid},gid={user.pw_gid}"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", state], check=False).returncode == 0
    try:
        for name in os.listdir(aside):
            subprocess.run(["cp", "-p", f"{aside}/{name}", state], check=True)
        for daemon in (site.pair.filter, site.pair.policyd):
            daemon.start()
        if not mounted:
            pytest.skip("nothing may be mounted here")
        yield state
    finally:
        for daemon in (site.pair.filter, site.pair.policyd):
            daemon.end(signal.SIGKILL)
        if mounted:
            subprocess.run(["umount", "-l", state], check=True)
        for name in os.listdir(aside):
            os.rename(f"{aside}/{name}", f"{state}/{name}")


def test_a_folder_that_is_mounted_read_only(site, state_on_its_own):
    def read_only(_):
        subprocess.run(["mount", "--bind", state_on_its_own, state_on_its_own], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", state_on_its_own], check=True)
    mends_what_it_finds(site, "read-only", read_only, "is mounted read-only")
    subprocess.run(["umount", "-l", state_on_its_own], check=True)


def test_a_file_system_that_has_no_more_files(site, state_on_its_own):
    """No command mends that, and doctor says so; when there are some again it is content."""
    def told():
        return [(f["text"], f["mend"]) for f in problems(site)]
    assert told() == []
    made = []
    while True:
        try:
            open(f"{state_on_its_own}/filler{len(made)}", "x", encoding="ascii").close()
        except OSError:
            break
        made.append(f"{state_on_its_own}/filler{len(made)}")
    found = told()
    assert any("only 0 files can still be made" in text and "no command mends that" in text for text, _ in found), found
    assert all(mend is None for text, mend in found if "files can still be made" in text), found
    for path in made:
        os.remove(path)
    assert told() == []


def test_a_disk_that_is_full(site, state_on_its_own):
    def size(text):
        subprocess.run(["mount", "-o", f"remount,size={text}", state_on_its_own], check=True)
    disk = os.statvfs(state_on_its_own)
    size((disk.f_blocks - disk.f_bfree) * disk.f_frsize)
    found = [(f["text"], f["mend"]) for f in problems(site)]
    assert any("nothing can be written in" in text and "make room there" in text for text, _ in found), found
    size("400m")
    assert problems(site) == []
