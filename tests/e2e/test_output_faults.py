# SPDX-License-Identifier: ISC
"""What the command line prints when memory is short, or when somebody else has written into the database."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess

import pytest

from harness.pair import program

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
static long left = -1;
static int fails(void)
{
	if (left < 0) {
		const char *n = getenv("FAIL_AT");
		left = n != NULL ? atol(n) : 0;
	}
	return left > 0 && --left == 0;
}
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t m) { return fails() ? NULL : __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { return fails() ? NULL : __libc_realloc(p, n); }
"""


@pytest.fixture
def gate(tmp_path):
    conf = tmp_path / "pgpgate.conf"
    conf.write_text(f"database = sqlite:{tmp_path}/pgpgate.db\nuser =\n")

    def run(*words, env=None):
        return subprocess.run([program("pgpgate"), "-c", str(conf), *words], capture_output=True, timeout=60, check=False,
                              env={**os.environ, **(env or {})})
    run.database = str(tmp_path / "pgpgate.db")
    run.path = tmp_path
    assert run("db", "init").returncode == 0
    return run


@pytest.mark.skipif(bool(os.environ.get("PGPGATE_SANITIZED")), reason="sanitizers have an allocator of their own")
def test_json_is_whole_or_the_exit_code_says_so(gate):
    """Every allocation fails once: the same lines, or an error."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    source, shim = gate.path / "shim.c", gate.path / "shim.so"
    source.write_text(SHIM)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(shim), str(source)], check=True)
    assert gate("exempt", "a@example.org", "--note", "a note").returncode == 0
    whole = gate("--json", "rules").stdout
    assert json.loads(whole)["note"] == "a note"
    last = False
    for n in range(1, 3000, 1 if os.environ.get("PGPGATE_LONG") else 7):
        result = gate("--json", "rules", env={"LD_PRELOAD": str(shim), "FAIL_AT": str(n)})
        assert result.returncode >= 0, (n, result)
        assert result.returncode != 0 or result.stdout == whole, (n, result)
        last = result.returncode == 0 and result.stdout == whole
        if n > 2500 and last:
            break
    assert last


def test_export_of_a_doctored_database_prints_no_control_bytes(gate):
    assert gate("exempt", "a@example.org", "--note", "plain").returncode == 0
    with contextlib.closing(sqlite3.connect(gate.database, isolation_level=None)) as d:
        d.execute("UPDATE rule SET note = ?, recipient = ?", ("evil\x1b[2J\x07\u202e", "org.example@a\x1b]0;x\x07"))
    for words in (("export",), ("rules",), ("--json", "export"), ("--json", "rules")):
        out = gate(*words).stdout
        assert out and not any(c < 0x20 and c != 0x0a for c in out) and b"\xe2\x80\xae" not in out, (words, out)
