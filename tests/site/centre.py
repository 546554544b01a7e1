# SPDX-License-Identifier: ISC
"""A private PostgreSQL as the centre of a site, and the hosts of it: each a pair of daemons with its pgpgate-sync."""

import glob
import os
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import threading
import time

from harness.pair import Pair, program, run_program
from harness.place import Trouble, wait_until

CLOCK = os.path.realpath(os.path.join(os.path.dirname(__file__), "../faults/clock.c"))


def build_clock(place):
    """The library for LD_PRELOAD with which a host's clock is wrong (tests/faults/clock.c)."""
    library = os.path.join(place.directory("clock", mode=0o755), "clock.so")
    if not os.path.exists(library):
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, CLOCK], check=True)
    return library


def programs():
    """PGPGATE_POSTGRESQL=DIR: those of another version, psql among them."""
    if "PGPGATE_POSTGRESQL" in os.environ:
        return os.environ["PGPGATE_POSTGRESQL"]
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found:
        raise Trouble("there is no initdb: apt-get install postgresql")
    return os.path.dirname(found[-1])


class Centre:
    """A cluster on a socket of its own, no TCP, with a database, its owner `admin` and the role `host`."""

    def __init__(self, place, where=None):
        self.user, self.place = place.user, place
        self.dir = where or place.directory("pg", self.user.pw_uid, self.user.pw_gid)
        if where:
            os.mkdir(where, 0o755)
            os.chown(where, self.user.pw_uid, self.user.pw_gid)
        self.data = os.path.join(self.dir, "data")
        self._as_user("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
        place.at_end(lambda: self.stop("immediate"))

    def _as_user(self, name, *words):
        run = subprocess.run([os.path.join(programs(), name), *words], capture_output=True, text=True,
                             user=self.user.pw_uid, group=self.user.pw_gid, cwd=self.dir, check=False)
        if run.returncode != 0:
            raise Trouble(f"{name}: {run.stdout}{run.stderr}")

    def run(self):
        self._as_user("pg_ctl", "-D", self.data, "-w", "-l", os.path.join(self.dir, "log"), "-o",
                      f"-k {self.dir} -c listen_addresses= -c fsync=off -c max_connections=60", "start")

    def start(self):
        self.run()
        self.sql("CREATE ROLE admin LOGIN; CREATE ROLE host LOGIN", "postgres", "postgres")
        self.sql("CREATE DATABASE site OWNER admin", "postgres", "postgres")
        return self

    def stop(self, how="fast"):
        if os.path.exists(os.path.join(self.data, "postmaster.pid")):
            self._as_user("pg_ctl", "-D", self.data, "-m", how, "-w", "stop")

    def replica(self, name):
        """A streaming replica, asynchronous, not started."""
        other = Centre.__new__(Centre)
        other.user, other.place = self.user, self.place
        other.dir = self.place.directory(name, self.user.pw_uid, self.user.pw_gid)
        other.data = os.path.join(other.dir, "data")
        self._as_user("pg_basebackup", "-h", self.dir, "-U", "postgres", "-D", other.data, "-R", "-X", "stream", "-c", "fast")
        self.place.at_end(lambda: other.stop("immediate"))
        return other

    def promote(self):
        self.run()
        self._as_user("pg_ctl", "-D", self.data, "-w", "promote")

    def save(self, name):
        """A cold copy, as an old backup."""
        self.stop()
        subprocess.run(["cp", "-a", self.data, os.path.join(self.dir, name)], check=True)
        self.run()

    def restore(self, name):
        self.stop("immediate")
        shutil.rmtree(self.data)
        subprocess.run(["cp", "-a", os.path.join(self.dir, name), self.data], check=True)
        self.run()

    def uri(self, role, directory=None):
        return f"host={directory or self.dir} dbname=site user={role}"

    def try_sql(self, text, role="admin", database="site"):
        return subprocess.run([os.path.join(programs(), "psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h",
                               self.dir, "-U", role, "-c", text, database], capture_output=True, text=True, check=False)

    def sql(self, text, role="admin", database="site"):
        run = self.try_sql(text, role, database)
        if run.returncode != 0:
            raise Trouble(f"psql: {run.stderr}")
        return run.stdout.splitlines()


class Proxy:
    """Between sync and the centre: passes bytes on, until it is told to cut, to freeze, or to refuse."""

    def __init__(self, place, name, to):
        self.dir = place.directory(f"proxy-{name}", place.user.pw_uid, place.user.pw_gid, 0o777)
        self.to = to
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.dir, ".s.PGSQL.5432"))
        os.chmod(os.path.join(self.dir, ".s.PGSQL.5432"), 0o777)
        self.listener.listen(50)
        self.open_sockets = set()
        self.lock = threading.Lock()
        self.flows = threading.Event()
        self.flows.set()
        self.is_refusing = False
        self.budget = None  # bytes until a cut in the middle
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                if self.is_refusing:
                    raise OSError
                server.connect(os.path.join(self.to, ".s.PGSQL.5432"))
            except OSError:
                client.close()
                server.close()
                continue
            with self.lock:
                self.open_sockets |= {client, server}
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(a, b), daemon=True).start()

    def _pass(self, a, b):
        try:
            while data := a.recv(65536):
                self.flows.wait()
                if self.budget is not None:
                    data, self.budget = data[:max(self.budget, 0)], self.budget - len(data)
                b.sendall(data)
                if self.budget is not None and self.budget <= 0:
                    self.budget = None
                    self.cut()
        except OSError:
            pass
        for one in (a, b):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        with self.lock:
            sockets, self.open_sockets = self.open_sockets, set()
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
        self.flows.set()
        self.cut()


class Host(Pair):
    """A pair, and its pgpgate-sync."""

    def __init__(self, place, name, centre, settings):
        self.name = name
        self.proxy = Proxy(place, name, centre.dir)
        super().__init__(place, name, enforce="yes", host_name=name, centre=centre.uri("host", self.proxy.dir),
                         centre_admin=centre.uri("admin", self.proxy.dir), **settings)
        self.sync, self.ahead_ms, self.prefix = None, 0, []

    def wear_clock(self, library):
        """From its next start on its programs see a clock that set_clock() moves."""
        path = os.path.join(self.dir, "clock")
        with open(path, "wb") as file:
            file.write(struct.pack("q", 0))
        self.prefix = ["env", f"LD_PRELOAD={library}", f"WRONG_CLOCK={path}"]
        self.filter.prefix = [*self.prefix, *self.filter.prefix]

    def set_clock(self, ahead_ms):
        self.ahead_ms = ahead_ms
        with open(os.path.join(self.dir, "clock"), "r+b", buffering=0) as file:
            file.write(struct.pack("q", ahead_ms))

    def now(self):
        """As its programs see it."""
        return time.time() + self.ahead_ms / 1000

    def run(self, *words, data=b"", timeout=300):
        return run_program([*self.prefix, program("pgpgate"), "-c", self.conf, *map(str, words)], data, timeout)

    def start_sync(self):
        with open(os.path.join(self.dir, "sync.log"), "ab") as log:
            self.sync = subprocess.Popen([*self.prefix, program("pgpgate-sync"), "-f", "-c", self.conf], stdin=subprocess.DEVNULL,
                                         stdout=log, stderr=log, start_new_session=True)

    def end_sync(self, how=signal.SIGTERM):
        if self.sync is None:
            return
        self.sync.send_signal(how)
        code = self.sync.wait(60)
        self.sync = None
        if how == signal.SIGTERM and code != 0:
            raise Trouble(f"pgpgate-sync: exit {code}: {self.sync_log()[-2000:]}")

    def sync_log(self):
        with open(os.path.join(self.dir, "sync.log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait_said(self, words, after, seconds=60):
        """That its sync says so, in what stands after the first `after` characters of its log: a test that looks through all of it
        may find what was said before."""
        wait_until(lambda: words in self.sync_log()[after:],
                   lambda: f"{self.name}: {words!r} in its log: {self.sync_log()[after:][-900:]}", seconds)

    def back_up(self):
        """Its database as it is now: a file."""
        path = os.path.join(self.place.directory("kept", self.place.user.pw_uid, self.place.user.pw_gid, 0o770), f"{self.name}.db")
        self.must("db", "backup", path)
        return path

    def put_back(self, path):
        """With the database from there, its filter running, its sync not."""
        self.end_sync()
        self.ask_to_stop()
        self.stop()
        self.must("db", "restore", path)
        self.start(policyd=False)

    def ask(self, sql, *values):
        database = sqlite3.connect(self.database, timeout=30)
        try:
            return database.execute(sql, values).fetchall()
        finally:
            database.close()

    def ask_write(self, script):
        database = sqlite3.connect(self.database, timeout=30)
        try:
            database.executescript(script)
        finally:
            database.close()

    def rules(self):
        """What the database holds, however it came there."""
        return sorted(self.ask("SELECT id, recipient, sender, client, requirement FROM rule WHERE generation <= "
                               "(SELECT live_generation FROM state) AND until_generation IS NULL"))

    def verdicts(self, after=0):
        return sorted(self.ask("SELECT id, time_unix, queue_id, action, reply FROM verdict WHERE id > ?", after))


class Site:
    def __init__(self, place, centre, n, settings, clocks=False):
        self.centre = centre
        self.place, self.settings = place, settings
        self.hosts = [Host(place, f"mx{i + 1}", centre, settings) for i in range(n)]
        for host in self.hosts:
            if clocks:
                host.wear_clock(build_clock(place))
            host.start(policyd=False)
            host.must("site", "init" if host is self.hosts[0] else "join")
            host.start_sync()
        self.wait_same()

    def add(self, name, join=True):
        host = Host(self.place, name, self.centre, self.settings)
        self.hosts.append(host)
        host.start(policyd=False)
        if join:
            host.must("site", "join")
            host.start_sync()
        return host

    def rules(self):
        return sorted((int(row[0]), row[1], row[2], row[3], row[4].split()[0])
                      for row in (line.split("|") for line in self.centre.sql(
                          "SELECT id, recipient, sender, client, text FROM pgpgate.rule")))

    def verdicts(self, name, after=0):
        return sorted((int(a), int(b), c, d, e.replace("~", "\n")) for a, b, c, d, e in (
            line.split("|", 4) for line in self.centre.sql(
                f"SELECT no, time_unix, queue_id, action, replace(reply, E'\\n', '~') FROM pgpgate.verdict "
                f"JOIN pgpgate.host USING (host_id) WHERE name = '{name}' AND no > {after}")))

    def no(self):
        return int(self.centre.sql("SELECT no FROM pgpgate.site")[0])

    def wait_same(self, seconds=60, seen=None):
        """Every host has the centre's rules, and the centre every host's rows, each once. seen: for each host the last row that
        was compared before; those after it are, and it moves on."""
        no = self.no()
        after = seen or {}

        def behind():
            late = [h.name for h in self.hosts if h.ask("SELECT rules_no FROM site") != [(no,)]
                    or h.ask("SELECT 1 FROM site WHERE pushed_no < (SELECT max(id) FROM verdict)")]
            return late or [h.name for h in self.hosts if self.verdicts(h.name, after.get(h.name, 0)) != h.verdicts(after.get(h.name, 0))]
        wait_until(lambda: not behind(), lambda: f"hosts at change {no} with all rows pushed: {behind()} "
                   f"{[(h.name, h.ask('SELECT rules_no, pushed_no FROM site'), h.sync_log()[-300:]) for h in self.hosts]}", seconds, 0.1)
        rules = self.rules()
        for host in self.hosts:
            assert host.rules() == rules, host.name
            if seen is not None:
                seen[host.name] = host.ask("SELECT coalesce(max(id), 0) FROM verdict")[0][0]

    def stop(self):
        for host in self.hosts:
            host.proxy.flows.set()
            host.end_sync()
            host.ask_to_stop()
        for host in self.hosts:
            host.stop()
            host.proxy.close()
