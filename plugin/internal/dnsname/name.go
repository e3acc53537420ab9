package dnsname

import (
	"errors"
	"strings"
)

// MaxWire is the largest size of a name in wire form, maxLabels the largest number of
// labels of a name, and maxLabel the largest size of a label (RFC 1035 2.3.4).
const (
	MaxWire   = 255
	maxLabels = 127
	maxLabel  = 63
)

var errNotAName = errors.New("not a domain name")

// Name is a domain name as a client spelled it, with its wire form in lower case and the
// offset of every label in that form, so that look-ups copy nothing.
type Name struct {
	text    string // presentation form, fully qualified
	folded  string // wire form, lower case
	offsets [maxLabels]uint8
	count   int
}

// ParseWire parses a name in wire form (RFC 1035 3.1). It accepts neither compression nor
// anything after the name.
func ParseWire(wire []byte) (Name, error) {
	var n Name
	if err := n.fold(wire); err != nil {
		return Name{}, err
	}
	n.text = spell(wire)
	return n, nil
}

// String returns the name in presentation form, as the client spelled it.
func (n *Name) String() string { return n.text }

// Wire returns the name in wire form, in lower case.
func (n *Name) Wire() string { return n.folded }

// Labels returns the number of labels.
func (n *Name) Labels() int { return n.count }

// fold stores the wire form in lower case and the offsets of its labels.
func (n *Name) fold(wire []byte) error {
	if len(wire) > MaxWire {
		return errNotAName
	}
	var buf [MaxWire]byte
	for i := 0; ; {
		if i >= len(wire) || wire[i] > maxLabel {
			return errNotAName
		}
		size := int(wire[i])
		if i+1+size > len(wire) {
			return errNotAName
		}
		if size == 0 {
			if i+1 < len(wire) {
				return errNotAName
			}
			n.folded = string(buf[:i+1])
			return nil
		}
		n.offsets[n.count] = uint8(i)
		n.count++
		buf[i] = wire[i]
		foldLabel(buf[i+1:i+1+size], wire[i+1:i+1+size])
		i += 1 + size
	}
}

// foldLabel copies src to dst in lower case (ASCII only, RFC 4343).
func foldLabel(dst, src []byte) {
	for i, c := range src {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst[i] = c
	}
}

// Label returns the i-th label from the left, in lower case.
func (n *Name) Label(i int) string {
	at := int(n.offsets[i])
	return n.folded[at+1 : at+1+int(n.folded[at])]
}

// LabelText returns the i-th label from the left in presentation form, in lower case.
func (n *Name) LabelText(i int) string {
	label := n.Label(i)
	if isPlain(label) && !strings.Contains(label, ".") {
		return label
	}
	return string(appendSpelled(nil, label))
}

// Offset returns the offset in the wire form at which the last count labels begin.
func (n *Name) Offset(count int) int {
	if count == 0 {
		return len(n.folded) - 1
	}
	return int(n.offsets[n.count-count])
}

// suffix returns the wire form of the last count labels, in lower case.
func (n *Name) suffix(count int) string {
	if count == 0 {
		return n.folded[len(n.folded)-1:]
	}
	return n.folded[n.offsets[n.count-count]:]
}

// maxText is the largest size in presentation form, with the final dot, at which a name
// certainly fits into 255 octets (RFC 1035 2.3.4).
const maxText = 254

// TooLong reports whether a name in presentation form is too long for a DNS message. An
// endpoint in a zone of the cluster set may have four labels of full length, which is too
// much. A single record with such a name would spoil the whole answer, and nobody can ask
// for the name.
func TooLong(text string) bool {
	if len(text) <= maxText {
		return false
	}
	_, err := Parse(text)
	return err != nil
}
