#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Whatever becomes available, or goes away, after a first configure is found by the next build.

tests/steps/build.sh builds a tiny tree of its own here, whose configure looks for a library that pkg-config does
not know at first. Ends with the line "N passed, N failed, N skipped".
"""

import os
import shutil
import subprocess
import sys
import tempfile

TREE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
MODULE = "pgpgate-test-module"
CONFIGURE_AC = f"""AC_INIT([tiny], [1])
AM_INIT_AUTOMAKE([foreign])
PKG_CHECK_MODULES([LATER], [{MODULE}], [found=yes], [found=no])
AC_SUBST([found])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
"""
MAKEFILE_AM = "all-local:\n\techo $(found) >found\n"
PC = f"Name: {MODULE}\nDescription: test\nVersion: %s\n"

counts = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, found, expected):
    counts["passed" if found == expected else "failed"] += 1
    if found != expected:
        print(f"FAIL configure again: {name}: found {found!r}, expected {expected!r}")


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


class Tiny:
    def __init__(self, folder):
        self.folder, self.build = folder, os.path.join(folder, "build")
        self.modules = os.path.join(folder, "modules")
        os.mkdir(self.modules)
        write(folder, "configure.ac", CONFIGURE_AC)
        write(folder, "Makefile.am", MAKEFILE_AM)

    def built(self, *arguments):
        """What the configure in force found, after build_in()."""
        script = f'top=$1; . "{TREE}/tests/steps/build.sh"; shift; build_in "$top/build" "$@"'
        run = subprocess.run(["sh", "-c", script, "sh", self.folder, *arguments], capture_output=True, text=True,
                             env={**os.environ, "PKG_CONFIG_PATH": self.modules}, check=False)
        if run.returncode != 0:
            return run.stderr
        with open(os.path.join(self.build, "found"), encoding="utf-8") as file:
            return file.read().strip()

    def configured_at(self):
        return os.stat(os.path.join(self.build, "config.log")).st_mtime_ns


def main():
    folder = tempfile.mkdtemp()
    try:
        tiny = Tiny(folder)
        check("not there yet", tiny.built(), "no")
        at = tiny.configured_at()
        check("still not there", tiny.built(), "no")
        check("nothing new, nothing configured", tiny.configured_at(), at)
        write(tiny.modules, f"{MODULE}.pc", PC % "1.0")
        check("it came", tiny.built(), "yes")
        at = tiny.configured_at()
        write(tiny.modules, f"{MODULE}.pc", PC % "1.0")
        check("the same again", (tiny.built(), tiny.configured_at()), ("yes", at))
        os.remove(os.path.join(tiny.modules, f"{MODULE}.pc"))
        check("it went", tiny.built(), "no")
    finally:
        shutil.rmtree(folder)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
