# SPDX-License-Identifier: ISC
"""The fixtures of tests/e2e, for sites of several hosts. Run by `./runtests site`."""

import importlib.util
import os
import sys

E2E = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "e2e")
sys.path.insert(0, E2E)
_spec = importlib.util.spec_from_file_location("e2e_conftest", os.path.join(E2E, "conftest.py"))
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
globals().update({name: value for name, value in vars(_module).items() if not name.startswith("__")})
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import pytest

from centre import Centre, Site


@pytest.fixture
def spot():
    """One for each test: what one breaks is no other's."""
    spot = sys.modules["harness.place"].Place("site")
    yield spot
    spot.remove()


@pytest.fixture
def site(spot):
    """site(n): a centre and n hosts that belong to it, filter and sync running."""
    made = []

    def make(n=3, **settings):
        made.append(Site(spot, Centre(spot).start(), n, settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def make_site(spot):
    """The same in another place; the test ends it itself."""
    return lambda n, centre_in, **settings: Site(spot, Centre(spot, centre_in).start(), n, settings)
