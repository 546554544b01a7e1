# SPDX-License-Identifier: ISC
"""What the end-to-end tests and ./quickstart stand on: a private Postfix, the pair of daemons, mail.

Nothing here imports pytest, nothing touches the machine's own Postfix or GnuPG, and everything lives
below one temporary directory (place.Place) that goes away with it.
"""
