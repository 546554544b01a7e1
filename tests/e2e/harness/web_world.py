# SPDX-License-Identifier: ISC
"""Runs a command in a world of its own: namespaces of network and mounts with nothing but the loopback interface, where some host
names are this machine, a folder is served there at port 443 over TLS, and a private authority is the only one that is trusted. So
programs look for keys as they do in the Internet, and reach nothing.

    unshare --mount --net python3 web_world.py FOLDER LOG NAME[,NAME...] ROOT[,ROOT...] COMMAND...

NAME: a host; ROOT: what is served as it. LOG: gets a line "HOST PATH STATUS" for each request. FOLDER: for what is made.
"""

import fcntl
import http.server
import os
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def make_certificates(folder, names):
    """Of an authority, and by it of the names. Returns (authority, certificate with its key)."""
    ca, pem = os.path.join(folder, "ca.pem"), os.path.join(folder, "server.pem")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Authority of a test", "-keyout", ca + ".key",
            "-out", ca, "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={names[0]}", "-keyout", pem + ".key", "-out", pem + ".csr")
    with open(pem + ".ext", "w", encoding="ascii") as f:
        f.write("subjectAltName=" + ",".join(f"DNS:{n}" for n in names) + "\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", pem + ".csr", "-CA", ca, "-CAkey", ca + ".key", "-CAcreateserial", "-days", "2", "-extfile",
            pem + ".ext", "-out", pem)
    return ca, pem


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        name = b"lo".ljust(16, b"\0")
        flags = struct.unpack("16sh", fcntl.ioctl(s, 0x8913, name + bytes(16))[:18])[1]  # SIOCGIFFLAGS
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", name, flags | 1))  # SIOCSIFFLAGS, IFF_UP


def put_over(folder, path, text):
    """Within this mount namespace only."""
    mine = os.path.join(folder, path.strip("/").replace("/", "-"))
    with open(mine, "w", encoding="ascii") as f:
        f.write(text)
    os.chmod(mine, 0o644)
    subprocess.run(["mount", "--bind", mine, path], check=True)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that does not like the certificate


def serve(sites, log, pem):
    class Handler(http.server.SimpleHTTPRequestHandler):
        extensions_map = {"": "application/octet-stream"}

        def translate_path(self, path):
            self.directory = sites.get(self.headers.get("Host", "").partition(":")[0], "/nonexistent")
            return super().translate_path(path)

        def log_request(self, code="-", size="-"):
            with open(log, "a", encoding="ascii") as f:
                f.write(f"{self.headers.get('Host', '-')} {self.path} {int(code)}\n")

        def log_message(self, *_):
            pass
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, pem + ".key")
    server = Server(("127.0.0.1", 443), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def know_no_names():
    """A name server that says of each question that there is no such name (RFC 1035 section 4.1.1, RCODE 3): /etc/hosts has them all."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))

    def answer():
        while True:
            question, client = server.recvfrom(4096)
            end = question.index(b"\0", 12) + 5
            server.sendto(question[:2] + b"\x81\x83\0\1" + bytes(6) + question[12:end], client)
    threading.Thread(target=answer, daemon=True).start()


def main(folder, log, names, roots, *command):
    names = names.split(",")
    sites = dict(zip(names, roots.split(",")))
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    raise_loopback()
    ca, pem = make_certificates(folder, names)
    put_over(folder, "/etc/hosts", "127.0.0.1 localhost\n" + "".join(f"127.0.0.1 {n}\n" for n in names))
    put_over(folder, "/etc/resolv.conf", "nameserver 127.0.0.1\n")
    put_over(folder, "/etc/nsswitch.conf", "hosts: files\npasswd: files\ngroup: files\n")
    with open(ca, encoding="ascii") as f:
        put_over(folder, "/etc/ssl/certs/ca-certificates.crt", f.read())
    know_no_names()
    serve(sites, log, pem)
    return subprocess.run(command, env={**os.environ, "SSL_CERT_FILE": ca}).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
