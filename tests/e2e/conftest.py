# SPDX-License-Identifier: ISC
"""Fixtures: one place a module, a Postfix with both daemons, keys. PGPGATE_BUILD names the programs'
directory (default: build/ in the tree). Run by `./runtests e2e`, or as root:
/usr/bin/python3 -m pytest tests/e2e"""

import os
import signal
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from harness.faults import build_faults
from harness.gate import Gate
from harness.messages import Keys
from harness.pair import Pair
from harness.place import Place
from harness.postfix import Postfix


def pytest_configure(config):
    """SIGTERM unwinds as Ctrl-C does, so that no daemon is left behind."""
    def end(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, end)


@pytest.fixture(scope="module", autouse=True)
def _root():
    if os.geteuid() != 0:
        pytest.skip("a private Postfix wants root")


@pytest.fixture(scope="module")
def place():
    place = Place()
    yield place
    place.remove()


@pytest.fixture(scope="module")
def keys(place):
    return Keys(place)


@pytest.fixture(scope="module")
def faults(place):
    """The library for LD_PRELOAD with which calls fail (tests/faults/faults.c)."""
    library = os.path.join(place.directory("faults"), "faults.so")
    build_faults(library)
    os.chmod(os.path.dirname(library), 0o755)
    return library


@pytest.fixture(scope="module")
def make_pair(place):
    """make_pair(name, **settings): a started pair; its end is checked (exit codes, sanitizers)."""
    pairs = []

    def make(name="pair", policyd=True, **settings):
        pair = Pair(place, name, **{"enforce": "yes", **settings})
        pairs.append(pair)
        return pair.start(policyd)

    yield make
    for pair in pairs:
        pair.ask_to_stop()
    for pair in pairs:
        pair.stop()


@pytest.fixture(scope="module")
def make_postfix(place):
    """make_postfix(name, pair=None, policy=True, **of Postfix): a started private Postfix."""
    running = []

    def make(name="mx", pair=None, policy=True, **more):
        if pair is not None:
            more.setdefault("milters", pair.milter)
            if policy:
                more.setdefault("policy", pair.policy)
        postfix = Postfix(place, name, **more)
        running.append(postfix)
        return postfix.start()

    yield make
    for postfix in running:
        postfix.stop()


@pytest.fixture(scope="module")
def pair(make_pair):
    return make_pair()


@pytest.fixture(scope="module")
def mx(make_postfix, pair):
    return make_postfix("mx", pair)


@pytest.fixture
def bare(tmp_path):
    """Without a database."""
    return Gate(tmp_path)


@pytest.fixture
def gate(bare):
    bare.must("db", "init")
    return bare
