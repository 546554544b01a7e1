#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What is installed beside the programs, against the programs: services, user, directories, completion.

PGPGATE_BUILD names the build directory (default: build/ in the tree). What needs a program that is not
there is skipped. Ends with the line "N passed, N failed, N skipped".
"""

import html.parser
import os
import re
import shutil
import subprocess
import sys
import tempfile

TREE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.realpath(os.environ.get("PGPGATE_BUILD", os.path.join(TREE, "build")))
DAEMONS = ("pgpgate-filter", "pgpgate-policyd")
EXPOSURE_MAX = 1.5
HOME = tempfile.mkdtemp()  # fish writes there

counts = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, complaints):
    counts["failed" if complaints else "passed"] += 1
    for complaint in complaints:
        print(f"FAIL {name}: {complaint}")


def skipped(name, why):
    counts["skipped"] += 1
    print(f"SKIP {name}: {why}")


def read(name):
    with open(os.path.join(TREE, "dist", name), encoding="utf-8") as file:
        return file.read()


def run(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, **more)


def defaults():
    lines = run(os.path.join(BUILD, "pgpgate"), "config", "-d").stdout.splitlines()
    return dict(re.split(r" = ?", line, maxsplit=1) for line in lines)


def test_services():
    folder = tempfile.mkdtemp()
    for daemon in DAEMONS:
        text = read(f"{daemon}.service.in")
        command = re.search(r"^ExecStart=@sbindir@/(\S+)(.*)$", text, re.M)
        done = run(os.path.join(BUILD, command.group(1)), *command.group(2).split(), "-n", "-c", "/dev/null")
        check(f"service: the command of {daemon}", [] if command.group(1) == daemon and done.returncode == 0
              else [f"exit {done.returncode}: {done.stderr.strip()}"])
        user = set(re.findall(r"^(?:User|Group)=(.*)$", text, re.M))
        check(f"service: the user of {daemon}", [] if user == {defaults()["user"]} else [f"{user}"])
        writable = set(re.search(r"^ReadWritePaths=(.*)$", text, re.M).group(1).split())
        check(f"service: what {daemon} may write", sorted(directories() ^ writable))
        with open(os.path.join(folder, f"{daemon}.service"), "w", encoding="utf-8") as file:
            file.write(text.replace("@sbindir@", BUILD))
    if shutil.which("systemd-analyze"):
        done = run("systemd-analyze", "verify", "--man=no", *(f"./{d}.service" for d in DAEMONS), cwd=folder)
        check("service: systemd-analyze verify", [line for line in done.stderr.splitlines() if "pgpgate" in line])
    else:
        skipped("service: systemd-analyze verify", "there is no systemd-analyze")
    test_exposure(folder)
    shutil.rmtree(folder)


def test_exposure(folder):
    """What systemd thinks of how much a broken-in daemon could do: 0 nothing, 10 everything."""
    for daemon in DAEMONS:
        done = run("systemd-analyze", "security", "--offline=yes", "--no-pager", f"./{daemon}.service", cwd=folder) \
            if shutil.which("systemd-analyze") else None
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout) if done else None
        if found is None:
            skipped(f"service: exposure of {daemon}", "there is no systemd-analyze that can do it")
        else:
            check(f"service: exposure of {daemon}", [] if float(found.group(1)) <= EXPOSURE_MAX else [found.group(0)])


def test_lasting():
    """A service comes back whenever its cause is gone, and starts before whatever Debian calls Postfix."""
    wanted = ("Restart=always", "RestartSec=2", "StartLimitIntervalSec=0", "Before=postfix.service postfix@-.service")
    for daemon in DAEMONS:
        lines = read(f"{daemon}.service.in").splitlines()
        check(f"service: {daemon} comes back", [f"{line}: not there" for line in wanted if line not in lines])


def directories():
    """Where the defaults put database and sockets."""
    values = defaults()
    return {os.path.dirname(values[key].split(":", 1)[1]) for key in ("database", "filter_socket", "policy_socket")}


def test_user():
    users = re.findall(r"^u (\S+)", read("pgpgate.sysusers"), re.M)
    check("sysusers: the user of the settings", [] if users == [defaults()["user"]] else [f"{users}"])


def test_directories():
    lines = re.findall(r"^d (\S+) (\S+) (\S+) (\S+) -$", read("pgpgate.tmpfiles"), re.M)
    check("tmpfiles: the directories of the settings", sorted({line[0] for line in lines} ^ directories()))
    with open(os.path.join(TREE, "README.md"), encoding="utf-8") as file:
        readme = file.read()
    with open(os.path.join(TREE, "man", "pgpgate-filter.8"), encoding="utf-8") as file:
        page = file.read().replace(" \\e\n    ", " ")
    for path, mode, user, group in lines:
        made = f"install -d -o {user} -g {group} -m {mode} {path}"
        wrong = [f"{made}: not in pgpgate-filter(8)"] if group == "postfix" and made not in page else []
        check(f"tmpfiles: {path}", wrong + ([] if made in readme or "systemd-tmpfiles" in readme
                                            else [f"{made}: not in README.md"]))


def test_apparmor():
    text = read("pgpgate.apparmor")
    # As long as nobody has tried it on a kernel that enforces it: mail must not wait for a rule that is missing.
    for daemon in DAEMONS:
        check(f"AppArmor: {daemon} complains", [] if re.search(rf"^profile {daemon} .*flags=\(complain\)", text, re.M)
              else ["the profile would forbid"])
    missing = [path for path in sorted(directories()) if f"  {path}/" not in text]
    check("AppArmor: the directories of the settings", missing)
    if shutil.which("apparmor_parser"):
        done = run("apparmor_parser", "-Q", "-K", "-T", os.path.join(TREE, "dist", "pgpgate.apparmor"))
        check("AppArmor: apparmor_parser", [] if done.returncode == 0 else [done.stderr.strip()])
    else:
        skipped("AppArmor: apparmor_parser", "there is no apparmor_parser")


def test_rsyslog():
    program = shutil.which("rsyslogd", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        skipped("rsyslog: the example", "there is no rsyslogd")
        return
    told = run(program, "-N1", "-f", os.path.join(TREE, "dist", "rsyslog", "pgpgate.conf"), timeout=60)
    wrong = [line for line in told.stderr.splitlines() if "error" in line and "no active actions" not in line]
    check("rsyslog: the example", wrong or ([] if told.returncode == 0 else [told.stderr]))


BASH = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pgpgate; printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = '. "$1"; shift; _pgpgate_candidates "$@"'
FISH = 'source $argv[1]; complete -C (string join " " -- $argv[2..-1])'
SHELLS = {"bash": ("bash", "-c", BASH, "bash"), "zsh": ("zsh", "-f", "-c", ZSH, "zsh"), "fish": ("fish", "-N", "-c", FISH)}


def completed(shell, *words):
    path = {**os.environ, "PATH": BUILD + ":" + os.environ["PATH"], "HOME": HOME}
    file = os.path.join(TREE, "dist", f"pgpgate.{shell}-completion")
    lines = run(*SHELLS[shell], file, "pgpgate", *words, env=path).stdout.splitlines()
    return {line.split("\t")[0] for line in lines}


VALUES = {
    ("log", "--action"): "accept refuse split quarantine tag tempfail",
    ("log", "--verdict"): "encrypted smime signed partial invalid report handshake cleartext",
    ("report", "--by"): "day recipient sender domain verdict",
    ("require", "--level"): "encrypted signed ratchet",
}


def long_options(*command):
    return set(re.findall(r"--[a-z][a-z-]+", run(os.path.join(BUILD, "pgpgate"), *command, "--help").stdout))


def test_completion(shell):
    program = os.path.join(BUILD, "pgpgate")
    commands = set(re.findall(r"^  ([a-z]+) ", run(program, "--help").stdout, re.M))
    check(f"{shell}: commands", sorted(completed(shell, "") ^ commands))
    for command in ("db", "site"):
        subcommands = set(re.findall(r"^  ([a-z]+) ", run(program, command, "--help").stdout, re.M))
        check(f"{shell}: commands of {command}", sorted(completed(shell, "-c", "x", command, "") ^ subcommands))
    for command in sorted(commands - {"db", "site"}):
        check(f"{shell}: options of {command}", sorted(long_options(command) - completed(shell, command, "-")))
    check(f"{shell}: settings", sorted({f"{key}=" for key in defaults()} ^ completed(shell, "-o", "")))
    for (command, option), values in VALUES.items():
        missing = set(values.split()) - completed(shell, command, option, "")
        check(f"{shell}: values of {command} {option}", sorted(missing))


class HelpPage(html.parser.HTMLParser):
    """What a page holds: ids, links, and whatever a reader's browser would load or run."""

    def __init__(self, name):
        super().__init__()
        self.ids, self.links, self.foreign, self.open = [], [], [], []
        self.feed(read(os.path.join("help", name)))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "a":
            self.links.append(attributes["href"])
        if tag in ("script", "link", "img", "iframe", "object", "embed", "form", "base") or \
                any(name == "src" or name.startswith("on") or name == "style" for name in attributes):
            self.foreign.append(self.get_starttag_text())

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.foreign.append(f"</{tag}> closes nothing")


def test_help_pages():
    page = os.path.join(TREE, "man", "pgpgate-verdicts.7")
    with open(page, encoding="utf-8") as file:
        reasons = file.read().partition(".Sh REASONS")[2].partition("\n.Sh ")[0]
    reasons = set(re.findall(r"^\.It Li ([a-z-]+)$", reasons, re.M)) - {"ok", "bounce-expected"}  # nobody is refused for these
    names = sorted(os.listdir(os.path.join(TREE, "dist", "help")))
    check("help: there are pages, and reasons to explain", [] if names and reasons else ["none"])
    pages = {name: HelpPage(name) for name in names}
    for name, found in pages.items():
        twice = {i for i in found.ids if found.ids.count(i) > 1}
        links = [link for link in found.links
                 if link.partition("#")[0] not in ("", *names) or "#" in link and link[1:] not in found.ids]
        check(f"help: {name} explains each reason once", sorted(reasons - set(found.ids)) + sorted(twice))
        check(f"help: {name} loads and runs nothing, and its tags are closed", found.foreign + found.open)
        check(f"help: the links of {name} lead somewhere", links)
        check(f"help: {name} has what the other languages have", sorted(set(found.ids) ^ set(pages[names[0]].ids)))
        check(f"help: the style of {name} loads nothing",
              re.findall(r"url\(.*|@import.*", read(os.path.join("help", name))))


def test_package():
    """dh_missing ends a build of the package for what no .install takes: said here, where nothing is built."""
    taken = ""
    for name in os.listdir(os.path.join(TREE, "debian")):
        if name.endswith(".install"):
            with open(os.path.join(TREE, "debian", name), encoding="utf-8") as file:
                taken += file.read()
    pages = [f"usr/share/man/man{page[-1]}/{page}" for page in sorted(os.listdir(os.path.join(TREE, "man")))]
    check("package: each manual page is in one of its packages", [p for p in pages if p + "\n" not in taken])
    check("package: the data are in it", [] if "usr/share/pgpgate/providers\n" in taken else ["dist/providers"])


def main():
    test_package()
    test_help_pages()
    if os.access(os.path.join(BUILD, "pgpgate"), os.X_OK):
        test_services()
        test_lasting()
        test_user()
        test_directories()
        test_apparmor()
        test_rsyslog()
        for shell in sorted(SHELLS):
            if shutil.which(shell):
                test_completion(shell)
            else:
                skipped(f"completion for {shell}", f"there is no {shell}")
    else:
        skipped("services, user, directories, completion", f"{BUILD} holds no programs (PGPGATE_BUILD)")
    shutil.rmtree(HOME)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
