#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Holds the manual pages and the programs together: settings, reasons, commands, options, examples, mdoc.

PGPGATE_BUILD names the build directory (default: build/ in the tree). What needs a program that is not
built is skipped. Ends with the line "N passed, N failed, N skipped".
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

TREE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.realpath(os.environ.get("PGPGATE_BUILD", os.path.join(TREE, "build")))
PGPGATE = os.path.join(BUILD, "pgpgate")

# alice@example.org, made for this: an Ed25519 key and one to encrypt to.
CERTIFICATE = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEaw09ZBYJKwYBBAHaRw8BAQdA5aBnWeD6csGQQyKXsg/MwSBOGY9t1uoKZuuV
AA3boPe0EWFsaWNlQGV4YW1wbGUub3JniJAEExYIADgWIQQSXptrUaPWAAFQMDOe
AStOMXwuOQUCaw09ZAIbAQULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRCeAStO
MXwuORxkAQDJ9S8zWMj1rp2zbx4OGHtsxhT8xDqMNlxhsrZ7MNKJUQD+KX3YqZXG
/CbpBf6fKkekCKuTBirB1vnjaPu9pEkrMQO4OARrDT1kEgorBgEEAZdVAQUBAQdA
gB1/6zS/F8B/e//Qe9KpR0voD2uPcP0c5VxTo+Zax1IDAQgHiHgEGBYIACAWIQQS
XptrUaPWAAFQMDOeAStOMXwuOQUCaw09ZAIbDAAKCRCeAStOMXwuOe4rAP9Cpg3J
WTBWsjFtv77oaBGcaiNUT0DQlPzKVEwLI7wqDwD+K4Yu0jV0O1ziBdyd4muSkSu4
MgKNUTjNpqnqZw8cngI=
=mm0f
-----END PGP PUBLIC KEY BLOCK-----
"""

counts = {"passed": 0, "failed": 0, "skipped": 0}


def passed(name):
    counts["passed"] += 1


def failed(name, why):
    counts["failed"] += 1
    print(f"FAIL {name}: {why}")


def skipped(name, why):
    counts["skipped"] += 1
    print(f"SKIP {name}: {why}")


def check(name, complaints):
    """One test: fails with each of the complaints, passes without any."""
    if complaints:
        failed(name, "; ".join(complaints))
    else:
        passed(name)


def read(path):
    with open(os.path.join(TREE, path), encoding="utf-8") as file:
        return file.read()


def rendered(page):
    """The page as text on lines without end, so that no phrase is broken."""
    text = subprocess.run(
        ["mandoc", "-Tascii", "-Owidth=1000", os.path.join(TREE, "man", page)],
        check=True, capture_output=True, text=True).stdout
    return re.sub(r".\x08", "", text)


def run(*arguments):
    return subprocess.run([PGPGATE, *arguments], check=True, capture_output=True, text=True).stdout


def both_ways(name, in_program, in_page):
    """Compares two sets of words."""
    check(name, [f"{word}: not in the manual page" for word in sorted(in_program - in_page)]
          + [f"{word}: not in the program" for word in sorted(in_page - in_program)])


def test_mdoc():
    for page in sorted(glob.glob(os.path.join(TREE, "man", "*.[0-9]"))):
        lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], capture_output=True, text=True)
        check(f"mdoc {os.path.basename(page)}", (lint.stdout + lint.stderr).strip().splitlines())


def page_settings():
    """Key -> default, from the heads "KEY (default: VALUE)" of pgpgate.conf(5)."""
    heads = re.findall(r"^ +([a-z_]+) \(default: (.*)\)$", rendered("pgpgate.conf.5"), re.M)
    return {key: "" if default == "empty" else default for key, default in heads}


def test_settings():
    program = {}
    for line in run("config", "-d").splitlines():
        key, _, value = line.partition("=")
        program[key.strip()] = value.strip()
    page = page_settings()
    both_ways("settings: the keys of pgpgate.conf(5)", set(program), set(page))
    for key in sorted(set(program) & set(page)):
        wrong = program[key] != page[key]
        check(f"settings: default of {key}",
              [f"'{program[key]}' in the program, '{page[key]}' in pgpgate.conf(5)"] if wrong else [])


def page_reasons():
    text = read("man/pgpgate-verdicts.7")
    reasons = text[text.index(".Sh REASONS"):]
    reasons = reasons[:reasons.index("\n.Sh ", 1)]
    return set(re.findall(r"^\.It Li ([a-z-]+)$", reasons, re.M))


def test_restarts():
    """What a daemon keeps until it is restarted is marked so."""
    source = read("common/daemon_options.c")
    table = re.search(r"fixed_keys\[\] = \{(.*?)\};", source, re.S).group(1)
    page = re.split(r"^ +([a-z_]+) \(default: .*\)$", rendered("pgpgate.conf.5"), flags=re.M)
    marked = {key for key, text in zip(page[1::2], page[2::2]) if "Needs a restart" in text}
    both_ways("settings: marked 'Needs a restart'", set(re.findall(r'"(\w+)"', table)), marked)


def test_daemon_options():
    """The options of the pages, against the getopt(3) string."""
    string = re.search(r'getopt\(argc, argv, "([^"]+)"\)', read("common/daemon_options.c")).group(1)
    program = set(string.replace(":", ""))
    for daemon in ("pgpgate-filter", "pgpgate-policyd"):
        both_ways(f"options of {daemon}(8)", program,
                  set(re.findall(r"^\.It Fl ([a-zA-Z])\b", read(f"man/{daemon}.8"), re.M)))


def test_reasons():
    page = page_reasons()
    sources = "".join(read(f"scan/{os.path.basename(f)}") for f in glob.glob(os.path.join(TREE, "scan", "*.c")))
    # The second argument of whatever notes a finding.
    call = r'\b\w*(?:fault|finding|readable|claim|note|decide|reason|because)\w*\((?:[^,()"]|\([^()]*\))*,\s*"([a-z-]+)"'
    program = set(re.findall(call, sources)) - {"claim"}  # what raises suspicion decides nothing
    literals = set(re.findall(r'"([a-z-]+)"', sources + read("common/outcome.c") + read("common/own_key.h")))
    check("reasons: all that scan/ notes are in pgpgate-verdicts(7)",
          [f"{slug}: not in the manual page" for slug in sorted(program - page)])
    check("reasons: all of pgpgate-verdicts(7) are in scan/, common/outcome.c or common/own_key.h",
          [f"{slug}: not there" for slug in sorted(page - literals)])
    golden = set()
    for file in glob.glob(os.path.join(TREE, "tests", "mail", "**", "*.verdict"), recursive=True):
        with open(file, encoding="utf-8") as verdict:
            golden |= set(re.findall(r"\breason[=:]\s*([a-z-]+)", verdict.read()))
    check("reasons: all of the golden mail are in pgpgate-verdicts(7)",
          [f"{slug}: not in the manual page" for slug in sorted(golden - page)])


def test_rules():
    """The rules that the golden mail refers to, and the tags that scan/ takes."""
    text = read("man/pgpgate-verdicts.7")
    page = set(re.findall(r"^\.It (\d+)\.$", text, re.M))
    golden = set()
    for file in glob.glob(os.path.join(TREE, "tests", "mail", "*.verdict")):
        with open(file, encoding="utf-8") as verdict:
            golden |= set(re.findall(r"^# rule (\d+)", verdict.read()))
    check("rules: all of the golden mail are in pgpgate-verdicts(7)",
          [f"rule {number}: not in the manual page" for number in sorted(golden - page)])
    tags = re.search(r"tags\[\] = \{(.*?)\};", read("scan/html.c"), re.S)[1]
    rule = re.search(r"^\.It 8\.$.*?the tags\n(.*?);\n", text, re.M | re.S)[1]
    both_ways("rules: the tags of HTML that may be around armor", set(re.findall(r'\{"([^"]+)"', tags)) - {"a"},
              set(re.findall(r"[a-z:]+", rule.replace(".Li", ""))))


def program_commands():
    return set(re.findall(r"^  ([a-z]+)\b", run("--help"), re.M))


def page_commands():
    return set(re.findall(r"^\.It Cm ([a-z]+)\b", page_part("DESCRIPTION"), re.M))


def page_part(section):
    """The source of one section of pgpgate(8)."""
    text = read("man/pgpgate.8")
    text = text[text.index(f".Sh {section}"):]
    end = text.find("\n.Sh ", 1)
    return text[:end] if end > 0 else text


def page_options():
    """Command -> its long options, from the heads of its items in pgpgate(8)."""
    options = {}
    shared = set()
    head = None
    for line in page_part("DESCRIPTION").splitlines():
        item = re.match(r"\.It Cm ([a-z]+)\b", line)
        long_options = set(re.findall(r"Fl Fl ([a-z-]+)", line))
        if item:
            head = item.group(1)
            options.setdefault(head, set()).update(long_options)
        elif line.startswith(".It Fl Fl") and head == "observe":
            shared |= long_options
    for command in ("exempt", "require", "encrypted", "signed", "ratchet", "observe"):
        options.setdefault(command, set()).update(shared)
    return options


def test_commands():
    program = program_commands()
    both_ways("commands: pgpgate --help and pgpgate(8)", program, page_commands())
    page = page_options()
    for command in sorted(program & set(page)):
        text = run(command, "--help")
        for subcommand in re.findall(r"^  ([a-z]+) ", text, re.M):  # of db
            text += run(command, subcommand, "--help")
        options = set(re.findall(r"--([a-z][a-z-]*)", text)) - {"help", "json"}
        both_ways(f"commands: options of {command}", options, page[command])


def test_json():
    """Every JSON field that the command writes is in pgpgate(8), and the other way round."""
    program = set()
    for file in glob.glob(os.path.join(TREE, "cli", "**", "*.c"), recursive=True):
        with open(file, encoding="utf-8") as source:
            program |= set(re.findall(r'json_object_set(?:_new)?\(\s*\w+,\s*"(\w+)"', source.read()))
    page = set(re.findall(r"^\.Li ([a-z_]+)\b", page_part("JSON"), re.M))
    page -= {"default", "exempt_recipients", "history", "rule"} - program  # values of `source`
    both_ways("JSON: the fields of pgpgate(8)", program, page)


def test_metrics():
    """Every metric is in the METRICS section of its page, and the other way round."""
    for page, sources in (("pgpgate.8", ["db/record/metrics.c"]), ("pgpgate-policyd.8", ["policyd/counts.c", "policyd/server.c"])):
        program = set()
        for source in sources:
            program |= set(re.findall(r'metrics_(?:head|single|histogram)\(\s*\w+,\s*"(\w+)"', read(source)))
        text = read(f"man/{page}")
        section = text[text.index(".Sh METRICS"):]
        section = section[:section.index("\n.Sh ", 1)]
        both_ways(f"metrics of {page}", program,
                  set(re.findall(r"^\.(?:It )?Li ((?:pgpgate|process)_\w+)", section, re.M)))


def literal_blocks(page, section):
    """The displays of one section of a page, as text."""
    text = read(f"man/{page}")
    start = text.find(f".Sh {section}")
    if start < 0:
        return []
    end = text.find("\n.Sh ", start + 1)
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", text[start:end if end > 0 else None], re.M | re.S)
    return [block.replace("\\e", "\\") for block in blocks]


def commands_of(text, prompt):
    """The pgpgate commands in a text: lines after the prompt, continued ones joined."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [line[len(prompt):] for line in lines if re.match(re.escape(prompt) + r"pgpgate ", line)]


def test_examples_of_configuration():
    examples = {f"pgpgate.conf(5), example {n}": block
                for n, block in enumerate(literal_blocks("pgpgate.conf.5", "EXAMPLES"), 1)}
    examples["dist/pgpgate.conf"] = read("dist/pgpgate.conf")
    for name, text in examples.items():
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(text)
            file.flush()
            done = subprocess.run([PGPGATE, "-c", file.name, "config"], capture_output=True, text=True)
            complaints = [done.stderr.strip()] if done.returncode != 0 else []
            if name.startswith("dist/") and "\nenforce = no\n" not in done.stdout:
                complaints.append("the example configuration must not enforce")
            check(f"settings: {name}", complaints)


def example_commands():
    for page in ("pgpgate.8", "pgpgate-rules.7", "pgpgate-verdicts.7"):
        for block in literal_blocks(page, "EXAMPLES"):
            for prompt in ("# ", "$ "):
                for command in commands_of(block, prompt):
                    yield page, command
    for command in commands_of(read("README.md"), "    "):
        yield "README.md", command


def test_example_commands():
    """Runs what the pages show, in order, on a database of its own. 1 is an answer ("no"), not a failure. Root becomes
    somebody else, as on a server, or it would not read a certificate."""
    user = "nobody" if os.geteuid() == 0 else ""
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "Maildir", "cur"))
        os.makedirs(os.path.join(folder, "Maildir", "new"))
        with open(os.path.join(folder, "message.eml"), "w", encoding="ascii") as message:
            message.write("From: a@x.test\nSubject: hello\n\nhello\n")
        with open(os.path.join(folder, "pgpgate.conf"), "w", encoding="ascii") as conf:
            conf.write(f"database = sqlite:{folder}/pgpgate.db\nuser = {user}\n")
        with open(os.path.join(folder, "alice.asc"), "w", encoding="ascii") as certificate:
            certificate.write(CERTIFICATE)
        if user:
            shutil.chown(folder, user)
        environment = dict(os.environ, HOME=folder)
        ours = f"{PGPGATE} -c {folder}/pgpgate.conf "
        subprocess.run([PGPGATE, "-c", f"{folder}/pgpgate.conf", "db", "init"], capture_output=True, check=False)
        for page, command in example_commands():
            done = subprocess.run(["sh", "-c", command.replace("pgpgate ", ours, 1)], cwd=folder,
                                  env=environment, capture_output=True, text=True, timeout=60)
            check(f"example of {page}: {command}",
                  [f"exit {done.returncode}: {done.stderr.strip()}"] if done.returncode not in (0, 1) else [])
        for words in ("-c {0} db status --json", "db -c {0} --json status", "db status --json -c {0}"):
            done = subprocess.run([PGPGATE, *words.format(f"{folder}/pgpgate.conf").split()], capture_output=True, text=True)
            check(f"options before the command or after it: {words}",
                  [f"exit {done.returncode}: {done.stderr.strip()}"] if not done.stdout.startswith("{") else [])
        rules = literal_blocks("pgpgate.8", "IMPORT FORMAT")
        done = subprocess.run([PGPGATE, "-c", f"{folder}/pgpgate.conf", "import"], input="\n".join(rules),
                              capture_output=True, text=True)
        check("import format of pgpgate(8)", [done.stderr.strip()] if done.returncode != 0 else [])


def main():
    test_mdoc()
    test_reasons()
    test_rules()
    test_restarts()
    test_daemon_options()
    test_json()
    test_metrics()
    if os.access(PGPGATE, os.X_OK):
        test_settings()
        test_commands()
        test_examples_of_configuration()
        test_example_commands()
    else:
        skipped("settings, commands, examples", f"{PGPGATE} is not built (PGPGATE_BUILD)")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
