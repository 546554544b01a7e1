# SPDX-License-Identifier: ISC
"""The fixtures of tests/e2e, for the mass test. Run by `./runtests mass`."""

import importlib.util
import os
import sys

E2E = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "e2e")
sys.path.insert(0, E2E)
_spec = importlib.util.spec_from_file_location("e2e_conftest", os.path.join(E2E, "conftest.py"))
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
globals().update({name: value for name, value in vars(_module).items() if not name.startswith("__")})
