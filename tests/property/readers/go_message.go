// SPDX-License-Identifier: ISC

// What go-message (aerc, hydroxide, many Go programs) would show of a message; see readers.py for what is read and written.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"os"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
)

func show(out *bytes.Buffer, e *message.Entity, depth int) {
	if depth > 40 {
		return
	}
	kind, _, _ := e.Header.ContentType()
	if parts := e.MultipartReader(); parts != nil {
		for n := 0; n < 2000; n++ {
			part, err := parts.NextPart()
			if part == nil || (err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err)) {
				break
			}
			show(out, part, depth+1)
		}
		return
	}
	if kind == "" {
		kind = "text/plain"
	}
	out.WriteString("\x00" + kind + "\n")
	text, _ := io.ReadAll(e.Body)
	out.Write(text)
	out.WriteString("\n")
	if len(kind) > 8 && kind[:8] == "message/" {
		if inner, _ := message.Read(bytes.NewReader(text)); inner != nil {
			show(out, inner, depth+1)
		}
	}
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		var size [4]byte
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return
		}
		text := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		var out bytes.Buffer
		func() {
			defer func() { recover() }()
			if e, _ := message.Read(bytes.NewReader(text)); e != nil {
				show(&out, e, 0)
			}
		}()
		binary.BigEndian.PutUint32(size[:], uint32(out.Len()))
		os.Stdout.Write(size[:])
		os.Stdout.Write(out.Bytes())
	}
}
