#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The sources themselves: no comment that stands before another comment instead of what it is about, no SQL statement that
nobody asks for, no function in a header that the programs do not call, or that only its own file calls, no enumeration out of
sight of a switch over it, no parameter of a statement that is copied. Ends with the line "N passed, N failed, N skipped"."""

import glob
import os
import re
import sys

TREE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDERS = ("common", "scan", "db", "filter", "policyd", "cli", "sync")
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


# A prototype; what has a body in a header is static inline.
PROTOTYPE = re.compile(r"^(?!static|typedef|struct \w+ \{|#)[a-z_]\w*[\w *]*?\b(\w+)\([^;{}]*\)[^;{}]*;", re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# What libmilter calls, since our definition comes before the C library's (filter/stand_in.h).
STAND_INS = {"accept", "sigwait", "inet_aton", "__syslog_chk"}
# What only a test asks, of a struct that nobody else may look into.
FOR_TESTS = {"instances_count"}


def code(path):
    return COMMENT.sub("", read(path))


def unused_functions():
    """Called by the programs, not by tests alone; and by another file, or a test beside its own."""
    texts = {path: code(path) for path in sources(".c", ".h")}
    words = {path: set(re.findall(r"\w+", text)) for path, text in texts.items()}
    tests = set()
    for path in glob.glob(f"{TREE}/tests/**/*.[ch]", recursive=True):
        tests |= set(re.findall(r"\w+", code(path)))
    for header, text in texts.items():
        for name in PROTOTYPE.findall(text) if header.endswith(".h") else ():
            callers = [p for p in texts if p.endswith(".c") and name in words[p]]
            own = [p for p in callers if re.search(rf"^(?!\s)[^;{{}}\n]*\b{name}\([^;{{}}]*\)\s*\{{", texts[p], re.MULTILINE)]
            others = [p for p in callers if p not in own] + [p for p in texts if p.endswith(".h") and name in words[p] and
                                                          (p != header or len(re.findall(rf"\b{name}\b", text)) > 1)]
            calls_itself = any(len(re.findall(rf"\b{name}\b", texts[p])) > 1 for p in own)
            where = f"{os.path.relpath(header, TREE)}: {name}()"
            if name not in STAND_INS | FOR_TESTS and own and not others:
                if not calls_itself:
                    yield f"{where} is not called by any program"
                elif name not in tests:
                    yield f"{where} is called by its own file only: static"


def copied_parameters():
    """Without memory for the copy a parameter is NULL, which finds nothing, and nobody asks what sqlite3_bind_*() returned."""
    for path in sources(".c"):
        for m in re.finditer(r"\bsqlite3_bind_\w+\([^;]*\bSQLITE_TRANSIENT\b", code(path)):
            yield f"{os.path.relpath(path, TREE)}: bind what stays until the statement has run: {' '.join(m.group().split())[:70]}"


def main():
    failed = 0
    checks = (torn_comments, unused_statements, unused_functions, copied_parameters)
    for check in checks:
        found = list(check())
        failed += bool(found)
        for line in found:
            print(line)
    print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
