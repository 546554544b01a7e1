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


def gpgol_exchange(a):
    b, inner = "_002_DB9PR01MB7777DB9PR01MB7777eurp_", "=-=wbFTRNYvhtD6Rm=-="
    tree = cat('MIME-Version: 1.0\nContent-Type: multipart/encrypted; boundary="%s"; protocol="application/pgp-encrypted"\n\n\n' % inner, parts(
        inner, "", "Content-Type: application/pgp-encrypted\nContent-Disposition: attachment\nContent-Transfer-Encoding: 7Bit\n\nVersion: 1",
        'Content-Type: application/octet-stream\nContent-Disposition: inline; filename="msg.asc"\nContent-Transfer-Encoding: 7Bit\n', a))
    return head('multipart/mixed;\n\tboundary="%s"' % b, "X-MS-Has-Attach: yes\n", "numbers") + cat(
        "--", b, '\nContent-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: base64\n\n\n--', b,
        '\nContent-Type: application/octet-stream; name="GpgOL_MIME_structure.mime"\nContent-Description: GpgOL_MIME_structure.mime\n'
        'Content-Disposition: attachment; filename="GpgOL_MIME_structure.mime";\n\tsize=%d\nContent-Transfer-Encoding: base64\n\n' % len(tree),
        base64.encodebytes(tree), "\n--", b, "--\n")


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


def pep(a):
    b = "4f0c1d7a2b6e9358"
    return head('multipart/encrypted; boundary="%s";\n\tprotocol="application/pgp-encrypted"' % b, "X-pEp-Version: 2.1\n",
                "=?utf-8?Q?p=E2=89=A1p?=") + parts(
        b, "", "Content-Type: application/pgp-encrypted\n\nVersion: 1",
        'Content-Type: application/octet-stream\nContent-Transfer-Encoding: 7bit\nContent-Disposition: inline; filename="msg.asc"\n', a)


def courier(a):
    b = "=_courier-0-8f3c11"
    return head('multipart/encrypted;\n    boundary="%s";\n    protocol="application/pgp-encrypted"' % b, "X-Mailer: Cone 1.8\n", "numbers") + parts(
        b, "This is a MIME GnuPG-encrypted message.  If you see this text, it means\n"
        "that your E-mail or Usenet software does not support MIME encrypted messages.\n"
        "The Internet standard for MIME PGP messages, RFC 2015, was published in 1996.\n"
        "To open this message correctly you will need to install E-mail or Usenet\n"
        "software that supports modern Internet standards.\n\n",
        "Content-Type: application/pgp-encrypted\nContent-Transfer-Encoding: 7bit\n\nVersion: 1\n",
        "Content-Type: application/octet-stream\nContent-Transfer-Encoding: 7bit\n", a)


def roundcube(a):
    b = "=_0a7d1c55f2e94b6c8d3e"
    return head('multipart/encrypted; protocol="application/pgp-encrypted";\n boundary="%s"' % b, "User-Agent: Roundcube Webmail\n", "numbers") + parts(
        b, "This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)\n\n",
        "Content-Type: application/pgp-encrypted\nContent-Description: PGP/MIME version identification\n\nVersion: 1",
        "Content-Type: application/octet-stream;\n name=encrypted.asc\nContent-Disposition: inline;\n filename=encrypted.asc;\n size=%d\n"
        "Content-Description: PGP/MIME encrypted message\n" % len(a), a, "")


def gnus(a):
    return head('multipart/encrypted; boundary="=-=-=";\n\tprotocol="application/pgp-encrypted"', "User-Agent: Gnus/5.13\n", "numbers") + parts(
        "=-=-=", "", "Content-Type: application/pgp-encrypted\n\nVersion: 1\n", "Content-Type: application/octet-stream\n", a, "")


def rails(a):
    b = "--==_mimepart_5f3a8c1e_2b1c3fd4"
    return head('multipart/encrypted;\n boundary="%s";\n charset=UTF-8;\n protocol="application/pgp-encrypted"' % b, "", "numbers",
                after="Content-Transfer-Encoding: 7bit\n") + parts(
        b, "\n", "Content-Type: application/pgp-encrypted;\n charset=UTF-8\nContent-Transfer-Encoding: 7bit\nContent-Disposition: attachment\n"
        "Content-Description: PGP/MIME Versions Identification\n\nVersion: 1\n",
        'Content-Type: application/octet-stream;\n name="encrypted.asc"\nContent-Transfer-Encoding: 7bit\n'
        'Content-Disposition: inline;\n filename="encrypted.asc"\nContent-Description: OpenPGP encrypted message\n', a)


def python(a):
    b = "===============8462917939563016793=="
    return head('multipart/encrypted; protocol="application/pgp-encrypted";\n boundary="%s"' % b, subject="Encrypted message") + parts(
        b, "", 'Content-Type: application/pgp-encrypted; charset="us-ascii"\nMIME-Version: 1.0\nContent-Transfer-Encoding: 7bit\n\nVersion: 1\n',
        'Content-Type: application/octet-stream; name="encrypted.asc"\nMIME-Version: 1.0\nContent-Description: OpenPGP encrypted message\n'
        'Content-Disposition: inline; filename="encrypted.asc"\n', a)


def sailfish(a):
    b = "qmf-8d1f27c04e"
    return head('multipart/encrypted; protocol="application/pgp-encrypted";\n boundary="%s"' % b, subject="numbers") + parts(
        b, "This is an OpenPGP/MIME encrypted message (RFC 3156).\n\n",
        "Content-Type: application/pgp-encrypted\nContent-Description: PGP/MIME version identification\n\nVersion: 1\n",
        'Content-Type: application/pgp-signature; name="encrypted.asc"\nContent-Disposition: inline; filename="encrypted.asc"\n', a)


def ipgmail(a):
    b = "iPGMail-1D2F8A"
    return head("multipart/mixed; boundary=%s" % b, "X-Mailer: iPGMail\n", "numbers") + cat(
        "--", b, "\nContent-Type: text/plain;\n\tcharset=us-ascii\nContent-Transfer-Encoding: 7bit\n\n\n\n--", b,
        "\nContent-Type: application/pgp-encrypted;\n\tname=encrypted.asc\nContent-Disposition: inline;\n\tfilename=encrypted.asc\n"
        "Content-Transfer-Encoding: 7bit\n\n", a, "\n--", b, "--\n")


def universal(a):
    b = "----=_NextPart_000_0007_01D3A9"
    saved = "X-Content-PGP-Universal-Saved-"
    return head('multipart/mixed;\n\tboundary="%s"' % b, "X-PGP-Universal: processed\nX-PGP-MIME-Structure: alternative\n", "numbers") + cat(
        "This is a multipart message in MIME format.\n\n--", b, "\nContent-Type: text/plain;\n\tcharset=\"us-ascii\"\nContent-Transfer-Encoding: 7bit\n\n", a,
        "\n--", b, "\n", saved, 'Content-Disposition: inline;\n        filename="PGPexch.htm.pgp"\n', saved, "Content-Type: text/html;\n        "
        'charset="us-ascii"\n', saved, 'Content-Transfer-Encoding: quoted-printable\nContent-Type: application/octet-stream;\n        '
        'name="PGPexch.htm.pgp"\nContent-Disposition: attachment;\n        filename="PGPexch.htm.pgp"\n\n', a, "\n--", b, "--\n")


def old_apple(a):
    b = "Apple-Mail-7--482177205"
    return head("multipart/mixed;\n\tboundary=%s" % b, "X-Mailer: Apple Mail (2.753)\n", "numbers") + cat(
        "\n--", b, "\nContent-Transfer-Encoding: 7bit\nContent-Type: text/plain;\n\tcharset=US-ASCII;\n\tformat=flowed\n\n\n--", b,
        "\nContent-Transfer-Encoding: base64\nContent-Type: application/octet-stream;\n\tx-unix-mode=0644;\n\tname=numbers (third quarter).txt.asc\n"
        "Content-Disposition: attachment;\n\tfilename=numbers (third quarter).txt.asc\n\n", base64.encodebytes(a), "\n--", b,
        "\nContent-Transfer-Encoding: 7bit\nContent-Type: text/plain;\n\tcharset=US-ASCII;\n\tformat=flowed\n\n\n\n--", b, "--\n")


def hushmail(a):
    begin, rest = a.split(b"\n", 1)
    return head('text/plain; charset="UTF-8"', subject="numbers", after="Content-Transfer-Encoding: 7bit\n") + cat(
        begin, "\nVersion: Hush 3.0\nNote: This message can be opened at https://mail.sender.example/\nCharset: UTF8\n", rest)


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
        "--", b, "\nContent-Type: text/plain\n\n\n--", b, '\nContent-Type: application/octet-stream; name="numbers.txt.pgp"\n'
        'Content-Disposition: attachment; filename="numbers.txt.pgp"\nContent-Transfer-Encoding: base64\n\n', base64.encodebytes(data), "--", b, "--\n")


SIGNED_BODY = b"Content-Type: text/plain; charset=us-ascii\n\nMeet me at eight.\n"


def signed(a):
    b = "vKjQdXn2"
    return head('multipart/signed; micalg=pgp-sha512;\n\tprotocol="application/pgp-signature"; boundary="%s"' % b, subject="numbers") + cat(
        "\n--", b, "\n", SIGNED_BODY, "\n--", b, '\nContent-Type: application/pgp-signature; name="signature.asc"\n\n', a, "\n--", b, "--\n")


STYLES = {"thunderbird": thunderbird, "enigmail": enigmail, "mutt": mutt, "k9": k9, "apple": apple, "kmail": kmail, "claws": claws,
          "evolution": evolution, "gpgol": gpgol, "mailvelope": mailvelope, "protonmail": protonmail, "flowcrypt": flowcrypt,
          "deltachat": deltachat, "exchange": exchange, "bridge": bridge, "mailman": mailman, "inline": inline, "inline-qp": inline_qp,
          "inline-base64": inline_base64, "attachment": attachment, "signed": signed, "pep": pep, "courier": courier,
          "roundcube": roundcube, "gnus": gnus, "rails": rails, "python": python, "sailfish": sailfish, "ipgmail": ipgmail,
          "universal": universal, "old-apple": old_apple, "hushmail": hushmail, "gpgol-exchange": gpgol_exchange}
FORMS = {name: "pgp-mime" for name in STYLES}
FORMS.update({"exchange": "pgp-mixed", "bridge": "pgp-mixed", "mailman": "pgp-mixed", "inline": "pgp-inline", "inline-qp": "pgp-inline",
              "inline-base64": "pgp-inline", "attachment": "pgp-inline", "signed": "none", "ipgmail": "pgp-mixed", "gpgol-exchange": "pgp-mixed",
              "universal": "pgp-inline", "old-apple": "pgp-inline", "hushmail": "pgp-inline"})
