# SPDX-License-Identifier: ISC
"""A private qpsmtpd (Debian's, extracted only) with our plugin: own configuration, spool, port and log."""

import os
import socket
import subprocess

from .pair import TOP
from .place import Trouble, free_port, wait_until
from .unpacked import unpacked

PACKAGES = ["qpsmtpd", "libdigest-hmac-perl", "libmailtools-perl", "libnet-dns-perl", "libnet-ip-perl", "libtimedate-perl",
            "libipc-shareable-perl", "libsocket6-perl", "libio-socket-inet6-perl"]

# Plays the stranger: qpsmtpd has no XCLIENT. "XPLAY ADDR LOGIN", - for none. "XTAKE ADDRESS" is another plugin's
# recipient, that ours is not asked of.
PLAY = """\
use Qpsmtpd::Constants;
use Qpsmtpd::Address;
sub hook_unrecognized_command {
    my ($self, $transaction, $command, @words) = @_;
    @words = map { split / / } @words;
    if ($command eq 'xplay') {
        $self->connection->remote_ip($words[0]) if $words[0] ne '-';
        @{$self->qp}{qw(_auth _auth_user _auth_mechanism)} = (OK, $words[1], 'plain') if $words[1] ne '-';
    }
    elsif ($command eq 'xtake') {
        $transaction->add_recipient(Qpsmtpd::Address->new("<$words[0]>"));
    }
    else {
        return DECLINED;
    }
    $self->qp->respond(220, 'played');
    return DONE;
}
"""


class Qpsmtpd:
    """pair: whose sockets it asks (policy: of the policy server, too); forward: port that gets what is taken."""

    def __init__(self, place, name, pair, forward, policy=True, databytes=10**8):
        self.tree = unpacked("qpsmtpd", PACKAGES)
        self.dir = place.directory(f"qpsmtpd-{name}")
        self.port = free_port()
        self.log_path = os.path.join(self.dir, "log")
        self.process = None
        self.user = place.user.pw_name
        place.directory(f"qpsmtpd-{name}/spool", place.user.pw_uid, place.user.pw_gid, 0o700)
        sockets = f"{pair.milter} {pair.policy}" if policy else pair.milter
        config = {
            "plugins": f"logging/warn 6\nplay\npgpgate {sockets}\nqueue/smtp-forward 127.0.0.1 {forward}\n",
            "plugin_dirs": f"{self.dir}/own\n{TOP}/dist/qpsmtpd\n{self.tree}/usr/share/qpsmtpd/plugins\n",
            "spool_dir": f"{self.dir}/spool/\n", "me": f"{name}.pgpgate.test\n", "databytes": f"{databytes}\n",
            "rcpthosts": ".org\n.com\n.example\n", "loglevel": "6\n"}
        for file, text in config.items():
            self._write(f"config/{file}", text)
        self._write("own/play", PLAY)
        place.at_end(self.stop)

    def _write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)

    def start(self):
        environment = {"PATH": os.environ["PATH"], "QPSMTPD_CONFIG": f"{self.dir}/config"}
        libraries = [w for d in ("usr/share/perl5", "usr/lib/x86_64-linux-gnu/perl5/5.36", "usr/lib/aarch64-linux-gnu/perl5/5.36")
                     for w in ("-I", os.path.join(self.tree, d))]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["perl", "-T", *libraries, f"{self.tree}/usr/bin/qpsmtpd-forkserver", "-u", self.user, "-m", "50", "-c", "50",
                 "-H", "-l", "127.0.0.1", "-p", str(self.port)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=self.dir, start_new_session=True)
        wait_until(self._answers, lambda: f"qpsmtpd listening on port {self.port}\n{self.log()[-2000:]}")
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise Trouble(f"qpsmtpd ended, exit {self.process.returncode}: {self.log()[-2000:]}")
        with socket.socket() as s:
            s.settimeout(30)
            try:
                s.connect(("127.0.0.1", self.port))
                return s.recv(3) == b"220"
            except OSError:
                return False

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

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
