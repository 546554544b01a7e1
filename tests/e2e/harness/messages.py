# SPDX-License-Identifier: ISC
"""Mail for the tests, made with gpg and sq from throw-away keys, and put together with python's email.

Each message carries a unique token in Subject and Message-ID (and in the body where that is readable), so
that its delivery can be counted whatever else is under way.
"""

import email.message
import email.mime.application
import email.mime.multipart
import email.mime.text
import email.utils
import os
import shutil
import subprocess
import uuid

SECRET = "Meet me at eight at the usual place.\n" * 8


def token():
    return "t" + uuid.uuid4().hex[:16]


class Keys:
    """A GNUPGHOME and an sq certificate below place; one key for each program."""

    def __init__(self, place, owner="alice@example.org"):
        self.home = place.directory("gnupg", mode=0o700)
        self.owner = owner
        self.sq_cert = os.path.join(self.home, "sq.pgp")
        self.has_sq = shutil.which("sq") is not None
        place.at_end(self._stop_agent)
        self.gpg("--quick-gen-key", owner, "future-default", "default", "never")
        if self.has_sq:
            self._run(["sq", "key", "generate", "--userid", owner, "--export", self.sq_cert])

    def _environment(self):
        keep = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR")}
        return {**keep, "HOME": self.home, "GNUPGHOME": self.home}

    def _run(self, words, data=b""):
        run = subprocess.run(words, input=data, capture_output=True, env=self._environment())
        if run.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: {run.stderr.decode(errors='replace')}")
        return run.stdout.decode("utf-8", "replace")

    def gpg(self, *words, data=b""):
        return self._run(["gpg", "--batch", "--no-tty", "--quiet", "--pinentry-mode", "loopback",
                          "--passphrase", "", "--trust-model", "always", *words], data)

    def _stop_agent(self):
        subprocess.run(["gpgconf", "--kill", "all"], env=self._environment(), capture_output=True)

    def gpg_armor(self, text=SECRET, *words):
        return self.gpg("--armor", "--encrypt", "-r", self.owner, *words, data=text.encode())

    def gpg_password_only(self, text=SECRET):
        return self.gpg("--armor", "--passphrase", "open sesame", "--symmetric", data=text.encode())

    def gpg_clearsign(self, text=SECRET):
        return self.gpg("--clearsign", data=text.encode())

    def sq_armor(self, text=SECRET):
        return self._run(["sq", "encrypt", "--recipient-cert", self.sq_cert], text.encode())


def _finish(message, mark, sender, to):
    message["From"] = sender
    message["To"] = to
    message["Subject"] = f"Test {mark}"
    message["Date"] = email.utils.formatdate()
    message["Message-ID"] = f"<{mark}@client.test>"
    return message.as_bytes()


def text_mail(body, mark=None, sender="bob@example.net", to="alice@example.org"):
    """A plain text/plain message with that body, as it is."""
    message = email.message.Message()
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = "text/plain; charset=utf-8"
    message.set_payload(body)
    return _finish(message, mark or token(), sender, to)


def cleartext(mark=None, **who):
    mark = mark or token()
    return text_mail(f"Hello, this is readable by everyone: {mark}.\n", mark, **who)


def inline(armor, mark=None, **who):
    return text_mail(armor, mark, **who)


def pgp_mime(armor, mark=None, sender="bob@example.net", to="alice@example.org"):
    """RFC 3156 section 4."""
    message = email.mime.multipart.MIMEMultipart("encrypted", protocol="application/pgp-encrypted")
    control = email.message.Message()
    control["Content-Type"] = "application/pgp-encrypted"
    control.set_payload("Version: 1\n")
    content = email.message.Message()
    content["Content-Type"] = 'application/octet-stream; name="encrypted.asc"'
    content.set_payload(armor)
    message.attach(control)
    message.attach(content)
    return _finish(message, mark or token(), sender, to)


def quoted_marker(mark=None, **who):
    """Cleartext that talks about PGP: what a filter that only looks for the marker takes for encrypted."""
    mark = mark or token()
    return text_mail(f"Encrypted mail begins with this line, {mark} says:\n"
                     "-----BEGIN PGP MESSAGE-----\nand I am too lazy for the rest.\n", mark, **who)


def padded_marker(mark=None, **who):
    """The same, dressed up as a whole block without any ciphertext in it."""
    mark = mark or token()
    return text_mail("-----BEGIN PGP MESSAGE-----\n\n" f"this is {mark} in plain words\n"
                     "-----END PGP MESSAGE-----\n", mark, **who)
