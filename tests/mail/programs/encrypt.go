// SPDX-License-Identifier: ISC
// Encrypts standard input with Go's openpgp: encrypt KEYFILE MODE, armored output. MODE: plain, aead,
// headers, password; aead makes a key of its own that asks for it.
package main

import (
	"io"
	"os"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	mode := os.Args[2]
	config := &packet.Config{DefaultCipher: packet.CipherAES256}
	if mode == "aead" {
		config.AEADConfig = &packet.AEADConfig{DefaultMode: packet.AEADModeOCB}
	}
	headers := map[string]string{}
	if mode == "headers" {
		headers = map[string]string{"Version": "Go 1", "Comment": "https://go.example/"}
	}
	out, err := armor.Encode(os.Stdout, "PGP MESSAGE", headers)
	check(err)
	var plain io.WriteCloser
	if mode == "password" {
		plain, err = openpgp.SymmetricallyEncrypt(out, []byte("secret"), nil, config)
	} else {
		f, e := os.Open(os.Args[1])
		check(e)
		keys, e := openpgp.ReadArmoredKeyRing(f)
		check(e)
		if mode == "aead" {
			own, e := openpgp.NewEntity("Bob", "", "bob@receiver.example", config)
			check(e)
			keys = openpgp.EntityList{own}
		}
		plain, err = openpgp.Encrypt(out, keys, nil, nil, config)
	}
	check(err)
	_, err = io.Copy(plain, os.Stdin)
	check(err)
	check(plain.Close())
	check(out.Close())
}
