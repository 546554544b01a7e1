# SPDX-License-Identifier: ISC
"""The servers that are measured, each a process of our own with private files and a loopback or unix socket."""

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time

START_S = 30


class Server:
    """A running process that listens on `spec`. Ends with close(), by its own pid; one that cannot stay in the
    foreground says its pid in pid_file."""

    def __init__(self, command, spec, log, pid_file=None):
        self.spec = spec
        self.log = log
        self.pid_file = pid_file
        if spec.startswith("unix:") and os.path.exists(spec[5:]):
            os.unlink(spec[5:])
        with open(log, "ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.pid = self.process.pid
        deadline = time.monotonic() + START_S
        while not self._listens():
            ended = self.process.poll()
            if (ended is not None and not (ended == 0 and pid_file)) or time.monotonic() > deadline:
                self.close()
                raise RuntimeError(f"{command[0]} did not start: {self._tail()}")
            time.sleep(0.05)
        if pid_file:
            with open(pid_file, encoding="ascii") as f:
                self.pid = int(f.read())

    def _listens(self):
        try:
            if self.spec.startswith("unix:"):
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(self.spec[5:])
            else:
                port, host = self.spec[5:].split("@")
                socket.create_connection((host, int(port)), 1).close()
            return True
        except OSError:
            return False

    def _tail(self):
        with open(self.log, "rb") as f:
            return f.read()[-600:].decode("utf-8", "replace").strip()

    def close(self):
        if self.pid_file and self.pid != self.process.pid:
            os.kill(self.pid, signal.SIGTERM)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Servers:
    """Starts servers from the build directory, with everything they need below `directory`."""

    def __init__(self, build, source, directory):
        self.build = build
        self.source = source
        self.directory = directory
        self.config = self.path("pgpgate.conf")
        with open(self.config, "w", encoding="ascii") as f:
            f.write("# made by tests/bench: strangers on 127.0.0.1, verdict log on\n"
                    "user =\nenforce = yes\ndefault_requirement = encrypted\nlocal_clients =\n")

    def path(self, name):
        return os.path.join(self.directory, name)

    def program(self, name):
        for folder in ("", "tests/bench"):
            path = os.path.join(self.build, folder, name)
            if os.access(path, os.X_OK):
                return path
        raise RuntimeError(f"{name}: not built in {self.build}")

    # databases

    def database(self, name, rules=0, verdicts=0, pairs=0, keys=0, key_id="", keep=None):
        """A database with that much in it. keep: a folder where it is looked for, and left, for next time."""
        path = os.path.join(keep or self.directory, name + ".db")
        if keep and os.path.exists(path):
            subprocess.run([self.program("pgpgate"), "-c", self.config, "-o", f"database=sqlite:{path}", "db", "migrate"],
                           check=True, stdout=subprocess.DEVNULL)
            return path
        for suffix in ("", "-wal", "-shm", ".lock", ".new", ".new-wal", ".new-shm", ".new.lock"):
            if os.path.exists(path + suffix):
                os.unlink(path + suffix)
        subprocess.run([self.program("pgpgate"), "-c", self.config, "-o", f"database=sqlite:{path}.new", "db", "init"],
                       check=True, stdout=subprocess.DEVNULL)
        if rules or verdicts or pairs or keys:
            subprocess.run([sys.executable, os.path.join(self.source, "tests/bench/fill_db.py"), "--rules", str(rules),
                            "--verdicts", str(verdicts), "--pairs", str(pairs), "--keys", str(keys), "--key-id", key_id or "1",
                            path + ".new"], check=True)
        for suffix in (".lock", "-wal", "-shm"):
            if os.path.exists(path + ".new" + suffix):
                os.unlink(path + ".new" + suffix)
        os.rename(path + ".new", path)
        return path

    # filters

    def filter(self, database, *overrides, prefix=(), name="filter"):
        spec = "unix:" + self.path(name + ".sock")
        command = list(prefix) + [self.program("pgpgate-filter"), "-f", "-c", self.config, "-p", spec]
        for setting in (f"database=sqlite:{database}", "socket_umask=000") + overrides:
            command += ["-o", setting]
        return Server(command, spec, self.path(name + ".log"))

    def null_filter(self, prefix=()):
        spec = "unix:" + self.path("null.sock")
        return Server(list(prefix) + [self.program("null_filter"), spec], spec, self.path("null.log"))

    def seed_filter(self):
        spec = "unix:" + self.path("seed.sock")
        script = os.path.join(self.source, "tests/bench/seed_peer.py")
        return Server(["/usr/bin/python3", script, spec], spec, self.path("seed.log"))

    # policy servers

    def policyd(self, database, *overrides, prefix=(), name="policy"):
        spec = "unix:" + self.path(name + ".sock")
        command = list(prefix) + [self.program("pgpgate-policyd"), "-f", "-c", self.config, "-p", spec]
        for setting in (f"database=sqlite:{database}", "socket_umask=000") + overrides:
            command += ["-o", setting]
        return Server(command, spec, self.path(name + ".log"))

    def null_policyd(self):
        spec = "unix:" + self.path("null-policy.sock")
        return Server([self.program("null_policyd"), spec], spec, self.path("null-policy.log"))

    def postgrey(self):
        folder = self.path("postgrey")
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder, 0o755)
        user = pwd.getpwnam("postgrey") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        group = grp.getgrgid(user.pw_gid).gr_name
        if os.getuid() == 0:
            os.chown(folder, user.pw_uid, user.pw_gid)
        port = free_port()
        return Server(["/usr/sbin/postgrey", f"--inet=127.0.0.1:{port}", f"--dbdir={folder}", f"--user={user.pw_name}",
                       f"--group={group}"], f"inet:{port}@127.0.0.1", self.path("postgrey.log"))

    def postfwd(self, rules):
        config = self.path("postfwd.cf")
        with open(config, "w", encoding="ascii") as f:
            for i in range(rules):
                f.write(f"id=R{i}; recipient=user{i}@example.org; action=DUNNO\n")
        os.chmod(config, 0o644)
        port = free_port()
        user = "postfw" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
        folder = self.path("postfwd")
        os.makedirs(folder, exist_ok=True)
        shutil.chown(folder, user, group)
        return Server(["/usr/sbin/postfwd1", "--daemon", "--interface", "127.0.0.1", "--port", str(port), "--file",
                       config, "--nodns", "--pidfile", folder + "/pid", "--user", user, "--group", group],
                      f"inet:{port}@127.0.0.1", self.path("postfwd.log"), folder + "/pid")
