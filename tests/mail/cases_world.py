# SPDX-License-Identifier: ISC
"""Golden cases of no single rule: mail in the form that a program gives it, as public reports about it show it. Rows as in
cases_mime.py. The ciphertext is none of that program's."""

from mimeparts import *
from pgppackets import armor, message, pkesk3, seipd2

DATA = message()
ARMOR = armor(DATA)
MIME = "encrypted pgp-mime ok"
MIXED = "encrypted pgp-mixed ok"
INLINE = "encrypted pgp-inline ok"
REPORT = "report - report"
NULL = {"sender": "<>", "meets": "yes"}
KIND = 'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";\n\tboundary="%s"\n'


def two(boundary, control, data, armored=ARMOR, body="Version: 1\n", kind=KIND, head="MIME-Version: 1.0\n", preamble=""):
    """The two parts of RFC 3156, each with its header fields."""
    return cat(fields(), head, kind % boundary, "\n", preamble, "--", boundary, "\n", control, "\n", body, "\n--", boundary, "\n", data, "\n",
               armored, "\n--", boundary, "--\n")


def parts(*more, boundary="b1", head="MIME-Version: 1.0\n", kind="mixed", preamble=""):
    return cat(fields(), head, 'Content-Type: multipart/%s; boundary="%s"\n\n' % (kind, boundary), multi(*more, boundary=boundary, preamble=preamble))


def inline(head, armored=ARMOR):
    return cat(fields(), head, "\n", armored)


def file(name, content, kind="application/octet-stream", more=""):
    return part(content, 'Content-Type: %s; name="%s"\nContent-Disposition: attachment; filename="%s"\n%s' % (kind, name, name, more))


BASE64 = "Content-Transfer-Encoding: base64\n"
PLAIN = "Content-Type: application/pgp-encrypted\n"
OCTETS_ONLY = "Content-Type: application/octet-stream\n"
PGP_MIME = [
    ("astroid", "Astroid", two("=-Ly0fxJ/g", PLAIN + "Content-Transfer-Encoding: 7bit\n", OCTETS_ONLY + "Content-Transfer-Encoding: 7bit\n")),
    ("gopenpgp-bot", "a bot with GopenPGP: MIME-Version in each part", two(
        "===============6705042061==", "Content-Transfer-Encoding: 7bit\nMIME-Version: 1.0\nContent-Type: application/pgp-encrypted; charset=\"us-ascii\"\n",
        OCTETS_ONLY + "MIME-Version: 1.0\n", armor(DATA, [("Version", "GopenPGP 2.7.4"), ("Comment", "https://gopenpgp.org")]))),
    ("z1", "Z1 SecureMail: no empty line below the armor header", two(
        "PGP_Boundary_1642501169218", PLAIN, OCTETS_ONLY[:-1] + "; name=\"encrypted.asc\"\nContent-Description: OpenPGP encrypted message\n",
        armor(DATA, [("Comment", "Z1 SecureMail Gateway Processing Info")], blank=""))),
    ("kmail", "KMail", two("nextPart4411571.LvFx2", PLAIN + "Content-Disposition: attachment\nContent-Transfer-Encoding: 7Bit\n",
                           OCTETS_ONLY + "Content-Disposition: inline; filename=\"msg.asc\"\nContent-Transfer-Encoding: 7Bit\n")),
    ("evolution", "Evolution", two("=-abc/1", PLAIN + "Content-Transfer-Encoding: 7bit\n",
                                   OCTETS_ONLY[:-1] + "; name=\"encrypted.asc\"\nContent-Description: This is an encrypted message part\n")),
    ("alot", "alot: the control part as quoted-printable", two(
        "===============0123456789==", "Content-Type: application/pgp-encrypted; charset=\"utf-8\"\nMIME-Version: 1.0\n"
        "Content-Transfer-Encoding: quoted-printable\n", OCTETS_ONLY + "MIME-Version: 1.0\nContent-Disposition: inline; filename=\"encrypted.asc\"\n")),
    ("snappymail", "SnappyMail", two("--_=b1_x", "Content-Type: application/pgp-encrypted; name=\"PGPMIME Versions Identification\"\n"
                                     "Content-Description: PGP/MIME version identification\n",
                                     OCTETS_ONLY[:-1] + "; name=\"encrypted.asc\"\nContent-Description: OpenPGP encrypted message\n"
                                     "Content-Disposition: inline; filename=\"msg.asc\"\n")),
    ("otrs", "Znuny: data as quoted-printable", two("----------=_1604311872-1-0", PLAIN + "Content-Disposition: inline\n",
                                                    OCTETS_ONLY + "Content-Disposition: inline\nContent-Transfer-Encoding: quoted-printable\n", qp(ARMOR),
                                                    preamble="This is a multi-part message in MIME format...\n\n")),
    ("mail-gpg", "mail-gpg for Ruby: both parts in base64", two("--==_mimepart_63", PLAIN + BASE64, OCTETS_ONLY + BASE64, b64(ARMOR), "VmVyc2lvbjogMQ==\n",
                                                                head="Mime-Version: 1.0\n")),
    ("airmail", "Airmail: no checksum, no line end behind the armor", two("5f9a", PLAIN, OCTETS_ONLY[:-1] + "; name=\"encrypted.asc\"\n",
                                                                        armor(DATA, [("Comment", "GPGTools - https://gpgtools.org")], crc=False).rstrip(b"\n"))),
    ("universal", "Symantec's gateway", two("PGP_Universal_AB12", "Content-Type: application/pgp-encrypted;\n\tcharset=\"US-ASCII\"\nContent-Transfer-Encoding: 7BIT\n",
                                          "Content-Type: application/octet-stream;\n\tcharset=\"US-ASCII\";\n\tname=PGPMIME.pgp\nContent-Disposition: inline; filename=PGPMIME.pgp\n",
                                          armor(DATA, [("Version", "PGP Universal 3.4.2 (Build 1502)"), ("Charset", "US-ASCII")]))),
    ("converted", "a relay that made quoted-printable of 8bit", two(
        "b1", PLAIN + "Content-Transfer-Encoding: quoted-printable\n", OCTETS_ONLY + "Content-Transfer-Encoding: quoted-printable\n"
        "X-MIME-Autoconverted: from 8bit to quoted-printable by mx.sender.example id gAB12\n",
        qp(armor(DATA, [("Comment", "f\xfcr Bob")])).replace("\xfc".encode(), b"=C3=BC"))),
    ("relay-headers", "a forwarding service that keeps a folded List-Unsubscribe with a white line, and encrypts", two(
        "b1", PLAIN, OCTETS_ONLY, head="List-Unsubscribe: <mailto:leave@list.example?subject=x>,\n  \n <https://list.example/leave>\nMIME-Version: 1.0\n")),
    ("chat-3", "Delta Chat, packet 18 version 2", two("187a", PLAIN + "Content-Description: PGP/MIME version identification\nContent-Transfer-Encoding: 7bit\n",
                                                      OCTETS_ONLY[:-1] + "; name=\"encrypted.asc\"\nContent-Description: OpenPGP encrypted message\n"
                                                      "Content-Disposition: inline; filename=\"encrypted.asc\";\n", armor(pkesk3() + seipd2(n=900)))),
]
INLINES = [
    ("gpgrelay", "GPGRelay", "Content-Type: text/plain; charset=\"iso-8859-1\"\n",
     armor(DATA, [("Version", "GnuPG v1.4.9 (MingW32)"), ("Comment", "Using GPGrelay v0.959 (Win32)")])),
    ("mutt-traditional", "mutt, pgp_autoinline", "Content-Type: application/pgp; format=text; x-action=encrypt\nContent-Disposition: inline\n", ARMOR),
    ("keybase", "Keybase's site, pasted", "Content-Type: text/plain\n", armor(DATA, [("Version", "Keybase OpenPGP v2.0.70"), ("Comment", "https://keybase.io/crypto")])),
    ("pgp-desktop", "PGP Desktop", "Content-Type: text/plain; charset=utf-8\n", armor(DATA, [
        ("Version", "PGP Desktop 10.2.0 (Build 2599) - not licensed for commercial use: www.pgp.com"), ("Charset", "utf-8")])),
    ("flowed", "lines that may flow", "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\n", ARMOR.replace(b"\n\n", b"\n \n", 1)),
    ("dashes", "a relay that encodes what begins a line with a dash", "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n",
     qp(ARMOR).replace(b"-----BEGIN", b"=2D----BEGIN").replace(b"-----END", b"=2D----END")),
    ("base64-lines", "base64 of a text with CR LF", "Content-Type: text/plain\n" + BASE64, b64(ARMOR.replace(b"\n", b"\r\n"))),
]
FILES = [
    ("ciphermail", "CipherMail: text and files each by itself", INLINE, parts(
        text(ARMOR), file("PGPexch.htm.pgp", armor(message("html"))), file("report.pdf.pgp", armor(message("pdf"))), boundary="----=_Part_1_234.56")),
    ("gpg4o", "gpg4o through Exchange", INLINE, parts(text(b64(ARMOR), extra=BASE64), file("Rechnung.pdf.gpg", b64(message("pdf")),
        more="Content-Description: Rechnung.pdf.gpg\nContent-ID: <AB12@sender01.mail.sender.example>\n" + BASE64), boundary="_002_x_")),
    ("gpg-mailgate-related", "gpg-mailgate: a picture in the text, too", INLINE, parts(text(ARMOR), file("logo.png.pgp", b64(armor(message("logo"))), "image/png", BASE64), kind="related")),
    ("ipgmail", "iPGMail: an empty text and a file", INLINE, parts(text(""), file("Message.asc", ARMOR), head="Mime-Version: 1.0 (1.0)\n")),
    ("exchange-order", "Exchange, the parts in another order", MIXED, parts(
        file("encrypted.asc", b64(ARMOR), more=BASE64), file("ATT00001", "VmVyc2lvbjogMQ0K\n", "application/pgp-encrypted", BASE64), file("ATT00002.txt", "\n\n", "text/plain"))),
]
STATUS = ("Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.sender.example\n\nFinal-Recipient: rfc822; carol@other.example\n"
          "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n")
HEADER = "Content-Type: text/rfc822-headers\n\nFrom: Bob <bob@receiver.example>\nTo: carol@other.example\nSubject: Hello\n"


def report(first, status=STATUS, third=HEADER, preamble="", params="; report-type=delivery-status"):
    return mail(multi(first, status, third, preamble=preamble), 'multipart/report%s; boundary="b1"' % params)


REPORTS = [
    ("sendmail", "Sendmail", report("\nThe original message was received at Mon, 2 Nov 2026 10:11:12 +0100\nfrom client.sender.example [192.0.2.1]\n\n"
                                    "   ----- The following addresses had permanent fatal errors -----\n<carol@other.example>\n",
                                    preamble="This is a MIME-encapsulated message\n\n")),
    ("windows", "Windows' SMTP server", report(
        "Content-Type: text/plain; charset=unicode-1-1-utf-7\n\nThis is an automatically generated Delivery Status Notification.\n",
        preamble="This is a MIME-formatted message.  \nPortions of this message may be unreadable without a MIME-capable mail program.\n\n")),
    ("exim", "Exim", report("Content-type: text/plain; charset=us-ascii\n\nThis message was created automatically by mail delivery software.\n",
                            STATUS.replace("Final-Recipient: rfc822; carol", "Final-Recipient: rfc822;carol"))),
    ("domino", "Domino", report("Content-Type: text/plain; charset=us-ascii\n\nYour message\n  Subject: Hello\nwas not delivered to:\n  carol@other.example\n",
                                STATUS.replace("smtp; 550 5.1.1 User unknown", "X-Notes; User carol not listed in Domino Directory"))),
    ("mdaemon", "MDaemon", report("Content-Type: text/plain; charset=US-ASCII\nContent-Transfer-Encoding: 7bit\n\nThe following addresses had fatal errors\n",
                                  params="; charset=US-ASCII; report-type=delivery-status")),
    ("thunderbird-receipt", "Thunderbird's read receipt", report(
        "Content-Type: text/plain; charset=UTF-8\n\nThis is a Return Receipt for the mail that you sent.\n",
        "Content-Type: message/disposition-notification; name=\"MDNPart2.txt\"\nContent-Disposition: inline\n\nReporting-UA: receiver.example; Thunderbird\n"
        "Final-Recipient: rfc822;bob@receiver.example\nDisposition: manual-action/MDN-sent-manually; displayed\n", params="; report-type=disposition-notification")),
]

CASES = [("world-" + slug, 0, MIME, mail_, "as a program writes it: " + note) for slug, note, mail_ in PGP_MIME]
CASES += [("world-" + slug, 0, INLINE, inline("MIME-Version: 1.0\n" + head, body), "as a program writes it: " + note) for slug, note, head, body in INLINES]
CASES += [("world-" + slug, 0, expect, mail_, "as a program writes it: " + note) for slug, note, expect, mail_ in FILES]
CASES += [("world-" + slug, 0, REPORT, mail_, "as a program writes it: " + note, NULL) for slug, note, mail_ in REPORTS]
