#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The sources themselves: no comment that stands before another comment instead of what it is about, no SQL statement that
nobody asks for. Ends with the line "N passed, N failed, N skipped"."""

import glob
import os
import re
import sys

TREE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDERS = ("common", "scan", "db", "filter", "policyd", "cli")
# A comment that ends a line, and the next line begins another; a file's first ones and headlines stand alone.
TORN = re.compile(r"^(/\*(?:(?!\*/).)*\*/)\n(/\*)", re.DOTALL | re.MULTILINE)
HEADLINE = re.compile(r"/\* ----|/\* SPDX")

def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def sources(*ends):
    for folder in FOLDERS:
        for path in sorted(glob.glob(f"{TREE}/{folder}/**/*", recursive=True)):
            if path.endswith(ends):
                yield path


def torn_comments():
    for path in sources(".h", ".c"):
        text = read(path)
        for m in TORN.finditer(text):
            if not HEADLINE.match(m.group(1)):
                line = text.count("\n", 0, m.start()) + 1
                yield f"{os.path.relpath(path, TREE)}:{line}: a comment without what it is about"


def unused_statements():
    used = "".join(read(path) for path in sources(".c", ".h"))
    for path in sorted(glob.glob(f"{TREE}/sql/*.sql")):
        for name in re.findall(r"^-- name: (\w+)$", read(path), re.MULTILINE):
            if not re.search(rf"\bSQL_{name.upper()}\b", used):
                yield f"{os.path.relpath(path, TREE)}: {name} is not used"


def main():
    failed = 0
    for check in (torn_comments, unused_statements):
        found = list(check())
        failed += bool(found)
        for line in found:
            print(line)
    print(f"{2 - failed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
