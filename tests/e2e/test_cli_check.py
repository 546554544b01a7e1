# SPDX-License-Identifier: ISC
"""Messages in files: pgpgate check."""

import os
import subprocess

import pytest

from harness.gate import CLEARTEXT, NOINPUT, PGPGATE

CHECK_FIELDS = ["file", "verdict", "form", "reason", "detail", "size", "cleartext_bytes", "key_ids"]


@pytest.fixture(scope="module")
def armored(tmp_path_factory):
    """An OpenPGP message by GnuPG, encrypted to a password."""
    home = tmp_path_factory.mktemp("gnupg")
    home.chmod(0o700)
    run = subprocess.run(["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--passphrase", "x",
                          "--armor", "--symmetric"], input=b"hello\n", capture_output=True, check=False)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], capture_output=True, check=False)
    if run.returncode != 0:
        pytest.skip("no gpg")
    return run.stdout.decode()


@pytest.fixture
def lenient(gate, armored):
    """Accepts messages to passwords only, so that no key is needed; has an encrypted message."""
    with open(gate.conf, "a", encoding="utf-8") as f:
        f.write("accept_password_only = yes\n")
    gate.encrypted = "From: a@x.test\nTo: b@example.org\nSubject: ...\n\n" + armored
    return gate


def test_check_exit_codes(lenient):
    good = lenient.file("good.eml", lenient.encrypted)
    bad = lenient.file("bad.eml", CLEARTEXT)
    assert "encrypted  pgp-inline" in lenient.must("check", good)
    assert "cleartext" in lenient.must("check", bad, code=1)
    assert "2 messages: 1 encrypted, 1 cleartext" in lenient.must("check", good, bad, code=1)
    result = lenient.run("check", good, "/nonexistent.eml", bad)
    assert result.code == NOINPUT and "/nonexistent.eml" in result.err and "cleartext" in result.out, result
    lenient.must("check", "-", data=lenient.encrypted)
    lenient.must("check", "-", data=CLEARTEXT, code=1)
    lenient.must("check", "-", data="", code=1)
    # accept_forms says what counts as encrypted, here as in the filter
    text = lenient.must("-o", "accept_forms=pgp-mime", "check", good, code=1)
    assert "encrypted  pgp-inline" in text and "PGP/MIME" in text, text
    lenient.must("-o", "accept_forms=pgp-mime, pgp-inline", "check", good)


def test_check_json_fields(lenient):
    good = lenient.file("good.eml", lenient.encrypted)
    found = lenient.json("check", good)[0]
    assert list(found) == CHECK_FIELDS
    assert (found["file"], found["verdict"], found["form"]) == (good, "encrypted", "pgp-inline")
    assert found["key_ids"] == [] and found["size"] > 0 and found["cleartext_bytes"] == 0
    found = lenient.json("check", "-", data=CLEARTEXT, code=1)[0]
    assert found["file"] == "-" and found["verdict"] == "cleartext" and found["cleartext_bytes"] == 10


def test_check_of_an_mbox(lenient):
    def entry(message):
        return "From a@x.test Sat Nov 21 12:34:56 2026\n" + message + "\n"
    box = lenient.file("box", entry(lenient.encrypted) + entry(CLEARTEXT + "\n>From here on\n") + entry(lenient.encrypted))
    found = lenient.json("check", box, code=1)
    assert [(f["message"], f["verdict"]) for f in found] == [(1, "encrypted"), (2, "cleartext"), (3, "encrypted")]
    assert {f["file"] for f in found} == {box}
    assert "3 messages: 2 encrypted, 1 cleartext" in lenient.must("check", box, code=1)
    assert len(lenient.json("check", "-", data=entry(lenient.encrypted) * 2)) == 2


def test_check_of_maildirs_and_trees(lenient):
    for name in ("Mail/cur/1:2,S", "Mail/new/2", "Mail/.Sent/cur/3:2,S"):
        lenient.file(name, lenient.encrypted)
    for name in ("Mail/tmp/4", "Mail/dovecot-uidlist", "Mail/subscriptions", "Mail/.Sent/maildirfolder",
                 "Mail/.Sent/new/.hidden"):
        lenient.file(name, CLEARTEXT)
    os.makedirs(os.path.join(lenient.path, "Mail/.Sent/tmp"), exist_ok=True)
    found = lenient.json("check", os.path.join(lenient.path, "Mail"))
    assert sorted(os.path.relpath(f["file"], lenient.path) for f in found) == [
        "Mail/.Sent/cur/3:2,S", "Mail/cur/1:2,S", "Mail/new/2"]
    lenient.file("tree/a/b.eml", CLEARTEXT)
    lenient.file("tree/c.eml", lenient.encrypted)
    lenient.file("tree/.hidden.eml", CLEARTEXT)
    os.symlink(os.path.join(lenient.path, "tree"), os.path.join(lenient.path, "tree", "loop"))
    os.mkfifo(os.path.join(lenient.path, "tree", "fifo"))
    found = lenient.json("check", os.path.join(lenient.path, "tree") + "/", code=1)
    assert sorted(os.path.relpath(f["file"], lenient.path) for f in found) == ["tree/a/b.eml", "tree/c.eml"]


def test_check_shows_the_tree_of_parts(lenient, armored):
    mail = lenient.file("m.eml", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n" +
                        armored + "\n--b\nContent-Type: text/html\n\nwords\n--b--\n")
    text = lenient.must("check", "--explain", mail, code=1)
    assert "partial" in text and "multipart/mixed" in text and "text/html" in text and "text/plain" in text
    found = lenient.json("check", "--explain", mail, code=1)[0]
    assert [p["type"] for p in found["parts"] if not p["is_multipart"]] == ["text/plain", "text/html"]


def test_check_takes_the_envelope(lenient):
    report = lenient.file("report.eml", "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;"
                          " boundary=b\n\n--b\nContent-Type: text/plain\n\nfailed\n--b\nContent-Type: message/delivery-status\n\n"
                          "Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; a@x.test\nAction: failed\n"
                          "Status: 5.1.1\n\n--b--\n")
    assert lenient.json("check", report, code=1)[0]["verdict"] == "cleartext"
    assert lenient.json("check", "--sender", "<>", report, code=1)[0]["verdict"] == "report"
    assert lenient.json("check", "--sender", "a@x.test", report, code=1)[0]["verdict"] == "cleartext"


def test_check_escapes_names_and_reads_odd_ones(lenient):
    path = lenient.file("odd\x1b[31m \udcff.eml", CLEARTEXT)
    result = lenient.run("check", path)
    assert result.code == 1 and "\x1b" not in result.out and "\\x1B[31m \\xFF.eml" in result.out, result
    assert lenient.json("check", path, code=1)[0]["verdict"] == "cleartext"


def test_check_memory_does_not_grow_with_the_message(lenient):
    """200 MB through an address space of 100 MB more than the program takes at rest."""
    line = b"x" * 75 + b"\n"
    run = subprocess.Popen(["prlimit", "--data=60000000", PGPGATE, "-c", lenient.conf, "check", "-"],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if os.environ.get("PGPGATE_SANITIZED"):
        run.kill()
        pytest.skip("sanitizers take memory of their own")
    for _ in range(100):
        run.stdin.write(line * 13000)
    out, err = run.communicate(timeout=300)
    assert run.returncode == 1, (out, err)
