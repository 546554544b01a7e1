# SPDX-License-Identifier: ISC
"""What root does who runs a command, before it has become the daemons' user: the table below, and nothing else. What lies in
the state directory, in a message, in a certificate, or behind a table of Postfix may have been put there to take over
whoever reads it: none of it is read as root. A command that is not in the table fails the test, and so does one that
does more, or less, than its row says."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from harness import sweep
from harness.as_root import traced
from harness.pair import program, run_program
from harness.terminal import run_on_terminal

pytestmark = pytest.mark.skipif(bool(os.environ.get("PGPGATE_SANITIZED")), reason="strace and LeakSanitizer exclude each other")

MESSAGE = os.path.join(sweep.MAIL, "gpg-3des.eml")
# In every row: the program, and the configuration, which is root's.
ALWAYS = {"runs PGPGATE", "reads CONF"}
# A process that opens files and reads none is asked for the next one; one that reads the database tells what it found.
ASKED, TOLD = "reads a socket", "reads a pipe"

# The words of a command, its exit code, and what is done as root.
TABLE = [
    (["exempt", "a@example.org"], 0, set()),
    (["require", "b@example.org"], 0, set()),
    (["encrypted", "c@example.org"], 0, set()),
    (["signed", "d@example.org"], 0, set()),
    (["ratchet", "e@example.org"], 0, set()),
    (["observe", "f@example.org"], 0, set()),
    (["forget", "f@example.org"], 0, set()),
    (["undo"], 0, set()),
    (["rules"], 0, set()),
    (["import", "-"], 0, set()),
    (["import", "FILES/rules"], 0, {"opens FILES/rules"}),
    (["export"], 0, set()),
    (["pause", "--for", "1h"], 0, set()),
    (["resume"], 0, set()),
    (["explain", "a@example.org"], 0, set()),
    (["explain", "--queue-id", "4ABC"], 1, set()),
    (["explain", "-"], 1, set()),
    (["explain", "a@example.org", "--client", "192.0.2.1"], 0, set()),
    (["explain", "a@example.org", "--message", "FILES/mail/one"], 0, {"opens FILES/mail/one", ASKED}),
    (["explain", "a@example.org", "--message", "-"], 0, {ASKED}),
    (["check", "-"], 0, {ASKED}),
    (["check", "FILES/mail/one"], 0, {"opens FILES/mail/one", ASKED}),
    (["check", "FILES/mail"], 0, {"opens FILES/mail", "opens FILES/mail/one", ASKED}),
    (["log"], 0, set()),
    (["report"], 0, set()),
    (["report", "--html", "FILES/page.html"], 0, {"writes FILES/page.html", "changes FILES/page.html"}),
    (["simulate", "encrypted", "a@example.org"], 0, set()),
    (["suggest"], 0, set()),
    (["keys", "import", "b@example.org", "FILES/key.asc"], 0, {"reads FILES/key.asc"}),
    (["keys", "import", "b@example.org", "-"], 0, {"reads a pipe"}),
    (["keys", "add", "b@example.org", 40 * "A"], 0, set()),
    (["keys", "list"], 0, set()),
    (["keys", "forget", "b@example.org", 40 * "A"], 0, set()),
    (["keys", "learn"], 0, set()),
    (["keys", "expiring"], 0, set()),
    (["keys", "check"], 0, set()),
    (["keys", "group", "g@example.org", "=", "b@example.org"], 0, set()),
    (["keys", "export", "--wkd", "FILES/wkd"], 0,
     {"makes FILES/wkd", "opens FILES/wkd", "makes FILES/wkd/*", "opens FILES/wkd/*", "writes FILES/wkd/*",
      "renames to FILES/wkd/*", TOLD}),
    (["config"], 0, set()),
    (["doctor"], None, set()),
    (["metrics"], 0, set()),
    (["db", "init"], 0, set()),
    (["db", "status"], 0, set()),
    (["db", "migrate"], 0, set()),
    (["db", "check"], 0, set()),
    (["db", "prune", "--older-than", "90d"], 0, set()),
    (["db", "compact"], 0, set()),
    (["db", "backup", "FILES/copy.db"], 0,
     {"writes FILES/copy.db.partial", "changes FILES/copy.db.partial", "renames to FILES/copy.db", "opens FILES", TOLD}),
    (["db", "restore", "FILES/copy.db"], 0, {"reads FILES/copy.db"}),
    (["site", "init"], 78, {"runs PGPGATE-sync"}),
    (["site", "join"], 78, {"runs PGPGATE-sync"}),
    (["site", "status"], 78, {"runs PGPGATE-sync"}),
    (["site", "leave"], 78, {"runs PGPGATE-sync"}),
    (["site", "forget", "mx2"], 78, {"runs PGPGATE-sync"}),
]


class Place:
    """A state directory of the daemons' user, and files that only root may read."""

    def __init__(self, place):
        self.dir, self.user = place.directory("root", mode=0o755), place.user
        self.state = place.directory("root/state", place.user.pw_uid, place.user.pw_gid, 0o2770)
        self.sockets = place.directory("root/sockets", place.user.pw_uid, place.postfix.pw_gid, 0o2750)
        self.files, self.conf = place.directory("root/files", mode=0o700), os.path.join(self.dir, "pgpgate.conf")
        os.mkdir(os.path.join(self.files, "mail"))
        shutil.copy(MESSAGE, os.path.join(self.files, "mail/one"))
        self.trace = os.path.join(self.dir, "trace")
        for name, text in (("files/rules", "exempt list@example.org\n"), ("files/key.asc", certificate(place)), ("pgpgate.conf", (
                f"database = sqlite:{self.state}/pgpgate.db\nuser = {self.user.pw_name}\n"
                f"filter_socket = local:{self.sockets}/filter.sock\npolicy_socket = local:{self.sockets}/policy.sock\n"))):
            with open(os.path.join(self.dir, name), "w", encoding="ascii") as f:
                f.write(text)
        os.chmod(self.conf, 0o600)

    def run(self, words, data=b"", options=()):
        """The result, and what was done as root, in the words of the table."""
        words = [w.replace("FILES", self.files) for w in words]
        result, done = traced([program("pgpgate"), "-c", self.conf, *options, *words], self.trace, data)
        return result, {f"{what} {self.named(path)}" for what, path in done
                        if what != "names" and (what != "opens" or ("reads", path) not in done)}

    def named(self, path):
        path = re.sub(r"^(socket|pipe):\[\d+\]$", r"a \1", path)
        for long, short in ((self.files, "FILES"), (self.conf, "CONF"), (program("pgpgate"), "PGPGATE"), (self.state, "STATE")):
            path = path.replace(long, short)
        return re.sub("^FILES/wkd/.*", "FILES/wkd/*", path)


def certificate(place):
    home = place.directory("gnupg", mode=0o700)
    gpg = ["gpg", "--homedir", home, "--batch", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-gen-key", "b@example.org", "rsa2048", "encr"], check=True, capture_output=True)
    text = subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True).stdout.decode("ascii")
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
    return text


@pytest.fixture(scope="module")
def root(place):
    if subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], check=False).returncode != 0:
        pytest.skip("strace may not trace here")
    r = Place(place)
    assert run_program([program("pgpgate"), "-c", r.conf, "db", "init"]).code == 0
    return r


def stdin_for(words):
    with open(MESSAGE, "rb") as f:
        message = f.read()
    if words[:2] == ["keys", "import"]:
        return None
    return b"exempt g@example.org\n" if words[0] == "import" else b"" if words == ["explain", "-"] else message


def test_what_each_command_does_as_root(root):
    told = []
    with open(os.path.join(root.files, "key.asc"), "rb") as f:
        key = f.read()
    for words, code, more in TABLE:
        result, done = root.run(words, key if words[:2] == ["keys", "import"] else stdin_for(words))
        if done != ALWAYS | more:
            told.append(f"{' '.join(words)}: more {sorted(done - ALWAYS - more)}, less {sorted((ALWAYS | more) - done)}")
        if code is not None and result.returncode != code:
            told.append(f"{' '.join(words)}: exit {result.returncode}: {result.stderr[-300:]}")
    assert not told, "\n".join(told)


def words_of(*command):
    """The commands, or subcommands, that the program itself lists."""
    text = run_program([program("pgpgate"), *command, "--help"]).out
    return re.findall(r"^  (\w+)", text.split("ommands:\n", 1)[1].split("\n\n")[0], re.M)


def test_every_command_is_in_the_table():
    known = {tuple(words[:1]) for words, _, _ in TABLE} | {tuple(words[:2]) for words, _, _ in TABLE}
    commands = [(c,) for c in words_of()] + [(c, s) for c in ("db", "keys", "site") for s in words_of(c)]
    assert len(commands) > 40
    assert [c for c in commands if c not in known] == []


@pytest.mark.parametrize("user", ["", "pgpgate"])
def test_without_another_user_a_stranger_is_read_by_nobody(root, user):
    """Where no user is set, or the default one is not there yet, the database is root's; what came by mail is not."""
    if user != "" and run_program(["getent", "passwd", user]).code == 0:
        pytest.skip(f"there is a user {user} here")
    state = os.path.join(root.files, "state" + user)
    os.mkdir(state, 0o700)
    options = ["-o", f"user={user}", "-o", f"database=sqlite:{state}/p.db"]
    assert root.run(["db", "init"], options=options)[0].returncode == 0
    for words, data in [(["check", "FILES/mail/one"], b""), (["check", "-"], stdin_for(["check"])),
                        (["explain", "a@example.org", "--message", "FILES/mail/one"], b""),
                        (["explain", "a@example.org", "--message", "-"], stdin_for(["check"]))]:
        result, done = root.run(words, data, options)
        assert result.returncode == 0 and b"pgp-mime" in result.stdout, result
        assert not done & {"reads FILES/mail/one", "reads stdin"}, done
    result, _ = root.run(["keys", "import", "b@example.org", "FILES/key.asc"], options=options)
    assert result.returncode == 78 and b"not read as root" in result.stderr, result


# What whoever has taken over the daemons' user tries, in a process that root's command has started on root's terminal.
PUSHES = """
import fcntl, os, sys, termios
for fd in (0, 1, 2, "/dev/tty"):
    try:
        fcntl.ioctl(os.open(fd, os.O_RDWR) if isinstance(fd, str) else fd, termios.TIOCSTI, b"x")
        print("pushed into", fd)
    except OSError as e:
        print("no", fd)
print("as", os.geteuid())
"""


def on_terminal_of_root(command, env):
    """What a shell of root's shows that has a terminal of its own and runs the command there, as shells do."""
    return run_on_terminal(["sh", "-c", f"{command}; echo ended $?"], env)[1]


def test_nobody_pushes_characters_into_the_terminal_of_root(root):
    assert root.run(["import", "-"], b"".join(b"exempt u%d@example.org\n" % i for i in range(100)))[0].returncode == 0
    script = os.path.join(root.dir, "pushes.py")
    with open(script, "w", encoding="ascii") as f:
        f.write(PUSHES)
    shown = on_terminal_of_root(f"{program('pgpgate')} -c {root.conf} rules", {"PGPGATE_PAGER": f"{sys.executable} {script}"})
    assert f"as {root.user.pw_uid}" in shown and "ended 0" in shown, shown
    assert "pushed" not in shown and shown.count("no ") == 4, shown


def test_a_pager_has_a_terminal_to_take_keys_from(root):
    """It has no controlling one, and less takes keys from its standard error then."""
    assert root.run(["import", "-"], b"".join(b"exempt p%d@example.org\n" % i for i in range(100)))[0].returncode == 0
    shown = on_terminal_of_root(f"{program('pgpgate')} -c {root.conf} rules 2>/dev/null",
                                {"PGPGATE_PAGER": "test -t 2 && echo keys can come || echo no keys"})
    assert "keys can come" in shown, shown


def test_doctor_asks_tables_that_postfix_alone_may_read(root, make_pair, make_postfix, place):
    """As the daemons' user, with the group of the sockets' directory; a table for root alone is told as not looked at."""
    pair = make_pair("tables")
    path = os.path.join(place.directory("root/tables", mode=0o755), "aliases.cf")
    with open(path, "w", encoding="ascii") as f:
        f.write("/^postmaster@/ boss@example.org\n")
    mx = make_postfix("tables-mx", pair, settings={"virtual_alias_maps": f"proxy:regexp:{path}"})
    os.chmod(path, 0o640)
    for group, state in ((place.postfix.pw_gid, "note"), (0, "skipped")):
        os.chown(path, 0, group)
        result = pair.run("--json", "doctor", "--postfix-config", mx.etc)
        told = [line for line in result.out.splitlines() if '"aliases"' in line]
        assert any(f'"{state}"' in line for line in told), (group, told)
