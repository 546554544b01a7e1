# SPDX-License-Identifier: ISC
"""A private Postfix for the end-to-end lines: its own configuration, queue and log, loopback only, the discard
transport behind. One smtpd service a case, so that all cases share one queue and differ in nothing else."""

import os
import subprocess
import time

MAIN = """compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.bench.test
mydestination =
alias_maps =
relay_domains = example.org
relay_recipient_maps =
relay_transport = discard:
default_transport = discard:
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_auth_destination, reject
smtpd_recipient_restrictions = permit
milter_default_action = tempfail
message_size_limit = 0
mailbox_size_limit = 0
maillog_file = {dir}/log/maillog
maillog_file_prefixes = {dir}
in_flow_delay = 0
"""

SERVICES = """postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


class PrivatePostfix:
    """services: {port: {main.cf parameter: value}}. Wants root, as Postfix does."""

    def __init__(self, directory, services):
        self.dir = directory
        for name in ("etc", "queue", "data", "log"):
            os.makedirs(os.path.join(directory, name), exist_ok=True)
        subprocess.run(["chown", "postfix", os.path.join(directory, "data")], check=True)
        with open(os.path.join(directory, "etc/main.cf"), "w", encoding="ascii") as f:
            f.write(MAIN.format(dir=directory))
        with open(os.path.join(directory, "etc/master.cf"), "w", encoding="ascii") as f:
            for port, parameters in services.items():
                f.write(f"127.0.0.1:{port} inet n - n - - smtpd\n")
                for key, value in parameters.items():
                    f.write(f"  -o {{ {key} = {value} }}\n")
            f.write(SERVICES)
        self._postfix("check")
        self._postfix("start")

    def _postfix(self, command):
        subprocess.run(["postfix", "-c", os.path.join(self.dir, "etc"), command], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    def is_empty(self):
        for name in ("incoming", "active", "maildrop", "deferred"):
            for _, _, files in os.walk(os.path.join(self.dir, "queue", name)):
                if files:
                    return False
        return True

    def wait_until_empty(self, limit_s):
        deadline = time.monotonic() + limit_s
        while not self.is_empty():
            if time.monotonic() > deadline:
                raise RuntimeError("Postfix's queue does not become empty; see " + self.dir + "/log/maillog")
            time.sleep(0.005)

    def send(self, port, message, count, sessions):
        """Sends, waits until all is delivered. Returns seconds until accepted, and until delivered."""
        begin = time.monotonic()
        done = subprocess.run(["smtp-source", "-s", str(sessions), "-m", str(count), "-f", "sender@client.test", "-t",
                               "user@example.org", "-N", "-F", message, f"127.0.0.1:{port}"], check=False,
                              capture_output=True, timeout=600)
        if done.returncode != 0 or done.stderr:
            raise RuntimeError("smtp-source: " + done.stderr.decode("utf-8", "replace")[:300])
        accepted = time.monotonic() - begin
        self.wait_until_empty(120)
        return accepted, time.monotonic() - begin

    def close(self):
        self._postfix("stop")
