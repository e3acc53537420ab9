package dnsname

import (
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

// Labels returns the number of labels of the name.
func (w *WireName) Labels() int { return w.name.count }

// Wire returns the name in wire form, in lower case. It is memory of w.
func (w *WireName) Wire() []byte { return w.buf[:len(w.name.folded)] }

// HasUpper reports whether the client wrote capital letters.
func (w *WireName) HasUpper() bool { return w.upper }

// Parse parses the name at the start of wire and returns its size there. It reports false
// for anything but a domain name, and for a compressed one.
func (w *WireName) Parse(wire []byte) (int, bool) {
	w.upper = false
	n := &w.name
	n.text, n.count = "", 0
	for i := 0; i < len(wire) && i < MaxWire; {
		size := int(wire[i])
		if size == 0 {
			w.end(i)
			return i + 1, true
		}
		if size > maxLabel || i+1+size >= len(wire) || i+1+size >= MaxWire {
			return 0, false
		}
		n.offsets[n.count] = uint8(i)
		n.count++
		w.buf[i] = wire[i]
		w.fold(i+1, wire[i+1:i+1+size])
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

// fold copies a label to the buffer in lower case (ASCII only, RFC 4343).
func (w *WireName) fold(at int, label []byte) {
	dst := w.buf[at : at+len(label)]
	for i, c := range label {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
			w.upper = true
		}
		dst[i] = c
	}
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
