# SPDX-License-Identifier: ISC
"""Certificates by PGPy, and messages to them: pgpy_certificates.py FOLDER writes NAME.cert and NAME.message, with the address
NAME@table.example."""

import sys
import warnings

warnings.simplefilter("ignore")

import pgpy
from pgpy.constants import (CompressionAlgorithm, EllipticCurveOID, HashAlgorithm, KeyFlags, PubKeyAlgorithm,
                            SymmetricKeyAlgorithm)

SIGNS = {KeyFlags.Sign, KeyFlags.Certify}
ENCRYPTS = {KeyFlags.EncryptCommunications, KeyFlags.EncryptStorage}
RSA = (PubKeyAlgorithm.RSAEncryptOrSign, 2048)

KINDS = {  # primary key, its flags, subkeys
    "pgpy-one-rsa": (RSA, SIGNS | ENCRYPTS, []),
    "pgpy-rsa": (RSA, SIGNS, [RSA]),
    "pgpy-25519": ((PubKeyAlgorithm.EdDSA, EllipticCurveOID.Ed25519), SIGNS,
                   [(PubKeyAlgorithm.ECDH, EllipticCurveOID.Curve25519)]),
    "pgpy-nist": ((PubKeyAlgorithm.ECDSA, EllipticCurveOID.NIST_P256), SIGNS,
                  [(PubKeyAlgorithm.ECDH, EllipticCurveOID.NIST_P256)]),
    "pgpy-two": (RSA, SIGNS, [RSA, RSA]),
}


def make(name, primary, usage, subkeys):
    key = pgpy.PGPKey.new(*primary)
    key.add_uid(pgpy.PGPUID.new(name, email=f"{name}@table.example"), usage=usage, hashes=[HashAlgorithm.SHA256],
                ciphers=[SymmetricKeyAlgorithm.AES256], compression=[CompressionAlgorithm.Uncompressed])
    for subkey in subkeys:
        key.add_subkey(pgpy.PGPKey.new(*subkey), usage=ENCRYPTS)
    message = key.pubkey.encrypt(pgpy.PGPMessage.new("text\n"), cipher=SymmetricKeyAlgorithm.AES256)
    return str(key.pubkey), str(message)


for name, kind in KINDS.items():
    for ending, text in zip(("cert", "message"), make(name, *kind)):
        with open(f"{sys.argv[1]}/{name}.{ending}", "w", encoding="ascii") as f:
            f.write(text)
