#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The tree stands for itself: no file of it leads out of it, and every source names its license.

A reference leads out when it climbs above the top of the tree with "../", or names a folder in the root
directory that only this machine has. Ends with the line "N passed, N failed, N skipped".
"""

import os
import re
import subprocess
import sys

TREE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
STANDARD = set("bin boot dev etc home lib lib32 lib64 libx32 lost+found media mnt opt proc root run sbin srv "
               "sys tmp usr var".split())
MADE = {"configure", "config.h"}  # by autoreconf and configure
SOURCES = (".c", ".h", ".py", ".sh", ".sql", ".awk", ".am")

counts = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, complaints):
    if complaints:
        counts["failed"] += 1
        for complaint in complaints:
            print(f"FAIL {name}: {complaint}")
    else:
        counts["passed"] += 1


def tracked_files():
    """What git knows, or None outside of a clone."""
    try:
        listing = subprocess.run(["git", "-C", TREE, "ls-files", "-z"], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    if listing.returncode != 0:
        return None
    return [f for f in listing.stdout.split("\0") if f and os.path.isfile(os.path.join(TREE, f))]


def text_of(file):
    with open(os.path.join(TREE, file), "rb") as stream:
        content = stream.read()
    return None if b"\0" in content else content.decode("utf-8", "replace")


def leads_nowhere(file, reference):
    """Is ../... nothing of the tree, seen from the file's folder, from a folder of the top and from build/?"""
    for folder in (os.path.dirname(file), "build"):
        target = os.path.normpath(os.path.join(TREE, folder, reference))
        is_inside = target == TREE or target.startswith(TREE + os.sep)
        if is_inside and (os.path.exists(target) or os.path.basename(target) in MADE):
            return False
    return True


def foreign_roots():
    """What the root directory of this machine holds that the hierarchy standard does not know."""
    roots = {r for r in os.listdir("/") if os.path.isdir("/" + r) and not r.startswith(".")} - STANDARD
    return re.compile(r"(?<![\w./~}])/(" + "|".join(map(re.escape, sorted(roots))) + r")/") if roots else None


def test_references(files):
    foreign = foreign_roots()
    climbing, named = [], []
    for file in files:
        if file.startswith("tests/mail/") or file.startswith("tests/fuzz/"):
            continue  # messages: their text is data
        text = text_of(file)
        if text is None:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for reference in re.findall(r"(?<![\w./])((?:\.\./)+(?:\w[\w+-]*(?:[./]\w[\w+-]*)*)?)", line):
                if leads_nowhere(file, reference):
                    climbing.append(f"{file}:{number}: {line.strip()[:80]}")
            if foreign and foreign.search(line):
                named.append(f"{file}:{number}: {line.strip()[:80]}")
    check("no reference climbs out of the tree", climbing)
    check("no path of this machine", named)


def test_license(files):
    missing = []
    for file in files:
        if file.endswith(SOURCES) or file.startswith("man/"):
            text = text_of(file)
            if text is not None and text.strip() and "SPDX-License-Identifier: ISC" not in "\n".join(text.splitlines()[:3]):
                missing.append(file)
    check("every source begins with its license", missing)


def test_tarball(files):
    """`make distcheck` takes too long for every day: what is in no list of Makefile.am is not in the tarball, and a header
    that is missing there ends its build."""
    text = re.sub(r"(?m)^#.*$|\$\(.*?\)", " ", text_of("Makefile.am"))
    named = set(re.split(r"[\s=\\]+", text)) | {"Makefile.am", "configure.ac"}  # Automake takes these by itself
    named -= {"tests"}  # a word of a message, too; no list has the whole of it
    for file in files:
        part, is_named = file, os.path.splitext(file)[0] in named
        while part and not is_named:
            is_named = part in named
            part = os.path.dirname(part)
        if not is_named and not os.path.basename(file).startswith("."):
            yield f"{file} is in no list of Makefile.am"


def main():
    files = tracked_files()
    if files is None:
        print("SKIP tree: this is no clone, or there is no git")
        counts["skipped"] += 1
    else:
        test_references(files)
        test_license(files)
        check("the tarball has every file", list(test_tarball(files)))
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
