package zone

import (
	"errors"
	"strings"

	"github.com/miekg/dns"
)

// maxLabels is the number of labels that fit into 255 octets (RFC 1035 2.3.4).
const maxLabels = 127

var errNotAName = errors.New("not a domain name")

// Name is a domain name as a client spelled it, together with its wire form in
// lower case and the place of every label in it, for look-up without copying.
type Name struct {
	text    string // presentation form, fully qualified
	folded  string // wire form, lower case
	offsets [maxLabels]uint8
	count   int
}

// ParseName parses a name in presentation form (RFC 1035 5.1).
func ParseName(text string) (Name, error) {
	var buf [256]byte
	text = dns.Fqdn(text)
	end, err := dns.PackDomainName(text, buf[:], 0, nil, false)
	if err != nil {
		return Name{}, errNotAName
	}
	if !isPlain(text) {
		return ParseWire(buf[:end])
	}
	n := Name{text: text}
	if err := n.fold(buf[:end]); err != nil {
		return Name{}, err
	}
	return n, nil
}

// escapes says whether r may be spelled in more than one way. A name has one
// spelling here, so that the end of it can be told to be an origin's by its length.
func escapes(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune(`\"'();@`, r)
}

// plain says of an octet that it has one spelling.
var plain = func() (table [256]bool) {
	for c := range table {
		table[c] = !escapes(rune(c))
	}
	return table
}()

func isPlain(text string) bool {
	for i := range len(text) {
		if !plain[text[i]] {
			return false
		}
	}
	return true
}

// ParseWire parses a name in wire form (RFC 1035 3.1), without compression and
// with nothing after it.
func ParseWire(wire []byte) (Name, error) {
	var n Name
	if err := n.fold(wire); err != nil {
		return Name{}, err
	}
	text, _, err := dns.UnpackDomainName(wire, 0)
	n.text = text
	return n, err
}

// String is the name in presentation form, as it was spelled.
func (n *Name) String() string { return n.text }

// Wire is the name in wire form and lower case.
func (n *Name) Wire() string { return n.folded }

// fold keeps the wire form in lower case and the offsets of its labels.
func (n *Name) fold(wire []byte) error {
	if len(wire) > 255 {
		return errNotAName
	}
	var buf [255]byte
	for i := 0; ; {
		if i >= len(wire) || wire[i] >= 64 {
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

// label is the i-th label from the left, in lower case.
func (n *Name) label(i int) string {
	at := int(n.offsets[i])
	return n.folded[at+1 : at+1+int(n.folded[at])]
}

// join is the text of the first count labels, in lower case.
func (n *Name) join(count int) string {
	labels := make([]string, count)
	for i := range labels {
		labels[i] = n.label(i)
	}
	return strings.Join(labels, ".")
}

// tail is the wire form of the last count labels, in lower case.
func (n *Name) tail(count int) string {
	if count == 0 {
		return n.folded[len(n.folded)-1:]
	}
	return n.folded[n.offsets[n.count-count]:]
}

// Origin is the name of a zone that we serve.
type Origin struct {
	text    string // presentation form, lower case, fully qualified
	folded  string
	labels  int
	reverse bool

	// Of the zone's SOA record, where a client spells the origin in lower case.
	ns, mbox string

	// ClusterSet is set for a zone of the multi-cluster services API, whose
	// Services are the ServiceImports.
	ClusterSet bool
}

// ParseOrigin parses the name of a zone.
func ParseOrigin(text string) (Origin, error) {
	n, err := ParseName(text)
	if err != nil {
		return Origin{}, err
	}
	lower, err := ParseWire([]byte(n.folded))
	return Origin{
		text: lower.text, folded: lower.folded, labels: lower.count, reverse: isReverse(&lower),
		ns: below(lower.text, nsLabels), mbox: below(lower.text, mboxLabel),
	}, err
}

// String is the origin in presentation form.
func (o Origin) String() string { return o.text }

// Labels is the number of labels of the origin.
func (o Origin) Labels() int { return o.labels }

// Wire is the origin in wire form and lower case.
func (o Origin) Wire() string { return o.folded }

// Reverse says whether the origin is one of addresses.
func (o Origin) Reverse() bool { return o.reverse }

// encloses says whether n is the origin or below it.
func (o *Origin) encloses(n *Name) bool {
	return n.count >= o.labels && n.tail(o.labels) == o.folded
}

// spelled is the origin as the client spelled it in n, a name that it encloses.
func (o *Origin) spelled(n *Name) string { return n.text[len(n.text)-len(o.text):] }

// below is a name below an origin. The root is no more than the dot that the
// labels end in.
func below(origin, labels string) string {
	if origin == "." {
		return labels + "."
	}
	return labels + "." + origin
}
