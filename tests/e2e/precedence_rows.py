# SPDX-License-Identifier: ISC
"""The table of test_precedence.py: rules, an envelope, and which rule must win with what requirement.

rules: lines as `pgpgate import` reads them; they are numbered from 1. want: the requirement, and the number
of the winning rule, or the source ("default", "exempt_recipients"). to_internal: the recipient as Postfix
tells it to a policy server, where that differs from what the client writes (quotes are gone).
"""

from harness.smtp import LOCAL, STRANGER

ALICE, BOB = "alice@example.org", "bob@example.net"
ROWS = []


def row(name, rules, want, to=ALICE, sender=BOB, client=STRANGER, login=None, to_internal=None):
    ROWS.append({"name": name, "rules": rules, "want": want, "to": to, "sender": sender, "client": client,
                 "login": login, "to_internal": to_internal or to})


# Without a rule
row("no rule", [], ("encrypted", "default"))
row("no rule, authenticated", [], ("observe", "default"), login="joe")
row("no rule, local client", [], ("observe", "default"), client=LOCAL)
row("rule for another mailbox", ["exempt carol@example.org"], ("encrypted", "default"))
row("rule for another domain", ["exempt example.com"], ("encrypted", "default"))

# Recipient patterns, in the order in which they win
ALL = ["exempt *", "observe alice@", "signed .org", "encrypted .example.org", "exempt example.org",
       "ratchet alice@example.org", "signed alice+pgp@example.org"]
row("extension wins over all", ALL, ("signed", 7), to="alice+pgp@example.org")
row("mailbox of another extension", ALL, ("ratchet", 6), to="alice+other@example.org")
row("mailbox", ALL, ("ratchet", 6))
row("domain", ALL, ("exempt", 5), to="carol@example.org")
row("domain over user", ALL[:5], ("exempt", 5))
row("domain itself is no subdomain", ALL[:4], ("signed", 3))
row("subdomain, longest", ALL, ("encrypted", 4), to="alice@mail.example.org")
row("subdomain at depth", ALL, ("encrypted", 4), to="alice@a.b.c.mail.example.org")
row("shorter subdomain", ALL, ("signed", 3), to="alice@example2.org")
row("user in every domain", ALL, ("observe", 2), to="alice@example.com")
row("user with extension", ALL, ("observe", 2), to="alice+x@example.com")
row("any", ALL, ("exempt", 1), to="carol@example.com")
row("order of adding does not matter", list(reversed(ALL)), ("ratchet", 2))
row("at sign before domain", ["exempt @example.org"], ("exempt", 1))
row("no suffix of a label", ["exempt .ample.org", "exempt ample.org"], ("encrypted", "default"))
row("no prefix of a domain", ["exempt example.or", "exempt .or"], ("encrypted", "default"))
row("no prefix of a mailbox", ["exempt lice@example.org", "exempt alice@example.or"], ("encrypted", "default"))
row("extension rule is not for the bare mailbox", ["exempt alice+pgp@example.org"], ("encrypted", "default"))
row("extension rule is not for another", ["exempt alice+pgp@example.org"], ("encrypted", "default"),
    to="alice+pgp2@example.org")
row("two extensions", ["exempt alice+a+b@example.org", "observe alice@example.org"], ("exempt", 1),
    to="alice+a+b@example.org")
row("extension of two parts falls to the mailbox", ["observe alice@example.org"], ("observe", 1),
    to="alice+a+b@example.org")

# One canonical form
row("case of the recipient", ["exempt alice@example.org"], ("exempt", 1), to="ALICE@Example.ORG")
row("case of the rule", ["exempt ALICE@Example.ORG"], ("exempt", 1))
row("trailing dot of the rule", ["exempt alice@example.org."], ("exempt", 1))
row("A-label rule, U-label recipient", ["exempt alice@xn--mnchen-3ya.example"], ("exempt", 1),
    to="alice@münchen.example")
row("U-label rule, A-label recipient", ["exempt alice@münchen.example"], ("exempt", 1),
    to="alice@xn--mnchen-3ya.example")
row("U-label rule, upper case U-label recipient", ["exempt MÜNCHEN.example"], ("exempt", 1),
    to="alice@MÜNCHEN.example")
row("sharp s in the domain", ["exempt alice@xn--fa-hia.example"], ("encrypted", "default"), to="alice@fa\u00df.example")
row("sharp s, and two of them", ["exempt alice@xn--fa-hia.example", "exempt alice@fass.example"], ("exempt", 1), to="alice@fa\u00df.example")
row("two s, for which Postfix takes a sharp one", ["exempt *", "require alice@fass.example"], ("encrypted", 2), to="alice@fa\u00df.example")
row("sharp s is not two of them", ["exempt alice@fass.example"], ("encrypted", "default"), to="alice@fa\u00df.example")
row("final sigma in the domain", ["exempt *", "signed alice@xn--nxasmm1c.example"], ("signed", 2),
    to="alice@\u03b2\u03cc\u03bb\u03bf\u03c2.example")
row("local part in NFD, rule in NFC", ["exempt jos\u00e9@example.org"], ("exempt", 1),
    to="jose\u0301@example.org")
row("quotes that are not needed", ["exempt alice@example.org"], ("exempt", 1), to='"alice"@example.org',
    to_internal="alice@example.org")
row("quoted space", ["exempt example.org"], ("exempt", 1), to='"al ice"@example.org',
    to_internal="al ice@example.org")
row("address literal", ["exempt alice@[192.0.2.9]"], ("exempt", 1), to="alice@[192.0.2.9]")

# What no lenient rule may match
row("quoted at sign", ["exempt example.org", "exempt *"], ("encrypted", "default"),
    to='"alice@example.com"@example.org', to_internal="alice@example.com@example.org")
row("percent route", ["exempt example.org", "exempt *"], ("encrypted", "default"),
    to="alice%example.com@example.org")
row("bang route", ["exempt example.org", "exempt *"], ("encrypted", "default"),
    to="example.com!alice@example.org")
row("percent route, from an exempt sender", ["exempt * sender=example.net"], ("encrypted", "default"),
    to="alice%example.com@example.org")

# Senders
S = ["exempt alice@example.org sender=bob@example.net", "observe alice@example.org sender=example.net",
     "signed alice@example.org sender=.net", "ratchet alice@example.org sender=bob@",
     "encrypted alice@example.org"]
row("sender mailbox", S, ("exempt", 1))
row("sender with extension", S, ("exempt", 1), sender="bob+list@example.net")
row("sender domain", S, ("observe", 2), sender="carol@example.net")
row("sender subdomain", S, ("signed", 3), sender="bob@mail.example.net")
row("sender user", S, ("ratchet", 4), sender="bob@example.com")
row("no sender matches", S, ("encrypted", 5), sender="carol@example.com")
row("case of the sender", S, ("exempt", 1), sender="BOB@EXAMPLE.NET")
row("null sender by its pattern", ["exempt alice@example.org sender=<>"], ("exempt", 1), sender="")
row("null sender pattern is not for others", ["exempt alice@example.org sender=<>"], ("encrypted", "default"))
row("null sender is no domain", ["exempt alice@example.org sender=example.net"], ("encrypted", "default"),
    sender="")
row("any sender is not more than none", ["observe alice@example.org sender=*"], ("observe", 1), sender="")
row("recipient weighs more than sender", ["exempt example.org sender=bob@example.net",
                                          "signed alice@example.org"], ("signed", 2))
row("narrowed rule that does not match does not exist", ["exempt alice@example.org sender=example.com",
                                                         "observe example.org"], ("observe", 2))
row("routed sender matches no lenient rule", ["exempt alice@example.org sender=example.net"],
    ("encrypted", "default"), sender="x%bob@example.net")
row("sender IDN with a sharp s", ["exempt alice@example.org sender=xn--fa-hia.example"], ("exempt", 1),
    sender="bob@fa\u00df.example")
row("sender IDN", ["exempt alice@example.org sender=xn--mnchen-3ya.example"], ("exempt", 1),
    sender="bob@münchen.example")

# Clients
C = ["exempt example.org client=192.0.2.0/24", "observe example.org client=192.0.2.0/28",
     "signed example.org client=192.0.2.1", "encrypted example.org"]
row("client address", C, ("signed", 3))
row("longest client prefix", C, ("observe", 2), client="192.0.2.14")
row("client network", C, ("exempt", 1), client="192.0.2.99")
row("client outside", C, ("encrypted", 4), client="203.0.113.1")
row("client IPv6", ["exempt example.org client=2001:db8::/32"], ("exempt", 1), client="IPV6:2001:db8::7")
row("client IPv6 outside", ["exempt example.org client=2001:db8::/32"], ("encrypted", "default"),
    client="IPV6:2001:db9::7")
row("IPv4 is not in an IPv6 network", ["exempt example.org client=2001:db8::/32"], ("encrypted", "default"))
row("authenticated client", ["encrypted example.org client=authenticated", "exempt example.org"],
    ("encrypted", 1), login="joe")
row("authenticated rule is not for others", ["exempt example.org client=authenticated"],
    ("encrypted", "default"))
row("sender weighs more than client", ["exempt example.org client=192.0.2.1",
                                       "signed example.org sender=.net"], ("exempt", 1), sender="bob@net")
row("sender weighs more than client, both match", ["exempt example.org client=192.0.2.1",
                                                   "signed example.org sender=bob@example.net"], ("signed", 2))
row("recipient weighs more than client", ["exempt example.org client=192.0.2.1",
                                          "signed alice@example.org"], ("signed", 2))
row("all three match", ["exempt alice@example.org sender=example.net client=192.0.2.0/24",
                        "observe alice@example.org sender=example.net"], ("exempt", 1))
row("all three, client fails", ["exempt alice@example.org sender=example.net client=203.0.113.0/24",
                                "observe alice@example.org sender=example.net"], ("observe", 2))
row("a rule wins over local_requirement", ["encrypted alice@example.org"], ("encrypted", 1), login="joe")
row("a rule wins for a local client", ["signed *"], ("signed", 1), client=LOCAL)

# exempt_recipients
row("exempt recipients come first", ["encrypted postmaster@example.org"], ("exempt", "exempt_recipients"),
    to="postmaster@example.org")
row("in any case", ["encrypted *"], ("exempt", "exempt_recipients"), to="ABUSE@example.com")
row("with an extension", ["encrypted *"], ("exempt", "exempt_recipients"), to="abuse+spam@example.com")
row("not by a likeness", ["encrypted example.org"], ("encrypted", 1), to="postmaster2@example.org")

# Schedules (the injected clock is in the unit tests)
row("not yet", ["exempt alice@example.org starts=+1d", "observe example.org"], ("observe", 2))
row("over", ["exempt alice@example.org expires=-1s", "observe example.org"], ("observe", 2))
row("within", ["exempt alice@example.org starts=-1d expires=+1d"], ("exempt", 1))
row("over for a date", ["exempt alice@example.org expires=2020-12-31", "signed *"], ("signed", 2))
row("begun on a date", ["exempt alice@example.org starts=2020-12-31"], ("exempt", 1))

# Replacing: the later rule of the same recipient, sender and client counts
row("replaced", ["exempt alice@example.org", "signed alice@example.org"], ("signed", 2))
row("replaced in another case", ["exempt alice@example.org", "signed ALICE@EXAMPLE.ORG"], ("signed", 2))
row("not replaced with another sender", ["exempt alice@example.org sender=example.net",
                                         "signed alice@example.org"], ("exempt", 1))
