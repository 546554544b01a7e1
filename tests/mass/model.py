# SPDX-License-Identifier: ISC
"""What pgpgate-rules(7) says, written again from the page alone: which requirement holds for a recipient, and whether a
message meets it. It shares nothing with the programs, so that the two can be held against each other. Of its
rules the ratchet is left out as far as history goes: a sender of the mass test sends either encrypted mail or none."""

import dataclasses
import ipaddress

REQUIREMENTS = ("exempt", "observe", "signed", "encrypted", "ratchet")
# what a kind of message meets; everything meets exempt and observe, and a ratchet that was never locked
MEETS = {"encrypted": {"signed", "encrypted"}, "signed": {"signed"}, "cleartext": set(), "partial": set()}
EXEMPT_RECIPIENTS = ("postmaster@", "abuse@")
DEFER_MAX = 8


def patterns(address):
    """Patterns that match an address, the one that wins first."""
    if address == "<>":
        return ["<>", "*"]
    local, _, domain = address.lower().rpartition("@")
    user = local.partition("+")[0]
    found = [f"{local}@{domain}"] if user != local else []
    found += [f"{user}@{domain}", domain]
    labels = domain.split(".")
    found += ["." + ".".join(labels[i:]) for i in range(1, len(labels))]
    return found + [f"{user}@", "*"]


@dataclasses.dataclass(frozen=True)
class Rule:
    requirement: str
    recipient: str
    sender: str = ""  # "": any
    client: str = ""  # "" any, or a network

    def line(self):
        return (f"{self.requirement} {self.recipient}" + (f" sender={self.sender}" if self.sender else "")
                + (f" client={self.client}" if self.client else ""))


class Policy:
    """rules: of which none has the same recipient, sender and client as another."""

    def __init__(self, rules, default):
        self.default = default
        self.by_recipient = {}
        for rule in rules:
            self.by_recipient.setdefault(rule.recipient, []).append(rule)

    def requirement(self, recipient, sender, client):
        to, by = patterns(recipient), patterns(sender)
        if any(p in to for p in EXEMPT_RECIPIENTS):
            return "exempt"
        for pattern in to:
            rank = []
            for rule in self.by_recipient.get(pattern, ()):
                if rule.sender and rule.sender not in by:
                    continue
                if rule.client and ipaddress.ip_address(client) not in ipaddress.ip_network(rule.client):
                    continue
                prefix = ipaddress.ip_network(rule.client).prefixlen if rule.client else -1
                rank.append((by.index(rule.sender) if rule.sender else len(by), -prefix, rule.requirement))
            if rank:
                return min(rank)[2]
        return self.default

    def is_met(self, kind, recipient, sender, client):
        requirement = self.requirement(recipient, sender, client)
        return requirement in ("exempt", "observe", "ratchet") or requirement in MEETS[kind]
