# SPDX-License-Identifier: ISC
"""A milter of the tests' own: notes what the MTA tells it, and refuses what it is told to."""

import socketserver
import struct
import threading

# commands of milter protocol 6, as in libmilter's mfdef.h
NEGOTIATE, MACRO, RCPT, END, ABORT, QUIT = b"O", b"D", b"R", b"E", b"A", b"Q"
NO_REPLY = (MACRO, ABORT, QUIT)


class Milter(socketserver.ThreadingTCPServer):
    """port: on 127.0.0.1. at_rcpt, at_end: the answer there (b"c" continue, b"r" reject). sessions: what it was told, a letter a command."""
    allow_reuse_address = daemon_threads = True

    def __init__(self, port, at_rcpt=b"c", at_end=b"c"):
        super().__init__(("127.0.0.1", port), Handler)
        self.answers = {RCPT: at_rcpt, END: at_end}
        self.sessions = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        told = []
        self.server.sessions.append(told)
        while True:
            head = self.rfile.read(5)
            if len(head) < 5:
                return
            length, command = struct.unpack("!Ic", head)
            data = self.rfile.read(length - 1)
            if command != MACRO:
                told.append(command.decode())
            if command == QUIT:
                return
            if command == NEGOTIATE:
                self._answer(NEGOTIATE, struct.pack("!III", 6, 0, 0))
            elif command not in NO_REPLY:
                self._answer(self.server.answers.get(command, b"c"))

    def _answer(self, command, data=b""):
        self.wfile.write(struct.pack("!I", len(data) + 1) + command + data)
        self.wfile.flush()
