# SPDX-License-Identifier: ISC
"""A private qpsmtpd (Debian's, extracted only) with our plugin: own configuration, spool, port and log."""

import os

from .mta import Mta
from .pair import TOP
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


class Qpsmtpd(Mta):
    """pair: whose sockets it asks (policy: of the policy server, too); forward: port that gets what is taken."""

    def __init__(self, place, name, pair, forward, policy=True, databytes=10**8):
        self.tree = unpacked("qpsmtpd", PACKAGES)
        super().__init__(place, "qpsmtpd", f"qpsmtpd-{name}")
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

    def start(self):
        environment = {"PATH": os.environ["PATH"], "QPSMTPD_CONFIG": f"{self.dir}/config"}
        libraries = [w for d in ("usr/share/perl5", "usr/lib/x86_64-linux-gnu/perl5/5.36", "usr/lib/aarch64-linux-gnu/perl5/5.36")
                     for w in ("-I", os.path.join(self.tree, d))]
        self._launch(["perl", "-T", *libraries, f"{self.tree}/usr/bin/qpsmtpd-forkserver", "-u", self.user, "-m", "50",
                      "-c", "50", "-H", "-l", "127.0.0.1", "-p", str(self.port)], environment, cwd=self.dir)
        return self
