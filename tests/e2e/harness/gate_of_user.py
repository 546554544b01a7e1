# SPDX-License-Identifier: ISC
"""A configuration and a state directory of the daemons' user, without daemons: what the command line does with the
database alone."""

import os
import shutil

from .pair import program, run_program


class Gate:
    def __init__(self, place, name):
        self.dir = place.directory(name)
        self.state = place.directory(f"{name}/state", place.user.pw_uid, place.user.pw_gid, 0o2770)
        self.database = os.path.join(self.state, "pgpgate.db")
        self.user = place.user
        self.conf = os.path.join(self.dir, "pgpgate.conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"database = sqlite:{self.database}\nuser = {self.user.pw_name}\n")

    def words(self, *words):
        return [program("pgpgate"), "-c", self.conf, *words]

    def run(self, *words):
        return run_program(self.words(*words), timeout=120)

    def must(self, *words):
        result = self.run(*words)
        assert result.code == 0, (words, result)
        return result.out

    def clear(self):
        for name in os.listdir(self.state):
            os.unlink(os.path.join(self.state, name))

    def put(self, path):
        self.clear()
        shutil.copyfile(path, self.database)
        os.chown(self.database, self.user.pw_uid, self.user.pw_gid)
        os.chmod(self.database, 0o660)
