# SPDX-License-Identifier: ISC
"""How mail programs wrap OpenPGP data, written by hand after their habits: order and folding of fields,
names of attachments, preambles, boundaries. Each takes what an OpenPGP program wrote, and gives a message."""

import base64

from mimeparts import cat

ENC = 'multipart/encrypted;\n protocol="application/pgp-encrypted";\n boundary="%s"'


def head(content, agent="", subject="...", before="", after=""):
    return cat("Return-Path: <alice@sender.example>\nReceived: from mx.sender.example (mx.sender.example [192.0.2.7])\n"
               "\tby mx.receiver.example (Postfix) with ESMTPS id 4ABCdef\n\tfor <bob@receiver.example>; Mon,  2 Nov 2026 10:11:13 +0100 (CET)\n",
               before, "From: Alice Example <alice@sender.example>\nTo: Bob Example <bob@receiver.example>\nSubject: ", subject,
               "\nDate: Mon, 2 Nov 2026 10:11:12 +0100\nMessage-ID: <8c1f2d@sender.example>\n", agent,
               "MIME-Version: 1.0\nContent-Type: ", content, "\n", after, "\n")


def parts(boundary, preamble, control, data_head, armored, tail="\n"):
    return cat(preamble, "--", boundary, "\n", control, "\n--", boundary, "\n", data_head, "\n", armored, "\n--", boundary, "--\n", tail)


def thunderbird(a):
    b = "------------x0vVYrsQ8Q4cEwTq8uYb2aPk"
    return head(ENC % b, "User-Agent: Mozilla Thunderbird\nContent-Language: en-US\n") + parts(
        b, "This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)\n",
        "Content-Type: application/pgp-encrypted\nContent-Description: PGP/MIME version identification\n\nVersion: 1\n",
        'Content-Type: application/octet-stream; name="encrypted.asc"\nContent-Description: OpenPGP encrypted message\n'
        'Content-Disposition: inline; filename="encrypted.asc"\n', a, "")


def enigmail(a):
    b = "aGJ6OuPLXxrVxMmrWXKrBNbFh1PL5Kwbm"
    return head(ENC % b, "X-Enigmail-Draft-Status: N1110\n", "Encrypted Message") + parts(
        b, "This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)\n",
        "Content-Type: application/pgp-encrypted\nContent-Description: PGP/MIME version identification\n\nVersion: 1\n",
        'Content-Type: application/octet-stream; name="encrypted.asc"\nContent-Description: OpenPGP encrypted message\n'
        'Content-Disposition: inline; filename="encrypted.asc"\n', a)


def mutt(a):
    b = "jRHKVT23PllUwdXP"
    return head('multipart/encrypted; protocol="application/pgp-encrypted";\n\tboundary="%s"' % b, "User-Agent: Mutt/2.2.9 (2022-11-12)\n",
                "numbers", after="Content-Disposition: inline\n") + parts(
        b, "\n", "Content-Type: application/pgp-encrypted\nContent-Disposition: attachment\n\nVersion: 1\n",
        'Content-Type: application/octet-stream\nContent-Disposition: attachment; filename="msg.asc"\n', a, "")


def k9(a):
    b = "----KB3VNAJTUUYOFPPZ5CXW3WLC3D3EJE"
    return head('multipart/encrypted; boundary="%s";\n protocol="application/pgp-encrypted"' % b) + parts(
        b, "", "Content-Type: application/pgp-encrypted\n\nVersion: 1",
        'Content-Type: application/octet-stream; name="encrypted.asc"\nContent-Disposition: inline; filename="encrypted.asc"\n', a, "")


def apple(a):
    b = "Apple-Mail=_0B6C7A0F-3D77-4F4E-9C9D-0D7B6E7A0001"
    return head('multipart/encrypted;\n\tboundary="%s";\n\tprotocol="application/pgp-encrypted"' % b, "X-Mailer: Apple Mail (2.3608)\n",
                before="X-Pgp-Agent: GPGMail\n", after="Content-Description: OpenPGP encrypted message\n") + parts(
        b, "This is an OpenPGP/MIME encrypted message (RFC 2440 and 3156)\n",
        "Content-Transfer-Encoding: 7bit\nContent-Type: application/pgp-encrypted\nContent-Description: PGP/MIME Versions Identification\n\nVersion: 1\n",
        'Content-Transfer-Encoding: 7bit\nContent-Disposition: inline;\n\tfilename=encrypted.asc\nContent-Type: application/octet-stream;\n'
        '\tname=encrypted.asc\nContent-Description: OpenPGP encrypted message\n', a)


def kmail(a):
    b = "nextPart2304955.ElGaqSPkdT"
    return head('multipart/encrypted; boundary="%s"; protocol="application/pgp-encrypted"' % b, subject="numbers") + parts(
        b, "\n", 'Content-Type: application/pgp-encrypted\nContent-Disposition: attachment\nContent-Transfer-Encoding: 7Bit\n\nVersion: 1',
        'Content-Type: application/octet-stream; name="msg.asc"\nContent-Disposition: inline; filename="msg.asc"\nContent-Transfer-Encoding: 7Bit\n', a)


def claws(a):
    b = "Sig_/1kO5v2H.8gqL0y=Xb'3cQ+z"
    return head('multipart/encrypted; protocol="application/pgp-encrypted";\n boundary="%s"' % b, "X-Mailer: Claws Mail 4.1.1\n", "numbers") + parts(
        b, "", "Content-Type: application/pgp-encrypted\n\nVersion: 1\n", "Content-Type: application/octet-stream\n", a)


def evolution(a):
    b = "=-6b0zqXK2gYh2gZ9cN8Uo"
    return head('multipart/encrypted;\n\tprotocol="application/pgp-encrypted";\n\tboundary="%s"' % b, "User-Agent: Evolution 3.46.4\n", "numbers") + parts(
        b, "\n", "Content-Type: application/pgp-encrypted\nContent-Transfer-Encoding: 7bit\n\nVersion: 1\n",
        'Content-Type: application/octet-stream; name="encrypted.asc"\nContent-Description: This is an encrypted message part\n'
        "Content-Transfer-Encoding: 7bit\n", a)


def gpgol(a):
    b = "=-=wbFTRNYvhtD6Rm=-="
    return head('multipart/encrypted;\n\tprotocol="application/pgp-encrypted";\n\tboundary="%s"' % b, subject="numbers") + parts(
        b, "\n", "Content-Type: application/pgp-encrypted\nContent-Disposition: inline;\n\tfilename=\"GpgOL_MIME_structure.txt\"\n"
        "Content-Transfer-Encoding: 7Bit\n\nVersion: 1\n",
        'Content-Type: application/octet-stream\nContent-Disposition: inline;\n\tfilename="gpgol_mime_structure.mime"\n'
        "Content-Transfer-Encoding: 7Bit\n", a)


def mailvelope(a):
    b = "----sinikael-?=_1-16043082720470.6127"
    return head('multipart/encrypted; protocol="application/pgp-encrypted";\n boundary="%s"' % b) + parts(
        b, "This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)\n",
        "Content-Type: application/pgp-encrypted\nContent-Description: PGP/MIME Versions Identification\n\nVersion: 1\n",
        'Content-Type: application/octet-stream; name="encrypted.asc"\nContent-Description: OpenPGP encrypted message\n'
        'Content-Disposition: inline; filename="encrypted.asc"\nContent-Transfer-Encoding: quoted-printable\n', a.replace(b"=", b"=3D"), "")


def protonmail(a):
    b = "---------------------1f0dd4e1ff4d2ee9ab8f8b3c0ed6cd4a"
    return head('multipart/encrypted;protocol="application/pgp-encrypted";\n\tboundary=%s' % b, before="Feedback-ID: 123:user:proton\nX-Pm-Spamscore: 0\n") + parts(
        b, "This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)\n",
        "Content-Type: application/pgp-encrypted\nContent-Description: PGP/MIME version identification\n\nVersion: 1\n",
        'Content-Type: application/octet-stream; name="encrypted.asc"\nContent-Description: OpenPGP encrypted message\n'
        'Content-Disposition: inline; filename="encrypted.asc"\n', a)


def flowcrypt(a):
    b = "----sinikael-?=_1-15905034207600.4071"
    return head('multipart/encrypted;\n protocol="application/pgp-encrypted";\n boundary="%s"' % b) + parts(
        b, "", "Content-Type: application/pgp-encrypted\nContent-Transfer-Encoding: base64\n\n",
        "Content-Type: application/octet-stream; name=encrypted.asc\nContent-Disposition: inline; filename=encrypted.asc\n"
        "Content-Transfer-Encoding: base64\n", base64.encodebytes(a), "")


def deltachat(a):
    b = "nCrFiVrX7aWm4hmvLTVjLzK7qbxQmD"
    return head('multipart/encrypted; protocol="application/pgp-encrypted"; protected;\n\tboundary="%s"' % b,
                "Chat-Version: 1.0\nAutocrypt: addr=alice@sender.example; prefer-encrypt=mutual;\n keydata=" + "mDMEYA" * 9 + "\n", "[...]") + parts(
        b, "\n", "Content-Type: application/pgp-encrypted; charset=\"utf-8\"\nContent-Description: PGP/MIME version identification\n"
        "Content-Transfer-Encoding: 7bit\n\nVersion: 1\n",
        'Content-Type: application/octet-stream; name="encrypted.asc";\n charset="utf-8"\nContent-Description: OpenPGP encrypted message\n'
        'Content-Disposition: inline; filename="encrypted.asc";\nContent-Transfer-Encoding: 7bit\n', a)


def exchange(a):
    b = "_004_AM6PR01MB5555AM6PR01MB5555eurp_"
    return head('multipart/mixed;\n\tboundary="%s"' % b, "Accept-Language: en-US\nX-MS-Has-Attach: yes\n", "numbers").replace(b"\n", b"\r\n") + cat(
        "--", b, "\nContent-Type: text/plain; charset=\"us-ascii\"\nContent-ID: <0123@eurprd01.example>\nContent-Transfer-Encoding: quoted-printable\n\n\n\n--", b,
        '\nContent-Type: application/pgp-encrypted; name="ATT00001.asc"\nContent-Description: ATT00001.asc\n'
        'Content-Disposition: attachment; filename="ATT00001.asc"; size=12;\n\tcreation-date="Mon, 02 Nov 2026 09:11:12 GMT"\n'
        "Content-ID: <0124@eurprd01.example>\nContent-Transfer-Encoding: base64\n\n", base64.encodebytes(b"Version: 1\r\r\n"), "\n--", b,
        '\nContent-Type: application/octet-stream; name="encrypted.asc"\nContent-Description: encrypted.asc\n'
        'Content-Disposition: attachment; filename="encrypted.asc"; size=900\nContent-Transfer-Encoding: base64\n\n',
        base64.encodebytes(a.replace(b"\n", b"\r\n")), "\n--", b, "--\n").replace(b"\n", b"\r\n")


def bridge(a):
    b = "5d1c0a7f28fa6b6a"
    return head("multipart/mixed; boundary=%s" % b) + cat(
        "--", b, "\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nEmpty Message\n--", b,
        "\nContent-Type: application/pgp-encrypted\nContent-Disposition: attachment; filename=attachment-1\nContent-Transfer-Encoding: base64\n\n",
        base64.encodebytes(b"Version: 1\n"), "--", b,
        "\nContent-Type: application/octet-stream; name=encrypted.asc\nContent-Disposition: inline; filename=encrypted.asc\n"
        "Content-Transfer-Encoding: base64\n\n", base64.encodebytes(a), "--", b, "--\n")


def mailman(a):
    inner = mutt(a)
    body = inner.split(b"\n\n", 1)[1]
    b = "===============1723047284=="
    return head('multipart/mixed; boundary="%s"' % b, subject="[list] numbers", before="List-Id: <list.receiver.example>\n") + cat(
        "\n--", b, '\nContent-Type: multipart/encrypted; protocol="application/pgp-encrypted";\n\tboundary="jRHKVT23PllUwdXP"\n'
        "Content-Disposition: inline\n\n", body, "\n--", b, "--\n")


def inline(a):
    return head("text/plain; charset=us-ascii", "X-Mailer: pigeon 1.0\n", "numbers", after="Content-Transfer-Encoding: 7bit\n") + a


def inline_qp(a):
    return head("text/plain; charset=utf-8; format=flowed", subject="numbers", after="Content-Transfer-Encoding: quoted-printable\n") \
        + a.replace(b"=", b"=3D").replace(b"PGP MESSAGE", b"PGP =\nMESSAGE")


def inline_base64(a):
    return head("text/plain; charset=utf-8", subject="numbers", after="Content-Transfer-Encoding: base64\n") + base64.encodebytes(a)


def attachment(data):
    b = "=_pigeon_1"
    return head('multipart/mixed; boundary="%s"' % b, subject="numbers") + cat(
        "--", b, "\nContent-Type: text/plain\n\n\n--", b, '\nContent-Type: application/pgp; name="numbers.txt.pgp"\n'
        'Content-Disposition: attachment; filename="numbers.txt.pgp"\nContent-Transfer-Encoding: base64\n\n', base64.encodebytes(data), "--", b, "--\n")


SIGNED_BODY = b"Content-Type: text/plain; charset=us-ascii\n\nMeet me at eight.\n"


def signed(a):
    b = "vKjQdXn2"
    return head('multipart/signed; micalg=pgp-sha512;\n\tprotocol="application/pgp-signature"; boundary="%s"' % b, subject="numbers") + cat(
        "\n--", b, "\n", SIGNED_BODY, "\n--", b, '\nContent-Type: application/pgp-signature; name="signature.asc"\n\n', a, "\n--", b, "--\n")


STYLES = {"thunderbird": thunderbird, "enigmail": enigmail, "mutt": mutt, "k9": k9, "apple": apple, "kmail": kmail, "claws": claws,
          "evolution": evolution, "gpgol": gpgol, "mailvelope": mailvelope, "protonmail": protonmail, "flowcrypt": flowcrypt,
          "deltachat": deltachat, "exchange": exchange, "bridge": bridge, "mailman": mailman, "inline": inline, "inline-qp": inline_qp,
          "inline-base64": inline_base64, "attachment": attachment, "signed": signed}
FORMS = {name: "pgp-mime" for name in STYLES}
FORMS.update({"exchange": "pgp-mixed", "bridge": "pgp-mixed", "mailman": "pgp-mixed", "inline": "pgp-inline", "inline-qp": "pgp-inline",
              "inline-base64": "pgp-inline", "attachment": "pgp-inline", "signed": "none"})
