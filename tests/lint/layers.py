#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The layers of HACKING.md: who may include whom, and which outside library each folder may see.

Includes point downwards only. Headers for one folder ("For db/ only", "Private to", "for settings.c alone")
stay in it; unit tests may look inside. Ends with the line "N passed, N failed, N skipped".
"""

import glob
import os
import re
import sys

TREE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))

# Folder -> the folders whose headers its files may include, besides its own.
LAYERS = {
    "common": set(),
    "scan": {"common"},
    "db": {"common"},
    "filter": {"common", "scan", "db"},
    "policyd": {"common", "scan", "db"},
    "cli": {"common", "scan", "db"},
    "sync": {"common", "db"},
}

# Within a folder, likewise. In db/ the headers beside the rooms are the doors of those named in DOORS, and each room
# may open the doors of the rooms below it; in cli/ what lies beside a room is below it.
ROOMS = {
    "cli": set(),
    "cli/doctor": {"cli"},
    "db/engine": set(),
    "db/rules": {"db/engine"},
    "db/policy": {"db/engine", "db/rules"},
    "db/record": {"db/engine", "db/rules", "db/policy"},
    "db/site": {"db/engine", "db/rules", "db/policy"},
}
DOORS = {
    "db/db.h": "db/engine",
    "db/hashed.h": "db/engine",
    "db/keys.h": "db/rules",
    "db/metrics.h": "db/record",
    "db/pair.h": "db/policy",
    "db/person.h": "db/record",
    "db/policy.h": "db/policy",
    "db/report.h": "db/record",
    "db/rules.h": "db/rules",
    "db/site.h": "db/site",
    "db/sql_statements.h": "db/engine",
    "db/verdict_log.h": "db/record",
    "db/verdicts.h": "db/record",
}

# Library header -> the files that may include it.
LIBRARIES = {
    r"libmilter/": r"filter/milter(\.c|_answer\.[ch])",
    r"sqlite3\.h": r"db/engine/internal\.h",
    r"event2/": r"policyd/\w+\.[ch]",
    r"jansson\.h": r"(cli|sync)/(doctor/)?\w+\.[ch]",
    r"libpq-fe\.h": r"sync/pg\.c",
    r"libpsl\.h": r"db/engine/key\.c",
    r"nettle/": r"(common/certificate_packet\.c|common/key_url\.c|db/engine/(hashed|sealed)\.c|filter/digest\.h)",
    r"syslog\.h": r"common/log\.c|filter/stand_in\.c",
}

# A header whose first paragraph says that it is not for everybody.
PRIVATE = re.compile(r"\bFor (\w+)/ only\b|\bPrivate to\b|\bfor \w+\.c alone\b|\bNobody outside\b")

counts = {"passed": 0, "failed": 0}


def check(name, complaints):
    counts["failed" if complaints else "passed"] += 1
    for complaint in complaints:
        print(f"FAIL {name}: {complaint}")


def sources(folder):
    """Those of its rooms too."""
    found = glob.glob(os.path.join(TREE, folder, "**", "*.[ch]"), recursive=True)
    return sorted(os.path.relpath(f, TREE) for f in found)


def folder_of(file):
    """The folder of LAYERS, whatever the room."""
    return file.split("/")[0]


def room_of(file):
    return DOORS.get(file, os.path.dirname(file))


def text_of(file):
    with open(os.path.join(TREE, file), encoding="utf-8") as source:
        return source.read()


def includes(file):
    """(line number, "common/log.h", is it one of ours) for each #include."""
    for number, line in enumerate(text_of(file).splitlines(), 1):
        found = re.match(r'#include ([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found.group(2), found.group(1) == '"'


def comment_of(header):
    """The paragraph at the top, on one line."""
    return re.sub(r"\s*\n \*\s*", " ", text_of(header)).split("*/", 1)[0]


def test_layers():
    for folder, below in LAYERS.items():
        wrong = []
        for file in sources(folder):
            for number, header, is_ours in includes(file):
                other = header.split("/")[0]
                if is_ours and other != folder and other not in below:
                    wrong.append(f"{file}:{number}: includes {header}; {folder}/ may include "
                                 f"{', '.join(sorted(below)) or 'nothing of ours'}")
        check(f"layers: {folder}/", wrong)


def test_private_headers():
    private = {h for folder in LAYERS for h in sources(folder)
               if h.endswith(".h") and PRIVATE.search(comment_of(h))}
    wrong = [] if private else ["no header says that it is private: has the wording changed?"]
    for folder in LAYERS:
        for file in sources(folder):
            wrong += [f"{file}:{number}: {header} is for {folder_of(header)}/ only"
                      for number, header, _ in includes(file)
                      if header in private and folder_of(header) != folder]
    check("layers: private headers", wrong)


def test_rooms():
    wrong = [f"{h}: the door of no room: name it in DOORS" for h in sources("db")
             if os.path.dirname(h) == "db" and h not in DOORS and not h.endswith("sql_statements.c")]
    for file in sources("cli") + sources("db"):
        room = room_of(file)
        for number, header, is_ours in includes(file):
            other = room_of(header)
            if is_ours and folder_of(header) == folder_of(file) and other != room and \
                    other not in ROOMS.get(room, set()):
                wrong.append(f"{file}:{number}: includes {header} of {other}/; {room}/ may include "
                             f"{', '.join(sorted(ROOMS.get(room, set()))) or 'no other room'}")
    check("layers: rooms of cli/ and db/", wrong)


def test_libraries():
    for library, allowed in LIBRARIES.items():
        wrong, n_seen = [], 0
        for folder in LAYERS:
            for file in sources(folder):
                for number, header, is_ours in includes(file):
                    if is_ours or not re.match(library, header):
                        continue
                    n_seen += 1
                    if not re.fullmatch(allowed, file):
                        wrong.append(f"{file}:{number}: <{header}> is seen by {allowed} only")
        check(f"layers: <{library}>", wrong or ([] if n_seen else ["nobody includes it any more"]))


def main():
    test_layers()
    test_private_headers()
    test_rooms()
    test_libraries()
    print("{passed} passed, {failed} failed, 0 skipped".format(**counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
