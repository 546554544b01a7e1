#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The commands that the files in dist/, the manual pages, README.md, HACKING.md and the package tell a person to type: our own against
the programs, which know their commands and options; others against what is on this machine, where it is.

PGPGATE_BUILD names the build directory (default: build/ in the tree). Ends with the line "N passed, N failed, N skipped".
"""

import glob
import os
import re
import shlex
import shutil
import subprocess
import sys

TREE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.realpath(os.environ.get("PGPGATE_BUILD", os.path.join(TREE, "build")))
OURS = ("pgpgate", "pgpgate-filter", "pgpgate-policyd", "pgpgate-sync")
# What is told to be typed, and how each says what it takes; "": it does not say so, and is only looked for.
OTHERS = {
    "aa-logprof": "--help", "ansible-playbook": "--help", "apparmor_parser": "--help", "apt-get": "", "autoreconf": "--help",
    "chown": "--help", "cp": "--help", "curl": "", "dch": "--help", "dpkg-buildpackage": "--help", "gpg": "--dump-options",
    "groupadd": "--help", "install": "--help", "journalctl": "--help", "kill": "", "lintian": "--help", "logger": "--help",
    "make": "--help", "mount": "--help", "podman": "SUB --help", "postconf": "--help", "postfix": "", "postmap": "--help",
    "promtool": "--help", "systemctl": "--help", "systemd-analyze": "--help", "systemd-sysusers": "--help",
    "systemd-tmpfiles": "--help", "useradd": "--help",
}
PATH = BUILD + ":" + os.environ["PATH"] + ":/usr/sbin:/sbin"
NOT_ASKED = "not here"
PROSE = {"and", "on"}  # what follows our name in a sentence

counts = {"passed": 0, "failed": 0, "skipped": 0}
helps = {}


def check(name, complaints):
    counts["failed" if complaints else "passed"] += 1
    for complaint in complaints:
        print(f"FAIL {name}: {complaint}")


def read(path):
    with open(os.path.join(TREE, path), encoding="utf-8") as file:
        return file.read()


def help_of(*words):
    """What a program says of itself, on either output; once."""
    if words not in helps:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=60,
                              env={**os.environ, "PATH": PATH}, check=False)
        helps[words] = done.stdout + done.stderr
    return helps[words]


def rendered(page):
    text = subprocess.run(["mandoc", "-Tascii", "-Owidth=1000", os.path.join(TREE, page)], capture_output=True, text=True,
                          check=True).stdout
    return re.sub(".\x08", "", text)


def sources():
    for page in sorted(glob.glob(os.path.join(TREE, "man", "*.[1-9]"))):
        name = os.path.relpath(page, TREE)
        yield name, rendered(name)
    for folder, _, names in sorted(os.walk(os.path.join(TREE, "dist"))):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), TREE)
            if not path.endswith((".json", "-completion")) and "/help/" not in path:
                yield path, read(path)
    for name in ("README.md", "HACKING.md", "debian/pgpgate.postinst", "debian/pgpgate.prerm", "debian/pgpgate.postrm"):
        yield name, read(name)


def pieces(text):
    """Where commands stand: after a prompt, in quotes of Markdown or of prose, in a description of an alert, indented."""
    text = re.sub(r" ?\\\n[# ]*", " ", text)
    for pattern in (r"(?m)^[# \t]*[#$] (.*)$", r"`([^`\n]+)`", r'"([^"\n]+)"', r"(?m)^(?:# )? {2,}(\S.*)$", r"‘([^’\n]+)’"):
        for found in re.findall(pattern, text):
            yield from re.split(r" && | \|\| |; |, | \. ", found)


def commands():
    """(source, words), each once."""
    seen = set()
    for source, text in sources():
        for piece in pieces(text):
            piece = re.sub(r"\s+#.*$|[.,:;]$|\$\(date.*?\)", "", piece.strip())
            try:
                words = shlex.split(piece)
            except ValueError:
                continue
            while words and words[0] in ("sudo", "exec", "if", "!"):
                words = words[1:]
            name = os.path.basename(words[0]) if words else ""
            # Prose has the names, too: a command has at the least one more word, of those that commands consist of.
            if name in (*OURS, *OTHERS) and len(words) > 1 and (source, *words) not in seen:
                seen.add((source, *words))
                yield source, [name, *words[1:]]


def options(words):
    """The options among words, without what follows "=" or is attached."""
    for word in words:
        if word == "--" or re.match(r"[<>|]", word):
            return
        if re.match(r"--[a-z][a-z0-9-]*(=|$)", word):
            yield word.partition("=")[0]


def of_ours(words):
    """Complaints, or None: it is prose."""
    name, rest = words[0], words[1:]
    if name != "pgpgate":
        known = help_of(os.path.join(BUILD, name), "-h")
        return [f"{name} has no {w[:2]}" for w in rest if re.match(r"-[A-Za-z]", w) and f"-{w[1]}" not in known
                and w[1] not in re.sub(r"[^A-Za-z]", "", " ".join(re.findall(r"\[-([A-Za-z]+)\]", known)))]
    program = os.path.join(BUILD, "pgpgate")
    while rest and rest[0].startswith("-"):
        rest = rest[2 if rest[0] in ("-c", "-o") else 1:]
    if not rest or not re.fullmatch(r"[a-z]+", rest[0]) or rest[0] in PROSE:
        return None
    if rest[0] not in set(re.findall(r"(?m)^  ([a-z]+) ", help_of(program, "--help"))):
        return [f"there is no command {rest[0]}"]
    of = [rest[0]]
    usage = help_of(program, rest[0], "--help")
    below = set(re.findall(r"(?m)^  ([a-z]+) ", usage))
    if below and len(rest) > 1 and re.fullmatch(r"[a-z]+", rest[1]):
        if rest[1] not in below:
            return [f"{rest[0]} has no command {rest[1]}"]
        of.append(rest[1])
        usage = help_of(program, *of, "--help")
    usage += help_of(program, "--help")
    return [f"{' '.join(of)} has no option {o}" for o in options(rest) if o not in re.findall(r"--[a-z0-9-]+", usage)]


def of_others(words):
    name, how = words[0], OTHERS[words[0]]
    if shutil.which(name, path=PATH) is None:
        return NOT_ASKED
    if not how:
        return []
    known = help_of(name, *how.replace("SUB", words[1]).split())
    complaints = [f"{name} has no option {o}" for o in options(words[1:]) if f"{o}" not in known]
    if name == "systemctl" and re.fullmatch(r"[a-z-]+", words[1]) and not re.search(rf"(?m)^  {words[1]}\b", known):
        complaints.append(f"systemctl has no {words[1]}")
    if name == "systemctl":
        complaints += [f"there is no service {w}" for w in words[2:]
                       if w.startswith("pgpgate") and not os.path.exists(os.path.join(TREE, "dist", f"{w}.service.in"))]
    return complaints


def test_commands():
    n_ours, away = 0, {}
    for source, words in commands():
        complaints = of_ours(words) if words[0] in OURS else of_others(words)
        if complaints == NOT_ASKED:
            away.setdefault(words[0], []).append(source)
        elif complaints is not None:
            n_ours += words[0] in OURS
            check(f"{source}: {shlex.join(words)}", complaints)
    check("commands of ours were found at all", [] if n_ours > 50 else [f"{n_ours}"])
    for name in sorted(away):
        print(f"not here, and so not asked: {name} ({', '.join(sorted(set(away[name])))})")


def main():
    if os.access(os.path.join(BUILD, "pgpgate"), os.X_OK):
        test_commands()
    else:
        counts["skipped"] += 1
        print(f"SKIP commands: {BUILD} holds no programs (PGPGATE_BUILD)")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
