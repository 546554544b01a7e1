# SPDX-License-Identifier: ISC
"""A terminal of a program's own: what it is shown there."""

import fcntl
import os
import pty
import struct
import subprocess
import termios


def run_on_terminal(command, env, rows=24, columns=80, keys=b"", when=b""):
    """Exit status and what the terminal of that size was shown; it is the command's controlling one. keys are typed
    once it shows `when`."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                               env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", **env})
    os.close(slave)
    shown = b""
    try:
        while piece := os.read(master, 65536):
            shown += piece
            if keys and when in shown:
                os.write(master, keys)
                keys = b""
    except OSError:  # EIO: nobody has it open any more
        pass
    os.close(master)
    return process.wait(60), shown.decode()
