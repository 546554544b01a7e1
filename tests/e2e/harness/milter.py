# SPDX-License-Identifier: ISC
"""An MTA's side of the milter protocol, by hand: what no Postfix sends can be sent, and left out what it always does."""

import socket
import struct

ADD_HEADER, CHANGE_HEADER, QUARANTINE, SET_SYMBOLS = 0x01, 0x10, 0x20, 0x100
ALL_ACTIONS = 0x1FF
ALL_STEPS = 0x1FFFFF
CONTINUE, REPLY, TEMPFAIL, REJECT, ACCEPT = b"c", b"y", b"t", b"r", b"a"


class Milter:
    """One connection to a filter. Replies are pairs (command, data); None after the filter has hung up."""

    def __init__(self, path, actions=ALL_ACTIONS, steps=ALL_STEPS, timeout=60):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.send(b"O", struct.pack("!III", 6, actions, steps))
        self.negotiated = self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, command, data=b""):
        self.socket.sendall(struct.pack("!I", len(data) + 1) + command + data)

    def _read(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                return None
            data += piece
        return data

    def reply(self):
        try:
            head = self._read(4)
            if head is None:
                return None
            packet = self._read(struct.unpack("!I", head)[0])
        except ConnectionResetError:
            return None
        return None if packet is None else (packet[:1], packet[1:])

    def ask(self, command, data=b""):
        try:
            self.send(command, data)
        except (BrokenPipeError, ConnectionResetError):
            return None
        return self.reply()

    def macros(self, command, **values):
        """auth_authen is {auth_authen}; one letter is itself."""
        text = b""
        for name, value in values.items():
            name = name if len(name) == 1 else "{%s}" % name
            text += name.encode() + b"\0" + value.encode() + b"\0"
        self.send(b"D", command + text)

    def connect(self, address="192.0.2.1", port=1234, macros=True, name="client.example", family=b"4", **more):
        """No reply: that was negotiated."""
        if macros:
            self.macros(b"C", j="mx.example.org", v="Postfix 3.7.11", **more)
        self.send(b"C", name.encode() + b"\0" + family + struct.pack("!H", port) + address.encode() + b"\0")

    def mail(self, sender, macros=True, arguments=(), **more):
        if macros:
            self.macros(b"M", mail_addr=sender, **more)
        return self.ask(b"M", b"\0".join([f"<{sender}>".encode(), *arguments]) + b"\0")

    def recipient(self, address, macros=True):
        if macros:
            self.macros(b"R", rcpt_addr=address)
        return self.ask(b"R", f"<{address}>".encode() + b"\0")

    def content(self, message, queue_id="4ABC"):
        """A whole message (octets, CRLF), its end too. Returns the last reply, after header changes and the like."""
        head, _, body = message.partition(b"\r\n\r\n")
        for line in head.replace(b"\r\n\t", b"\n\t").replace(b"\r\n ", b"\n ").split(b"\r\n"):
            name, _, value = line.partition(b":")
            self.send(b"L", name + b"\0" + value + b"\0")
        self.send(b"N")
        for at in range(0, len(body), 65535):
            self.send(b"B", body[at:at + 65535])
        if queue_id:
            self.macros(b"E", i=queue_id)
        reply = self.ask(b"E")
        while reply is not None and reply[0] not in (CONTINUE, REPLY, TEMPFAIL, REJECT, ACCEPT):
            reply = self.reply()
        return reply


def code(reply):
    """A reply as SMTP would show it: 250, or the three digits; None: hung up."""
    if reply is None:
        return None
    command, data = reply
    return {CONTINUE: 250, ACCEPT: 250, TEMPFAIL: 451, REJECT: 550}.get(command) or int(data[:3])
