// SPDX-License-Identifier: ISC
//go:build ignore

// As encrypt.go, with golang.org/x/crypto/openpgp.
package main

import (
	"io"
	"os"

	"golang.org/x/crypto/openpgp"
	"golang.org/x/crypto/openpgp/armor"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	out, err := armor.Encode(os.Stdout, "PGP MESSAGE", nil)
	check(err)
	f, err := os.Open(os.Args[1])
	check(err)
	keys, err := openpgp.ReadArmoredKeyRing(f)
	check(err)
	plain, err := openpgp.Encrypt(out, keys, nil, nil, nil)
	check(err)
	_, err = io.Copy(plain, os.Stdin)
	check(err)
	check(plain.Close())
	check(out.Close())
}
