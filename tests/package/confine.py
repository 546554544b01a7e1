#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""confine.py UNIT WRITABLE[:WRITABLE...] USER COMMAND...: runs COMMAND in this process under what
the service in dist/UNIT.service.in asks of systemd, as far as that can be had without it: its user, no capabilities,
no new privileges, a system that is read-only but for what is WRITABLE, an empty /tmp besides that, no devices but the
usual, the filter of system calls. Wants root, python3-seccomp and systemd-analyze (for what the names of sets mean).

With PGPGATE_CONFINED=1 the end-to-end tests start their daemons this way."""

import ctypes
import os
import platform
import pwd
import re
import subprocess
import sys

import seccomp

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
CLONE_NEWNS, MS_RDONLY, MS_NOSUID, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 1, 2, 32, 4096, 16384, 1 << 18
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
KEPT = ("/proc", "/dev", "/sys")

libc = ctypes.CDLL(None, use_errno=True)


def must(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def mount(source, target, kind, flags):
    must(libc.mount(source.encode() if source else None, target.encode(), kind.encode() if kind else None,
                    ctypes.c_ulong(flags), None), f"mount {target}")


def read_only_system(writable):
    must(libc.unshare(CLONE_NEWNS), "unshare")
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    held = {path: os.open(path, os.O_PATH) for path in writable}
    mount("none", "/tmp", "tmpfs", MS_NOSUID)
    os.chmod("/tmp", 0o1777)
    for path, fd in held.items():
        os.makedirs(path, exist_ok=True)
        mount(f"/proc/self/fd/{fd}", path, None, MS_BIND | MS_REC)
        os.close(fd)
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        points = [line.split()[4] for line in file]
    for point in points:
        if not point.startswith(KEPT) and not any(point == w or point.startswith(w + "/") for w in writable):
            if point != "/tmp" and os.path.ismount(point):  # not one that another hides
                mount(None, point, None, MS_REMOUNT | MS_BIND | MS_RDONLY)


def sets_of_calls():
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True,
                          check=True).stdout
    sets, name = {}, None
    for line in text.splitlines():
        if line.startswith("@"):
            name = line.split()[0]
            sets[name] = set()
        elif name and re.match(r"^    [@\w]", line):
            sets[name].add(line.split()[0])
    return sets


def flat(sets, name):
    found = set()
    for word in sets[name]:
        found |= flat(sets, word) if word.startswith("@") else {word}
    return found


def allowed_calls(unit):
    """As systemd.exec(5) says: the first line allows, lines with ~ take away, @default is always allowed."""
    sets = sets_of_calls()
    allowed = set()
    for value in re.findall(r"^SystemCallFilter=(.*)$", unit, re.M):
        takes_away = value.startswith("~")
        for word in value.lstrip("~").split():
            calls = flat(sets, word) if word.startswith("@") else {word}
            allowed = allowed - calls if takes_away else allowed | calls
    return allowed | flat(sets, "@default")


def filter_calls(unit):
    rules = seccomp.SyscallFilter(seccomp.ERRNO(1))  # EPERM, as the unit says
    assert "SystemCallErrorNumber=EPERM" in unit
    for call in sorted(allowed_calls(unit) | {"execve", "exit", "exit_group", "rt_sigreturn"}):
        try:
            rules.add_rule(seccomp.ALLOW, call)
        except (ValueError, RuntimeError, OSError):
            pass  # of another machine than platform.machine()
    rules.load()


def become(user):
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    who = pwd.getpwnam(user)
    os.setgroups([])
    os.setresgid(who.pw_gid, who.pw_gid, who.pw_gid)
    os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)
    must(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def main():
    name, writable, user, *command = sys.argv[1:]
    with open(os.path.join(TOP, "dist", f"{name}.service.in"), encoding="utf-8") as file:
        unit = file.read()
    read_only_system(writable.split(":"))
    os.chdir("/")
    become(user)
    os.umask(0o007)
    filter_calls(unit)
    os.execv(command[0], command)


if __name__ == "__main__":
    assert platform.system() == "Linux"
    main()
