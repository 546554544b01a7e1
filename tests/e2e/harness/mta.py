# SPDX-License-Identifier: ISC
"""What the private mail servers that are no Postfix have in common: one process, one port, one log."""

import os
import subprocess

from .place import Trouble, free_port, wait_until
from .server import end, greets, text_of


class Mta:
    """title: for people. The process is started by start() of who inherits, with _launch()."""

    def __init__(self, place, title, directory):
        self.title = title
        self.dir = place.directory(directory)
        self.port = free_port()
        self.log_path = os.path.join(self.dir, "log")
        self.process = None
        place.at_end(self.stop)

    def _write(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def _launch(self, command, env, cwd=None):
        """Returns when the server greets."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd=cwd,
                                            start_new_session=True)
        wait_until(self._answers, lambda: f"{self.title} listening on port {self.port}\n{self.log()[-2000:]}")

    def _answers(self):
        if self.process.poll() is not None:
            raise Trouble(f"{self.title} ended, exit {self.process.returncode}: {self.log()[-2000:]}")
        return greets(self.port)

    def log(self):
        return text_of(self.log_path)

    def stop(self):
        if self.process is None:
            return
        process, self.process = self.process, None
        end(process)
