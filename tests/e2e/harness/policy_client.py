# SPDX-License-Identifier: ISC
"""Asks the policy server as Postfix's smtpd does."""

import itertools
import socket

_instance = itertools.count(1)


class PolicyClient:
    def __init__(self, path, timeout=120):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def raw(self, data):
        """Sends bytes, returns the answer's text, or None when the server closed without one."""
        try:
            self.socket.sendall(data)
            line = self.file.readline()
            if not line:
                return None
            assert self.file.readline() == b"\n"
        except (BrokenPipeError, ConnectionResetError):
            return None
        return line.decode().rstrip("\n").removeprefix("action=")

    def ask(self, recipient, sender="bob@example.net", client="192.0.2.1", login="", size=0, instance=None,
            state="RCPT", **more):
        attributes = {
            "request": "smtpd_access_policy", "protocol_state": state, "protocol_name": "ESMTP",
            "client_address": client, "client_name": "unknown", "reverse_client_name": "unknown",
            "helo_name": "client.test", "sender": sender, "recipient": recipient, "recipient_count": "0",
            "queue_id": "", "instance": f"e2e.{next(_instance)}.0" if instance is None else instance, "size": size,
            "etrn_domain": "", "stress": "", "sasl_method": "plain" if login else "",
            "sasl_username": login, "sasl_sender": "", "ccert_subject": "", "ccert_issuer": "",
            "ccert_fingerprint": "", "encryption_protocol": "", "encryption_cipher": "",
            "encryption_keysize": "0", "policy_context": "", "server_address": "127.0.0.1",
            "server_port": "25", **more}
        return self.raw("".join(f"{k}={v}\n" for k, v in attributes.items()).encode() + b"\n")

    def close(self):
        self.file.close()
        self.socket.close()
