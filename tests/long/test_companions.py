# SPDX-License-Identifier: ISC
"""The pair among what stands around a Postfix: amavis, OpenDKIM, clamav-milter, spamass-milter, mlmmj, Dovecot's LMTP server, and the
queue's own tools. Debian's programs, extracted only. Run by `./runtests companions`."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from harness import messages
from harness.place import free_port, wait_until
from harness.smtp import STRANGER, send
from harness.unpacked import overlaid, unpacked

ALICE, BOB, OPEN = "alice@example.org", "bob@example.net", "open@example.org"


@pytest.fixture(scope="module")
def pair(make_pair):
    pair = make_pair(local_clients="127.0.0.0/8", add_header="yes")
    pair.must("exempt", OPEN)
    return pair


@pytest.fixture(scope="module")
def run(place):
    """run(words): a program in the background, ended with the module; its output is in a file, whose path is returned."""
    running = []

    def start(name, words, **more):
        path = os.path.join(place.path, f"{name}.out")
        with open(path, "ab") as log:
            running.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, **more))
        return path
    yield start
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def answers(port, word=None):
    with socket.socket() as s:
        s.settimeout(20)
        try:
            s.connect(("127.0.0.1", port))
            return word is None or s.recv(len(word)) == word
        except OSError:
            return False


def said(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()[-3000:]


def add_service(mx, lines):
    """More lines of master.cf, and Postfix reads them."""
    with open(f"{mx.etc}/master.cf", "a", encoding="ascii") as f:
        f.write(lines)
    mx.master.send_signal(signal.SIGHUP)


# ---- the queue's tools ----

def postfix_tool(mx, *words):
    done = subprocess.run([words[0], "-c", mx.etc, *words[1:]], capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("option", ["-H", "-r"])
@pytest.mark.parametrize("is_local_filtered", [False, True], ids=["", "non_smtpd_milters"])
def test_held_mail_is_released_without_another_look(make_pair, make_postfix, option, is_local_filtered):
    """-H lets it go, -r has it taken in again by cleanup, with what non_smtpd_milters says."""
    name = f"held{option}-{is_local_filtered}"
    pair = make_pair(name, on_refusal="quarantine")
    mx = make_postfix(name, pair, non_smtpd_milters=pair.milter if is_local_filtered else "")
    mark = messages.token()
    sent = send(mx.port, BOB, ALICE, messages.cleartext(mark))
    assert sent.code == 250 and mx.held() == {sent.queue_id}
    postfix_tool(mx, "postqueue", "-f")  # what is held stays
    assert mx.held() == {sent.queue_id} and mx.delivered() == []
    postfix_tool(mx, "postsuper", option, sent.queue_id)
    mx.flush()
    wait_until(lambda: mx.delivered_to(mark) == [ALICE], lambda: f"the delivery; {mx.log()[-2000:]}")
    assert len([r for r in pair.json("log", "-n", "50") if mark in (r["message_id"] or "")]) == 1


def test_deferred_mail_is_tried_again_and_judged_once(make_pair, make_postfix):
    """postqueue -f, postsuper -r ALL and -H for mail that waits for somebody who does not answer."""
    pair = make_pair("deferred", default_requirement="observe")
    mx = make_postfix("deferred", pair, settings={"transport_maps": "inline:{away.test=smtp:[127.0.0.1]:1}",
                                                  "minimal_backoff_time": "1h", "maximal_backoff_time": "1h"})
    mark = messages.token()
    sent = send(mx.port, BOB, "carol@away.test", messages.cleartext(mark))
    assert sent.code == 250, sent

    def attempts():
        return mx.log_count(r"to=<carol@away.test>.*status=deferred")
    wait_until(lambda: attempts() == 1, lambda: mx.log()[-2000:])
    for n, words in enumerate((["postqueue", "-f"], ["postsuper", "-r", "ALL"], ["postqueue", "-f"]), 2):
        postfix_tool(mx, *words)
        mx.flush()
        wait_until(lambda n=n: attempts() >= n, lambda words=words: f"{words}: {mx.log()[-2000:]}")
    assert len([r for r in pair.json("log", "-n", "50") if mark in (r["message_id"] or "")]) == 1
    assert len(mx.queue_ids()) == 1


# ---- OpenDKIM ----

DKIM = ["opendkim", "libopendkim11", "libbsd0", "libmd0", "liblua5.3-0", "libmemcached11", "libhashkit2", "libopendbx1",
        "librbl1", "libunbound8", "libvbr2", "dns-root-data"]


@pytest.fixture(scope="module")
def dkim(place, run):
    """The socket of an OpenDKIM that signs for example.net, and its key's record."""
    prefix = overlaid(unpacked("opendkim", DKIM))
    here, port = place.directory("dkim"), free_port()
    key = os.path.join(here, "key")
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", key, "-pubout"], check=True, capture_output=True).stdout.decode()
    public = "".join(line for line in public.splitlines() if "--" not in line)
    hosts = write(f"{here}/hosts", f"{STRANGER}\n")
    conf = write(f"{here}/opendkim.conf", f"Mode s\nSocket inet:{port}@127.0.0.1\nDomain example.net\nSelector mail\n"
                 f"KeyFile {key}\nInternalHosts {hosts}\nRequireSafeKeys no\nSyslog no\nBackground no\n")
    log = run("dkim", [*prefix, "opendkim", "-f", "-x", conf])
    wait_until(lambda: answers(port), lambda: f"OpenDKIM: {said(log)}")
    return f"inet:127.0.0.1:{port}", f"v=DKIM1; k=rsa; p={public}"


@pytest.mark.parametrize("is_first", [True, False], ids=["before us", "after us"])
def test_opendkim_signs_before_and_after_us(pair, make_postfix, dkim, keys, is_first):
    """The signature holds in either order: our header comes on top and is none that OpenDKIM signs."""
    sys.path.insert(0, os.path.join(unpacked("dkimpy", ["python3-dkim"]), "usr/lib/python3/dist-packages"))
    import dkim as verifier  # Debian's, of which only the files are here
    signer, record = dkim
    order = [signer, pair.milter] if is_first else [pair.milter, signer]
    mx = make_postfix(f"dkim-{is_first}", milters=", ".join(order))
    mark = messages.token()
    assert send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor(), mark)).code == 250
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550
    wait_until(lambda: mx.delivered_to(mark), lambda: mx.log()[-2000:])
    text = next(t for t in mx.mail_texts() if mark in t)
    assert "X-PGP-Gate: verdict=encrypted" in text

    def holds(mail):
        return verifier.verify(mail.encode(), dnsfunc=lambda name, timeout=5: record)
    assert "\nDKIM-Signature: " in text and holds(text), text
    assert not holds(text.replace("Version: 1", "Version: 2"))


# ---- other milters that look at what is in a message ----

BAD = "PGPGATE-TEST-OF-BAD-MAIL"  # the only word that the scanners below know
CLAMAV = ["clamav-milter", "clamav-daemon", "libclamav12", "libmspack0"]
SPAMASSASSIN = ["spamass-milter", "spamc", "spamd", "spamassassin", "libnet-dns-perl", "libnetaddr-ip-perl",
                "libhtml-parser-perl", "libhtml-tagset-perl", "libhttp-date-perl", "liburi-perl", "libtimedate-perl",
                "libhttp-message-perl", "libencode-locale-perl", "libio-html-perl", "liblwp-mediatypes-perl"]


def clamav(place, run):
    """Its own database would be 300 MB; this one has one signature."""
    prefix = overlaid(unpacked("clamav", CLAMAV))
    here, port = place.directory("clamav"), free_port()
    write(f"{here}/db/test.ndb", f"Test.Bad:0:*:{BAD.encode().hex()}\n")
    conf = write(f"{here}/clamd.conf", f"LocalSocket {here}/clamd\nDatabaseDirectory {here}/db\nForeground yes\n"
                 f"TemporaryDirectory {here}\n")
    log = run("clamd", [*prefix, "clamd", "-c", conf])
    wait_until(lambda: os.path.exists(f"{here}/clamd"), lambda: f"clamd: {said(log)}")
    conf = write(f"{here}/milter.conf", f"MilterSocket inet:{port}@127.0.0.1\nClamdSocket unix:{here}/clamd\n"
                 f"OnInfected Reject\nOnFail Defer\nForeground yes\nTemporaryDirectory {here}\n")
    log = run("clamav-milter", [*prefix, "clamav-milter", "-c", conf])
    wait_until(lambda: answers(port), lambda: f"clamav-milter: {said(log)}")
    return f"inet:127.0.0.1:{port}"


def spamassassin(place, run):
    """With one rule."""
    prefix = overlaid(unpacked("spamassassin", SPAMASSASSIN))
    here, spamd, port = place.directory("spam"), free_port(), free_port()
    for folder in ("rules", "home"):
        place.directory(f"spam/{folder}", place.user.pw_uid, place.user.pw_gid)
    write(f"{here}/rules/init.pre", "loadplugin Mail::SpamAssassin::Plugin::Check\n")
    write(f"{here}/rules/local.cf", f"body BAD_TEST /{BAD}/\nscore BAD_TEST 100\nuse_bayes 0\n"
          "add_header all Status _YESNO_, score=_SCORE_ required=_REQD_ tests=_TESTS_\nadd_header spam Flag _YESNOCAPS_\n")
    log = run("spamd", [*prefix, "perl", "-T", "/usr/sbin/spamd", "-L", "-x", "-m", "2", "-i", "127.0.0.1", "-p", str(spamd),
                        "-C", f"{here}/rules", "--siteconfigpath", f"{here}/rules", "-H", f"{here}/home",
                        "-u", place.user.pw_name])
    wait_until(lambda: answers(spamd), lambda: f"spamd: {said(log)}")
    log = run("spamass-milter", [*prefix, "spamass-milter", "-p", f"inet:{port}@127.0.0.1", "-r", "15", "-m", "--",
                                 "-d", "127.0.0.1", "-p", str(spamd)])
    wait_until(lambda: answers(port), lambda: f"spamass-milter: {said(log)}")
    return f"inet:127.0.0.1:{port}"


@pytest.fixture(scope="module", params=[clamav, spamassassin], ids=lambda f: f.__name__)
def scanner(request, place, run):
    return request.param.__name__, request.param(place, run)


@pytest.mark.parametrize("is_first", [True, False], ids=["before us", "after us"])
def test_a_scanner_before_or_after_us(make_pair, make_postfix, keys, scanner, is_first):
    what, socket_of = scanner
    name = f"{what}-{is_first}"
    pair = make_pair(name, add_header="yes")
    pair.must("exempt", OPEN)
    order = [socket_of, pair.milter]
    mx = make_postfix(name, milters=", ".join(order if is_first else order[::-1]))
    good, clear = messages.token(), messages.token()
    assert send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor(), good)).code == 250, mx.log()[-2000:]
    assert send(mx.port, BOB, OPEN, messages.text_mail(f"{clear} hello\n", clear)).code == 250, mx.log()[-2000:]
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550
    mark = messages.token()
    assert send(mx.port, BOB, OPEN, messages.text_mail(f"{BAD}\n", mark)).code == 550, mx.log()[-2000:]
    wait_until(lambda: mx.delivered_to(good) and mx.delivered_to(clear), lambda: mx.log()[-2000:])
    for text in mx.mail_texts():
        assert ("X-PGP-Gate: verdict=encrypted" in text) == (good in text), text
    assert mx.delivered_to(mark) == [] and mx.queue_ids() == set()
    # one that comes after is not known when the record is written: "accept" means that we did not refuse
    found = [r["action"] for r in pair.json("log", "-n", "50") if mark in (r["message_id"] or "")]
    assert found == ([] if is_first else ["accept"])


# ---- Dovecot ----

def test_dovecots_lmtp_server_gets_what_was_taken(place, run, pair, make_postfix, keys):
    prefix = overlaid(unpacked("dovecot", ["dovecot-core", "dovecot-lmtpd", "libexttextcat-2.0-0", "libwrap0"]))
    here, user = place.directory("dovecot"), place.user
    place.directory("dovecot/home", user.pw_uid, user.pw_gid)
    port = free_port()
    conf = write(f"{here}/dovecot.conf", f"""\
protocols = lmtp
listen = 127.0.0.1
base_dir = {here}/run
state_dir = {here}/state
log_path = {here}/log
ssl = no
default_internal_user = daemon
default_internal_group = daemon
default_login_user = nobody
first_valid_uid = 1
first_valid_gid = 0
mail_location = maildir:~/Maildir
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={user.pw_uid} gid={user.pw_gid} home={here}/home/%u allow_all_users=yes
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
""")
    log = run("dovecot", [*prefix, "/usr/sbin/dovecot", "-F", "-c", conf])
    wait_until(lambda: answers(port, b"220"), lambda: f"Dovecot: {said(log)}{said(f'{here}/log')}")
    mx = make_postfix("lmtp", pair, settings={"virtual_transport": f"lmtp:inet:127.0.0.1:{port}"})
    add_service(mx, "lmtp unix - - n - - lmtp\n")
    mark = messages.token()
    sent = send(mx.port, BOB, [ALICE, "carol@example.org"], messages.pgp_mime(keys.gpg_armor(), mark))
    assert sent.code == 250, sent
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550

    def mails():
        return [os.path.join(d, f) for d, _, files in os.walk(f"{here}/home") for f in files if d.endswith("/new")]
    wait_until(lambda: len(mails()) == 2, lambda: f"{said(f'{here}/log')}{mx.log()[-1500:]}")
    mx.wait_empty()
    for path in mails():
        text = said(path)
        assert mark in text and "X-PGP-Gate: verdict=encrypted" in text


# ---- a mailing list ----

def test_a_list_takes_encrypted_mail_and_sends_it_to_all(place, make_pair, make_postfix, keys):
    """mlmmj sends from 127.0.0.1, as one of ours, with a sender for each subscriber."""
    tree = unpacked("mlmmj", ["mlmmj"])
    overlaid(tree)
    here, user = place.directory("mlmmj", place.user.pw_uid, place.user.pw_gid), place.user
    pair = make_pair("list", local_clients="127.0.0.0/8")
    script = write(f"{here}/receive", f"""\
#!/bin/sh
exec {tree}/usr/bin/mlmmj-receive -F -L {here}/friends
""", 0o755)
    mx = make_postfix("list", pair, settings={
        "transport_maps": "inline:{friends@example.org=list:}", "list_destination_recipient_limit": "1"})
    add_service(mx, f"list unix - n n - - pipe flags=DORXh user={user.pw_name} argv={script}\n")
    for folder in ("incoming queue queue/discarded archive text subconf unsubconf bounce control moderation subscribers.d "
                   "digesters.d requeue nomailsubs.d").split():
        os.makedirs(f"{here}/friends/{folder}")
    subscribers = [f"friend{i}@example.org" for i in range(12)]
    for name, text in {"control/listaddress": "friends@example.org\n", "control/owner": "owner@example.org\n",
                       "control/relayhost": "127.0.0.1\n", "control/smtpport": f"{mx.port}\n", "index": "",
                       "control/subonlypost": None, "subscribers.d/f": "".join(s + "\n" for s in subscribers)}.items():
        if text is not None:
            write(f"{here}/friends/{name}", text)
    subprocess.run(["cp", "-r", f"{tree}/usr/share/mlmmj/text.skel/en/.", f"{here}/friends/text"], check=True)
    subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", f"{here}/friends"], check=True)
    clear, mark = messages.token(), messages.token()
    assert send(mx.port, BOB, "friends@example.org", messages.cleartext(clear, to="friends@example.org")).code == 550
    sent = send(mx.port, BOB, "friends@example.org", messages.pgp_mime(keys.gpg_armor(), mark, to="friends@example.org"))
    assert sent.code == 250, sent
    wait_until(lambda: len(mx.delivered_to(mark)) >= len(subscribers),
               lambda: f"{mx.delivered_to(mark)}\n{mx.log()[-3000:]}")
    assert mx.delivered_to(mark) == sorted(subscribers)
    assert mx.delivered_to(clear) == []


# ---- amavis ----

AMAVIS = ["amavisd-new", "libarchive-zip-perl", "libberkeleydb-perl", "libcommon-sense-perl", "libconvert-tnef-perl",
          "libconvert-uulib-perl", "libcrypt-openssl-bignum-perl", "libcrypt-openssl-random-perl", "libcrypt-openssl-rsa-perl",
          "libdigest-hmac-perl", "libgetopt-long-descriptive-perl", "libio-multiplex-perl", "libio-socket-inet6-perl",
          "libio-stringy-perl", "libmail-authenticationresults-perl", "libmail-dkim-perl", "libmailtools-perl",
          "libmime-tools-perl", "libnet-cidr-perl", "libnet-dns-perl", "libnet-ip-perl", "libnet-libidn-perl",
          "libnet-server-perl", "libnet-snmp-perl", "libparams-validate-perl", "libsocket6-perl", "libtimedate-perl",
          "libunix-syslog-perl", "pax"]


def test_amavis_as_content_filter_with_its_own_reinjection(place, run, pair, make_postfix, keys):
    """The milter is on the smtpd that strangers speak to; that which takes the mail back from amavis has none."""
    prefix = overlaid(unpacked("amavis", AMAVIS))
    here, user = place.directory("amavis", place.user.pw_uid, place.user.pw_gid), place.user
    for folder in ("tmp", "db", "quarantine"):
        place.directory(f"amavis/{folder}", user.pw_uid, user.pw_gid)
    scan, back = free_port(), free_port()
    mx = make_postfix("amavis", pair, ports=None, settings={"content_filter": f"smtp:[127.0.0.1]:{scan}"})
    add_service(mx, f"127.0.0.1:{back} inet n - n - - smtpd\n  -o content_filter= -o smtpd_milters=\n"
                "  -o smtpd_recipient_restrictions=permit\n  -o receive_override_options=no_unknown_recipient_checks\n")
    conf = write(f"{place.directory('amavis-etc')}/amavisd.conf", f"""\
use strict;
$daemon_user = '{user.pw_name}'; $daemon_group = '{user.pw_gid}';
$MYHOME = '{here}'; $TEMPBASE = '{here}/tmp'; $db_home = '{here}/db'; $QUARANTINEDIR = '{here}/quarantine';
$mydomain = 'example.org'; $myhostname = 'scan.pgpgate.test';
$inet_socket_port = {scan}; $inet_socket_bind = '127.0.0.1'; @inet_acl = ('127.0.0.1');
$forward_method = 'smtp:[127.0.0.1]:{back}'; $notify_method = $forward_method;
$max_servers = 2; $do_syslog = 0; $DO_SYSLOG = 0; $LOGFILE = '{here}/log'; $log_level = 1;
@bypass_virus_checks_maps = (1); @bypass_spam_checks_maps = (1); @bypass_banned_checks_maps = (1);
$final_bad_header_destiny = D_PASS; $enable_db = 0; $enable_zmq = 0; $pid_file = '{here}/pid';
@lookup_sql_dsn = (); $unix_socketname = undef; $lock_file = '{here}/lock';
1;
""")
    os.chown(conf, 0, 0)
    log = run("amavis", [*prefix, "perl", "-T", "/usr/sbin/amavisd", "-c", conf, "foreground"])
    wait_until(lambda: answers(scan, b"220"), lambda: f"amavis: {said(log)}")
    wait_until(lambda: answers(back, b"220"), lambda: mx.log()[-1500:])
    mark, clear, mixed = messages.token(), messages.token(), messages.token()
    assert send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor(), mark)).code == 250
    assert send(mx.port, BOB, ALICE, messages.cleartext(clear)).code == 550
    assert send(mx.port, BOB, OPEN, messages.cleartext(mixed)).code == 250
    wait_until(lambda: mx.delivered_to(mark) and mx.delivered_to(mixed), lambda: f"{said(log)}{mx.log()[-3000:]}")
    assert (mx.delivered_to(mark), mx.delivered_to(mixed), mx.delivered_to(clear)) == ([ALICE], [OPEN], [])
    mx.wait_empty()
    assert len([r for r in pair.json("log", "-n", "200") if mark in (r["message_id"] or "")]) == 1  # judged once
