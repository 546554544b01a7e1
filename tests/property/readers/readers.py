# SPDX-License-Identifier: ISC
"""Readers of mail, the oracles of canary.py: each says what it would show of a message.

A reader is one small program beside this file, that reads a length (four octets) and a message again and again and
answers each with a length and a text (`Piped`); or a mail program that is given a folder of messages (`Folder`). In a text
each leaf begins with NUL, its type and a line end, where the reader tells.

Adding one: a program and a row in READERS. `probe` says in a word what is missing; such a reader is skipped, and
canary.py says so. `share` 8: asked every eighth batch only, for
it takes long; `is_slow`: not in the default run. planted.py holds every reader that is there against messages that show a word.
"""

import base64
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import fcntl
import termios

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import imap  # noqa: E402
import mutate  # noqa: E402
from programs import POLICIES, Talker, python_text  # noqa: E402

# where tests/steps/readers.sh unpacks what is not installed, and has npm put its libraries
UNPACKED = os.environ.get("PGPGATE_READERS", "")
NODE = os.environ.get("PGPGATE_NODE_READERS", "")
CC = ["cc", "-O2", "-w"]


class Python:
    is_slow = False

    def __init__(self, name, policy, share=1):
        self.name, self.policy, self.share = name, policy, share

    def open(self, folder):
        return None

    def texts(self, messages):
        return [python_text(message, self.policy) for message in messages]

    def close(self):
        pass


class Piped:
    """A program that answers message by message. One that dies is started again; the message is asked once more."""

    def __init__(self, name, command, compile=None, needs=None, is_slow=False, share=1):
        self.name, self.command, self.compile, self.needs, self.is_slow, self.share = name, command, compile, needs, is_slow, share
        self.talker, self.deaths = None, 0

    def open(self, folder):
        """None, or a word on what is missing. Programs are made in folder."""
        if self.needs and not os.path.exists(self.needs()):
            return "no " + self.needs()
        if not shutil.which(self.command[0]) and not self.compile:
            return "no " + self.command[0]
        if self.compile:
            program = os.path.join(folder, "reader-" + self.name.replace(" ", "-").lower())
            why = compiled(program, *self.compile())
            if why:
                return why
            self.command = [program]
        self.talker = Talker(*self.command)
        try:
            self.talker.octets(b"Subject: x\n\nx\n")
        except (RuntimeError, BrokenPipeError):
            return "does not start: " + " ".join(self.command)
        return None

    def texts(self, messages):
        return [self.text(message) for message in messages]

    def text(self, message):
        for attempt in range(2):
            try:
                return self.talker.octets(message)
            except (RuntimeError, BrokenPipeError):
                self.deaths += 1
                self.talker.kill()
                self.talker = Talker(*self.command)
        return b""  # what kills a reader shows nothing

    def close(self):
        if self.talker:
            self.talker.close()


def compiled(program, source, flags, packages=()):
    """None, or why the program could not be made. Up to date ones are left alone."""
    if os.path.exists(program) and os.path.getmtime(program) > max(os.path.getmtime(source), os.path.getmtime(os.path.join(HERE, "talk.h"))):
        return None
    if packages:
        asked = subprocess.run(["pkg-config", "--cflags", "--libs", *packages], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if asked.returncode:
            return "no " + " ".join(packages)
        flags = flags + asked.stdout.decode().split()
    compiler = ["c++", "-O2", "-w", "-fPIC"] if source.endswith(".cpp") else CC
    done = subprocess.run(compiler + ["-o", program + ".new", source] + flags, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode:
        return "does not compile: " + done.stderr.decode(errors="replace").strip().split("\n")[0][:120]
    os.replace(program + ".new", program)
    return None


def here(name):
    return os.path.join(HERE, name)


def perl(name):
    return ["perl", here(name)]


def node(library):
    return Piped(library, ["node", here("npm/reader.mjs"), NODE, library], needs=lambda: NODE + "/node_modules/" + library, is_slow=library == "mailparser", share=4 if library == "mailparser" else 1)


def dovecot():
    root = UNPACKED + "/usr"
    return here("dovecot.c"), ["-std=gnu99", "-DHAVE_CONFIG_H", "-I" + root + "/include/dovecot", "-L" + root + "/lib/dovecot", "-ldovecot",
                               "-Wl,-rpath," + root + "/lib/dovecot"]


class Go(Piped):
    """A program of Go, made from what Debian packages of libraries."""

    def open(self, folder):
        source, program = here("go_message.go"), os.path.join(folder, "reader-go-message")
        if not shutil.which("go") or not os.path.isdir("/usr/share/gocode/src/github.com/emersion/go-message"):
            return "no go with go-message"
        if not os.path.exists(program) or os.path.getmtime(program) <= os.path.getmtime(source):
            env = dict(os.environ, GOPATH="/usr/share/gocode", GO111MODULE="off", GOFLAGS="", GOCACHE=os.path.abspath(os.path.join(folder, "go-cache")), GOPROXY="off")
            done = subprocess.run(["go", "build", "-o", program, source], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
            if done.returncode:
                return "does not compile: " + done.stderr.decode(errors="replace")[:200]
        self.command = [program]
        return Piped.open(self, folder)


KF5 = ["-I/usr/include/KF5/KMime", "-I/usr/include/KF5/KCodecs", "-I/usr/include/KF5", "-lKF5Mime"]
FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
NUMBER = b"X-Canary-Number"


class Folder:
    """A mail program that shows a folder of messages: a Maildir of its own for each batch."""

    def __init__(self, name, program, is_slow=False, share=1):
        self.name, self.program, self.is_slow, self.share = name, program, is_slow, share

    def open(self, folder):
        return None if shutil.which(self.program) else "no " + self.program

    def texts(self, messages):
        """By halves where the program hangs or dies; what makes it do so alone shows nothing."""
        try:
            return self.texts_at_once(messages)
        except (RuntimeError, subprocess.TimeoutExpired):
            if len(messages) == 1:
                return [b""]
            half = len(messages) // 2
            return self.texts(messages[:half]) + self.texts(messages[half:])

    def texts_at_once(self, messages):
        with tempfile.TemporaryDirectory(prefix="pgpgate-reader-") as folder:
            for name in ("box", "box/cur", "box/new", "box/tmp", "home", "home/Mail"):
                os.mkdir(os.path.join(folder, name))
            for i, message in enumerate(messages):
                with open(os.path.join(folder, "box/cur/%06d:2,S" % i), "wb") as f:
                    f.write(self.marked(i, message))
            return self.ask(folder, len(messages))

    def marked(self, i, message):
        return message

    def close(self):
        pass


class Mutt(Folder):
    """mutt and neomutt pipe all tagged messages, decoded, to one command; a number in the header tells them apart,
    since one that they cannot decode is left out. Not asked: a message whose first line is no field, and S/MIME, which makes
    them ask for a passphrase."""

    RC = """
set pipe_decode pipe_sep="\\n" sort=mailbox-order quit=yes header_cache="" mailcap_path="%(folder)s/mailcap" tmpdir="%(folder)s"
unset pipe_split wait_key beep help mark_old
unset crypt_use_gpgme crypt_verify_sig pgp_auto_decode pgp_check_gpg_decrypt_status_fd
set pgp_use_gpg_agent=yes pgp_decrypt_command="echo hidden" pgp_decode_command="echo hidden" pgp_verify_command="true"
set pgp_decryption_okay="" smime_decrypt_command="echo hidden" smime_verify_command="true" smime_verify_opaque_command="true"
set weed
auto_view text/html
ignore *
unignore %(number)s
"""

    def marked(self, i, message):
        if not FIELD.match(message) or b"pkcs7" in message.lower():
            return b"%s: %06d\n\nnot asked\n" % (NUMBER, i)
        return b"%s: %06d\n" % (NUMBER, i) + message

    def ask(self, folder, count):
        with open(folder + "/rc", "w") as f:
            f.write(self.RC % {"folder": folder, "number": NUMBER.decode().lower()})
        with open(folder + "/mailcap", "w") as f:
            f.write("text/html; cat; copiousoutput\n")
        run_on_terminal([self.program, "-n", "-F", folder + "/rc", "-R", "-f", folder + "/box", "-e",
                         'push "<tag-pattern>~A<enter><tag-prefix><pipe-message>cat > %s/out<enter><exit>"' % folder], folder)
        texts = [b""] * count
        try:
            with open(folder + "/out", "rb") as f:
                shown = f.read()
        except FileNotFoundError:
            raise RuntimeError(self.name + " showed nothing")
        for piece in re.split(rb"^" + NUMBER + rb": ", shown, flags=re.M)[1:]:
            if piece[:6].isdigit() and int(piece[:6]) < count:
                texts[int(piece[:6])] += piece[6:]
        return texts


def run_on_terminal(command, home):
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
        os.environ.update(TERM="xterm", HOME=home + "/home", LC_ALL="C.UTF-8")
        os.execvp(command[0], command)
    idle_seconds = 15
    while True:
        try:
            ready = select.select([fd], [], [], idle_seconds)[0]
            if not ready:
                os.kill(pid, signal.SIGKILL)
                break
            if not os.read(fd, 65536):
                break
        except OSError:
            break
    os.waitpid(pid, 0)
    os.close(fd)


class SNail(Folder):
    def ask(self, folder, count):
        mark = "<<<%06d>>>"
        commands = "set crt=\nheaderpick type retain x-none\nset pipe-text/html=@t@cat\n" + "".join(
            "echo '" + mark % i + "'\ntype %d\n" % (i + 1) for i in range(count)) + "xit\n"
        done = subprocess.run(["s-nail", "-:/", "-#", "-Rf", folder + "/box"], input=commands.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=dict(os.environ, HOME=folder + "/home", LC_ALL="C.UTF-8", MAILRC="/dev/null"), timeout=60)
        texts = [b""] * count
        for piece in re.split(rb"^<<<(?=\d{6}>>>$)", done.stdout, flags=re.M)[1:]:
            texts[int(piece[:6])] = piece[10:]
        return texts


class Mailutils(Folder):
    """GNU mail, which decodes one message after the other."""

    def ask(self, folder, count):
        messages = []  # it names the files anew
        for i in range(count):
            with open(os.path.join(folder, "box/cur/%06d:2,S" % i), "rb") as f:
                messages.append(f.read())
        mark = b"<<<%06d>>>"
        commands = b"set nosign\nset crt=100000\n" + b"".join(b"echo " + mark % i + b"\ndecode %d\n" % (i + 1) for i in range(count)) + b"exit\n"
        done = subprocess.run([self.program, "-N", "-n", "-f", folder + "/box"], input=commands, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=dict(os.environ, HOME=folder + "/home", LC_ALL="C.UTF-8", PAGER="cat"), timeout=120)
        texts = [b""] * count
        for piece in re.split(rb"^<<<(?=\d{6}>>>$)", done.stdout, flags=re.M)[1:]:
            texts[int(piece[:6])] = self.leaves(piece[10:], messages[int(piece[:6])])
        return texts

    # behind a part that does not end in a line end the frame stands in its last line
    BOX = re.compile(rb"\+-{70,}\+\n(?:\| [^\n]*\n)*?\| Type=([^\n;]*)[^\n]*\n(?:\| [^\n]*\n)*\+-{70,}\+\n")

    def leaves(self, text, message):
        """With the frame around each part's type as the mark of a leaf, and without the headers: the message's own, and of those
        of parts what stands in one, or is the type that the frame says."""
        in_headers = set()
        for b in set(mutate.boundaries(message)):
            for m in re.finditer(rb"^--" + re.escape(b) + rb"[ \t\r]*\n((?:[^\r\n][^\n]*\n)*)", message, re.M):
                in_headers.update(line.rstrip() for line in m[1].split(b"\n"))
        out, ends = [], [m.end() for m in self.BOX.finditer(text)]
        starts = [m.start() for m in self.BOX.finditer(text)][1:] + [len(text)]
        if not ends:
            return self.without_header(text)
        for kind, end, start in zip(self.BOX.finditer(text), ends, starts):
            leaf, at = text[end:start], 0
            if not out and re.search(rb"Message=\d+\n", kind[0]):  # of the message, not of a part
                leaf = self.without_header(leaf)
            while at < len(leaf):
                line = leaf[at:leaf.find(b"\n", at) + 1 or len(leaf)]
                if not line.strip() or (line.rstrip() not in in_headers and not line.startswith(b"Content-Type: " + kind[1].strip())):
                    break
                at += len(line)
            out.append(b"\0" + kind[1].strip() + b"\n" + leaf[at:])
        return b"\n".join(out)

    @staticmethod
    def without_header(text):
        end = re.search(rb"^\r?\n", text, re.M)
        return text[end.end():] if end else text


class Each(Folder):
    """A program that is started for each message, with its file."""

    def __init__(self, name, command, is_slow=False, share=1):
        Folder.__init__(self, name, command[0], is_slow, share)
        self.command = command

    def ask(self, folder, count):
        return [self.one(os.path.join(folder, "box/cur/%06d:2,S" % i)) for i in range(count)]

    def one(self, path):
        return subprocess.run(self.command + [path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


class Courier(Each):
    """reformime: which parts there are, then what is in them, decoded."""

    def open(self, folder):
        unpacked = UNPACKED + "/usr/bin/reformime"
        if UNPACKED and os.path.exists(unpacked):
            self.command = [unpacked]
            return None
        return Folder.open(self, folder)

    def one(self, path):
        with open(path, "rb") as f:
            told = subprocess.run(self.command + ["-i"], stdin=f, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        parts = re.findall(rb"^section: ([0-9.]+)\ncontent-type: (.*)$", told, re.M)
        kinds = {}
        for section, kind in parts:
            kinds.setdefault(kind.strip(), []).append(section)
        text = b""
        for kind, sections in kinds.items():
            if not kind.lower().startswith(b"multipart/"):
                with open(path, "rb") as f:
                    text += b"\0" + kind + b"\n" + subprocess.run(self.command + ["-e", "-s", b",".join(sections)], stdin=f, stdout=subprocess.PIPE,
                                                                 stderr=subprocess.DEVNULL).stdout + b"\n"
        return text


class Imap(Folder):
    """Dovecot's IMAP server: imap.py."""

    def open(self, folder):
        program = UNPACKED + "/usr/lib/dovecot/imap"
        if not UNPACKED or not os.path.exists(program):
            return "no " + program
        shown = self.texts([b"Subject: x\n\nx\n"])[0]
        return None if b"x" in shown else "does not answer: " + program

    def ask(self, folder, count):
        os.chmod(folder, 0o755)
        return imap.texts(UNPACKED, folder, count)


class Claws(Piped):
    """Claws Mail's own parser: claws.c, which is loaded before the program."""

    PROGRAM = "/usr/bin/claws-mail"

    def open(self, folder):
        library = os.path.join(os.path.abspath(folder), "reader-claws.so")
        if not os.path.exists(self.PROGRAM):
            return "no " + self.PROGRAM
        why = compiled(library, here("claws.c"), ["-shared", "-fPIC", "-ldl"])
        if why:
            return why
        self.home = tempfile.TemporaryDirectory(prefix="pgpgate-reader-")
        os.makedirs(self.home.name + "/.claws-mail/mimetmp")
        self.command = ["sh", "-c", "exec env LD_PRELOAD='%s' HOME='%s' LC_ALL=C.UTF-8 %s 2>/dev/null" % (library, self.home.name, self.PROGRAM)]
        return Piped.open(self, folder)

    def close(self):
        Piped.close(self)
        self.home.cleanup()


class Thunderbird:
    """Thunderbird's own shell, with thunderbird.js: the HTML that it lays out, as plain text is preferred and as it is not. Started again
    after each MANY messages, and when it hangs or dies; what makes it do so shows nothing."""

    PROGRAM = "/usr/lib/thunderbird/thunderbird-bin"
    MANY = 2000

    def __init__(self, name, is_slow=True, share=1):
        self.name, self.is_slow, self.share, self.deaths = name, is_slow, share, 0
        self.process, self.home, self.asked = None, None, 0

    def open(self, folder):
        if not os.path.exists(self.PROGRAM):
            return "no " + self.PROGRAM
        self.home = tempfile.TemporaryDirectory(prefix="pgpgate-reader-")
        return None if b"moz-" in self.text(b"Subject: x\n\nx\n") else "does not start: " + self.PROGRAM

    def start(self):
        self.process = subprocess.Popen([self.PROGRAM, "-xpcshell", here("thunderbird.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env=dict(os.environ, HOME=self.home.name, LC_ALL="C.UTF-8", MOZ_HEADLESS="1"))
        self.asked = 0

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process = None

    def texts(self, messages):
        return [self.text(message) for message in messages]

    def text(self, message):
        path = os.path.join(self.home.name, "message.eml")
        with open(path, "wb") as f:
            f.write(message)
        if not self.process:
            self.start()
        self.asked += 1
        try:
            self.process.stdin.write(path.encode() + b"\n")
            self.process.stdin.flush()
            while True:
                if not select.select([self.process.stdout], [], [], 90)[0]:
                    raise BrokenPipeError
                line = self.process.stdout.readline()
                if not line:
                    raise BrokenPipeError
                if line.startswith(b"="):
                    break
        except BrokenPipeError:
            self.deaths += 1
            self.stop()
            return b""
        if self.asked == self.MANY:
            self.stop()
        return base64.b64decode(line[1:])

    def close(self):
        if self.process:
            self.stop()
        self.home.cleanup()


def all_readers(build):
    return [
        Python("python compat32", POLICIES[0]),
        Python("python default", POLICIES[1], share=2),
        Piped("GMime", [build + "/gmime_text"], needs=lambda: build + "/gmime_text"),
        Piped("KMime", [""], compile=lambda: (here("kmime.cpp"), KF5, ("Qt5Core",))),
        Piped("Camel", [""], compile=lambda: (here("camel.c"), [], ("camel-1.2",))),
        Piped("c-client", [""], compile=lambda: (here("c_client.c"), ["-lc-client"])),
        Piped("libetpan", [""], compile=lambda: (here("etpan.c"), [], ("libetpan",))),
        Piped("Dovecot", [""], compile=dovecot, needs=lambda: UNPACKED + "/usr/include/dovecot"),
        Piped("Email MIME", perl("email_mime.pl")),
        Piped("MIME Parser", perl("mime_parser.pl")),
        Piped("ruby-mail", ["ruby", here("ruby_mail.rb")], share=2),
        Piped("mailparse", ["php", here("mailparse.php")]),
        node("postal-mime"), node("emailjs-mime-parser"), node("mailparser"), node("letterparser"),
        Mutt("mutt", "mutt", share=8), Mutt("neomutt", "neomutt", share=8), SNail("s-nail", "s-nail"),
        Courier("Courier", ["reformime"], share=8),
        Piped("Mail Box", perl("mail_box.pl"), is_slow=True),
        Piped("mimetic", [""], compile=lambda: (here("mimetic.cpp"), ["-lmimetic"], ()), needs=lambda: "/usr/include/mimetic/mimetic.h", is_slow=True),
        Go("go-message", ["go"], is_slow=True),
        Mailutils("mailutils", "mail.mailutils", is_slow=True),
        Thunderbird("Thunderbird"),
        Imap("Dovecot IMAP", "env", is_slow=True), Claws("Claws Mail", ["claws-mail"], is_slow=True),
        Each("mblaze", ["mshow", "-h", "x-none"], is_slow=True, share=8),
    ]


def opened(build, slow=False, names=""):
    """The readers that are there, started; and words on those that are not."""
    folder = os.path.join(build, "readers")
    os.makedirs(folder, exist_ok=True)
    out, missing = [], []
    for reader in all_readers(build):
        if names and reader.name not in names.split(",") or reader.is_slow and not slow:
            continue
        why = reader.open(folder)
        if why:
            missing.append("%s: %s" % (reader.name, why))
        else:
            out.append(reader)
    return out, missing
