# SPDX-License-Identifier: ISC
"""A fresh Debian below one directory, with Postfix: booted by systemd-nspawn, or without systemd as a set of
namespaces around a process that sleeps. Its network is its own loopback only. Wants root."""

import os
import shutil
import signal
import subprocess
import time

PLAIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
ALONE = "ip link set lo up 2>/dev/null || :; mount -t proc proc /proc; exec sleep infinity"


class Trouble(Exception):
    pass


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False, **more)
    if done.returncode != 0:
        raise Trouble(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def wait_until(condition, what, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Trouble(f"waited {seconds} s in vain for {what}")
        time.sleep(0.1)


def make_base(tar, suite="bookworm"):
    """Debian's smallest, systemd beside it, and Debian's Postfix with the answers that nobody gave. With lists of
    packages, so that apt can be asked."""
    run("mmdebstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus,postfix", "--skip=cleanup/apt/lists",
        '--aptopt=Acquire::Languages "none"', suite, tar)


class Machine:
    def __init__(self, folder, base, has_systemd, packages, names=()):
        """packages: .deb files, and names of Debian's, that will be installed later: all that they depend on is fetched
        now. Of files of one package the first is asked."""
        self.root, self.has_systemd = os.path.join(folder, "root"), has_systemd
        self.log_path = os.path.join(folder, "console.log")
        self.process = self.leader = None
        os.makedirs(self.root)
        run("tar", "-x", "-f", base, "-C", self.root)
        for package in packages:
            shutil.copy(package, self.path("root"))
        inside = [f"/root/{os.path.basename(p)}" for p in packages if p == packages[0] or "-before" not in p]
        run("chroot", self.root, "apt-get", "-q", "-y", "--no-install-recommends", "--download-only", "install",
            *inside, *names, env=PLAIN)

    def path(self, *names):
        return os.path.join(self.root, *names)

    def start(self):
        words = ["systemd-nspawn", "-D", self.root, "--register=no", "--keep-unit", "--private-network", "--boot"] \
            if self.has_systemd else ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child",
                                      "chroot", self.root, "sh", "-c", ALONE]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._find_leader, "the first process")
        if self.has_systemd:
            wait_until(lambda: self.run("systemctl is-system-running", check=False).stdout.strip() in
                       ("running", "degraded"), "systemd")
        else:
            run("nsenter", "-t", self.leader, "-n", "ip", "link", "set", "lo", "up")
            wait_until(lambda: self.run("test -e /proc/1/comm", check=False).returncode == 0, "/proc")

    def _find_leader(self):
        if self.process.poll() is not None:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                raise Trouble(f"ended at once: {log.read()[-2000:]}")
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as children:
            found = children.read().split()
        self.leader = found[0] if found else None
        return self.leader is not None

    def run(self, script, check=True):
        """Runs a shell script inside."""
        namespaces = ["-a"] if self.has_systemd else ["-m", "-p", "-n", "-u", "-i", "-r"]
        done = subprocess.run(["nsenter", "-t", self.leader, *namespaces, "/bin/sh", "-c", f"cd /root; {script}"],
                              capture_output=True, text=True, errors="replace", env=PLAIN, stdin=subprocess.DEVNULL,
                              timeout=300, check=False)
        if check and done.returncode != 0:
            raise Trouble(f"{script}: exit {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return done

    def stop(self):
        if self.process is None:
            return
        if self.has_systemd:
            os.kill(int(self.leader), signal.SIGRTMIN + 4)
        else:
            self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
