# SPDX-License-Identifier: ISC
"""A server in a process of its own: does it greet, what did it log, its end."""

import socket
import subprocess


def greets(port):
    """Does an SMTP server greet on that port of loopback?"""
    with socket.socket() as s:
        s.settimeout(30)
        try:
            s.connect(("127.0.0.1", port))
            return s.recv(3) == b"220"
        except OSError:
            return False


def text_of(path):
    """All of a log; empty where there is none yet."""
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def end(process):
    """The process ends in order, or after a minute."""
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
