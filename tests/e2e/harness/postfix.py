# SPDX-License-Identifier: ISC
"""A private Postfix: own configuration, queue, data, log and port; nothing of the machine's is touched.

It is started as root with `master -c DIRECTORY`, which is what postfix(1) does after its checks. Every
recipient (routed addresses too) is taken and delivered by virtual(8) into one Maildir, so that "delivered" can be counted;
Delivered-To: tells the recipient. XCLIENT is open to 127.0.0.1: tests play strangers, local and
authenticated clients with it.
"""

import email
import email.policy
import glob
import os
import re
import socket
import subprocess

from .place import Trouble, free_port, wait_until
from .server import end, greets, text_of

LIBEXEC = "/usr/lib/postfix/sbin"

# A message that is due again at once can meet a queue manager that finds the delivery agent's lock still on
# it ("skipped, still being delivered") and leaves it until a restart; so not less than two seconds.
BACKOFF = "2s"

# What Debian's package configures as "Internet Site", then the settings that differ from Postfix's defaults, each
# with its reason. Nothing else does: error limits, sleeps and time limits are those that a site has.
MAIN_CF = """\
# Generated, private, temporary.
compatibility_level = 3.6
biff = no
append_dot_mydomain = no
recipient_delimiter = +
inet_protocols = all
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
# what is under test
smtpd_milters = {milters}
non_smtpd_milters = {non_smtpd_milters}
smtpd_recipient_restrictions = {recipient_restrictions}
milter_default_action = tempfail
# private: own directories, log, loopback only, no accounts of the machine
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/maillog
maillog_file_prefixes = {dir}
myhostname = {name}.pgpgate.test
inet_interfaces = 127.0.0.1
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
# no name server and no certificates on a test machine
disable_dns_lookups = yes
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
# tests play strangers, local and authenticated clients
smtpd_authorized_xclient_hosts = 127.0.0.0/8
# routed addresses (a%b@c) are to come as far as the pair, which must judge them
allow_untrusted_routing = yes
# every recipient has a mailbox: deliveries are counted
virtual_mailbox_domains = {here_domains}
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
# a sender that tries again in seconds, not minutes: the order of its attempts is the same
queue_run_delay = 1s
minimal_backoff_time = {backoff}
maximal_backoff_time = {backoff}
maximal_queue_lifetime = 1h
bounce_queue_lifetime = 1h
"""

MASTER_CF = """\
{smtpd}
pickup     unix  n  -  n  60  1  pickup
cleanup    unix  n  -  n  -   0  cleanup
qmgr       unix  n  -  n  1   1  qmgr
rewrite    unix  -  -  n  -   -  trivial-rewrite
bounce     unix  -  -  n  -   0  bounce
defer      unix  -  -  n  -   0  bounce
trace      unix  -  -  n  -   0  bounce
verify     unix  -  -  n  -   1  verify
flush      unix  n  -  n  1000? 0 flush
proxymap   unix  -  -  n  -   -  proxymap
proxywrite unix  -  -  n  -   1  proxymap
smtp       unix  -  -  n  -   -  smtp
relay      unix  -  -  n  -   -  smtp
showq      unix  n  -  n  -   -  showq
error      unix  -  -  n  -   -  error
retry      unix  -  -  n  -   -  error
discard    unix  -  -  n  -   -  discard
virtual    unix  -  n  n  -   -  virtual
anvil      unix  -  -  n  -   1  anvil
scache     unix  -  -  n  -   1  scache
postlog    unix-dgram n - n  -   1  postlogd
"""


def with_settings(text, settings):
    """main.cf with these values in the place of those that it has, or behind them. Never both: each program warns of the
    earlier one when it starts, and postlogd is the one that reads warnings. Where others filled its socket before it came that
    far (10 messages: net.unix.max_dgram_qlen), it waits for itself, and the whole Postfix for it."""
    kept = [line for line in text.splitlines() if line.partition(" =")[0] not in settings]
    return "".join(line + "\n" for line in [*kept, *(f"{k} = {v}" for k, v in settings.items())])


class Postfix:
    """milters, policy: what main.cf says of them ("" for none); ports: one smtpd each; settings: more
    lines of main.cf; restrictions: what stands after the policy server."""

    def __init__(self, place, name="mx", milters="", policy="", ports=None, settings=None,
                 restrictions="permit", non_smtpd_milters="", here_domains="static:all"):
        self.place = place
        self.name = name
        self.dir = place.directory(f"postfix-{name}")
        self.ports = ports or [free_port()]
        self.port = self.ports[0]
        self.log_path = os.path.join(self.dir, "maillog")
        self.master = None
        policy = f"check_policy_service {policy}, " if policy else ""
        text = MAIN_CF.format(
            dir=self.dir, name=name, milters=milters, non_smtpd_milters=non_smtpd_milters,
            recipient_restrictions=policy + restrictions, here_domains=here_domains, backoff=BACKOFF,
            uid=place.user.pw_uid, gid=place.user.pw_gid)
        text = with_settings(text, settings or {})
        smtpd = "\n".join(f"127.0.0.1:{p}  inet  n  -  n  -  -  smtpd" for p in self.ports)
        self._write("etc/main.cf", text)
        self._write("etc/master.cf", MASTER_CF.format(smtpd=smtpd))
        self._make_directories()
        place.at_end(self.stop)

    def _write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)

    def _make_directories(self):
        """What `post-install create-missing` would make below queue_directory, and the Maildir."""
        postfix, user = self.place.postfix, self.place.user
        own = (postfix.pw_uid, postfix.pw_gid)
        relative = os.path.relpath(self.dir, self.place.path)
        make = self.place.directory
        make(f"{relative}/queue")
        for name in ("active bounce corrupt defer deferred flush hold incoming maildrop private public "
                     "saved trace").split():
            make(f"{relative}/queue/{name}", *own, mode=0o700)
        make(f"{relative}/queue/pid")
        make(f"{relative}/data", *own, mode=0o700)
        make(f"{relative}/mail", user.pw_uid, user.pw_gid, mode=0o700)

    @property
    def etc(self):
        return os.path.join(self.dir, "etc")

    def start(self):
        for port in self.ports:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    raise Trouble(f"127.0.0.1:{port} is in use by another program")
        self.master = subprocess.Popen([f"{LIBEXEC}/master", "-c", self.etc], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       start_new_session=True)
        for port in self.ports:
            wait_until(lambda p=port: self._answers(p), f"Postfix listening on port {port}")
        return self

    def _answers(self, port):
        fatal = re.search(r"(fatal|panic): .*", self.log())
        if fatal or self.master.poll() is not None:
            fatal = fatal.group() if fatal else f"exit {self.master.returncode}"
            raise Trouble(f"Postfix did not start: {fatal}")
        return greets(port)

    def stop(self):
        if self.master is None:
            return
        master, self.master = self.master, None
        end(master)  # it ends its children

    def log(self):
        return text_of(self.log_path)

    def delivered(self):
        """Every delivered message as (recipient, email.message.EmailMessage)."""
        found = []
        for path in glob.glob(os.path.join(self.dir, "mail/inbox/new/*")):
            with open(path, "rb") as f:
                message = email.message_from_binary_file(f, policy=email.policy.compat32)
            found.append((message["Delivered-To"], message))
        return found

    def mail_texts(self):
        """The text of every delivered message."""
        for path in glob.glob(os.path.join(self.dir, "mail/inbox/new/*")):
            with open(path, encoding="utf-8", errors="replace") as f:
                yield f.read()

    def deliveries(self):
        """(recipient, token in the Message-ID) of every delivered message; reads no more than that of thousands."""
        for path in glob.glob(os.path.join(self.dir, "mail/inbox/new/*")):
            with open(path, encoding="utf-8", errors="replace") as f:
                head = f.read(4096)
            to = re.search(r"^Delivered-To: (\S+)", head, re.M).group(1)
            mark = re.search(r"^Message-ID: <(t[0-9a-f]{16})@client.test>", head, re.M)
            yield to, mark.group(1) if mark else ""

    def delivered_to(self, token):
        """Sorted recipients of the delivered messages in whose text `token` occurs."""
        return sorted(to for to, message in self.delivered() if token in message.as_string())

    def queue_ids(self):
        """Ids of what is still in the queue (incoming, active, deferred, hold, maildrop)."""
        ids = set()
        for name in ("incoming", "active", "deferred", "hold", "maildrop"):
            for _, _, files in os.walk(os.path.join(self.dir, "queue", name)):
                ids.update(files)
        return ids

    def held(self):
        return set(os.listdir(os.path.join(self.dir, "queue/hold")))

    def wait_empty(self, seconds=120):
        # Twice: a file that moves from deferred back to incoming is in neither when they are looked through.
        wait_until(lambda: not self.queue_ids() and not self.queue_ids(),
                   lambda: f"{self.name}: queue still has {self.queue_ids()}\n{self.log()[-3000:]}", seconds)

    def flush(self):
        """Tries everything that is deferred now, as postqueue -f."""
        subprocess.run(["postqueue", "-c", self.etc, "-f"], check=True, capture_output=True)

    def sendmail(self, sender, recipients, message):
        """Submits as sendmail(1) does."""
        run = subprocess.run(["/usr/sbin/sendmail", "-C", self.etc, "-i", "-f", sender, "--", *recipients],
                             input=message, capture_output=True)
        if run.returncode != 0:
            raise Trouble(f"sendmail: {run.stderr.decode(errors='replace')}")

    def log_count(self, pattern):
        return len(re.findall(pattern, self.log()))
