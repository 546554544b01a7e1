#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What ./quickstart shows: a private Postfix with both daemons, seven messages, what became of them.

Exit 0: every answer was the expected one. 1: one was not, or something could not be started.
"""

import argparse
import os
import signal
import sys
import textwrap

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from harness import messages
from harness.pair import BUILD, Pair
from harness.place import Place, Trouble, is_port_free
from harness.postfix import Postfix
from harness.smtp import Session

PROTECTED, OPEN, SENDER = "alice@example.org", "shop@example.org", "bob@example.net"
WIDTH = 80


class Table:
    """The messages as they are answered, 80 columns wide."""

    def __init__(self):
        self.failures = 0
        self.line("MESSAGE", "TO", ["POSTFIX ANSWERS"], "")
        print("-" * WIDTH)

    @staticmethod
    def line(what, to, answer, verdict):
        whats = textwrap.wrap(what, 27)
        answers = [part for one in answer for part in textwrap.wrap(one, 37)]
        for i in range(max(len(whats), len(answers))):
            print(f"{whats[i] if i < len(whats) else '':<28}{to if i == 0 else '':<7}"
                  f"{answers[i] if i < len(answers) else '':<38}{verdict if i == 0 else ''}".rstrip())

    def add(self, what, recipient, sent, expected):
        is_right = sent.code // 100 == expected // 100
        self.failures += not is_right
        final = sent.final
        # "550-5.7.1 " stands before every line of a reply: once is enough here.
        answer = [f"{final.code} {final.lines[0]}", *(l.partition(" ")[2] for l in final.lines[1:])]
        self.line(what, recipient.split("@")[0], answer,
                  "as due" if is_right else "WRONG")
        sys.stdout.flush()


def send_all(port, keys):
    """Seven messages, the last three over one connection. Returns how many answers were wrong."""
    armor, table = keys.gpg_armor(), Table()

    def one(session, what, recipient, message, expected):
        table.add(what, recipient, session.send(SENDER, recipient, message), expected)

    with Session(port) as s:
        one(s, "PGP/MIME, by gpg", PROTECTED, messages.pgp_mime(armor), 250)
    with Session(port) as s:
        one(s, "inline, by gpg", PROTECTED, messages.inline(armor), 250)
    if keys.has_sq:
        with Session(port) as s:
            one(s, "inline, by sq", PROTECTED, messages.inline(keys.sq_armor()), 250)
    with Session(port) as s:
        one(s, "cleartext", PROTECTED, messages.cleartext(), 550)
    with Session(port) as s:
        one(s, "cleartext that quotes BEGIN PGP MESSAGE", PROTECTED, messages.quoted_marker(), 550)
    with Session(port) as s:
        one(s, "cleartext", OPEN, messages.cleartext(to=OPEN), 250)
    with Session(port) as s:
        one(s, "one session: first encrypted", PROTECTED, messages.pgp_mime(armor), 250)
        one(s, "same session: then cleartext", PROTECTED, messages.cleartext(), 550)
        one(s, "same session: encrypted again", PROTECTED, messages.inline(armor), 250)
    return table.failures


def show(pair, *words):
    """Runs a pgpgate command in the reader's sight."""
    print(f"\n$ pgpgate {' '.join(words)}")
    print(pair.must(*words), end="", flush=True)


def say_how_to_go_on(pair, postfix, keys, port):
    print(f"""
Both daemons and Postfix are up. Try more from another terminal (as root):

  gate="{BUILD}/pgpgate -c {pair.conf}"
  $gate exempt carol@example.org --expires +1h --note "her key is being renewed"
  $gate rules
  $gate explain carol@example.org
  $gate log --follow

Send with swaks (apt-get install swaks), in the clear and encrypted:

  send="swaks --server 127.0.0.1:{port} --from {SENDER} --to {PROTECTED}"
  $send --body hello
  echo hello | gpg --homedir {keys.home} --trust-model always \\
      -aer {PROTECTED} | $send --body -

  mail log  {postfix.log_path}
  filter's  {pair.filter.log_path}
  policy's  {pair.policyd.log_path}

Ctrl-C ends everything and removes it.""", flush=True)


def run(port, once):
    if not is_port_free(port):
        raise Trouble(f"port {port} is in use on 127.0.0.1: end that program, or choose another port with "
                      "--port N")
    place = Place("quickstart")
    try:
        pair = Pair(place, enforce="yes").start()
        postfix = Postfix(place, milters=pair.milter, policy=pair.policy, ports=[port]).start()
        keys = messages.Keys(place, PROTECTED)
        print(f"A private Postfix listens on 127.0.0.1:{port}, with pgpgate-filter and pgpgate-policyd\n"
              f"behind it (user {place.user.pw_name}). Every address is protected, but for one:")
        show(pair, "exempt", OPEN)
        print()
        failures = send_all(port, keys)
        show(pair, "log")
        postfix.wait_empty()
        print(f"\n{len(postfix.delivered())} messages were delivered"
              + ("; every answer was as due." if not failures else f"; {failures} answers were WRONG."))
        if not once:
            say_how_to_go_on(pair, postfix, keys, port)
            signal.pause()
        return 1 if failures else 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave things behind
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        place.remove()


def main():
    parser = argparse.ArgumentParser(prog="quickstart")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--port", type=int, default=2525)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is born without
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    if os.geteuid() != 0:
        raise Trouble("a private Postfix wants root: run ./quickstart, it calls sudo")
    try:
        return run(options.port, options.once)
    except KeyboardInterrupt:
        print("\nEnded.")
        return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        print(f"quickstart: {trouble}", file=sys.stderr)
        sys.exit(1)
