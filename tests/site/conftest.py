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

# What the default run leaves to PGPGATE_LONG (whole) and PGPGATE_SITE=all (short forms).
LEFT_OUT = {"test_the_hash_key_comes_with_join", "test_hosts_behind_a_pooler", "test_commands_that_read_the_record_of_all",
            "test_a_host_that_was_away_for_a_month", "test_versions_apart", "test_a_centre_of_the_version_before",
            "test_the_centre_away_under_load", "test_how_fast_a_backlog_is_pushed", "test_a_storm_of_changes", "test_histories_at_random",
            "test_a_replica_is_promoted_that_lacks_the_last_commits", "test_a_full_disk_at_the_centre",
            "test_a_page_that_is_too_much_is_read_in_parts", "test_a_role_of_hosts_that_holds_what_others_want",
            "test_a_backup_from_before_a_person_was_forgotten", "test_what_was_not_pushed_is_kept_for_so_long",
            "test_the_centre_drops_whole_months_and_has_views_for_people", "test_pages_of_the_record_and_of_rules_that_lead_nowhere",
            "test_the_same_backup_put_back_again", "test_a_person_goes_from_a_large_record_in_steps",
            "test_what_is_forgotten_is_so_by_the_order_of_changes", "test_a_damaged_centre_stops_and_loosens_nothing",
            "test_a_centre_that_cannot_be_written_to", "test_a_host_that_cannot_go_on_is_named", "test_what_libpq_looks_for_at_home",
            "test_backups_that_were_put_back_bring_nothing_back"}


def pytest_collection_modifyitems(config, items):
    if "PGPGATE_LONG" in os.environ or os.environ.get("PGPGATE_SITE") == "all":
        return
    left_out = [item for item in items if item.name in LEFT_OUT]
    items[:] = [item for item in items if item.name not in LEFT_OUT]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def spot():
    """One for each test: what one breaks is no other's."""
    spot = sys.modules["harness.place"].Place("site")
    yield spot
    spot.remove()


@pytest.fixture
def site(spot):
    """site(n): a centre and n hosts that belong to it, filter and sync running; with clocks=True, clocks that can be wrong."""
    made = []

    def make(n=3, clocks=False, **settings):
        made.append(Site(spot, Centre(spot).start(), n, settings, clocks))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def make_site(spot):
    """The same in another place; the test ends it itself."""
    return lambda n, centre_in, **settings: Site(spot, Centre(spot, centre_in).start(), n, settings)
