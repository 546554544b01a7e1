# SPDX-License-Identifier: ISC
"""The administrator's command with a configuration and a database of its own, and what its record may hold."""

import json
import os
import pty
import re
import sqlite3
import subprocess
import time

from .pair import program
from .terminal import run_on_terminal

PGPGATE = program("pgpgate")
USAGE, DATAERR, NOINPUT, CONFIG = 64, 65, 66, 78
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
CLEARTEXT = "From: a@x.test\nTo: b@example.org\nSubject: hi\n\nplain words\n"


class Result:
    def __init__(self, run):
        self.code, self.out, self.err = run.returncode, run.stdout, run.stderr

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Gate:
    """A configuration and a database of its own."""

    def __init__(self, path):
        self.path = str(path)
        self.database = os.path.join(self.path, "pgpgate.db")
        self.conf = os.path.join(self.path, "pgpgate.conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"database = sqlite:{self.database}\nuser =\n")

    def run(self, *words, data=None, env=None):
        return Result(subprocess.run([PGPGATE, "-c", self.conf, *map(str, words)], input=data, text=True,
                                     encoding="utf-8", errors="surrogateescape", capture_output=True, timeout=300,
                                     env={**os.environ, **(env or {})}, check=False))

    def must(self, *words, code=0, **more):
        result = self.run(*words, **more)
        assert result.code == code, result
        return result.out

    def json(self, *words, code=0, **more):
        return [json.loads(line) for line in self.must("--json", *words, code=code, **more).splitlines()]

    def misuse(self, *words, code=USAGE, says=()):
        result = self.run(*words)
        assert result.code == code, result
        assert result.out == "", result
        assert len(result.err.splitlines()) == 1 and result.err.startswith("pgpgate: "), result
        for part in [says] if isinstance(says, str) else says:
            assert part in result.err, (part, result)
        return result.err

    def file(self, name, text):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as f:
            f.write(text)
        return path


def key_of(address):
    """An address as the database keeps it: reversed domain, '@', local part."""
    if "@" not in address:
        return address
    local, domain = address.rsplit("@", 1)
    return ".".join(reversed(domain.split("."))) + "@" + local


def add_verdict(gate, when, sender, recipients, verdict="cleartext", action="refuse", queue_id="4Q1", **more):
    """A verdict as the filter writes it. recipients: (address, requirement, rule id or None, passes)."""
    row = {"host": "mx.example.org", "client": "192.0.2.1", "authenticated": "", "message_id": "<1@x.test>",
           "form": "none", "reason": "no-openpgp", "detail": "readable text", "would": action,
           "reply": "550 5.7.1 OpenPGP-encrypted mail required", "size_bytes": 1234, "cleartext_bytes": 1000,
           "is_local": 0, **more}
    with sqlite3.connect(gate.database) as d:
        cursor = d.execute(
            "INSERT INTO verdict (time_unix, queue_id, host, client, authenticated, sender_key, header_from_key,"
            " is_local, message_id, declared_size_bytes, size_bytes, verdict, form, reason, detail, cleartext_bytes,"
            " returns_readable, action, would, reply) VALUES (?,?,?,?,?,?,NULL,?,?,NULL,?,?,?,?,?,?,0,?,?,?)",
            (int(when), queue_id, row["host"], row["client"], row["authenticated"], key_of(sender), row["is_local"],
             row["message_id"], row["size_bytes"], verdict, row["form"], row["reason"], row["detail"],
             row["cleartext_bytes"], action, row["would"], row["reply"]))
        for position, (address, requirement, rule, passes) in enumerate(recipients):
            d.execute("INSERT INTO verdict_recipient VALUES (?,?,?,1,?,?,?,?,?)",
                      (cursor.lastrowid, position, key_of(address), requirement, requirement,
                       "rule" if rule else "default", rule, int(passes)))
    d.close()


def on_screen(gate, *words, rows=24, columns=80, keys=b"", **env):
    """What a terminal of that size is shown, which standard output and error are; keys are typed at the first screen."""
    code, shown = run_on_terminal([PGPGATE, "-c", gate.conf, *words], env, rows, columns, keys, b"more-here")
    assert code == 0, shown
    return shown.replace("\r\n", "\n")


def fill_log(gate):
    now = int(time.time())
    add_verdict(gate, now - 86400 * 40, "old@x.test", [("b@example.org", "encrypted", None, False)], queue_id="4A")
    add_verdict(gate, now - 3600, "a@x.test", [("b@example.org", "encrypted", None, False)], queue_id="4B")
    add_verdict(gate, now - 60, "a@mail.y.test", [("c@sub.example.org", "encrypted", None, True)], queue_id="4C",
                verdict="encrypted", action="accept", form="pgp-mime", reason="pgp-mime", reply="")
    add_verdict(gate, now - 30, "<>", [("b@example.org", "exempt", 1, True), ("d@z.test", "observe", None, False)],
                queue_id="4D", action="accept", reply="")
    with sqlite3.connect(gate.database) as d:  # the sums by day, which know what there is to look for
        d.execute("INSERT OR REPLACE INTO daily SELECT time_unix / 86400, verdict, action, would, count(*), count(*),"
                  " sum(size_bytes) FROM verdict GROUP BY 1, 2, 3, 4")
    d.close()
    return now


def ids(rows):
    return [r["queue_id"] for r in rows]


def on_terminal(gate, *words, **env):
    """Exit status, standard output, and what the terminal that is standard error was shown."""
    master, slave = pty.openpty()
    run = subprocess.Popen([PGPGATE, "-c", gate.conf, *words], stdout=subprocess.PIPE, stderr=slave, text=True,
                           env={**os.environ, "TERM": "xterm", **env})
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 4096):
            shown += chunk
    except OSError:  # EIO: the other side is closed
        pass
    out = run.stdout.read()
    os.close(master)
    return run.wait(), out, shown.decode()


def add_daily(gate):
    """The sums by day of what add_verdict() has stored: the filter keeps them in the same transaction."""
    with sqlite3.connect(gate.database) as d:
        d.execute("DELETE FROM daily")
        d.execute("INSERT INTO daily SELECT time_unix / 86400, verdict, action, would, count(*), sum((SELECT count(*)"
                  " FROM verdict_recipient WHERE verdict_id = verdict.id)), sum(size_bytes) FROM verdict"
                  " GROUP BY 1, 2, 3, 4")
    d.close()


NOON = int(time.time()) // 86400 * 86400 - 43200  # yesterday's


def utc(when):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


def fill_report(gate):
    """10 days of: a shop that is refused twice a day, a partner that encrypts once a day, and observed mail. Hours lie
    between them, so that it does not matter how long a test takes."""
    hour = 3600
    for day in range(10):
        when = NOON - day * 86400
        for i in range(2):
            add_verdict(gate, when + i * hour, "news@shop.test", [("tips@example.org", "encrypted", None, False)])
        add_verdict(gate, when + 3 * hour, "bob@partner.test", [("tips@example.org", "encrypted", None, True),
                                                       ("bob@example.org", "observe", None, True)],
                    verdict="encrypted", action="accept", form="pgp-mime", reason="ok", cleartext_bytes=0)
        add_verdict(gate, when + 4 * hour, "<>", [("alice@example.org", "observe", None, True)], action="accept",
                    would="refuse" if day == 0 else "accept")
        add_verdict(gate, when + 5 * hour, "carol@partner.test", [("bob@example.org", "observe", None, True)],
                    verdict="encrypted", action="accept", form="pgp-mime", reason="ok", cleartext_bytes=0)
    add_daily(gate)
