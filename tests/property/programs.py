# SPDX-License-Identifier: ISC
"""The programs that the property tests talk to, and the readers they compare with."""

import email
import email.policy
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MAIL = os.path.join(os.path.dirname(HERE), "mail")
sys.path.insert(0, MAIL)


class Talker:
    """A program that is sent octets with their length before them."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.count = 0

    def send(self, message):
        self.count += 1
        self.process.stdin.write(len(message).to_bytes(4, "big") + message)
        self.process.stdin.flush()

    def line(self, message):
        self.send(message)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("%s died, exit %s" % (self.process.args, self.process.wait()))
        return answer.decode().rstrip("\n")

    def octets(self, message):
        self.send(message)
        head = self.process.stdout.read(4)
        if len(head) < 4:
            raise RuntimeError("%s died, exit %s" % (self.process.args, self.process.wait()))
        return self.process.stdout.read(int.from_bytes(head, "big"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()


def python_text(message, policy):
    """Everything that python's email package shows: each leaf, decoded, and as text; the headers of
    embedded messages. Each leaf begins with NUL, its type and a line end."""
    out = []
    try:
        tree = email.message_from_bytes(message, policy=policy)
        for part in tree.walk():
            if part.is_multipart():
                if part.get_content_maintype() == "message":
                    for inner in part.get_payload():
                        out += [b"\0message/rfc822\n" + str(v).encode("utf-8", "surrogateescape") for v in inner.values()]
                continue
            start = b"\0" + part.get_content_type().encode("utf-8", "replace") + b"\n"
            raw = part.get_payload(decode=True)
            if raw:
                out.append(start + raw)
                charset = part.get_content_charset("ascii")
                try:
                    out.append(start + raw.decode(charset, "replace").encode("utf-8", "replace"))
                except (LookupError, ValueError):
                    pass
            if isinstance(part.get_payload(), str):
                out.append(start + part.get_payload().encode("utf-8", "surrogateescape"))
    except Exception:  # a reader that gives up shows nothing more
        pass
    return b"\n".join(out)


POLICIES = (email.policy.compat32, email.policy.default)


def save(folder, name, message, why):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + ".eml"), "wb") as f:
        f.write(message)
    with open(os.path.join(folder, name + ".txt"), "w") as f:
        f.write(why + "\n")
