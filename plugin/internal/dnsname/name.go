package dnsname

import (
	"errors"
	"strings"
)

// MaxWire is the size of a name in wire form (RFC 1035 2.3.4), and maxLabels the
// number of labels that fit into it.
const (
	MaxWire   = 255
	maxLabels = 127
	maxLabel  = 63
)

var errNotAName = errors.New("not a domain name")

// Name is a domain name as a client spelled it, together with its wire form in
// lower case and the place of every label in it, for look-up without copying.
type Name struct {
	text    string // presentation form, fully qualified
	folded  string // wire form, lower case
	offsets [maxLabels]uint8
	count   int
}

// ParseWire parses a name in wire form (RFC 1035 3.1), without compression and
// with nothing after it.
func ParseWire(wire []byte) (Name, error) {
	var n Name
	if err := n.fold(wire); err != nil {
		return Name{}, err
	}
	n.text = spell(wire)
	return n, nil
}

// String returns the name in presentation form, as it was spelled.
func (n *Name) String() string { return n.text }

// Wire returns the name in wire form and lower case.
func (n *Name) Wire() string { return n.folded }

// Labels returns the number of labels.
func (n *Name) Labels() int { return n.count }

// fold keeps the wire form in lower case and the offsets of its labels.
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

// Join returns the first count labels with dots between them, in lower case.
func (n *Name) Join(count int) string {
	labels := make([]string, count)
	for i := range labels {
		labels[i] = n.Label(i)
	}
	return strings.Join(labels, ".")
}

// Offset returns where the last count labels begin in the wire form.
func (n *Name) Offset(count int) int {
	if count == 0 {
		return len(n.folded) - 1
	}
	return int(n.offsets[n.count-count])
}

// Suffix returns the wire form of the last count labels, in lower case.
func (n *Name) Suffix(count int) string {
	if count == 0 {
		return n.folded[len(n.folded)-1:]
	}
	return n.folded[n.offsets[n.count-count]:]
}

// Before returns the labels before the last count ones, in wire form without an end.
func (n *Name) Before(count int) string { return n.folded[:n.Offset(count)] }

// maxText is the length up to which the presentation form of a name is certain
// to fit into 255 octets (RFC 1035 2.3.4).
const maxText = 254

// TooLong reports whether a name in presentation form is too long for a message. Four
// labels of full length are, and an endpoint in a cluster of the set may have them. One
// record like that would cost the whole answer, and its target cannot be asked for.
func TooLong(text string) bool {
	if len(text) <= maxText {
		return false
	}
	_, err := Parse(text)
	return err != nil
}
