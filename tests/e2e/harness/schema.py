# SPDX-License-Identifier: ISC
"""A database of today with the schema of an earlier version, as far as SQL can take it back."""

import os
import sqlite3

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))


def migrations(version):
    for number in range(1, version + 1):
        with open(os.path.join(TOP, "sql", f"migration-{number:03}.sql"), encoding="utf-8") as file:
            yield file.read()


def of_version(version):
    """Name -> (type, columns, text) as the migrations up to that version leave them."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    for text in migrations(version):
        made.executescript(text)
    return objects(made)


def objects(database):
    rows = database.execute("SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return {name: (kind, [row[1] for row in database.execute(f"PRAGMA table_xinfo({name})")], text)
            for name, kind, text in rows}


def sql_back_to(database, version):
    """What makes the schema of the open database that of an earlier version: to be run in one transaction."""
    now, then = objects(database), of_version(version)
    lines = [f"DROP {kind.upper()} IF EXISTS {name};" for kind in ("trigger", "view", "index", "table")
             for name, (its_kind, _, text) in now.items() if its_kind == kind and
             (name not in then or (kind not in ("table",) and then[name][2] != text))]
    for name, (kind, columns, _) in then.items():
        if kind == "table" and name in now:
            lines += [f"ALTER TABLE {name} DROP COLUMN {column};" for column in now[name][1] if column not in columns]
    lines += [f"{text};" for name, (kind, _, text) in then.items()
              if name not in now or (kind != "table" and now[name][2] != text)]
    return "\n".join([*lines, f"PRAGMA user_version = {version};"])
