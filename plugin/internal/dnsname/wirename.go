package dnsname

import (
	"encoding/binary"
	"strings"
	"unsafe"
)

// WireName is a name in memory that is used again: nothing that a look-up returns for it
// may be used after the next call of Parse or ParseText.
type WireName struct {
	name  Name
	upper bool
	buf   [MaxWire]byte
}

// Name returns the name. It has no presentation form if Parse read it.
func (w *WireName) Name() *Name { return &w.name }

// Wire returns the name in wire form, in lower case. It is memory of w.
func (w *WireName) Wire() []byte { return w.buf[:len(w.name.folded)] }

// HasUpper reports whether the client wrote capital letters.
func (w *WireName) HasUpper() bool { return w.upper }

// Parse parses the name at the start of wire and returns its size there. It reports false
// for anything but a domain name, and for a compressed one.
func (w *WireName) Parse(wire []byte) (int, bool) {
	n := &w.name
	n.text, n.count = "", 0
	for i := 0; i < len(wire) && i < MaxWire; {
		size := int(wire[i])
		if size == 0 {
			w.upper = foldWire(w.buf[:i], wire[:i])
			w.end(i)
			return i + 1, true
		}
		if size > maxLabel || i+1+size >= MaxWire {
			return 0, false
		}
		n.offsets[n.count] = uint8(i)
		n.count++
		i += 1 + size
	}
	return 0, false
}

// end writes the root label. Look-ups take strings, so the buffer becomes one without a
// copy: it does not change while they run.
func (w *WireName) end(at int) {
	w.buf[at] = 0
	w.name.folded = unsafe.String(&w.buf[0], at+1)
}

// foldWire copies labels in lower case (ASCII only, RFC 4343), eight octets at a time, and reports
// whether any was upper case. The octets between the labels are too small to be letters.
func foldWire(dst, src []byte) (upper bool) {
	if len(src) < 8 {
		for i, c := range src {
			if 'A' <= c && c <= 'Z' {
				c, upper = c+'a'-'A', true
			}
			dst[i] = c
		}
		return upper
	}
	var found uint64
	for i := 0; i < len(src); i += 8 {
		at := min(i, len(src)-8) // the last eight may be there twice
		x := binary.NativeEndian.Uint64(src[at:])
		letters := upperCase(x)
		found |= letters
		binary.NativeEndian.PutUint64(dst[at:], x|letters>>2)
	}
	return found != 0
}

// upperCase returns the highest bit of each of the eight octets that is a capital letter.
func upperCase(x uint64) uint64 {
	const each, high = 0x0101010101010101, 0x8080808080808080
	low := x &^ high
	fromA, afterZ := low+(0x80-'A')*each, low+(0x80-'Z'-1)*each
	return (fromA &^ afterZ) &^ x & high
}

// ParseText parses a name in presentation form, as the function Parse does. The name that
// it returns is memory of w.
func (w *WireName) ParseText(text string) (*Name, error) {
	if w.foldText(text) {
		w.name.text = text
		return &w.name, nil
	}
	parsed, err := Parse(text)
	w.name = parsed
	if err == nil {
		w.upper = hasUpper(parsed.text)
		copy(w.buf[:], parsed.folded)
		w.end(len(parsed.folded) - 1)
	}
	return &w.name, err
}

func hasUpper(text string) bool {
	return strings.ContainsFunc(text, func(c rune) bool { return 'A' <= c && c <= 'Z' })
}

// foldText parses a name without escapes. In wire form, the length octet of each label
// takes the place of the dot before it.
func (w *WireName) foldText(text string) bool {
	w.upper = false
	n := &w.name
	n.count = 0
	if len(text) < 2 || len(text) >= MaxWire || text[len(text)-1] != '.' {
		return false
	}
	start := 0
	for i := range len(text) {
		c := text[i]
		switch {
		case c == '.':
			if i == start || i-start > maxLabel {
				return false
			}
			w.buf[start] = byte(i - start)
			n.offsets[n.count] = uint8(start)
			n.count++
			start = i + 1
			continue
		case !plain[c]:
			return false
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
			w.upper = true
		}
		w.buf[i+1] = c
	}
	w.end(start)
	return true
}

// AppendText appends the name in presentation form, in lower case. It reports false for a
// name that needs an escape.
func (w *WireName) AppendText(dst []byte) ([]byte, bool) {
	for i := range w.name.count {
		label := w.name.Label(i)
		for j := range len(label) {
			c := label[j]
			if c == '.' || !plain[c] {
				return dst, false
			}
			dst = append(dst, c)
		}
		dst = append(dst, '.')
	}
	return dst, true
}
