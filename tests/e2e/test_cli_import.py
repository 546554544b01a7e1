# SPDX-License-Identifier: ISC
"""Rules out of files and into them, without Postfix."""

import pytest

from harness.gate import DATAERR, NOINPUT, Gate

RULES = [
    ["exempt", "alice@example.org", "--note", 'say "hello" \\ to Zoë = # ; 漢字', "--sender", "shop.test"],
    ["exempt", "bücher.example.org", "--client", "2001:db8::/32", "--starts", "2026-12-01", "--expires", "2099-12-31"],
    ["require", "*", "--yes", "--help-url", "https://example.org/pgp?a=b&c=%20"],
    ["observe", "abuse@", "--client", "authenticated", "--sender", "<>"],
    ["require", ".example.org", "--level", "ratchet"],
    ["require", "user+ext@example.org", "--level", "signed", "--note", "'"],
]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_export_then_import_is_the_identity(gate, tmp_path, form):
    for words in RULES:
        gate.must(*words)
    exported = gate.must("export", *form)
    assert len(exported.splitlines()) == len(RULES)
    other = tmp_path / "other"
    other.mkdir()
    other = Gate(other)
    other.must("db", "init")
    assert f"imported {len(RULES)} rules" in other.must("import", data=exported)
    assert other.must("export") == gate.must("export")
    volatile = {"id", "created_at"}
    strip = [{k: v for k, v in r.items() if k not in volatile} for r in gate.json("export")]
    assert [{k: v for k, v in r.items() if k not in volatile} for r in other.json("export")] == strip
    assert strip[0]["note"] == RULES[0][3]
    # again: all are as they were
    again = other.json("import", data=exported)[0]
    assert again == {"imported": 6, "replaced": 0, "added": 0, "changed": 0, "unchanged": 6, "removed": 0, "kept": 0,
                     "change": None, "dry_run": False}
    assert other.must("export") == gate.must("export")


def test_import_is_all_or_nothing_and_collects_errors(gate):
    gate.must("exempt", "before@example.org")
    before = gate.must("export")
    path = gate.file("rules.txt", "exempt a@example.org\nfrob b@example.org\n\n# c\nexempt c@d@e\nexempt f@example.org\n")
    result = gate.run("import", path)
    assert result.code == DATAERR and result.out == "", result
    lines = result.err.splitlines()
    assert lines[0].startswith(f"pgpgate: {path}:2: ") and lines[1].startswith(f"pgpgate: {path}:5: ")
    assert len(lines) == 3 and "nothing was imported" in lines[2]
    assert gate.must("export") == before
    result = gate.run("import", data="frob x\n" * 100)
    assert len(result.err.splitlines()) == 21 and "stdin:20:" in result.err and "first 20" in result.err, result
    result = gate.run("import", data="exempt a@example.org\n" + "x" * 20000 + "\nfrob z\n")
    assert "stdin:2:" in result.err and "too long" in result.err and "stdin:3:" in result.err, result
    result = gate.run("import", data="exempt a@example.org note=\"a\0b\"\n")
    assert result.code == DATAERR and "stdin:1:" in result.err, result
    assert gate.must("export") == before
    gate.misuse("import", "/nonexistent.txt", code=NOINPUT, says="/nonexistent.txt")
    gate.misuse("import", gate.path, code=NOINPUT, says=gate.path)
    assert "imported 0 rules" in gate.must("import", data="# nothing\n\n")


def test_import_takes_what_windows_programs_write(gate):
    gate.must("import", "-", data="\ufeff# rules\r\nexempt a@example.org\r\n\r\nobserve b@example.org note=\"x y\"\r\n")
    gate.must("import", "-", data='\ufeff{"recipient": "c@example.org", "requirement": "signed"}\r\n')
    assert gate.must("export").splitlines() == ["exempt a@example.org", 'observe b@example.org note="x y"',
                                                "signed c@example.org"]
    assert "stdin:2:" in gate.run("import", "-", data="exempt a@x.test\n\ufeffexempt b@x.test\n").err


def test_import_of_json_lines_names_the_line(gate):
    result = gate.run("import", data='{"recipient":"a@example.org","requirement":"exempt"}\n{"recipient":7}\n{oops\n')
    assert result.code == DATAERR, result
    assert "stdin:2:" in result.err and "stdin:3: column" in result.err
    assert gate.json("rules") == []


def test_import_of_a_postfix_access_file(gate):
    path = gate.file("access", "# whitelist\nexample.org\tOK\n.sub.test   OK\nuser@other.test\n    REJECT go away\n"
                     "abuse@ OK\n\nold.test DUNNO\n")
    gate.must("import", "--format", "access", "--map", "OK=exempt", "--map", "REJECT=encrypted", "--map", "DUNNO=skip",
              path)
    assert gate.must("export").splitlines() == [
        "exempt example.org", "exempt .example.org", "exempt .sub.test", "encrypted user@other.test", "exempt abuse@"]
    result = gate.run("import", "--format", "access", "--map", "OK=exempt", path)
    assert result.code == DATAERR and f"{path}:4:" in result.err and f"{path}:8:" in result.err, result


def test_many_rules_are_imported(gate):
    n = 20000
    out = gate.must("import", data="".join(f"exempt u{i}@example.org\n" for i in range(n)))
    assert "imported 20,000 rules" in out
    assert gate.json("explain", "u19999@example.org")[0]["requirement"] == "exempt"
    assert gate.json("db", "status")[0]["rules"] == n
