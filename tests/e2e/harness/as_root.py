# SPDX-License-Identifier: ISC
"""What a program that is started as root does before it has become somebody else for good: which files it opens, reads,
makes, changes, and which programs it runs. By strace(1)."""

import os
import re
import subprocess

CALLS = ("open,openat,openat2,execve,execveat,connect,bind,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat,rmdir,rename,renameat,"
         "renameat2,chmod,fchmod,fchmodat,chown,fchown,fchownat,lchown,link,linkat,symlink,symlinkat,truncate,ftruncate,"
         "setxattr,fsetxattr,utimensat,read,pread64,readv,preadv,recvfrom,recvmsg,mmap,setuid,setreuid,setresuid,clone,"
         "clone3,fork,vfork")

# Nobody but root writes there, or nothing is there to be written: the loader, locales, accounts.
_QUIET = re.compile(r"/(usr/|lib|etc/(ld\.so|nsswitch\.conf|passwd|group|locale|localtime|host\.conf|hosts|resolv\.conf|services|gai)"
                    r"|proc/sys/|dev/(null|urandom|tty)$|var/run/nscd)")
_LINE = re.compile(r"^(\d+) +(?:\+\+\+|---|(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+)(?:<(.*?)>)?|(\w+)\((.*) <unfinished \.\.\.>$"
                   r"|<\.\.\. (\w+) resumed>(.*)\) += (-?\d+|0x[0-9a-f]+)(?:<(.*?)>)?)")
_WORDS = {"exec": "runs", "bind": "makes", "mkdir": "makes", "mknod": "makes", "link": "makes", "symlink": "makes",
          "unlink": "removes", "rmdir": "removes", "rename": "renames to"}


def _calls(path):
    """(pid, name, arguments, result, what the result names) of each call, an interrupted one as it ends; and (pid, name,
    None, ...) where one that makes a process begins."""
    begun = {}
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            m = _LINE.match(line)
            if m is None or line.split(" ", 1)[1].lstrip().startswith(("+++", "---")):
                continue
            pid = int(m[1])
            if m[6] is not None:
                begun[pid] = (m[6], m[7])
                yield pid, m[6], None, None, None
            elif m[8] is not None:
                name, first = begun.pop(pid, (m[8], ""))
                yield pid, name, first + m[9], int(m[10], 0), m[11]
            else:
                yield pid, m[2], m[3], int(m[4], 0), m[5]


def _event(name, arguments, result, named):
    """What a call does, in a word and a path; None: nothing that counts."""
    text = re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)
    fd = re.match(r"\d+<(.*?)>", arguments)
    if name in ("open", "openat", "openat2"):
        if result < 0:
            return None
        if re.search(r"O_(CREAT|TRUNC|WRONLY|RDWR)", arguments):
            return "writes", named or text[0]
        return "names" if "O_PATH" in arguments else "opens", named or text[0]
    if name in ("read", "pread64", "readv", "preadv", "recvfrom", "recvmsg", "mmap"):
        if name == "mmap":
            fd = re.search(r"MAP_\w+(?:\|MAP_\w+)*, \d+<(.*?)>", arguments)
        elif arguments.startswith("0<"):
            return "reads", "stdin"
        return ("reads", fd[1]) if fd and result >= 0 else None
    if name in ("setuid", "setreuid", "setresuid", "clone", "clone3", "fork", "vfork"):
        return None
    if name in ("fchmod", "fchown", "ftruncate", "fsetxattr"):
        return ("changes", fd[1]) if fd else None
    if name == "connect":
        return ("connects to", text[0] if text else arguments)
    if result < 0 or not text:
        return None
    word = next((word for beginning, word in _WORDS.items() if name.startswith(beginning)), "changes")
    folder = re.match(r"\w+<(.*?)>", arguments)
    path = text[-1] if word in ("makes", "renames to") else text[0]
    return word, path if folder is None or path.startswith("/") else os.path.join(folder[1], path)


def events(trace):
    """The set of what was done as root, of (word, path) pairs, and the pids that never became anybody else."""
    is_root, making, done, seen = {}, set(), set(), set()
    for pid, name, arguments, result, named in _calls(trace):
        if pid not in is_root:  # by whoever makes one at this moment, or the first
            is_root[pid] = next((is_root[p] for p in making), True)
        if name in ("clone", "clone3", "fork", "vfork"):
            if arguments is None:
                making.add(pid)
            else:
                making.discard(pid)
                is_root.setdefault(result, is_root[pid])
            continue
        if arguments is None or not is_root[pid]:
            continue
        if name in ("setuid", "setreuid", "setresuid") and result == 0 and not re.search(r"\b0\b", arguments):
            is_root[pid] = False
            continue
        event = _event(name, arguments, result, named)
        if event is not None and not _QUIET.match(event[1]):
            done.add(event)
            seen.add(pid)
    return done, {pid for pid in seen if is_root[pid]}


def traced(words, trace, data=b"", **more):
    """Runs words under strace. The process, and what it did as root."""
    run = subprocess.run(["strace", "-f", "-qq", "-y", "-s", "512", "-o", trace, "-e", f"trace={CALLS}", "-e", "signal=none",
                          *words], input=data, capture_output=True, timeout=120, check=False, **more)
    done, _ = events(trace)
    os.unlink(trace)
    return run, done
