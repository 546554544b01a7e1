# SPDX-License-Identifier: ISC
"""The messages that are measured with: PGP/MIME (RFC 3156) made by GnuPG, of a wanted size."""

import os
import shutil
import subprocess
import tempfile

HEADER = """From: Sender <sender@client.test>
To: Recipient <user@example.org>
Subject: ...
Date: Mon, 02 Nov 2026 10:00:00 +0000
Message-ID: <bench.{size}@client.test>
MIME-Version: 1.0
Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";
 boundary="bench-boundary"

This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)
--bench-boundary
Content-Type: application/pgp-encrypted
Content-Description: PGP/MIME version identification

Version: 1

--bench-boundary
Content-Type: application/octet-stream; name="encrypted.asc"
Content-Description: OpenPGP encrypted message
Content-Disposition: inline; filename="encrypted.asc"

"""
FOOTER = "\n--bench-boundary--\n"


class Mails:
    """Makes messages in a directory, once each, with one key made for the purpose."""

    def __init__(self, directory):
        self.directory = directory
        # gpg-agent's socket path must be short.
        self.home = tempfile.mkdtemp(prefix="pgb-", dir="/tmp")

    def close(self):
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=False, capture_output=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def _gpg(self, *arguments, data=None):
        command = ["gpg", "--homedir", self.home, "--batch", "--quiet", "--no-tty", "--trust-model", "always"]
        done = subprocess.run(command + list(arguments), input=data, check=True, stdout=subprocess.PIPE)
        return done.stdout

    def key_id(self):
        """Of the key that they are encrypted to: 16 digits. After encrypted()."""
        lines = self._gpg("--list-keys", "--with-colons", "bench@example.org").decode().split("\n")
        return [line.split(":")[4] for line in lines if line.startswith("sub:")][0]

    def encrypted(self, size_bytes):
        """Path of a PGP/MIME message of about size_bytes."""
        path = os.path.join(self.directory, f"encrypted-{size_bytes}.eml")
        if os.path.exists(path):
            return path
        if not os.listdir(self.home):
            self._gpg("--passphrase", "", "--quick-generate-key", "bench@example.org", "future-default", "default",
                      "never")
        # 64 characters and a line end carry 48 bytes; random bytes do not shrink.
        plain = os.urandom(max(1, int((size_bytes - 1300) * 48 / 66)))
        armored = self._gpg("--compress-algo", "none", "--armor", "--encrypt", "-r", "bench@example.org", data=plain)
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write(HEADER.format(size=size_bytes) + armored.decode("ascii") + FOOTER)
        os.rename(path + ".new", path)
        return path
