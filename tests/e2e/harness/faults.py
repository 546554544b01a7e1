# SPDX-License-Identifier: ISC
"""The library for LD_PRELOAD with which calls of the C library fail (tests/faults/faults.c)."""

import os
import subprocess

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../faults/faults.c"))


def build_faults(library):
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", library, SOURCE],
                   check=True)
    return library
