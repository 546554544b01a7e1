# SPDX-License-Identifier: ISC
"""A private Exim (Debian's, extracted only) that sends: own configuration, spool, port and log. It runs as the tests'
user and delivers as that (deliver_drop_privilege), since the program is not set-user-ID here."""

import glob
import os
import re

from .mta import Mta
from .unpacked import environment, system_text, unpacked, with_own_etc

PACKAGES = ["exim4-daemon-light", "libidn12", "libgnutls-dane0"]

CONF = """\
exim_path = {program}
primary_hostname = {name}.pgpgate.test
spool_directory = {dir}/spool
log_file_path = {dir}/logs/%s
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


class Exim(Mta):
    """ports: where mail goes, the first that answers; mail to example.net stays here."""

    def __init__(self, place, name, ports):
        self.tree = unpacked("exim", PACKAGES)
        self.program = os.path.join(self.tree, "usr/sbin/exim4")
        user = place.user
        super().__init__(place, "Exim", f"exim-{name}")
        for folder in ("spool", "logs", "mail"):
            place.directory(f"exim-{name}/{folder}", user.pw_uid, user.pw_gid, 0o700)
        self._write("exim.conf", CONF.format(
            program=self.program, name=name, dir=self.dir, port=self.port,
            hosts=" : ".join(f"127.0.0.1::{p}" for p in ports)))
        # its user is named in the program
        own = with_own_etc(place, self.dir, {
            "passwd": system_text("passwd") + f"Debian-exim:x:{user.pw_uid}:{user.pw_gid}::/nonexistent:/bin/false\n",
            "group": system_text("group") + f"Debian-exim:x:{user.pw_gid}:\n"})
        self.command = [*own, "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
                        self.program, "-C", f"{self.dir}/exim.conf"]

    def start(self):
        self._launch([*self.command, "-bdf", "-q1s", "-oP", f"{self.dir}/spool/pid"], environment(self.tree))
        return self

    def log(self):
        text = ""
        for path in (self.log_path, f"{self.dir}/logs/main", f"{self.dir}/logs/panic"):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    text += f.read()
        return text

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
