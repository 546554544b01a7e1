#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes the golden messages that are built by rule: NAME.eml and NAME.verdict for each row of
cases_*.py, the same on every machine. Messages that real programs encrypted (their keys are random) lie
beside them and are left alone.

    ./make.py          writes what differs
    ./make.py --check  says what differs, exit 1 if anything does
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import cases_armor
import cases_html
import cases_mime
import cases_other
import cases_packets
import cases_world


def verdict_text(rule, expect, message, note, settings):
    verdict, form, reason = expect.split()
    if form == "+":
        form = "pgp-mixed" if b"application/pgp-encrypted" in message.lower() else "pgp-inline"
    lines = ["# rule %d: %s" % (rule, note) if rule else "# " + note, "verdict: " + verdict.replace("?", "any")]
    if form != "?":
        lines.append("form: " + ("none" if form == "-" else form))
    if reason != "?":
        lines.append("reason: " + reason)
    lines += ["%s: %s" % pair for pair in settings.items()]
    return ("\n".join(lines) + "\n").encode()


def main():
    check = sys.argv[1:] == ["--check"]
    names, differ = set(), 0
    for cases in (cases_mime, cases_armor, cases_packets, cases_other, cases_html, cases_world):
        for name, rule, expect, message, note, *rest in cases.CASES:
            assert name not in names, name
            names.add(name)
            settings = rest[0] if rest else {}
            for suffix, content in (".eml", message), (".verdict", verdict_text(rule, expect, message, note, settings)):
                path = os.path.join(HERE, name + suffix)
                try:
                    with open(path, "rb") as f:
                        same = f.read() == content
                except FileNotFoundError:
                    same = False
                if same:
                    continue
                differ += 1
                if check:
                    print("differs: %s%s" % (name, suffix))
                else:
                    with open(path, "wb") as f:
                        f.write(content)
    stale = [f for f in os.listdir(HERE) if f.endswith((".eml", ".verdict"))
             and f[0] == "r" and f[1:3].isdigit() and f.rsplit(".", 1)[0] not in names]
    for f in stale:
        print("no row makes %s" % f)
    print("%d messages built by rule, %d files %s" % (len(names), differ, "differ" if check else "written"))
    return 1 if check and (differ or stale) else 0


if __name__ == "__main__":
    sys.exit(main())
