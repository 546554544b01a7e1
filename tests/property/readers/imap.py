# SPDX-License-Identifier: ISC
"""What an IMAP client sees through Dovecot's server: it believes BODYSTRUCTURE, and fetches the parts that are in it. The server
is a private one, started for each batch of messages with its connection as standard input, and as nobody where we
are root, whom it serves no mail."""

import os
import re
import subprocess

WORD = re.compile(rb"[^\s()\[\]{}\"]*(?:\[[^\]]*\])?[^\s()\[\]{}\"]*")


def parsed(data, at=0):
    """The values from here to the line's end or the closing parenthesis; where that is."""
    out = []
    while at < len(data):
        c = data[at:at + 1]
        if c == b"(":
            inner, at = parsed(data, at + 1)
            out.append(inner)
        elif c == b")" or data.startswith(b"\r\n", at):
            return out, at + (1 if c == b")" else 2)
        elif c == b" ":
            at += 1
        elif c == b'"':
            m = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.S).match(data, at)
            if not m:
                return out, len(data)
            out.append(re.sub(rb"\\(.)", rb"\1", m[1]))
            at = m.end()
        else:
            m = re.compile(rb"~?\{(\d+)\}\r\n").match(data, at)
            if m:
                out.append(data[m.end():m.end() + int(m[1])])
                at = m.end() + int(m[1])
            else:
                m = WORD.match(data, at)
                out.append(m[0])
                at = max(m.end(), at + 1)
    return out, at


def responses(data):
    at = 0
    while at < len(data):
        values, at = parsed(data, at)
        yield values


def lower(value):
    return value.lower() if isinstance(value, bytes) else b""


def leaves(structure, section=""):
    """Section, type, character set of each part that has no parts; and the headers of embedded messages."""
    if not structure:
        return
    if isinstance(structure[0], list):
        for i, inner in enumerate(s for s in structure if isinstance(s, list) and s and (isinstance(s[0], list) or len(s) > 6)):
            yield from leaves(inner, "%s%s%d" % (section, "." if section else "", i + 1))
        return
    kind, section = lower(structure[0]) + b"/" + lower(structure[1]), section or "1"
    parameters = structure[2] if isinstance(structure[2], list) else []
    charset = dict(zip(map(lower, parameters[::2]), parameters[1::2])).get(b"charset", b"")
    yield section, kind, charset
    if kind == b"message/rfc822" and len(structure) > 8 and isinstance(structure[8], list):
        is_multipart = structure[8] and isinstance(structure[8][0], list)
        yield from leaves(structure[8], section if is_multipart else section + ".1")


class Server:
    def __init__(self, root, folder):
        self.command = ["env", "-i", "USER=nobody", "HOME=" + folder, "LD_LIBRARY_PATH=%s/usr/lib/dovecot" % root, root + "/usr/lib/dovecot/imap", "-O"]
        for setting in ("mail_location=maildir:%s/box" % folder, "mail_plugin_dir=/nonexistent", "base_dir=%s/run" % folder, "state_dir=%s/run" % folder, "log_path=/dev/null",
                        "stats_writer_socket_path="):
            self.command += ["-o", setting]
        if os.geteuid() == 0:
            self.command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] + self.command
            subprocess.run(["chown", "-R", "nobody:nogroup", folder], check=True)

    def ask(self, commands):
        """The untagged FETCH responses: number, dictionary."""
        lines = [b"a EXAMINE INBOX"] + commands + [b"z LOGOUT"]
        done = subprocess.run(self.command, input=b"\r\n".join(lines) + b"\r\n", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120)
        for values in responses(done.stdout):
            if len(values) == 4 and values[0] == b"*" and values[2] == b"FETCH" and isinstance(values[3], list):
                yield int(values[1]), dict(zip((v if isinstance(v, bytes) else b"" for v in values[3][::2]), values[3][1::2]))


def texts(root, folder, count):
    """The text of each message of folder/box, whose files are named by their numbers."""
    server, out = Server(root, folder), [b""] * count
    parts = {number: list(leaves(fetched[b"BODYSTRUCTURE"])) for number, fetched in server.ask([b"b FETCH 1:* (UID BODYSTRUCTURE)"]) if isinstance(fetched.get(b"BODYSTRUCTURE"), list)}
    with open(folder + "/box/dovecot-uidlist", "rb") as f:
        numbered = [int(m[1]) for m in re.finditer(rb"^\d+ (?:[^:\n]* )?:(\d+)", f.read(), re.M)]
    if len(numbered) != count:
        raise RuntimeError("Dovecot has %d of %d messages" % (len(numbered), count))
    commands = []
    for number, found in parts.items():
        for section, kind, _ in found:
            # what it cannot decode a client may show as it is
            commands += [b"%s FETCH %d (%s[%s])" % (tag, number, what, section.encode()) for tag, what in ((b"c", b"BINARY.PEEK"), (b"d", b"BODY.PEEK"))]
            if kind == b"message/rfc822":
                commands.append(b"e FETCH %d (BODY.PEEK[%s.HEADER])" % (number, section.encode()))
    for number, fetched in server.ask(commands) if commands else ():
        for name, text in fetched.items():
            m = re.match(rb"(?:BINARY|BODY)\[([\d.]+)(\.HEADER)?\]", name)
            if not m or not isinstance(text, bytes):
                continue
            kind, charset = next(((k, c) for s, k, c in parts[number] if s.encode() == m[1]), (b"text/plain", b""))
            out[numbered[number - 1]] += b"\0" + kind + b"\n" + text + b"\n"
            try:
                out[numbered[number - 1]] += b"\0" + kind + b"\n" + text.decode(charset.decode("ascii", "replace") or "ascii", "replace").encode("utf-8", "replace") + b"\n"
            except (LookupError, ValueError):
                pass
    return out
