# SPDX-License-Identifier: ISC
"""The doctor over files, without a running Postfix (test_doctor has the running one)."""

import atexit
import json
import os
import shutil
import tempfile

import pytest


def fake_postfix(gate, main, master="smtp inet n - y - - smtpd\n"):
    """A configuration directory of Postfix; nothing runs."""
    # Postfix's programs are never run as root, and whichever pytest starts beside this one closes the folder of all their files.
    etc = tempfile.mkdtemp(prefix="pgpgate-doctor.")
    atexit.register(shutil.rmtree, etc, True)
    os.chmod(etc, 0o755)
    queue = os.path.join(gate.path, "queue")
    with open(os.path.join(etc, "main.cf"), "w", encoding="utf-8") as f:
        f.write(f"compatibility_level = 3.6\nqueue_directory = {queue}\nmyhostname = mx.example.org\n"
                f"alias_maps =\n{main}")
    with open(os.path.join(etc, "master.cf"), "w", encoding="utf-8") as f:
        f.write(master)
    with open(gate.conf, "w", encoding="utf-8") as f:
        f.write(f"database = sqlite:{gate.database}\nuser =\nfilter_socket = local:{queue}/pgpgate/filter.sock\n"
                f"policy_socket = local:{queue}/pgpgate/policy.sock\n")
    return etc


GOOD_MAIN = ("smtpd_milters = unix:pgpgate/filter.sock\nnon_smtpd_milters = unix:pgpgate/filter.sock\n"
             "smtpd_forbid_bare_newline = yes\n"
             "smtpd_recipient_restrictions = check_policy_service unix:pgpgate/policy.sock\n")


def doctor(gate, etc):
    result = gate.run("--json", "doctor", "--postfix-config", etc)
    assert result.code in (0, 1) and result.err == "", result
    return [json.loads(line) for line in result.out.splitlines()], result.code


def problems(found, topic):
    return [f["text"] for f in found if f["topic"] == topic and f["state"] == "problem"]


@pytest.mark.skipif(not os.path.exists("/usr/sbin/postconf"), reason="no Postfix")
def test_doctor_reads_the_configuration_of_postfix(gate):
    found, code = doctor(gate, fake_postfix(gate, GOOD_MAIN))
    assert problems(found, "postfix") == [] and problems(found, "database") == [], found
    assert code == 1 and problems(found, "filter") and problems(found, "policyd")  # neither runs here
    etc = fake_postfix(gate, "milter_default_action = accept\nsmtpd_forbid_bare_newline = no\n"
                       "smtpd_milter_maps = inline:{192.0.2.1=DISABLE}\n",
                       "smtp inet n - y - 5000 smtpd\n"
                       "10025 inet n - y - - smtpd\n -o smtpd_proxy_filter=127.0.0.1:10026\n"
                       "10027 inet n - y - - smtpd\n -o smtpd_milters=\n")
    found, code = doctor(gate, etc)
    told = "\n".join(problems(found, "postfix"))
    for part in ("smtpd_milters does not name", "milter_default_action = accept", "smtpd_forbid_bare_newline is off",
                 "smtpd_milter_maps", "10027/inet goes without our filter", "10025/inet has smtpd_proxy_filter",
                 "5200 smtpd processes"):
        assert part in told, (part, told)
    assert all(f["mend"] for f in found if f["state"] == "problem" and f["topic"] == "postfix")
    etc = fake_postfix(gate, GOOD_MAIN.replace("unix:pgpgate/filter", f"unix:{gate.path}/queue/pgpgate/filter"))
    assert any("absolute path" in t for t in problems(doctor(gate, etc)[0], "postfix"))
    found = [json.loads(line) for line in gate.run("--json", "-o", "filter_socket=local:/run/x.sock", "doctor",
                                                  "--postfix-config", etc).out.splitlines()]
    assert any("outside" in t for t in problems(found, "filter")), found
    text = gate.must("doctor", "--postfix-config", etc, code=1)
    assert "MEND" in text and "to mend." in text


@pytest.mark.skipif(not os.path.exists("/usr/sbin/postconf"), reason="no Postfix")
def test_doctor_finds_exempt_aliases_of_protected_mailboxes(gate):
    etc = fake_postfix(gate, GOOD_MAIN + "virtual_alias_maps = inline:{news@example.org=tips@example.org}\n")
    gate.must("exempt", "news@example.org")
    gate.must("require", "tips@example.org")
    found, _ = doctor(gate, etc)
    assert "tips@example.org" in problems(found, "aliases")[0]
    gate.must("exempt", "tips@example.org")
    found, _ = doctor(gate, etc)
    assert problems(found, "aliases") == []


def test_doctor_says_how_to_mend_the_database(bare):
    result = bare.run("--json", "doctor")
    found = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == 1 and problems(found, "database")
    assert [f["mend"] for f in found if f["topic"] == "database"] == [f"pgpgate -c {bare.conf} db init"]
    bare.must("db", "init")
    os.chmod(bare.database, 0o666)
    result = bare.run("doctor")
    assert "chmod o= " in result.out, result
