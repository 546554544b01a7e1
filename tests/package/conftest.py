# SPDX-License-Identifier: ISC
"""The package, built once; and fresh machines, with systemd and without, each for the tests of one file."""

import os
import re
import shutil
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.realpath(os.environ.get("PGPGATE_BUILD", os.path.join(TOP, "build")))
sys.path[:0] = [HERE, os.path.join(TOP, "tests", "e2e")]

from machine import Machine, Trouble, make_base, run

BEFORE = "0.0.9~before"


def pytest_configure(config):
    config.addinivalue_line("markers", "services: of systemd, and so nothing for a machine without")


def pytest_collection_modifyitems(config, items):
    away = [i for i in items if i.get_closest_marker("services") and "[no systemd" in i.name]
    config.hook.pytest_deselected(items=away)
    items[:] = [i for i in items if i not in away]


@pytest.fixture(scope="session")
def folder():
    folder = tempfile.mkdtemp(prefix="pgpgate-package.")
    os.chmod(folder, 0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def source(folder):
    path = os.path.join(folder, "source")
    run("make", "-s", "-C", BUILD, "distdir", f"distdir={path}")
    return path


def build_deb(folder, name, source):
    """What `make deb` does, of a copy of the tree elsewhere."""
    tree = os.path.join(folder, name, "src")
    shutil.copytree(source, tree)
    run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=tree,
        env={**os.environ, "DEB_BUILD_OPTIONS": "nocheck parallel=2"})
    return os.path.dirname(tree)


def debs(folder):
    return {name: os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".deb")}


@pytest.fixture(scope="session")
def built(folder, source):
    return build_deb(folder, "one", source)


@pytest.fixture(scope="session")
def package(built):
    (found,) = [path for name, path in debs(built).items() if name.startswith("pgpgate_")]
    return found


@pytest.fixture(scope="session")
def before(folder, package):
    """The same programs as an earlier version; its database is taken back to the first schema when it is needed."""
    content, path = os.path.join(folder, "before"), os.path.join(folder, "pgpgate-before.deb")
    run("dpkg-deb", "-R", package, content)
    control = os.path.join(content, "DEBIAN", "control")
    with open(control, encoding="utf-8") as file:
        text = re.sub(r"(?m)^Version: .*", f"Version: {BEFORE}", file.read())
    with open(control, "w", encoding="utf-8") as file:
        file.write(text)
    run("dpkg-deb", "-b", content, path)
    return path


@pytest.fixture(scope="session")
def base(folder):
    path = os.path.join(folder, "base.tar")
    make_base(path)
    return path


@pytest.fixture(scope="module", params=["systemd", "no systemd"])
def machine(request, folder, base, built, package, before):
    others = [path for name, path in debs(built).items() if path != package and "dbgsym" not in name]
    machine = Machine(tempfile.mkdtemp(prefix="machine.", dir=folder), base, request.param == "systemd",
                      [package, before, *others], ["autopkgtest", "dpkg-dev"])
    try:
        machine.start()
    except Trouble as trouble:
        machine.stop()
        if request.param == "systemd":
            pytest.skip(f"systemd-nspawn cannot boot here: {trouble}")
        raise
    yield machine
    machine.stop()
