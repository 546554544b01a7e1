# SPDX-License-Identifier: ISC
"""A private Sendmail (Debian's, extracted only): own sendmail.cf, queue, port and log.

Sendmail knows no XCLIENT. Clients are told by their loopback address: 127/8 stands for the strangers and the
local ones. A login is played by the EHLO name "NAME.login.test", which a rule of check_mail makes {auth_authen} of, where
AUTH would put it.
"""

import glob
import os
import re
import socket
import subprocess

from .mta import Mta
from .place import Trouble
from .unpacked import environment, unpacked, with_own_etc

PACKAGES = ["sendmail-bin", "sendmail-cf", "libwrap0"]

# m4 has quotes `...'; a tab separates the sides of a rule.
SENDMAIL_MC = """\
divert(0)dnl
OSTYPE(`linux')dnl
define(`confCF_VERSION', `private')dnl
define(`QUEUE_DIR', `{dir}/queue')dnl
define(`STATUS_FILE', `')dnl
define(`confPID_FILE', `{dir}/sendmail.pid')dnl
define(`confHOST_STATUS_DIRECTORY', `')dnl
define(`ALIAS_FILE', `')dnl
define(`confCW_FILE', `-o {dir}/none')dnl
define(`HELP_FILE', `')dnl
define(`confDOMAIN_NAME', `{name}.pgpgate.test')dnl
define(`confDEF_USER_ID', `{uid}:{gid}')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupReadableKeyFile,GroupWritableDirPathSafe,TrustStickyBit')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confDELAY_LA', `0')dnl
define(`confMIN_QUEUE_AGE', `1s')dnl
define(`confTO_IDENT', `0')dnl
define(`confTO_QUEUEWARN', `')dnl
define(`confPRIVACY_FLAGS', `noetrn')dnl
dnl names without a name server
define(`confSERVICE_SWITCH_FILE', `{dir}/service.switch')dnl
define(`confBIND_OPTS', `-DNSRCH -DEFNAMES')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`nocanonify')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Family=inet, Name=MTA, Addr=127.0.0.1, Port={port}')dnl
DAEMON_OPTIONS(`Family=inet6, Name=MTA6, Addr=::1, Port={port}, Modifiers=O')dnl
{features}
define(`LOCAL_MAILER_PATH', `{dir}/deliver')dnl
define(`LOCAL_MAILER_ARGS', `deliver $u')dnl
MODIFY_MAILER_FLAGS(`LOCAL', `-frmwA:/|')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl

LOCAL_CONFIG
{config}
Kstorage macro

LOCAL_RULESETS
SLocal_check_mail
R$*	$: $&s
R$+.login.test	$: $(storage {{auth_authen}} $@ $1 $)
R$*	$@ ok
"""

# What Debian's sendmail(1) uses (-Ac): a queue of its own, and all of it goes to the daemon by SMTP.
SUBMIT_MC = """\
divert(0)dnl
define(`__OSTYPE__', `')dnl
define(`confCF_VERSION', `submit')dnl
define(`confRUN_AS_USER', `{user}')dnl
define(`MSP_QUEUE_DIR', `{dir}/clientqueue')dnl
define(`STATUS_FILE', `{dir}/sendmail.st')dnl
define(`confPID_FILE', `{dir}/client.pid')dnl
define(`confDOMAIN_NAME', `{name}.pgpgate.test')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe,TrustStickyBit')dnl
define(`confSERVICE_SWITCH_FILE', `{dir}/service.switch')dnl
define(`confBIND_OPTS', `-DNSRCH -DEFNAMES')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confDELAY_LA', `0')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
define(`confTO_QUEUEWARN', `')dnl
FEATURE(`nocanonify')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {port}')dnl
FEATURE(`msp', `[127.0.0.1]')dnl
"""

MILTER = """\
INPUT_MAIL_FILTER(`pgpgate', `S=unix:{socket}, F=T, T=S:30s;R:5m;E:5m')dnl"""

# Into one Maildir, and above it who got it, as virtual(8) of the tests' Postfix writes it.
DELIVER = """\
#!/bin/sh
file=$(mktemp {dir}/mail/inbox/tmp/XXXXXXXXXX) || exit 75
{{ echo "Delivered-To: $1" && cat; }} >"$file" && mv "$file" {dir}/mail/inbox/new/ || exit 75
"""

def _has_ipv6():
    with socket.socket(socket.AF_INET6) as s:
        try:
            s.bind(("::1", 0))
        except OSError:
            return False
        return True


class Sendmail(Mta):
    """milter: socket of the filter ("" none). local: domains that are delivered here, relay: where all else goes
    ("[127.0.0.1]:PORT"). features: more lines for sendmail.mc; tables: {file: text}, for makemap."""

    def __init__(self, place, name="sm", milter="", local=("example.org",), relay="", features="", tables=None):
        self.place, self.name = place, name
        self.tree = unpacked("sendmail", PACKAGES)
        self.program = os.path.join(self.tree, "usr/libexec/sendmail/sendmail")
        super().__init__(place, "Sendmail", f"sendmail-{name}")
        self.has_ipv6 = _has_ipv6()
        self.environment = environment(self.tree)
        # It asks for its own name, and reads no other place for that, before it reads a configuration; where no name
        # server answers that takes minutes.
        own = with_own_etc(place, self.dir, {
            "hosts": f"127.0.0.1 {name}.pgpgate.test {socket.gethostname()} localhost\n::1 localhost6\n",
            "resolv.conf": "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n"})
        self.command = [*own, self.program, "-C", f"{self.dir}/sendmail.cf"]
        user = place.user
        place.directory(f"sendmail-{name}/queue", 0, 0, 0o700)
        for folder in ("tmp", "new", "cur"):
            place.directory(f"sendmail-{name}/mail/inbox/{folder}", user.pw_uid, user.pw_gid)
        features += f"\n{MILTER.format(socket=milter.removeprefix('unix:'))}" if milter else ""
        config = "Cw" + " ".join(local) + "\n"
        if relay:
            address, port = re.match(r"\[(.*)\]:(\d+)", relay).groups()
            features += (f"\ndefine(`SMART_HOST', `relay:[{address}]')dnl\n"
                         f"define(`RELAY_MAILER_ARGS', `TCP $h {port}')dnl\n")
        text = SENDMAIL_MC.format(dir=self.dir, name=name, port=self.port, uid=user.pw_uid, gid=user.pw_gid,
                                  features=features, config=config)
        self._write("service.switch", "hosts files\naliases files\n")
        self._write("deliver", DELIVER.format(dir=self.dir), 0o755)
        self._make_cf("sendmail", text)
        place.directory(f"sendmail-{name}/clientqueue", user.pw_uid, user.pw_gid, 0o770)
        self._make_cf("submit", SUBMIT_MC.format(dir=self.dir, name=name, port=self.port, user=user.pw_name))
        for path, lines in (tables or {}).items():
            subprocess.run([os.path.join(self.tree, "usr/libexec/sendmail/makemap"), "-C", f"{self.dir}/sendmail.cf",
                            "hash", path], input=lines.encode(), check=True, env=self.environment)

    def _make_cf(self, name, text):
        mc = self._write(f"{name}.mc", text)
        cf = os.path.join(self.tree, "usr/share/sendmail/cf/")
        made = subprocess.run(["m4", f"-D_CF_DIR_={cf}", os.path.join(cf, "m4/cf.m4"), mc], capture_output=True)
        if made.returncode != 0:
            raise Trouble(f"m4: {made.stderr.decode(errors='replace')}")
        self._write(f"{name}.cf", made.stdout.decode())

    def start(self):
        self._launch([*self.command, "-bD", "-q1s", "-X", f"{self.dir}/traffic"], self.environment)
        return self

    def run(self, *words, data=b""):
        """Sendmail with our configuration, as a local program calls it."""
        run = subprocess.run([*self.command, *words], input=data, capture_output=True,
                             env=self.environment, timeout=120)
        return run.returncode, run.stdout.decode("utf-8", "replace") + run.stderr.decode("utf-8", "replace")

    def submit(self, *words, data=b""):
        """sendmail(1) as Debian sets it up: into the queue of its own, and from there to the daemon."""
        run = subprocess.run([*self.command[:-1], f"{self.dir}/submit.cf", "-Ac", *words], input=data, capture_output=True,
                             env=self.environment, timeout=120)
        return run.returncode, run.stdout.decode("utf-8", "replace") + run.stderr.decode("utf-8", "replace")

    def submitted(self):
        """What is in that queue."""
        return {os.path.basename(p)[2:] for p in glob.glob(os.path.join(self.dir, "clientqueue/[qh]f*"))}

    def mail_texts(self):
        for path in glob.glob(os.path.join(self.dir, "mail/inbox/new/*")):
            with open(path, encoding="utf-8", errors="replace") as f:
                yield f.read()

    def delivered_to(self, token):
        """Sorted local parts that got a message in whose text `token` occurs."""
        return sorted(t.split("\n", 1)[0].removeprefix("Delivered-To: ") for t in self.mail_texts() if token in t)

    def text_of(self, token):
        return next(t for t in self.mail_texts() if token in t)

    def queue_ids(self):
        """qf*: waiting, hf*: quarantined."""
        return {os.path.basename(p) for p in glob.glob(os.path.join(self.dir, "queue/[qh]f*"))}

    def held(self):
        return {name[2:] for name in self.queue_ids() if name.startswith("hf")}
