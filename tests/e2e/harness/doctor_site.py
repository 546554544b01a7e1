# SPDX-License-Identifier: ISC
"""One pair and one Postfix whose configuration is broken and put back, beside `pgpgate doctor`.

There is no systemd and no running Postfix: `systemctl`, `postfix` and `timedatectl` are found first in PATH, and put
down what they were called with; then the daemons of this test get what systemd would have done. tests/package does it
with all of them."""

import json
import os
import re
import signal
import socket
import subprocess

from .pair import BUILD, run_program
from .place import wait_until


class Site:
    """One pair and one Postfix for all cases; each case puts main.cf, master.cf and pgpgate.conf back."""

    def __init__(self, pair, postfix):
        self.pair, self.postfix = pair, postfix
        self.files = [f"{postfix.etc}/main.cf", f"{postfix.etc}/master.cf", pair.conf]
        self.texts = [open(f, encoding="utf-8").read() for f in self.files]
        self.service = f"127.0.0.1:{postfix.port}/inet"
        self.instance = postfix.etc
        self.path = self.make_stand_ins()
        self.is_clock_wrong = False

    def doctor(self, *words):
        result = self.pair.run("--json", "doctor", "--postfix-config", self.instance, *words)
        assert result.code in (0, 1, 3), result
        return [json.loads(line) for line in result.out.splitlines()]

    def main(self, *settings):
        self.postconf("-e", *settings)

    def postconf(self, *words):
        subprocess.run(["postconf", "-c", self.postfix.etc, *words], check=True)
        self.age()

    def value(self, name):
        return subprocess.run(["postconf", "-c", self.postfix.etc, "-h", name], check=True, capture_output=True,
                              text=True).stdout.strip()

    def conf(self, line):
        """One line of pgpgate.conf, in the place of the one with that key."""
        key = line.split("=")[0].strip()
        text = open(self.pair.conf, encoding="utf-8").read()
        text = re.sub(rf"^{key} *=.*\n", "", text, flags=re.M) + line + "\n"
        with open(self.pair.conf, "w", encoding="utf-8") as f:
            f.write(text)

    def make_stand_ins(self):
        self.called = f"{self.pair.dir}/called"
        folder = self.pair.place.directory(f"{os.path.basename(self.pair.dir)}/bin")
        for name in ("systemctl", "postfix", "timedatectl"):
            with open(f"{folder}/{name}", "w", encoding="ascii") as f:
                f.write(f'#!/bin/sh\necho "{name} $*" >>{self.called}\n')
            os.chmod(f"{folder}/{name}", 0o755)
        return f"{folder}:{BUILD}:{os.environ['PATH']}"

    def type(self, mend):
        """The mend, as a person would type it."""
        open(self.called, "w", encoding="ascii").close()
        result = run_program(["sh", "-c", mend], env={**os.environ, "PATH": self.path, "EDITOR": f"{self.pair.dir}/editor"})
        assert result.code == 0, (mend, result)
        for line in open(self.called, encoding="ascii"):
            words = line.split()
            if words[0] == "timedatectl":
                self.set_clock_right()
            for name in words[2:] if words[0] == "systemctl" else ():
                daemon = {"pgpgate-filter": self.pair.filter, "pgpgate-policyd": self.pair.policyd}[name]
                if words[1] == "reload":
                    daemon.reload()
                    continue
                if words[1] in ("stop", "restart"):
                    daemon.end(signal.SIGKILL)  # libmilter takes 5 s for another
                if words[1] in ("start", "restart") and (daemon.process is None or daemon.process.poll() is not None):
                    before = daemon.log().count(": ready (")
                    daemon.start(wait=False)  # wherever it listens now
                    wait_until(lambda: daemon.log().count(": ready (") > before, lambda: daemon.log()[-1000:])
        self.age()

    def set_clock_right(self):
        if self.is_clock_wrong:
            for daemon in (self.pair.filter, self.pair.policyd):
                daemon.end(signal.SIGKILL)
                daemon.start()
        self.is_clock_wrong = False

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


def make_site(name, place, make_pair, make_postfix):
    run = f"{place.path}/{name}/run"
    postfix = make_postfix(f"{name}-mx", milters=f"unix:{run}/filter.sock", here_domains="example.org, example.net",
                           settings={"mynetworks": "127.0.0.0/8", "smtpd_forbid_bare_newline": "normalize",
                                     "smtpd_recipient_restrictions": f"check_policy_service unix:{run}/policy.sock, permit",
                                     "non_smtpd_milters": f"unix:{run}/filter.sock"})
    postfix.stop()
    pair = make_pair(name, postfix_config=postfix.etc, local_clients="$mynetworks, 198.51.100.0/24")
    return Site(pair, postfix)


def after_a_test(site):
    """Everything as it was, whatever the test or the mend did."""
    site.put_back()
    site.instance = site.postfix.etc
    site.set_clock_right()
    for daemon in (site.pair.filter, site.pair.policyd):
        with socket.socket(socket.AF_UNIX) as s:
            if s.connect_ex(daemon.path) != 0:  # it listens elsewhere
                daemon.end(signal.SIGKILL)
    for name in os.listdir(site.pair.state):
        os.chown(f"{site.pair.state}/{name}", site.pair.place.user.pw_uid, site.pair.place.user.pw_gid)
    os.chmod(site.pair.state, 0o2770)
    for daemon in (site.pair.filter, site.pair.policyd):
        if daemon.process is None or daemon.process.poll() is not None:
            daemon.start()
    site.reload()


def chrooted(site):
    """As in Debian: smtpd chrooted, and the sockets below the queue directory."""
    site.postconf("-e", f"queue_directory = {site.pair.dir}")
    site.postconf("-F", f"{site.service}/chroot = y")


def ours(site):
    return site.pair.milter


def filtered(site, option, *more):
    """smtpd at the front with a filter; what comes back goes to 127.0.0.1:10025, with our milter."""
    site.postconf("-M", "127.0.0.1:10025/inet=127.0.0.1:10025 inet n - n - - smtpd")
    site.postconf("-P", f"{site.service}/{option}", f"{site.service}/smtpd_milters=")
    for word in more:
        site.postconf("-P", f"127.0.0.1:10025/inet/{word}")


def proxied(site, in_main, *more):
    """A proxy in front, the whole of it; what comes back goes to 127.0.0.1:10025, if anywhere."""
    site.conf("protected_domains = postfix")
    if more:
        site.postconf("-M", "127.0.0.1:10025/inet=127.0.0.1:10025 inet n - n - - smtpd")
        site.postconf("-P", *(f"127.0.0.1:10025/inet/{word}" for word in ("smtpd_proxy_filter=", *more)))
    if in_main:
        site.main("smtpd_proxy_filter = 127.0.0.1:10024")
    else:
        site.postconf("-P", f"{site.service}/smtpd_proxy_filter=127.0.0.1:10024")
    site.conf("local_clients = $mynetworks")
    site.reload()


def editor(site, script):
    """What a person would do in an editor that is called with, or without, a line; then with a file."""
    with open(f"{site.pair.dir}/editor", "w", encoding="ascii") as f:
        f.write('#!/bin/sh\nline=\ncase $1 in +*) line=${1#+}; shift;; esac\n' f'exec sed -i "$line"\'{script}\' "$1"\n')
    os.chmod(f"{site.pair.dir}/editor", 0o755)


def problems(site):
    return [f for f in site.doctor() if f["state"] == "problem"]


def mends_what_it_finds(site, label, breaks, says, afterwards=None):
    """All is well; it is broken; doctor says so; what it says is typed, and all is well. afterwards: what is to happen
    beside the mends."""
    assert problems(site) == [], label
    breaks(site)
    found = problems(site)
    assert any(says in f["text"] for f in found), (label, found)
    for _ in range(4):  # what one mend brings to light, the next look shows
        for problem in found:
            assert problem["mend"], problem
            site.type(problem["mend"])
        if afterwards:
            afterwards(site)
        found = problems(site)
        if not found:
            return
    raise AssertionError(found)
