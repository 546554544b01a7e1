# SPDX-License-Identifier: ISC
"""A private Exim (Debian's, extracted only) that sends: own configuration, spool, port and log. It runs as the tests'
user and delivers as that (deliver_drop_privilege), since the program is not set-user-ID here."""

import glob
import os
import re
import socket
import subprocess

from .place import Trouble, free_port, wait_until
from .unpacked import environment, unpacked

PACKAGES = ["exim4-daemon-light", "libidn12", "libgnutls-dane0"]

CONF = """\
exim_path = {program}
primary_hostname = {name}.pgpgate.test
spool_directory = {dir}/spool
log_file_path = {dir}/log/%s
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
acl_smtp_rcpt = accept
deliver_drop_privilege = true
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts =
recipients_max = 0
smtp_accept_max = 100
queue_run_max = 10
message_logs = false

begin routers
author:
  driver = accept
  domains = example.net
  transport = inbox
out:
  driver = manualroute
  route_list = * "{hosts}"
  transport = out
  self = send

begin transports
out:
  driver = smtp
  allow_localhost
  hosts_try_dane =
inbox:
  driver = appendfile
  directory = {dir}/mail/inbox
  maildir_format

begin retry
*  *  F,1h,1s
"""

# Its user is named in the program. $0 is its directory, and the rest the command.
ACCOUNT = """\
mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group && exec "$@"
"""


class Exim:
    """ports: where mail goes, the first that answers; mail to example.net stays here."""

    def __init__(self, place, name, ports):
        self.tree = unpacked("exim", PACKAGES)
        self.program = os.path.join(self.tree, "usr/sbin/exim4")
        user = place.user
        self.dir = place.directory(f"exim-{name}")
        for folder in ("spool", "log", "mail"):
            place.directory(f"exim-{name}/{folder}", user.pw_uid, user.pw_gid, 0o700)
        self.port = free_port()
        self.process = None
        self._write("exim.conf", CONF.format(
            program=self.program, name=name, dir=self.dir, port=self.port,
            hosts=" : ".join(f"127.0.0.1::{p}" for p in ports)))
        with open("/etc/passwd", encoding="utf-8") as f:
            self._write("passwd", f.read() + f"Debian-exim:x:{user.pw_uid}:{user.pw_gid}::/nonexistent:/bin/false\n")
        with open("/etc/group", encoding="utf-8") as f:
            self._write("group", f.read() + f"Debian-exim:x:{user.pw_gid}:\n")
        self.command = ["unshare", "-m", "sh", "-c", ACCOUNT, self.dir, "setpriv", f"--reuid={user.pw_uid}",
                        f"--regid={user.pw_gid}", "--clear-groups", self.program, "-C", f"{self.dir}/exim.conf"]
        place.at_end(self.stop)

    def _write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(text)

    def start(self):
        with open(f"{self.dir}/errors", "ab") as log:
            self.process = subprocess.Popen([*self.command, "-bdf", "-q1s", "-oP", f"{self.dir}/spool/pid"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment(self.tree), start_new_session=True)
        wait_until(self._answers, lambda: f"Exim listening on port {self.port}\n{self.log()[-2000:]}")
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise Trouble(f"Exim ended, exit {self.process.returncode}: {self.log()[-2000:]}")
        with socket.socket() as s:
            s.settimeout(30)
            try:
                s.connect(("127.0.0.1", self.port))
                return s.recv(3) == b"220"
            except OSError:
                return False

    def log(self):
        text = ""
        for path in (f"{self.dir}/errors", f"{self.dir}/log/main", f"{self.dir}/log/panic"):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    text += f.read()
        return text

    def stop(self):
        if self.process is None:
            return
        process, self.process = self.process, None
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def queue_ids(self):
        return {os.path.basename(p)[:-2] for p in glob.glob(f"{self.dir}/spool/input/*-H")}

    def mail_texts(self):
        for path in glob.glob(os.path.join(self.dir, "mail/inbox/new/*")):
            with open(path, encoding="utf-8", errors="replace") as f:
                yield f.read()

    def attempts(self):
        """{queue id: seconds in which something was tried}"""
        seconds = {}
        for when, queue_id in re.findall(r"^(\S+ \S+) (\S+) (?:==|=>|->|\*\*) ", self.log(), re.M):
            seconds.setdefault(queue_id, set()).add(when)
        return {queue_id: len(found) for queue_id, found in seconds.items()}
