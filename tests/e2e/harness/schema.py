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
    """What makes the schema of the open database that of an earlier version: to be run in one transaction. What that
    version knew stays, table by table and column by column; all else is gone."""
    now, then = objects(database), of_version(version)
    tables = [name for name, (kind, _, _) in now.items() if kind == "table" and not name.startswith("sqlite_")]
    lines = ["PRAGMA legacy_alter_table = ON;"]  # references mean the new table of that name
    lines += [f"DROP {kind.upper()} {name};" for kind in ("trigger", "view", "index")
              for name, (its_kind, _, _) in now.items() if its_kind == kind]
    lines += [f"ALTER TABLE {name} RENAME TO now_{name};" for name in tables]
    lines += [f"{text};" for name, (_, _, text) in then.items() if not name.startswith("sqlite_")]
    # whoever is referred to comes first, and goes last
    order = sorted(tables, key=lambda name: ("_" in name, name))
    for name in order:
        if name in then:
            columns = ", ".join(column for column in then[name][1] if column in now[name][1])
            lines.append(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM now_{name};")
    lines += [f"DROP TABLE now_{name};" for name in reversed(order)]
    return "\n".join([*lines, f"PRAGMA user_version = {version};"])
