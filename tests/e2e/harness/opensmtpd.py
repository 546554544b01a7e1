# SPDX-License-Identifier: ISC
"""A private OpenSMTPD (Debian's, extracted only) that sends: own configuration, queue, port and log.

Its directories are fixed in the program, so it sees its own /var/spool, /var/lib and /run. It would try again after minutes;
a thread tells it each second to do so now.
"""

import glob
import os
import re
import subprocess
import threading

from .mta import Mta
from .unpacked import environment, system_text, unpacked, with_own_etc

PACKAGES = ["opensmtpd"]

CONF = """\
listen on 127.0.0.1 port {port} hostname {name}.pgpgate.test
smtp max-message-size 100M
action "author" relay host smtp+notls://127.0.0.1:{authors}
action "out" relay host smtp+notls://127.0.0.1:{mx}
match from any for domain "example.net" action "author"
match from any for any action "out"
"""

# $0 is its directory, and the rest the command.
OWN_VIEW = """\
mount --bind "$0/spool" /var/spool && mount --bind "$0/lib" /var/lib && mount --bind "$0/run" /run && exec "$@"
"""


class OpenSmtpd(Mta):
    """mx: port where mail goes; authors: a Postfix that takes what is for example.net."""

    def __init__(self, place, name, mx, authors):
        self.tree = unpacked("opensmtpd", PACKAGES)
        super().__init__(place, "OpenSMTPD", f"opensmtpd-{name}")
        for folder in ("spool", "lib", "run", "lib/opensmtpd", "lib/opensmtpd/empty"):
            place.directory(f"opensmtpd-{name}/{folder}", 0, 0)
        place.directory(f"opensmtpd-{name}/spool/smtpd", 0, 0, 0o711)
        self.mail_texts = authors.mail_texts
        self.is_stopped = threading.Event()
        self._write("smtpd.conf", CONF.format(port=self.port, name=name, mx=mx, authors=authors.port))
        users = (("opensmtpd", 64801), ("opensmtpq", 64802))
        self.own = with_own_etc(place, self.dir, {
            "hosts": f"127.0.0.1 localhost {name}.pgpgate.test\n",
            "resolv.conf": "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n",
            "passwd": system_text("passwd") + "".join(f"{user}:x:{number}:{number}::/nonexistent:/bin/false\n"
                                                      for user, number in users),
            "group": system_text("group") + "".join(f"{user}:x:{number}:\n" for user, number in users)})
        self.thread = threading.Thread(target=self._hurry, daemon=True)

    def start(self):
        self._launch([*self.own, "sh", "-c", OWN_VIEW, self.dir, f"{self.tree}/usr/sbin/smtpd", "-d", "-f",
                      f"{self.dir}/smtpd.conf"], environment(self.tree))
        self.thread.start()
        return self

    def _hurry(self):
        while not self.is_stopped.wait(1):
            for queue_id in {i[:8] for i in self.queue_ids()}:
                # it looks for its group, opensmtpq
                subprocess.run(["nsenter", "-t", str(self.process.pid), "-m", "setpriv", "--regid=64802", "--clear-groups",
                                f"{self.tree}/usr/sbin/smtpctl", "schedule", queue_id],
                               capture_output=True, env=environment(self.tree))

    def queue_ids(self):
        return {os.path.basename(p) for p in glob.glob(f"{self.dir}/spool/smtpd/queue/*/*/*")
                if os.path.basename(p) != "message"}

    def attempts(self):
        """{message: seconds after it came in which something was tried}"""
        tried = {}
        for message, delay in re.findall(r" mta delivery evpid=([0-9a-f]{8})\S* .* delay=(\S+) ", self.log()):
            tried.setdefault(message, set()).add(delay)
        return {message: len(found) for message, found in tried.items()}

    def stop(self):
        if self.process is None:
            return
        self.is_stopped.set()
        if self.thread.is_alive():
            self.thread.join(60)
        super().stop()
