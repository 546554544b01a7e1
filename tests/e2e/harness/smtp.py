# SPDX-License-Identifier: ISC
"""An SMTP client that says exactly what it is told: raw bytes, several messages a session, XCLIENT."""

import socket

STRANGER = "192.0.2.1"  # a client that is none of ours (RFC 5737)
LOCAL = "198.51.100.7"  # in local_clients of the tests' configuration


class Reply:
    def __init__(self, lines):
        self.code = int(lines[0][:3])
        self.lines = [line[4:] for line in lines]
        self.text = "\n".join(self.lines)

    def __repr__(self):
        return f"{self.code} {' | '.join(self.lines)}"

    def __eq__(self, other):
        return self.code == other if isinstance(other, int) else NotImplemented

    __hash__ = None


class Sent:
    """What became of one message: the reply to each recipient, and the last word."""

    def __init__(self, recipients, replies, final):
        self.recipients = dict(zip(recipients, replies))
        self.final = final

    @property
    def code(self):
        return self.final.code

    @property
    def queue_id(self):
        """Out of "250 2.0.0 Ok: queued as ID"; "" when it was not taken."""
        return self.final.text.rpartition("queued as ")[2] if self.code == 250 else ""

    def __repr__(self):
        return f"<{self.recipients} -> {self.final!r}>"


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8")


class Session:
    """One connection. client: pose as this address (XCLIENT); login: as authenticated with this name; source: connect from
    this one."""

    def __init__(self, port, client=STRANGER, login=None, helo="client.test", timeout=180, host="127.0.0.1",
                 source=None):
        self.socket = socket.create_connection((host, port), timeout, source and (source, 0))
        self.file = self.socket.makefile("rb")
        self.helo = helo
        self.greeting = self.read()
        if self.greeting.code == 220:
            self.command(f"EHLO {helo}")
            if client or login:
                words = (f" ADDR={client}" if client else "") + (f" LOGIN={login}" if login else "")
                self.expect(220, self.command("XCLIENT" + words))
                self.extensions = self.command(f"EHLO {helo}")

    @staticmethod
    def expect(code, reply):
        if reply.code != code:
            raise ConnectionError(f"expected {code}, got {reply!r}")
        return reply

    def read(self):
        lines = []
        while True:
            line = self.file.readline().decode("utf-8", "replace").rstrip("\r\n")
            if not line:
                raise ConnectionError(f"connection closed after {lines}")
            lines.append(line)
            if line[3:4] != "-":
                return Reply(lines)

    def command(self, line):
        self.socket.sendall(_bytes(line) + b"\r\n")
        return self.read()

    def send(self, sender, recipients, message, size="auto", parameters=""):
        """One transaction. size: "auto" declares the message's, None declares none. Recipients that are
        refused are left out; without any the last refusal is the final reply."""
        if isinstance(recipients, (str, bytes)):
            recipients = [recipients]
        message = _bytes(message).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        declared = len(message) if size == "auto" else size
        words = (f" SIZE={declared}" if declared is not None else "") + parameters
        reply = self.command(b"MAIL FROM:<" + _bytes(sender) + b">" + words.encode())
        if reply.code != 250:
            self.command("RSET")
            return Sent(recipients, [reply] * len(recipients), reply)
        replies = [self.command(b"RCPT TO:<" + _bytes(r) + b">") for r in recipients]
        if not any(r.code == 250 for r in replies):
            self.command("RSET")
            return Sent(recipients, replies, replies[-1])
        final = self.command("DATA")
        if final.code == 354:
            final = self.data(message)
        return Sent(recipients, replies, final)

    def data(self, message):
        if message.startswith(b"."):
            message = b"." + message
        message = message.replace(b"\r\n.", b"\r\n..")
        if not message.endswith(b"\r\n"):
            message += b"\r\n"
        self.socket.sendall(message + b".\r\n")
        return self.read()

    def close(self):
        try:
            self.socket.sendall(b"QUIT\r\n")
        except OSError:
            pass
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def send(port, sender, recipients, message, client=STRANGER, login=None, **more):
    """One message over its own connection."""
    with Session(port, client, login) as s:
        return s.send(sender, recipients, message, **more)
