# SPDX-License-Identifier: ISC
"""Other milters beside ours: why it has to be the last one, and that it is right there."""

import pytest

from harness import messages
from harness.other_milter import Milter
from harness.place import free_port, wait_until
from harness.smtp import send

BOB, OPEN, SHUT = "bob@example.net", "open@example.org", "shut@example.org"


@pytest.fixture
def milter():
    made = []

    def make(**answers):
        port = free_port()
        made.append(Milter(port, **answers))
        return made[-1], f"inet:127.0.0.1:{port}"
    yield make
    for one in made:
        one.stop()


@pytest.mark.parametrize("later", [{}, {"at_rcpt": b"r"}, {"at_end": b"r"}], ids=["accepts", "no recipient", "refuses"])
def test_a_milter_is_told_nothing_of_what_a_later_one_answers(make_postfix, milter, later):
    """So nothing but its place keeps a milter from taking a refused recipient for one, or refused mail for delivered."""
    first, first_socket = milter()
    _, later_socket = milter(**later)
    mx = make_postfix(f"later-{'-'.join(later) or 'none'}", milters=f"{first_socket}, {later_socket}")
    sent = send(mx.port, BOB, [OPEN], messages.cleartext())
    assert sent.code == (550 if later else 250), sent
    session = wait_until(lambda: [s for s in first.sessions if "M" in s and s[-1] == "Q"], "the end of the session")
    # DATA, headers, body, end of body, and then ABORT twice, whether it was delivered or not
    expected = "OCHMRAAQ" if "at_rcpt" in later else "OCHMRTLLLLLLLNBEAAQ"
    assert "".join(session[0]) == expected


@pytest.mark.parametrize("answer", ["at_rcpt", "at_end"])
def test_behind_a_milter_that_refuses_nothing_is_counted(make_pair, make_postfix, milter, keys, answer):
    """Encrypted spam that another milter refuses locks no ratchet, and a recipient that it refuses splits no mail."""
    pair = make_pair(f"behind-{answer}", default_requirement="ratchet")
    _, socket = milter(**{answer: b"r"})
    mx = make_postfix(f"behind-{answer}", pair, milters=f"{socket}, {pair.milter}")
    direct = make_postfix(f"direct-{answer}", pair)
    assert send(mx.port, BOB, [SHUT], messages.pgp_mime(keys.gpg_armor())).code == 550
    assert pair.json("log") == []
    assert send(direct.port, BOB, [SHUT], messages.cleartext()).code == 250
