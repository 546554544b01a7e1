#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The kind of filter that pgpgate replaces, as a peer to measure against.

A milter on Debian's python3-milter that accepts a message when the marker of an armored OpenPGP message
stands in the first 5,000 characters of its body, and refuses it otherwise. It keeps no record and asks no
policy.

    seed_peer.py SOCKET
"""

import os
import sys

import Milter

LOOK_AT = 5000
MARKER = "-----BEGIN PGP MESSAGE-----"


class MarkerMilter(Milter.Base):
    """Gathers the start of the body, looks for the marker at the end."""

    def __init__(self):
        self.start = ""

    @Milter.noreply
    def connect(self, name, family, address):
        return Milter.CONTINUE

    def envfrom(self, address, *parameters):
        self.start = ""
        return Milter.CONTINUE

    def envrcpt(self, address, *parameters):
        return Milter.CONTINUE

    @Milter.noreply
    def header(self, name, value):
        return Milter.CONTINUE

    @Milter.noreply
    def eoh(self):
        return Milter.CONTINUE

    @Milter.noreply
    def body(self, chunk):
        if len(self.start) < LOOK_AT:
            self.start += chunk[:LOOK_AT].decode("utf-8", "replace")
        return Milter.CONTINUE

    def eom(self):
        if MARKER in self.start[:LOOK_AT]:
            return Milter.ACCEPT
        self.setreply("550", "5.7.1", "OpenPGP-encrypted mail required")
        return Milter.REJECT


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: seed_peer.py SOCKET")
    os.umask(0)
    Milter.factory = MarkerMilter
    Milter.runmilter("seed_peer", sys.argv[1], timeout=300)


if __name__ == "__main__":
    main()
