# SPDX-License-Identifier: ISC
"""What is right, and must not be called a fault by `pgpgate doctor`: Debian's services, milters and filters of others,
several instances."""

import os
import re
import shutil
import socket

import pytest

from harness.doctor_site import after_a_test, make_site, ours, proxied


@pytest.fixture(scope="module")
def site(place, make_pair, make_postfix):
    site = make_site("well", place, make_pair, make_postfix)
    with socket.create_server(("127.0.0.1", 0)) as inet, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(f"{site.pair.dir}/other.sock")
        os.chmod(f"{site.pair.dir}/other.sock", 0o666)
        unix.listen()
        site.port_of_others = inet.getsockname()[1]
        yield site


def other_unix(site):
    """A socket of somebody else, who runs; nothing is said there."""
    return f"unix:{site.pair.dir}/other.sock"


@pytest.fixture(autouse=True)
def _put_back(site):
    site.put_back()
    yield
    after_a_test(site)


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


def as_debian(site, *services):
    """Sockets below the queue directory, the services as Debian's master.cf has them, or would without its "#"."""
    site.postconf("-e", f"queue_directory = {site.pair.dir}", "smtpd_milters = unix:run/filter.sock",
                  "non_smtpd_milters = unix:run/filter.sock",
                  "smtpd_recipient_restrictions = check_policy_service unix:run/policy.sock")
    with open("/usr/share/postfix/master.cf.dist", encoding="utf-8") as f:
        text = f.read()
    for service in services:
        text, n = re.subn(rf"(?m)^#({re.escape(service)} +(?:inet|unix|pass) .*)((?:\n#  .*)*)",
                          lambda m: m.group(1) + m.group(2).replace("\n#  -o", "\n  -o"), text)
        assert n == 1, service
    with open(f"{site.postfix.etc}/master.cf", "w", encoding="utf-8") as f:
        f.write(text)
    site.age()


AMAVIS = """
smtp-amavis unix - - n - 2 smtp
  -o smtp_data_done_timeout=1200
  -o smtp_send_xforward_command=yes
127.0.0.1:10025 inet n - n - - smtpd
  -o content_filter=
  -o smtpd_delay_reject=no
  -o smtpd_client_restrictions=permit_mynetworks,reject
  -o smtpd_helo_restrictions=
  -o smtpd_sender_restrictions=
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
  -o smtpd_data_restrictions=reject_unauth_pipelining
  -o smtpd_end_of_data_restrictions=
  -o mynetworks=127.0.0.0/8
  -o receive_override_options=no_header_body_checks,no_unknown_recipient_checks,no_milters
"""


def with_amavis(site):
    as_debian(site, "submission")
    site.main("content_filter = smtp-amavis:[127.0.0.1]:10024")
    with open(f"{site.postfix.etc}/master.cf", "a", encoding="utf-8") as f:
        f.write(AMAVIS)
    site.age()


def second_instance(site):
    """As postmulti makes one: the doctor of it looks nowhere else."""
    other = site.pair.place.directory("well/postfix-out")
    for name in ("main.cf", "master.cf"):
        shutil.copyfile(f"{site.postfix.etc}/{name}", f"{other}/{name}")
        os.utime(f"{other}/{name}", (1, 1))
    site.main("smtpd_milters =", "multi_instance_enable = yes", f"multi_instance_directories = {other}")
    site.instance = other


# label, how it is: nothing at all may be a problem
WELL = [
    ("Debian's master.cf", as_debian),
    ("submission and smtps", lambda s: as_debian(s, "submission", "submissions")),
    ("postscreen", lambda s: (as_debian(s, "smtp", "smtpd", "dnsblog", "tlsproxy"),
                              s.postconf("-M#", "smtp/inet"), s.postconf("-M", "smtp/inet=smtp inet n - y - 1 postscreen"))),
    ("amavis, as its own page says", with_amavis),
    ("another milter in front",
     lambda s: s.main(f"smtpd_milters = {other_unix(s)}, inet:localhost:{s.port_of_others}, "
                      f"{{ {ours(s)}, connect_timeout = 5s, default_action = tempfail }}")),
    ("milters of master.cf only",
     lambda s: (s.main("smtpd_milters = inet:localhost:1"),
                s.postconf("-P", f"{s.service}/smtpd_milters=inet:localhost:{s.port_of_others},{ours(s)}"))),
    ("a milter on another machine", lambda s: s.main(f"smtpd_milters = inet:milter.example.net:8891, {ours(s)}")),
    ("another policy server in front",
     lambda s: s.main(f"smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service {other_unix(s)}, "
                      f"check_policy_service {{ {s.pair.policy}, timeout = 10s }}")),
    ("every kind of restriction",
     lambda s: s.main("smtpd_restriction_classes = strict, Lax", "strict = reject_unknown_sender_domain, Lax", "Lax = permit",
                      "smtpd_helo_restrictions = warn_if_reject reject_invalid_helo_hostname, sleep 1, strict, "
                      f"texthash:{s.postfix.etc}/main.cf, check_helo_access {{ inline:{{ a=DUNNO, b=DUNNO }} }}",
                      "smtpd_client_restrictions = permit_mynetworks, PERMIT_SASL_AUTHENTICATED, "
                      "reject_rbl_client zen.example.org=127.0.0.[2..11], permit_dnswl_client list.example.org, "
                      "reject_rhsbl_sender dbl.example.org, check_client_access "
                      f"cidr:{s.postfix.etc}/main.cf, reject_unauth_pipelining")),
    ("relaying is refused by a class",
     lambda s: s.main("smtpd_restriction_classes = closed", "closed = permit_mynetworks, reject_unauth_destination",
                      "smtpd_relay_restrictions =", f"smtpd_recipient_restrictions = closed, check_policy_service {s.pair.policy}")),
    ("milters by a word of main.cf",
     lambda s: (s.main("smtpd_milters =", f"mua_milters = {ours(s)}"), s.postconf("-P", f"{s.service}/smtpd_milters=$mua_milters"))),
    ("a proxy, and ours behind it", lambda s: proxied(s, False, f"smtpd_milters={ours(s)}")),
    ("a proxy, ours behind it, and no milters in front",
     lambda s: (proxied(s, True, f"smtpd_milters={ours(s)}"), s.main("smtpd_milters ="),
                s.postconf("-P", f"{s.service}/receive_override_options=no_milters"))),
    ("a proxy, ours behind it, and none in front by -o",
     lambda s: (proxied(s, True, f"smtpd_milters={ours(s)}"), s.postconf("-P", f"{s.service}/smtpd_milters="))),
    ("an instance of several", second_instance),
    ("absolute paths without chroot", lambda s: s.postconf("-F", f"{s.service}/chroot = n")),
]


@pytest.mark.parametrize("label, makes", WELL, ids=[c[0] for c in WELL])
def test_no_false_alarm(site, label, makes):
    makes(site)
    site.reload()
    problems = [f for f in site.doctor() if f["state"] == "problem"]
    assert problems == [], label


@pytest.mark.parametrize("label, makes, signs", RIGHT, ids=[c[0] for c in RIGHT])
def test_what_is_right_is_no_fault(site, label, makes, signs):
    makes(site)
    problems = [f["text"] for f in site.doctor() if f["state"] == "problem"]
    assert not any(sign in p for p in problems for sign in signs), (label, problems)
