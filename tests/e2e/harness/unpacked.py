# SPDX-License-Identifier: ISC
"""Debian packages that cannot be installed beside Postfix, or would start services: downloaded and extracted only.

They stay in build/mtas of the tree for the next run. Where apt has no network the test is skipped, and says so.
"""

import fcntl
import glob
import os
import subprocess

import pytest

from .pair import TOP

CACHE = os.path.join(TOP, "build/mtas")
LIBRARIES = "usr/lib/{0}:lib/{0}:usr/lib".format("x86_64-linux-gnu" if os.uname().machine == "x86_64"
                                                 else f"{os.uname().machine}-linux-gnu")


def unpacked(name, packages):
    """The directory with the files of these packages; name: of the tree in the cache."""
    tree = os.path.join(CACHE, name)
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, f"{name}.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = os.path.join(CACHE, f"{name}.packages")
        if not os.path.exists(stamp) or open(stamp, encoding="ascii").read() != " ".join(packages):
            _fetch(tree, packages)
            with open(stamp, "w", encoding="ascii") as f:
                f.write(" ".join(packages))
    return tree


def _fetch(tree, packages):
    os.makedirs(f"{tree}.deb", exist_ok=True)
    # The first alone: where no name server answers each package costs a minute.
    for some in filter(None, (packages[:1], packages[1:])):
        run = subprocess.run(["apt-get", "-q", "download", *some], cwd=f"{tree}.deb",
                             capture_output=True, env={**os.environ, "RES_OPTIONS": "timeout:2 attempts:1"})
        if run.returncode != 0:
            break
    debs = glob.glob(f"{tree}.deb/*.deb")
    if run.returncode != 0 or len(debs) < len(packages):
        pytest.skip(f"apt cannot download {' '.join(packages)}: {run.stderr.decode(errors='replace')[-200:].strip()}")
    for deb in debs:
        subprocess.run(["dpkg-deb", "-x", deb, tree], check=True)
        os.unlink(deb)
    if os.path.isdir(f"{tree}/lib"):
        subprocess.run(["cp", "-a", f"{tree}/lib/.", f"{tree}/usr/lib/"], check=True)
    # a program with these bits takes no LD_LIBRARY_PATH
    subprocess.run(["find", tree, "-type", "f", "-perm", "/6000", "-exec", "chmod", "a-s", "{}", "+"], check=True)


# /usr with the tree's files laid over it, for one process and its children: programs with fixed paths. $0 is the tree.
OVERLAY = """\
mount -t overlay -o "ro,lowerdir=$0/usr:/usr" overlay /usr && exec "$@"
"""


def overlaid(tree):
    """What stands before a command that is to see the tree's files as installed."""
    prefix = ["unshare", "-m", "sh", "-c", OVERLAY, tree]
    if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        pytest.skip("this system lets nobody mount overlays")
    return prefix


# /etc but for some files of its own, for one process and its children. $0 is its directory, and the rest the command. A file
# that was mounted over one of /etc would be gone as soon as anybody on this machine replaces that one, as useradd(8) does with
# passwd; so it is the folder.
OWN_ETC = """\
mount --rbind /etc "$0/etc.system" && mount --rbind "$0/etc" /etc && exec "$@"
"""


def system_text(name):
    """Of a file in /etc."""
    with open(os.path.join("/etc", name), encoding="utf-8") as f:
        return f.read()


def with_own_etc(place, directory, files):
    """What stands before a command that is to see these files ({name: text}) in /etc. directory: the command's, absolute."""
    etc = place.directory(os.path.join(directory, "etc"))
    system = place.directory(os.path.join(directory, "etc.system"))
    for name, text in files.items():
        with open(os.path.join(etc, name), "w", encoding="utf-8") as f:
            f.write(text)
    for name in set(os.listdir("/etc")) - set(files):
        path = os.path.join("/etc", name)
        # one such as mtab is relative to /etc
        target = os.path.join("/etc", os.readlink(path)) if os.path.islink(path) else os.path.join(system, name)
        os.symlink(os.path.normpath(target), os.path.join(etc, name))
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", OWN_ETC, directory]


def environment(tree, **more):
    """The environment in which a program of that tree finds its libraries."""
    path = ":".join(os.path.join(tree, d) for d in LIBRARIES.split(":"))
    return {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": path, **more}
